"""Time as a port, so that tests and the sandbox can move it."""

from __future__ import annotations

import asyncio
import heapq
import itertools
import time
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    """Where every layer gets its time from."""

    def now(self) -> datetime:
        """Return the current time, aware and in UTC."""
        ...

    def monotonic(self) -> float:
        """Return seconds that never run backwards, for measuring spans."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Return after `seconds` of this clock's time have passed."""
        ...

    async def wait_for(self, event: asyncio.Event, seconds: float) -> bool:
        """Return when `event` is set, or `seconds` have passed; tell whether it is set."""
        ...


class SystemClock:
    """The clock of the machine."""

    def now(self) -> datetime:
        """Return the current time, aware and in UTC."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Return the machine's monotonic seconds."""
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        """Sleep for `seconds` of real time."""
        await asyncio.sleep(seconds)

    async def wait_for(self, event: asyncio.Event, seconds: float) -> bool:
        """Return when `event` is set, or `seconds` of real time have passed."""
        # Not by two tasks: of these waits there are thousands.
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await event.wait()
        return event.is_set()


class ManualClock:
    """A clock that stands still until it is moved.

    Sleepers wake in the order of their deadlines when `advance` passes them.
    """

    def __init__(self, start: datetime | None = None) -> None:
        """Start at `start` (aware), or at 2026-01-01T00:00:00Z."""
        self._now = start or datetime(2026, 1, 1, tzinfo=UTC)
        self._elapsed = 0.0
        self._order = itertools.count()
        self._sleepers: list[tuple[float, int, asyncio.Future[None]]] = []

    def now(self) -> datetime:
        """Return the time the clock was last moved to."""
        return self._now

    def monotonic(self) -> float:
        """Return the seconds the clock was moved by so far."""
        return self._elapsed

    async def sleep(self, seconds: float) -> None:
        """Wait until the clock was moved by `seconds`."""
        if seconds <= 0:
            await asyncio.sleep(0)
            return
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._sleepers, (self._elapsed + seconds, next(self._order), future))
        await future

    async def wait_for(self, event: asyncio.Event, seconds: float) -> bool:
        """Return when `event` is set, or the clock was moved by `seconds`."""
        sleeping = asyncio.ensure_future(self.sleep(seconds))
        change = asyncio.ensure_future(event.wait())
        try:
            await asyncio.wait({sleeping, change}, return_when=asyncio.FIRST_COMPLETED)
            return event.is_set()
        finally:
            for task in (sleeping, change):
                task.cancel()
                with suppress(asyncio.CancelledError):
                    await task

    async def advance(self, seconds: float) -> None:
        """Move the clock forward and let every sleeper that is due run.

        Args:
            seconds: How far to move, not negative.
        """
        target = self._elapsed + seconds
        while self._sleepers and self._sleepers[0][0] <= target:
            due, _, future = heapq.heappop(self._sleepers)
            self._move_to(due)
            if not future.done():
                future.set_result(None)
            for _ in range(5):
                await asyncio.sleep(0)
        self._move_to(target)
        await asyncio.sleep(0)

    def _move_to(self, elapsed: float) -> None:
        self._now += timedelta(seconds=elapsed - self._elapsed)
        self._elapsed = elapsed
