"""The drive of a bucket, or of anything else that obstore reaches."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

import obstore
from obstore.exceptions import AlreadyExistsError, BaseError, PreconditionError
from obstore.store import from_url

from mediawright.assets.drive import CHUNK_BYTES, Drive, require_safe
from mediawright.assets.local_drive import LocalDrive
from mediawright.core.errors import InvalidRequestError, UnavailableError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from obstore import ObjectMeta
    from obstore.store import ObjectStore

_SCHEMES = frozenset({"s3", "s3a", "gs", "az", "abfs", "abfss", "azure", "adl", "memory"})


def open_drive(url: str) -> Drive:
    """Return the drive at a URL; see `Drive.from_url`."""
    parts = urlsplit(url)
    if parts.scheme == "file":
        return LocalDrive(Path(unquote(parts.path)))
    if parts.scheme not in _SCHEMES:
        raise _invalid_url()
    try:
        return ObjectDrive(from_url(url))
    except (BaseError, ValueError) as error:
        raise _invalid_url() from error


class ObjectDrive(Drive):
    """Objects in a bucket.

    Args:
        store: Where the objects lie; what it adds in front of keys is its own affair.
    """

    def __init__(self, store: ObjectStore) -> None:
        """Name the store; nothing is asked of it yet."""
        self._store = store

    def local_path(self, key: str) -> Path | None:
        """Return `None`: the file lies elsewhere."""
        require_safe(key)

    async def prepare(self, source: Path) -> None:
        """Do nothing: what is uploaded need not be on a disk here."""

    async def put_file(self, source: Path, key: str, *, content_type: str) -> None:
        """Upload a finished file in parts, replacing what has the key; `source` is gone."""
        try:
            await obstore.put_async(
                self._store,
                require_safe(key),
                source,
                attributes={"Content-Type": content_type},
                max_concurrency=2,
            )
        except BaseError as error:
            raise _unavailable() from error
        await asyncio.to_thread(source.unlink)

    async def create(self, key: str, data: bytes) -> bool:
        """Write a small object if the key is free; of several who try, one succeeds."""
        try:
            await obstore.put_async(self._store, require_safe(key), data, mode="create")
        except (AlreadyExistsError, PreconditionError):
            return False
        except BaseError as error:
            raise _unavailable() from error
        return True

    async def read(self, key: str) -> bytes | None:
        """Return a small object's bytes; `None` if there is none."""
        try:
            found = await obstore.get_async(self._store, require_safe(key))
            return bytes(await found.bytes_async())
        except FileNotFoundError:
            return None
        except BaseError as error:
            raise _unavailable() from error

    async def size(self, key: str) -> int | None:
        """Return an object's size in bytes; `None` if there is none."""
        try:
            return (await obstore.head_async(self._store, require_safe(key)))["size"]
        except FileNotFoundError:
            return None
        except BaseError as error:
            raise _unavailable() from error

    async def open_stream(
        self, key: str, start: int = 0, end: int | None = None
    ) -> AsyncIterator[bytes]:
        """Read an object, or a part of it, in chunks of at most about a megabyte."""
        size = await self.size(key)
        if size is None:
            raise FileNotFoundError(key)
        last = size if end is None else min(end, size)
        if start >= last:
            return
        try:
            found = await obstore.get_async(self._store, key, options={"range": (start, last)})
            async for chunk in found.stream(CHUNK_BYTES):
                # What comes is at least as long as asked for.
                for at in range(0, len(chunk), CHUNK_BYTES):
                    yield bytes(chunk[at : at + CHUNK_BYTES])
        except BaseError as error:
            raise _unavailable() from error

    async def delete(self, key: str) -> bool:
        """Delete an object; tell whether there was one."""
        if not await self.exists(key):
            return False
        try:
            await obstore.delete_async(self._store, require_safe(key))
        except FileNotFoundError:
            return False
        except BaseError as error:
            raise _unavailable() from error
        return True

    async def older_than(self, prefix: str, seconds: float) -> list[str]:
        """Return the keys below a folder whose objects were written longer ago than that."""
        limit = datetime.now(UTC) - timedelta(seconds=seconds)
        try:
            return sorted(
                [
                    entry["path"]
                    async for page in self._pages(require_safe(prefix))
                    for entry in page
                    if entry["last_modified"] < limit
                ]
            )
        except BaseError as error:
            raise _unavailable() from error

    def _pages(self, prefix: str) -> AsyncIterator[Sequence[ObjectMeta]]:
        # Its overloads for Arrow, which is not installed, are of unknown type.
        return obstore.list(self._store, prefix)  # pyright: ignore[reportUnknownMemberType]


def _invalid_url() -> InvalidRequestError:
    return InvalidRequestError(
        "invalid_drive_url",
        "No drive can be opened at the URL.",
        hint="Use s3://bucket/prefix, gs://bucket/prefix, az://container/prefix or file:///folder.",
    )


def _unavailable() -> UnavailableError:
    return UnavailableError(
        "drive_unavailable",
        "The drive cannot be reached, or refuses.",
        hint="Check its URL and credentials, and whether the service answers.",
    )
