"""Smaller versions of files, made right after a generation is finished, not before.

A server lets nobody wait for thumbnails. What is still to be made is marked in the asset's row,
by the transaction that brings the row: whatever happens to this process, somebody makes it.
"""

from __future__ import annotations

import asyncio
from collections import deque
from contextlib import suppress
from datetime import timedelta
from typing import TYPE_CHECKING

import structlog

from mediawright.core.errors import NotFoundError
from mediawright.jobs.chores import Chore
from mediawright.store import assets

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mediawright.core.clock import Clock
    from mediawright.core.generation import Asset
    from mediawright.jobs.ports import Library
    from mediawright.store.database import Database

log = structlog.get_logger(__name__)

_SWEEP = 30.0
"""Seconds between two looks for what another process has left undone."""
_LEFT_ALONE = timedelta(seconds=60)
"""What is younger is made by the process that stored it."""
_PAGE = 50
_HESITATION = 0.05
"""Seconds after a file was stored."""
_MOST_TOGETHER = 16
_SMALL_BYTES = 1_048_576
"""Files that have more than this together take a while; none of them waits for others."""
_LONGEST_QUEUE = 1_000
"""More are left to the sweep."""


class Renderer:
    """Makes the smaller versions of stored files, one file at a time.

    Attributes:
        is_deferred: Whether files are stored without them, to be made here later.
    """

    def __init__(self, database: Database, library: Library, clock: Clock) -> None:
        """Prepare; files get their smaller versions as they are stored until `begin`."""
        self.is_deferred = False
        self._database = database
        self._library = library
        self._clock = clock
        self._queue: deque[Asset] = deque(maxlen=_LONGEST_QUEUE)
        self._filled = asyncio.Event()
        self._idle = asyncio.Event()
        self._idle.set()

    def defer(self) -> None:
        """Have files stored without them from now on; `run` makes them."""
        self.is_deferred = True

    def add(self, stored: Sequence[Asset]) -> None:
        """Make those of files that have just been stored, soon."""
        if self.is_deferred:
            self._queue.extend(stored)
            self._idle.clear()
            self._filled.set()

    async def run(self) -> None:
        """Work off what is added, until it is cancelled."""
        while True:
            await self._filled.wait()
            # Whoever waits for the file itself is answered first.
            await asyncio.sleep(_HESITATION)
            self._filled.clear()
            while self._queue:
                await self._render_some(_few_of(self._queue))
            self._idle.set()

    async def finish(self, seconds: float) -> None:
        """Wait so long until what was added is made; what is not is left to the sweep."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._idle.wait()

    def sweeping(self) -> Chore:
        """Return the look for what other processes have left undone as a chore."""
        return Chore("renditions", _SWEEP, self.sweep, alone=True)

    async def sweep(self) -> int:
        """Make what has been due for a while; return for how many files that was done."""
        before = self._clock.now() - _LEFT_ALONE
        total = 0
        while True:
            found = await self._database.read(
                lambda connection: assets.due_for_renditions(connection, before, limit=_PAGE)
            )
            done = await self._render_some(found)
            total += done
            if len(found) < _PAGE or not done:
                return total

    async def _render_some(self, some: Sequence[Asset]) -> int:
        """Make those of some files, and note it for all together; return for how many."""
        made = [asset for one in some if (asset := await self._render(one)) is not None]
        if not made:
            return 0
        try:
            kept = await self._database.write(
                lambda connection: [assets.set_renditions(connection, asset) for asset in made]
            )
        except Exception:
            log.exception("renditions could not be noted", assets=[asset.id for asset in made])
            return 0
        for asset, is_kept in zip(made, kept, strict=True):
            if not is_kept:
                # It was deleted meanwhile.
                await self._library.delete(asset)
        return len(made)

    async def _render(self, asset: Asset) -> Asset | None:
        """Return a file's asset with its smaller versions; `None` where they were not made."""
        try:
            return await self._library.make_renditions(asset)
        except NotFoundError:
            log.warning("a file is gone", asset_id=asset.id)
            return asset
        except Exception:
            # It stays marked, and the sweep comes back to it.
            log.exception("renditions could not be made", asset_id=asset.id)
            return None


def _few_of(queue: deque[Asset]) -> list[Asset]:
    """Take from a queue what is made before any of it is noted."""
    few: list[Asset] = []
    taken = 0
    while queue and len(few) < _MOST_TOGETHER and taken <= _SMALL_BYTES:
        few.append(queue.popleft())
        taken += few[-1].facts.byte_count
    return few
