"""Copies finished files to where the caller wants them."""

from __future__ import annotations

import shutil
from pathlib import Path


def copy_to(source: Path, output: Path, number: int | None = None) -> Path:
    """Copy a file and return where it went. Blocks.

    Args:
        source: The file.
        output: A folder, or the name of the copy; a name without extension is a folder.
        number: Told apart by this when several files share one name.
    """
    if output.is_dir() or not output.suffix:
        target = output / source.name
    elif number is None:
        target = output
    else:
        target = output.with_name(f"{output.stem}-{number}{output.suffix}")
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, target)
    return target
