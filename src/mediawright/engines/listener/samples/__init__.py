"""A short spoken recording that the listener reads exactly, with its text.

Two of the Harvard sentences (IEEE Recommended Practice for Speech Quality Measurements,
1969), spoken by flite's voice rms.
"""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from importlib.resources import as_file, files
from pathlib import Path

_NAME = "harvard.mp3"
_TEXT = "harvard.txt"


@contextmanager
def sample_path() -> Generator[Path]:
    """Give the recording as a file, for as long as the block lasts."""
    with as_file(files(__name__).joinpath(_NAME)) as path:
        yield path


def sample_bytes() -> bytes:
    """Return the recording, an MP3 file."""
    return files(__name__).joinpath(_NAME).read_bytes()


def sample_text() -> str:
    """Return what is said in the recording."""
    return files(__name__).joinpath(_TEXT).read_text(encoding="utf-8").strip()
