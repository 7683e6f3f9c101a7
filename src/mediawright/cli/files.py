"""Copies finished files to where the caller wants them."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

from mediawright.core.errors import UnavailableError

if TYPE_CHECKING:
    from pathlib import Path

    from mediawright.catalog.model import Model

_SAME_FORMAT = {".jpg": ".jpeg", ".tif": ".tiff", ".oga": ".ogg"}
_TEXT = ".txt"


def wanted_format(output: Path, model: Model) -> str | None:
    """Return the output format that a file's name asks for, if the model can be asked."""
    suffix = _suffix(output).removeprefix(".")
    rules = [model.parameter("output_format", operation) for operation in model.operations]
    return suffix if any(rule is not None and suffix in rule.values for rule in rules) else None


def copy_to(
    source: Path, output: Path, *, number: int | None = None, text: str | None = None
) -> Path:
    """Copy a file and return where it went. Blocks.

    Args:
        source: The file.
        output: A folder, or the name of the copy; a name without extension is a folder. An
            extension that is not the file's is replaced by the file's.
        number: Told apart by this when several files share one name.
        text: The file's words, which are written in its place where a `.txt` is wanted.

    Raises:
        UnavailableError: `output_not_writable`.
    """
    if output.is_dir() or not output.suffix:
        target = output / source.name
    else:
        stem = output.stem if number is None else f"{output.stem}-{number}"
        target = output.with_name(f"{stem}{output.suffix}")
    as_text = text is not None and target.suffix == _TEXT
    if not as_text and _suffix(target) != _suffix(source):
        target = target.with_suffix(source.suffix)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        if as_text and text is not None:
            target.write_text(f"{text}\n", encoding="utf-8")
        else:
            shutil.copyfile(source, target)
    except OSError as error:
        raise UnavailableError(
            "output_not_writable",
            f"{target} cannot be written ({error.strerror}); the file itself is at {source}.",
            hint="Choose another place: mediawright assets get ASSET -o PLACE",
        ) from error
    return target


def _suffix(path: Path) -> str:
    suffix = path.suffix.lower()
    return _SAME_FORMAT.get(suffix, suffix)
