"""The folder in which an installation keeps everything, and the lock on it."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

from mediawright.core.errors import ConflictError


class DataFolder:
    """Where database, engine, files and unfinished work lie."""

    def __init__(self, root: Path) -> None:
        """Make the folder, readable by its owner alone."""
        root.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.root = root
        self.files = root / "files"
        self.staging = root / "staging"
        self.replies = root / "replies"
        for folder in (self.files, self.staging, self.replies):
            folder.mkdir(exist_ok=True, mode=0o700)
        self._descriptor: int | None = None

    @property
    def database_url(self) -> str:
        """The SQLite database of our own tables."""
        return f"sqlite:///{self.root / 'mediawright.db'}"

    @property
    def engine_url(self) -> str:
        """The SQLite database of the durable engine."""
        return f"sqlite:///{self.root / 'engine.db'}"

    def lock(self) -> None:
        """Take the folder for this process.

        Raises:
            ConflictError: Another process works in it; two would steal each other's jobs.
        """
        path = self.root / "lock"
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.read(descriptor, 64).decode(errors="replace").strip() or "unknown"
            os.close(descriptor)
            raise ConflictError(
                "data_folder_in_use",
                f"Another mediawright process (pid {holder}) works in {self.root}.",
                hint="Wait for it, stop it, or give this one a folder of its own: --data-dir DIR.",
                details={"pid": holder, "data_dir": str(self.root)},
            ) from None
        os.ftruncate(descriptor, 0)
        os.write(descriptor, str(os.getpid()).encode())
        self._descriptor = descriptor

    def unlock(self) -> None:
        """Let others take it."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None
