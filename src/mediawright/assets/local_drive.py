"""The drive of a local folder."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
import re
import time
from collections.abc import AsyncIterator, Generator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple
from uuid import uuid4

import obstore
from obstore.exceptions import AlreadyExistsError, BaseError, PreconditionError
from obstore.store import LocalStore

from mediawright.assets.drive import CHUNK_BYTES, FinishedFile, require_safe
from mediawright.assets.obstore_drive import ObstoreDrive
from mediawright.core.errors import InternalError, MediawrightError, UnavailableError

if TYPE_CHECKING:
    from obstore import GetOptions, ObjectMeta

PARTIAL_FOLDER = ".partial"
"""Where lies what has not got its name yet."""

_SYSTEM_ERROR = re.compile(r"\(os error (\d+)\)")
_NOTHING_THERE = frozenset({errno.ENOENT, errno.ENOTDIR, errno.EISDIR})


class SmallFile(NamedTuple):
    """A file, or what would be in it, that goes into a drive."""

    content: Path | bytes
    """The bytes of a file do not change any more."""
    key: str


class LocalDrive(ObstoreDrive):
    """Files in a folder, which get their names whole.

    A file's key is its path: what is put into the folder by other means is there too.

    Args:
        folder: The drive's root.
    """

    def __init__(self, folder: Path) -> None:
        """Name the folder; it is made when it is first written to."""
        self._root = Path(os.path.abspath(folder))  # noqa: PTH100 - keeps links as they are

    def local_path(self, key: str) -> Path | None:
        """Return where the file lies on this machine."""
        return self._path(key)

    async def prepare(self, source: Path) -> None:
        """Bring the file to the disk, after which moving it takes no time."""
        # What goes wrong here goes wrong in `put_file` again, and is told there.
        with contextlib.suppress(OSError):
            await asyncio.to_thread(_sync_file, source)

    async def put_file(self, source: Path, key: str, *, content_type: str) -> None:
        """Move a finished file into the drive, replacing what has the key; `source` is gone."""
        await self.put_files([FinishedFile(source, key, content_type)])

    async def put_files(self, files: Sequence[FinishedFile]) -> None:
        """Move finished files into the drive, in one go."""
        await asyncio.to_thread(self.put_files_now, files)

    def put_files_now(self, files: Sequence[FinishedFile]) -> None:
        """Like `put_files`, for a thread that may block."""
        targets = [self._path(file.key) for file in files]
        with _writing():
            folders = {target.parent for target in targets}
            for folder in folders:
                self._make_folder(folder)
            store = LocalStore(self._root)
            for file in files:
                with self._partial_key() as partial:
                    self._bring_in(file.source, store, partial)
                    obstore.rename(store, partial, file.key)
            for folder in folders:
                _sync_folder(folder)
            for file in files:
                file.source.unlink()

    def put_small_now(self, files: Sequence[SmallFile]) -> list[Exception | None]:
        """Put small files, replacing what has their keys; they stay where they are. Blocks.

        Each folder is brought to the disk once.

        Returns:
            For each the error that it ended in; `None` where it is safe from a power cut.
        """
        results: list[Exception | None] = []
        unsafe: dict[Path, list[int]] = {}
        for at, file in enumerate(files):
            try:
                target = self._path(file.key)
                with _writing():
                    self._put_small(file.content, target)
                unsafe.setdefault(target.parent, []).append(at)
                results.append(None)
            except MediawrightError as error:
                results.append(error)
        for folder, written in unsafe.items():
            try:
                with _writing():
                    _sync_folder(folder)
            except UnavailableError as error:
                for at in written:
                    results[at] = error
        return results

    async def create(self, key: str, data: bytes) -> bool:
        """Write a small file if the key is free; of several who try, one succeeds."""
        return await asyncio.to_thread(self._create, key, data)

    async def open_stream(
        self, key: str, start: int = 0, end: int | None = None
    ) -> AsyncIterator[bytes]:
        """Read a file, or a part of it, in chunks of at most about a megabyte.

        A file that is replaced or deleted meanwhile ends in a `FileNotFoundError`, never in
        the bytes of another.
        """
        # obstore's own stream comes in pieces of 8 KiB, each from another thread.
        found, chunk = await asyncio.to_thread(self._first_part, key, start, end)
        last = _last(found, end)
        while chunk:
            yield chunk
            start += len(chunk)
            if start >= last:
                return
            part = (start, min(start + CHUNK_BYTES, last))
            chunk = await self._get(key, {"range": part, "if_match": found["e_tag"]})

    async def delete(self, key: str) -> bool:
        """Delete a file and tell whether there was one; its folder stays."""
        return await asyncio.to_thread(self.delete_now, key)

    def delete_now(self, key: str) -> bool:
        """Like `delete`, for a thread that may block."""
        try:
            with self._translated():
                obstore.delete(self._open(key), key)
        except FileNotFoundError:
            return False
        return True

    async def is_blocked(self, key: str) -> bool:
        """Tell whether a file stands where the key needs a folder."""
        return await asyncio.to_thread(self._is_blocked, key)

    async def clean_up(self, older_than_seconds: float) -> int:
        """Remove what interrupted writes left behind."""
        return await asyncio.to_thread(self._clean_up, older_than_seconds)

    async def _reach(self, key: str) -> LocalStore:
        return await asyncio.to_thread(self._open, key)

    def _open(self, key: str) -> LocalStore:
        self._path(key)
        # Before the first write there is none, which obstore takes for a failure.
        if not self._root.exists():
            raise FileNotFoundError(errno.ENOENT, "The drive is empty.")
        return LocalStore(self._root)

    def _path(self, key: str) -> Path:
        path = self._root / require_safe(key)
        if self._has_link(key) and not self._is_inside(path.parent):
            raise InternalError("unsafe_key", "A key leads out of the drive.")
        return path

    def _has_link(self, key: str) -> bool:
        """Tell whether a folder on the way is a link, which may lead out of the drive."""
        folder = str(self._root)
        for part in key.split("/")[:-1]:
            folder = f"{folder}/{part}"
            if os.path.islink(folder):  # noqa: PTH114 - at every look at a file
                return True
        return False

    def _is_inside(self, folder: Path) -> bool:
        return Path(os.path.realpath(folder)).is_relative_to(os.path.realpath(self._root))

    def _failure(self, error: BaseError) -> Exception:
        if isinstance(error, PreconditionError):
            return FileNotFoundError(errno.ENOENT, "The file was replaced.")
        number = _number_of(error)
        if number in _NOTHING_THERE:
            return FileNotFoundError(errno.ENOENT, os.strerror(number))
        return _unavailable(number)

    async def _head(self, key: str) -> ObjectMeta:
        return await asyncio.to_thread(self._head_now, key)

    async def _get(self, key: str, options: GetOptions | None = None) -> bytes:
        return await asyncio.to_thread(self._get_now, key, options)

    # In one thread with the checks, which is half the way of obstore's own for event loops.
    def _head_now(self, key: str) -> ObjectMeta:
        with self._translated():
            return obstore.head(self._open(key), key)

    def _first_part(self, key: str, start: int, end: int | None) -> tuple[ObjectMeta, bytes]:
        with self._translated():
            store = self._open(key)
            found = obstore.head(store, key)
            stop = min(start + CHUNK_BYTES, _last(found, end))
            if start >= stop:
                return found, b""
            part = obstore.get(store, key, options={"range": (start, stop)})
            # If the file was replaced just now, what follows is to be of the new one.
            return part.meta, bytes(part.bytes())

    def _get_now(self, key: str, options: GetOptions | None) -> bytes:
        with self._translated():
            return bytes(obstore.get(self._open(key), key, options=options).bytes())

    @contextlib.contextmanager
    def _partial_key(self) -> Generator[str, None, None]:
        """A key for what has not got its name yet; it is free again afterwards."""
        key = f"{PARTIAL_FOLDER}/{uuid4().hex}"
        path = self._root / key
        self._make_folder(path.parent)
        try:
            yield key
        finally:
            path.unlink(missing_ok=True)

    def _put_small(self, content: Path | bytes, target: Path) -> None:
        with self._partial_key() as partial:
            self._bring_in(content, LocalStore(self._root), partial)
            self._make_folder(target.parent)
            (self._root / partial).replace(target)

    def _bring_in(self, content: Path | bytes, store: LocalStore, partial: str) -> None:
        path = self._root / partial
        if isinstance(content, bytes):
            with path.open("xb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            return
        # Before it gets another name, which would have to be brought to the disk too.
        _sync_file(content)
        try:
            os.link(content, path)
        except OSError:
            # Another file system, or one without links.
            obstore.put(store, partial, content, max_concurrency=2)
            # obstore leaves it to the system when the bytes get to the disk.
            _sync_file(path)

    def _create(self, key: str, data: bytes) -> bool:
        target = self._path(key)
        if os.path.lexists(target):
            return False
        with _writing():
            self._make_folder(target.parent)
            store = LocalStore(self._root)
            with self._partial_key() as partial:
                # Not at once under its name, where a power cut might leave it empty.
                self._bring_in(data, store, partial)
                try:
                    obstore.rename(store, partial, key, overwrite=False)
                except AlreadyExistsError:
                    return False
            _sync_folder(target.parent)
        return True

    def _make_folder(self, folder: Path) -> None:
        missing: list[Path] = []
        while not folder.is_dir():
            missing.append(folder)
            folder = folder.parent
        for one in reversed(missing):
            one.mkdir(exist_ok=True)
            _sync_folder(one.parent)

    def _is_blocked(self, key: str) -> bool:
        parents = self._path(key).relative_to(self._root).parents
        return any((self._root / parent).is_file() for parent in parents)

    def _clean_up(self, older_than_seconds: float) -> int:
        limit = time.time() - older_than_seconds
        removed = 0
        # Not listed by obstore, which hides what it has begun itself.
        for path in (self._root / PARTIAL_FOLDER).glob("*"):
            # When it came here; what is moved keeps the time when it was written.
            with contextlib.suppress(FileNotFoundError):
                if not path.is_dir() and path.lstat().st_ctime < limit:
                    path.unlink()
                    removed += 1
        return removed


@contextlib.contextmanager
def _writing() -> Generator[None, None, None]:
    try:
        yield
    except (BaseError, OSError) as error:
        raise _unavailable(_number_of(error)) from error


def _number_of(error: BaseError | OSError) -> int:
    """Return the system's number for what went wrong, which obstore has in its text only."""
    if isinstance(error, OSError) and error.errno is not None:
        return error.errno
    found = _SYSTEM_ERROR.search(str(error))
    return int(found.group(1)) if found else errno.EIO


def _unavailable(number: int) -> UnavailableError:
    return UnavailableError(
        "drive_unavailable",
        f"The drive's folder cannot be used: {os.strerror(number)}.",
        hint="Check who may read and write it, and whether its disk has space.",
    )


def _last(found: ObjectMeta, end: int | None) -> int:
    return found["size"] if end is None else min(end, found["size"])


def _sync_file(path: Path) -> None:
    with path.open("rb") as file:
        os.fsync(file.fileno())


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
