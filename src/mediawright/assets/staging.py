"""The folder where files are written before they are known to be whole and good."""

from __future__ import annotations

import asyncio
import hashlib
import os
import shutil
import time
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from contextlib import aclosing
from pathlib import Path
from uuid import uuid4

import msgspec

from mediawright.core.errors import InvalidRequestError, UnavailableError

_BATCH_BYTES = 4_194_304


class StagedFile(msgspec.Struct, frozen=True, kw_only=True):
    """A file of ours, complete and not yet stored."""

    path: Path
    byte_count: int
    sha256: str
    """Hex digest of the bytes."""


class Staging:
    """A folder for files in the making, best on the file system of the drive.

    What a crash leaves in it belongs to nobody and is removed by age.

    Args:
        folder: It is made when it is first written to.
    """

    def __init__(self, folder: Path) -> None:
        """Name the folder."""
        self.folder = Path(os.path.abspath(folder))  # noqa: PTH100 - keeps links as they are

    def new_path(self, suffix: str = "") -> Path:
        """Return a path in the folder that nothing uses, ending with `suffix`.

        Raises:
            UnavailableError: `staging_unwritable` if the folder cannot be made.
        """
        try:
            self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        except OSError as error:
            raise unwritable(error) from error
        return self.folder / f"{uuid4().hex}{suffix}"

    def owns(self, path: Path) -> bool:
        """Tell whether a file lies in the folder, so that it may be moved away."""
        folder = os.path.realpath(self.folder)
        return Path(os.path.realpath(path.parent)).is_relative_to(folder)

    async def write_stream(
        self, chunks: AsyncIterator[bytes], max_bytes: int | None = None
    ) -> StagedFile:
        """Write what arrives, in constant memory and outside the event loop's thread.

        Whatever goes wrong, nothing is left behind.

        Args:
            chunks: The bytes.
            max_bytes: The most that is taken.

        Raises:
            InvalidRequestError: `file_too_large`.
            UnavailableError: `staging_unwritable`, such as on a full disk.
        """
        file = await asyncio.to_thread(self._new_file)
        working: set[asyncio.Task[None]] = set()
        try:
            async with aclosing(_batches(chunks, max_bytes)) as batches:
                async for batch in batches:
                    await _all_of(working)
                    # The next batch comes in while this one is written and hashed.
                    working = {
                        asyncio.create_task(asyncio.to_thread(work, batch))
                        for work in (file.append, file.digest)
                    }
            await _all_of(working)
            return await asyncio.to_thread(file.finish)
        except BaseException:
            if working:
                await asyncio.wait(working)
            await asyncio.to_thread(file.discard)
            raise

    def write_now(self, data: bytes) -> StagedFile:
        """Write bytes that are at hand. Blocks.

        Raises:
            UnavailableError: `staging_unwritable`, such as on a full disk.
        """
        file = self._new_file()
        try:
            file.append([data])
            file.digest([data])
            return file.finish()
        except BaseException:
            file.discard()
            raise

    def adopt_now(
        self, path: Path, max_bytes: int | None = None, *, unchanging: bool = False
    ) -> Path:
        """Take a file that exists: one of this folder as it is, any other as a copy. Blocks.

        Args:
            path: The file.
            max_bytes: The most it may have.
            unchanging: Whether its bytes will never change, so that a second name for them is
                as good as a copy.

        Returns:
            Where it lies in the folder. `digest_now` tells the rest.

        Raises:
            InvalidRequestError: `file_not_found` or `file_too_large`.
            UnavailableError: `staging_unwritable`, such as on a full disk.
        """
        if not path.is_file():
            raise InvalidRequestError(
                "file_not_found", "The file to be stored is not there.", details={"name": path.name}
            )
        if max_bytes is not None and path.stat().st_size > max_bytes:
            raise too_large(max_bytes)
        if self.owns(path):
            return path
        own = self.new_path()
        if not (unchanging and _link(path, own)):
            self._copy(path, own)
        return own

    def clean_up_now(self, older_than_seconds: float) -> int:
        """Remove what was written longer ago than that. Blocks.

        Returns:
            How many files and folders were removed.
        """
        limit = time.time() - older_than_seconds
        removed = 0
        for path in _entries(self.folder):
            if path.lstat().st_mtime >= limit:
                continue
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path, ignore_errors=True)
            else:
                path.unlink(missing_ok=True)
            removed += 1
        return removed

    def _copy(self, path: Path, own: Path) -> None:
        try:
            shutil.copyfile(path, own)
        except BaseException as error:
            own.unlink(missing_ok=True)
            if isinstance(error, OSError):
                raise unwritable(error) from error
            raise

    def _new_file(self) -> _GrowingFile:
        path = self.new_path()
        try:
            return _GrowingFile(path)
        except OSError as error:
            raise unwritable(error) from error


def unwritable(error: OSError) -> UnavailableError:
    """Return the error of a disk that does not take what is written."""
    return UnavailableError(
        "staging_unwritable",
        f"The file could not be written: {error.strerror or error}.",
        hint="Free some space, or name another data folder.",
    )


class _GrowingFile:
    """A new file and the digest of what is in it so far; the two may grow side by side."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file = path.open("xb", buffering=0)
        self._digest = hashlib.sha256()
        self._byte_count = 0

    def append(self, chunks: list[bytes]) -> None:
        try:
            for chunk in chunks:
                view = memoryview(chunk)
                while view:
                    view = view[self._file.write(view) :]
        except OSError as error:
            raise unwritable(error) from error

    def digest(self, chunks: list[bytes]) -> None:
        for chunk in chunks:
            self._digest.update(chunk)
            self._byte_count += len(chunk)

    def finish(self) -> StagedFile:
        self._file.close()
        return StagedFile(
            path=self._path, byte_count=self._byte_count, sha256=self._digest.hexdigest()
        )

    def discard(self) -> None:
        self._file.close()
        self._path.unlink(missing_ok=True)


async def _all_of(tasks: set[asyncio.Task[None]]) -> None:
    for task in tasks:
        await task


async def _batches(
    chunks: AsyncIterator[bytes], max_bytes: int | None
) -> AsyncGenerator[list[bytes], None]:
    batch: list[bytes] = []
    waiting = total = 0
    async for chunk in chunks:
        total += len(chunk)
        if max_bytes is not None and total > max_bytes:
            raise too_large(max_bytes)
        batch.append(chunk)
        waiting += len(chunk)
        if waiting >= _BATCH_BYTES:
            yield batch
            batch, waiting = [], 0
    if batch:
        yield batch


def too_large(max_bytes: int) -> InvalidRequestError:
    """Return the error of a file with more bytes than are allowed."""
    return InvalidRequestError(
        "file_too_large",
        f"The file has more than the {max_bytes:,} bytes that are allowed.",
        details={"largest_bytes": max_bytes},
    )


def digest_now(path: Path) -> StagedFile:
    """Return a file with its size and digest. Blocks."""
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
        return StagedFile(path=path, byte_count=file.tell(), sha256=digest)


def _link(path: Path, own: Path) -> bool:
    try:
        os.link(path, own, follow_symlinks=True)
    except OSError:
        # Another file system, or one without links.
        return False
    return True


def _entries(folder: Path) -> Iterator[Path]:
    try:
        yield from folder.iterdir()
    except FileNotFoundError:
        return
