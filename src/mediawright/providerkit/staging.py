"""Files that media is streamed to as it arrives, before it is stored."""

from __future__ import annotations

import asyncio
import contextlib
import os
import secrets
import threading
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

from mediawright.core.errors import UnavailableError

_BATCH = 1_048_576


class StagingFile:
    """A new file in the staging folder, written in batches outside the event loop.

    Used as an async context: left without `keep`, by an error or a cancellation, the file
    is removed.
    """

    def __init__(self, folder: Path) -> None:
        """Name a new file in `folder`, which is made when needed."""
        self.path = folder / f"{secrets.token_hex(16)}.part"
        self.byte_count = 0
        self._file: BinaryIO | None = None
        self._pending: list[bytes] = []
        self._pending_bytes = 0
        self._kept = False
        self._discarded = False
        self._lock = threading.Lock()

    async def __aenter__(self) -> Self:
        """Return the file; nothing is on the disk yet."""
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Remove the file unless it was kept."""
        if not self._kept:
            await asyncio.shield(asyncio.to_thread(self._discard))

    async def write(self, block: bytes) -> None:
        """Take a block, and write when enough have come together.

        Raises:
            UnavailableError: `staging_unwritable`: the disk is full or the folder is not ours.
        """
        self._pending.append(block)
        self._pending_bytes += len(block)
        self.byte_count += len(block)
        if self._pending_bytes >= _BATCH:
            await self._run(self._flush)

    async def keep(self, *, durable: bool = False) -> None:
        """Write the rest and leave the file in place.

        Args:
            durable: Whether to wait until the bytes are on the disk itself.

        Raises:
            UnavailableError: `staging_unwritable`.
        """
        await self._run(self._finish_durably if durable else self._finish)
        self._kept = True

    async def _run(self, work: Callable[[], None]) -> None:
        try:
            await asyncio.to_thread(work)
        except OSError as error:
            raise UnavailableError(
                "staging_unwritable",
                f"The staging file could not be written: {error.strerror}.",
                hint="Free some space, or name another data folder.",
            ) from error

    def _flush(self) -> None:
        with self._lock:
            if self._discarded:
                return
            if self._file is None:
                self.path.parent.mkdir(parents=True, exist_ok=True)
                self._file = self.path.open("xb")
            blocks, self._pending, self._pending_bytes = self._pending, [], 0
            self._file.write(b"".join(blocks))

    def _finish(self) -> None:
        self._flush()
        self._close()

    def _finish_durably(self) -> None:
        self._flush()
        with self._lock:
            if self._file is not None:
                self._file.flush()
                os.fsync(self._file.fileno())
        self._close()

    def _close(self) -> None:
        with self._lock:
            if self._file is not None:
                self._file.close()

    def _discard(self) -> None:
        with self._lock:
            self._discarded = True
            if self._file is None:
                return
            with contextlib.suppress(OSError):  # closing flushes, and the disk may be full
                self._file.close()
            with contextlib.suppress(OSError):
                self.path.unlink()
