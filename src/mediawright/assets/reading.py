"""Giving stored files out again."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path, PurePosixPath

from mediawright.assets.drive import Drive
from mediawright.assets.staging import Staging
from mediawright.core.errors import NotFoundError
from mediawright.core.generation import Asset


class FileReader:
    """Reads files of a drive, by the keys that assets have.

    Args:
        drive: Where files lie.
        staging: Where copies go that a drive elsewhere makes necessary.
    """

    def __init__(self, drive: Drive, staging: Staging) -> None:
        """Use these parts; nothing is opened yet."""
        self._drive = drive
        self._staging = staging

    async def read(self, asset: Asset) -> bytes:
        """Return all bytes of a file; for those that are to be sent on as one.

        Raises:
            NotFoundError: `asset_file_missing`.
            UnavailableError: `drive_unavailable`.
        """
        return b"".join([chunk async for chunk in self.stream(asset.key)])

    async def stream(
        self, key: str, start: int = 0, end: int | None = None
    ) -> AsyncIterator[bytes]:
        """Read a file, or a part of it, in chunks of at most about a megabyte.

        Args:
            key: Of an asset, or of one of its renditions.
            start: The first byte, from 0.
            end: The byte after the last; the end of the file by default.

        Raises:
            NotFoundError: `asset_file_missing`, at the first chunk.
            UnavailableError: `drive_unavailable`.
        """
        try:
            async for chunk in self._drive.open_stream(key, start, end):
                yield chunk
        except FileNotFoundError as error:
            raise missing(key) from error

    async def size_of(self, key: str) -> int:
        """Return how many bytes a file has.

        Raises:
            NotFoundError: `asset_file_missing`.
            UnavailableError: `drive_unavailable`.
        """
        size = await self._drive.size(key)
        if size is None:
            raise missing(key)
        return size

    def path_of(self, key: str) -> Path | None:
        """Return where a file lies on this machine; `None` if the drive is elsewhere."""
        return self._drive.local_path(key)

    async def local_copy(self, asset: Asset) -> Path:
        """Return a path on this machine with the bytes of an asset, for reading only.

        From a drive elsewhere they are fetched, once for as long as the copy is kept.

        Raises:
            NotFoundError: `asset_file_missing`.
            UnavailableError: `drive_unavailable` or `staging_unwritable`.
        """
        if self.path_of(asset.key) is not None:
            return await self.local_copy_of(asset.key)
        suffix = PurePosixPath(asset.key).suffix
        kept = self._staging.folder / f"{asset.sha256}{suffix}"
        if not await asyncio.to_thread(kept.is_file):
            fetched = await self.local_copy_of(asset.key)
            await asyncio.to_thread(fetched.replace, kept)
        return kept

    async def local_copy_of(self, key: str) -> Path:
        """Return a path on this machine with the bytes of a file, for reading only.

        From a drive elsewhere they are fetched; that copy is removed with what else is old.

        Raises:
            NotFoundError: `asset_file_missing`.
            UnavailableError: `drive_unavailable` or `staging_unwritable`.
        """
        path = self.path_of(key)
        if path is not None:
            if not await asyncio.to_thread(path.is_file):
                raise missing(key)
            return path
        staged = await self._staging.write_stream(self.stream(key))
        named = staged.path.with_suffix(PurePosixPath(key).suffix)
        return await asyncio.to_thread(staged.path.replace, named)


def missing(key: str) -> NotFoundError:
    """Return the error of a file that has gone from the drive."""
    return NotFoundError(
        "asset_file_missing",
        f"The file {key} is no longer on the drive.",
        hint="Restore it from a backup, or delete the asset.",
    )
