"""Empty files that are written to again, instead of new ones that are soon removed."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from uuid import uuid4

_MOST = 64


class SpareFiles:
    """Keeps files that are not needed any more, emptied.

    To make a file, ext4 looks past every one that was removed in the last minutes. Who makes
    and removes a file for each request comes to spend more time on that than on writing it.
    """

    def __init__(self, folder: Path) -> None:
        """Keep them in `folder`, which is made when needed; others may keep theirs there too."""
        self._folder = folder
        self._free: list[Path] = []

    def take_now(self) -> Path | None:
        """Return a file that may be written to, if there is one; it may have been removed."""
        try:
            return self._free.pop()
        except IndexError:
            return None

    def retire_now(self, path: Path) -> None:
        """Take a file out of its place, and its bytes out of it; it may be gone already."""
        if len(self._free) >= _MOST:
            path.unlink(missing_ok=True)
            return
        spare = self._folder / uuid4().hex
        try:
            path.rename(spare)
        except FileNotFoundError:
            if not path.exists():
                return
            self._folder.mkdir(parents=True, exist_ok=True)
            path.rename(spare)
        os.truncate(spare, 0)
        self._free.append(spare)

    def drop_now(self, older_than: float) -> None:
        """Remove those that nobody has used since a time in seconds since 1970."""
        for path in self._folder.glob("*"):
            # Whoever keeps it makes it anew.
            with contextlib.suppress(FileNotFoundError):
                if path.stat().st_mtime < older_than:
                    path.unlink()
