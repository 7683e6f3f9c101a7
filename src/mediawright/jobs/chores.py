"""Work that comes round: loops that outlive every passing error."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Iterable
from contextlib import suppress
from typing import TYPE_CHECKING, Any, NamedTuple

import structlog

if TYPE_CHECKING:
    from mediawright.core.clock import Clock

log = structlog.get_logger(__name__)


class Chore(NamedTuple):
    """Something that is done again and again."""

    name: str
    every: float
    """Seconds from the end of one time to the beginning of the next."""
    work: Callable[[], Awaitable[object]]
    alone: bool = False
    """Whether one of all processes does it for the others."""
    first: float | None = None
    """Seconds until the first time; by default the interval."""


class Chores:
    """Does every chore in a task of its own, until it is stopped."""

    def __init__(self, clock: Clock, leads: Callable[[], Awaitable[bool]]) -> None:
        """Prepare.

        Args:
            clock: Time.
            leads: Tells whether this process does what only one has to do.
        """
        self._clock = clock
        self._leads = leads
        self._tasks: list[asyncio.Task[None]] = []

    def begin(self, chores: Iterable[Chore]) -> None:
        """Begin to do these, in turn with whatever else this process does."""
        self._tasks += [asyncio.create_task(self._keep_doing(chore)) for chore in chores]

    def run(self, loop: Coroutine[Any, Any, None]) -> None:
        """Run a loop of its own kind beside them."""
        self._tasks.append(asyncio.create_task(loop))

    def cancel(self) -> None:
        """Break them off, without waiting."""
        for task in self._tasks:
            task.cancel()

    async def stop(self) -> None:
        """Break them off."""
        self.cancel()
        for task in self._tasks:
            with suppress(asyncio.CancelledError):
                await task
        self._tasks.clear()

    async def _keep_doing(self, chore: Chore) -> None:
        pause = chore.every if chore.first is None else chore.first
        while True:
            await self._clock.sleep(pause)
            pause = chore.every
            try:
                if not chore.alone or await self._leads():
                    await chore.work()
            except Exception:
                # A database that is away for a moment must not end this for good.
                log.exception("a chore failed", chore=chore.name)
