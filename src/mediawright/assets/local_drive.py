"""The drive of a local folder."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
import shutil
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import BinaryIO
from uuid import uuid4

from mediawright.assets.drive import CHUNK_BYTES, PARTIAL_FOLDER, Drive, require_safe
from mediawright.core.errors import InternalError


class LocalDrive(Drive):
    """Files in a folder, moved into place whole.

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
        del content_type
        await asyncio.to_thread(self.put_file_now, source, key)

    def put_file_now(self, source: Path, key: str) -> None:
        """Like `put_file`, for a thread that may block."""
        target = self._path(key)
        _sync_file(source)
        self._make_folder(target.parent)
        self._move(source, target)
        _sync_folder(target.parent)

    async def create(self, key: str, data: bytes) -> bool:
        """Write a small file if the key is free; of several who try, one succeeds."""
        return await asyncio.to_thread(self._create, key, data)

    async def read(self, key: str) -> bytes | None:
        """Return a small file's bytes; `None` if there is none."""
        return await asyncio.to_thread(self._read, key)

    async def size(self, key: str) -> int | None:
        """Return a file's size in bytes; `None` if there is none."""
        return await asyncio.to_thread(self._size, key)

    async def is_blocked(self, key: str) -> bool:
        """Tell whether a file stands where the key needs a folder."""
        return await asyncio.to_thread(self._is_blocked, key)

    async def open_stream(
        self, key: str, start: int = 0, end: int | None = None
    ) -> AsyncIterator[bytes]:
        """Read a file, or a part of it, in chunks of at most about a megabyte."""
        file = await asyncio.to_thread(self._open_at, key, start)
        try:
            left = None if end is None else max(0, end - start)
            while left is None or left > 0:
                most = CHUNK_BYTES if left is None else min(CHUNK_BYTES, left)
                chunk = await asyncio.to_thread(file.read, most)
                if not chunk:
                    return
                if left is not None:
                    left -= len(chunk)
                yield chunk
        finally:
            file.close()

    async def delete(self, key: str) -> bool:
        """Delete a file and tell whether there was one; its folder stays."""
        return await asyncio.to_thread(self.delete_now, key)

    async def older_than(self, prefix: str, seconds: float) -> list[str]:
        """Return the keys below a folder whose files were written longer ago than that."""
        return await asyncio.to_thread(self._older_than, prefix, seconds)

    def _path(self, key: str) -> Path:
        path = self._root / require_safe(key)
        # A link inside the drive may lead out of it.
        parent = Path(os.path.realpath(path.parent))
        if not parent.is_relative_to(os.path.realpath(self._root)):
            raise InternalError("unsafe_key", "A key leads out of the drive.")
        return path

    def _move(self, source: Path, target: Path) -> None:
        try:
            source.replace(target)
        except OSError as error:
            if error.errno != errno.EXDEV:
                raise
        else:
            return
        # Another file system: copy inside the drive first, so that it still appears whole.
        partial = self._partial()
        try:
            shutil.copyfile(source, partial)
            _sync_file(partial)
            partial.replace(target)
        finally:
            partial.unlink(missing_ok=True)
        source.unlink()

    def _partial(self) -> Path:
        folder = self._root / PARTIAL_FOLDER
        folder.mkdir(parents=True, exist_ok=True)
        return folder / uuid4().hex

    def _make_folder(self, folder: Path) -> None:
        missing: list[Path] = []
        while not folder.is_dir():
            missing.append(folder)
            folder = folder.parent
        for one in reversed(missing):
            one.mkdir(exist_ok=True)
            _sync_folder(one.parent)

    def _create(self, key: str, data: bytes) -> bool:
        target = self._path(key)
        self._make_folder(target.parent)
        partial = self._partial()
        try:
            partial.write_bytes(data)
            _sync_file(partial)
            # Unlike a move, a link never replaces.
            os.link(partial, target)
        except FileExistsError:
            return False
        finally:
            partial.unlink(missing_ok=True)
        _sync_folder(target.parent)
        return True

    def _read(self, key: str) -> bytes | None:
        try:
            return self._path(key).read_bytes()
        except (FileNotFoundError, IsADirectoryError, NotADirectoryError):
            return None

    def _size(self, key: str) -> int | None:
        path = self._path(key)
        return path.stat().st_size if path.is_file() else None

    def _is_blocked(self, key: str) -> bool:
        parents = self._path(key).relative_to(self._root).parents
        return any((self._root / parent).is_file() for parent in parents)

    def _open_at(self, key: str, start: int) -> BinaryIO:
        file = self._path(key).open("rb")
        file.seek(start)
        return file

    def delete_now(self, key: str) -> bool:
        """Like `delete`, for a thread that may block."""
        path = self._path(key)
        try:
            path.unlink()
        except (FileNotFoundError, NotADirectoryError):
            return False
        return True

    def _older_than(self, prefix: str, seconds: float) -> list[str]:
        limit = time.time() - seconds
        return sorted(
            path.relative_to(self._root).as_posix()
            for path in self._path(prefix).rglob("*")
            if path.is_file() and path.stat().st_mtime < limit
        )


def _sync_file(path: Path) -> None:
    with path.open("rb") as file:
        os.fsync(file.fileno())


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
