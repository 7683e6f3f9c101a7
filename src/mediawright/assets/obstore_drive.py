"""What a bucket and a local folder have in common: obstore reaches both."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import AsyncIterator, Generator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import obstore
from obstore.exceptions import BaseError

from mediawright.assets.drive import CHUNK_BYTES, Drive

if TYPE_CHECKING:
    from collections.abc import Sequence

    from obstore import GetOptions, ObjectMeta
    from obstore.store import ObjectStore


class ObstoreDrive(Drive):
    """Files that are looked up through obstore."""

    async def read(self, key: str) -> bytes | None:
        """Return a small file's bytes; `None` if there is none."""
        try:
            return await self._get(key)
        except FileNotFoundError:
            return None

    async def size(self, key: str) -> int | None:
        """Return a file's size in bytes; `None` if there is none."""
        try:
            return (await self._head(key))["size"]
        except FileNotFoundError:
            return None

    async def open_stream(
        self, key: str, start: int = 0, end: int | None = None
    ) -> AsyncIterator[bytes]:
        """Read a file, or a part of it, in chunks of at most about a megabyte."""
        size = (await self._head(key))["size"]
        last = size if end is None else min(end, size)
        if start >= last:
            return
        with self._translated():
            store = await self._reach(key)
            found = await obstore.get_async(store, key, options={"range": (start, last)})
            async for chunk in found.stream(CHUNK_BYTES):
                # What comes is at least as long as asked for.
                for at in range(0, len(chunk), CHUNK_BYTES):
                    yield bytes(chunk[at : at + CHUNK_BYTES])

    async def older_than(self, prefix: str, seconds: float) -> list[str]:
        """Return the keys below a folder whose files were written longer ago than that."""
        limit = datetime.now(UTC) - timedelta(seconds=seconds)
        try:
            with self._translated():
                store = await self._reach(prefix)
                return sorted(
                    [
                        entry["path"]
                        async for page in _pages(store, prefix)
                        for entry in page
                        if entry["last_modified"] < limit
                    ]
                )
        except FileNotFoundError:
            return []

    async def _head(self, key: str) -> ObjectMeta:
        with self._translated():
            return await obstore.head_async(await self._reach(key), key)

    async def _get(self, key: str, options: GetOptions | None = None) -> bytes:
        with self._translated():
            found = await obstore.get_async(await self._reach(key), key, options=options)
            return bytes(await found.bytes_async())

    @abstractmethod
    async def _reach(self, key: str) -> ObjectStore:
        """Return the store to look a key up in.

        Raises:
            InternalError: `unsafe_key`.
            FileNotFoundError: Nothing can be there.
        """

    @abstractmethod
    def _failure(self, error: BaseError) -> Exception:
        """Return what a failed look-up is told as: a `FileNotFoundError`, or an error of ours."""

    @contextmanager
    def _translated(self) -> Generator[None, None, None]:
        try:
            yield
        except BaseError as error:
            raise self._failure(error) from error


def _pages(store: ObjectStore, prefix: str) -> AsyncIterator[Sequence[ObjectMeta]]:
    # Its overloads for Arrow, which is not installed, are of unknown type.
    return obstore.list(store, prefix)  # pyright: ignore[reportUnknownMemberType]
