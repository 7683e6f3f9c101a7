"""Where files lie: a local folder, or a bucket of S3, Google Cloud Storage or Azure.

Keys are relative paths with forward slashes. A file appears under its key whole or not at
all, and no key leads out of the drive.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import NamedTuple

from mediawright.assets.naming import is_safe_key
from mediawright.core.errors import InternalError

CHUNK_BYTES = 1_048_576


class FinishedFile(NamedTuple):
    """A file of ours that goes into a drive."""

    source: Path
    key: str
    content_type: str


class Drive(ABC):
    """Where files lie. `Drive.local` and `Drive.from_url` open one."""

    @staticmethod
    def local(folder: Path) -> Drive:
        """Return the drive of a local folder, which is made when it is first written to."""
        from mediawright.assets.local_drive import LocalDrive  # noqa: PLC0415 - its base is here

        return LocalDrive(folder)

    @staticmethod
    def from_url(url: str) -> Drive:
        """Return the drive at a URL.

        Args:
            url: `s3://bucket/prefix`, `gs://bucket/prefix`, `az://container/prefix`,
                `file:///folder`, or `memory:///`. Credentials come from the environment, as
                the tools of these services read them.

        Raises:
            InvalidRequestError: `invalid_drive_url` if no drive can be opened at it.
        """
        from mediawright.assets.object_drive import open_drive  # noqa: PLC0415 - its base is here

        return open_drive(url)

    @abstractmethod
    def local_path(self, key: str) -> Path | None:
        """Return where the file lies on this machine; `None` if it lies elsewhere."""

    @abstractmethod
    async def prepare(self, source: Path) -> None:
        """Do what `put_file` would have to wait for, while the file is still looked at.

        Args:
            source: A file that is complete, and may yet turn out to be unwanted.
        """

    @abstractmethod
    async def put_file(self, source: Path, key: str, *, content_type: str) -> None:
        """Move a finished file into the drive, replacing what has the key; `source` is gone.

        On return it is safe from a power cut.

        Args:
            source: A file of ours, best on the same file system.
            key: Where to.
            content_type: What a bucket says it is when it serves it.
        """

    async def put_files(self, files: Sequence[FinishedFile]) -> None:
        """Do what `put_file` does with each; where one fails, others may have been put."""
        for file in files:
            await self.put_file(file.source, file.key, content_type=file.content_type)

    @abstractmethod
    async def create(self, key: str, data: bytes) -> bool:
        """Write a small file if the key is free; of several who try, one succeeds.

        Returns:
            Whether the file was written.
        """

    @abstractmethod
    async def read(self, key: str) -> bytes | None:
        """Return a small file's bytes; `None` if there is none."""

    @abstractmethod
    async def size(self, key: str) -> int | None:
        """Return a file's size in bytes; `None` if there is none."""

    @abstractmethod
    def open_stream(self, key: str, start: int = 0, end: int | None = None) -> AsyncIterator[bytes]:
        """Read a file, or a part of it, in chunks of at most about a megabyte.

        Args:
            key: Which.
            start: The first byte, from 0.
            end: The byte after the last; the end of the file by default, or if beyond it.

        Raises:
            FileNotFoundError: There is no such file; raised at the first chunk.
        """

    @abstractmethod
    async def delete(self, key: str) -> bool:
        """Delete a file; tell whether there was one."""

    @abstractmethod
    async def older_than(self, prefix: str, seconds: float) -> list[str]:
        """Return the keys below a folder whose files were written longer ago than that."""

    async def clean_up(self, older_than_seconds: float) -> int:
        """Remove what interrupted writes left behind; not all drives have such.

        Args:
            older_than_seconds: What is younger may be in use.

        Returns:
            How many files were removed; none of them had a key.
        """
        del older_than_seconds
        return 0

    async def is_blocked(self, key: str) -> bool:
        """Tell whether no file can have the key, because another stands in its way."""
        require_safe(key)
        return False

    async def exists(self, key: str) -> bool:
        """Tell whether there is a file with that key."""
        return await self.size(key) is not None


def require_safe(key: str) -> str:
    """Return the key.

    Raises:
        InternalError: `unsafe_key`: it leads out of the drive, or no file can have it. What
            callers ask for is checked long before and never gets here.
    """
    if not is_safe_key(key):
        raise InternalError("unsafe_key", "A key leads out of the drive, or is none for a file.")
    return key
