"""The drive of a bucket, or of anything else elsewhere that obstore reaches."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

import obstore
from obstore.exceptions import AlreadyExistsError, BaseError, PreconditionError
from obstore.store import from_url

from mediawright.assets.drive import Drive, require_safe
from mediawright.assets.local_drive import LocalDrive
from mediawright.assets.obstore_drive import ObstoreDrive
from mediawright.core.errors import InvalidRequestError, UnavailableError

if TYPE_CHECKING:
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


class ObjectDrive(ObstoreDrive):
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
        store = await self._reach(key)
        with self._translated():
            await obstore.put_async(
                store,
                key,
                source,
                attributes={"Content-Type": content_type},
                max_concurrency=2,
            )
        await asyncio.to_thread(source.unlink)

    async def create(self, key: str, data: bytes) -> bool:
        """Write a small object if the key is free; of several who try, one succeeds."""
        store = await self._reach(key)
        try:
            await obstore.put_async(store, key, data, mode="create")
        except (AlreadyExistsError, PreconditionError):
            return False
        except BaseError as error:
            raise self._failure(error) from error
        return True

    async def delete(self, key: str) -> bool:
        """Delete an object; tell whether there was one."""
        # Deleting what is not there succeeds in a bucket.
        if not await self.exists(key):
            return False
        try:
            with self._translated():
                store = await self._reach(key)
                await obstore.delete_async(store, key)
        except FileNotFoundError:
            return False
        return True

    async def _reach(self, key: str) -> ObjectStore:
        require_safe(key)
        return self._store

    def _failure(self, error: BaseError) -> Exception:
        del error
        return UnavailableError(
            "drive_unavailable",
            "The drive cannot be reached, or refuses.",
            hint="Check its URL and credentials, and whether the service answers.",
        )


def _invalid_url() -> InvalidRequestError:
    return InvalidRequestError(
        "invalid_drive_url",
        "No drive can be opened at the URL.",
        hint="Use s3://bucket/prefix, gs://bucket/prefix, az://container/prefix or file:///folder.",
    )
