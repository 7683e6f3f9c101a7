"""The generations of a process that wait for their provider."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from contextvars import Context

import structlog

from mediawright.core.states import GenerationState

log = structlog.get_logger(__name__)


class Waits:
    """Runs each wait as a plain task of the application's loop, and as nothing more.

    A wait leaves no trace but in the rows of its generation, and these are enough to begin it
    again, here or in another process: there is nothing about it that an engine would have to
    write down. So a wait costs little, and a thousand are taken up in a moment.
    """

    def __init__(
        self,
        wait: Callable[[str], Awaitable[str]],
        deliver: Callable[[str], Awaitable[None]],
    ) -> None:
        """Prepare.

        Args:
            wait: Waits for a generation's provider; returns the state it is then in.
            deliver: Has the media stored that a wait has brought. It answers for the
                generation when it returns.
        """
        self._wait = wait
        self._deliver = deliver
        self._tasks: dict[str, asyncio.Task[None]] = {}

    def __contains__(self, generation_id: str) -> bool:
        """Tell whether that generation waits here."""
        return generation_id in self._tasks

    def __len__(self) -> int:
        """Return how many wait here."""
        return len(self._tasks)

    def ids(self) -> list[str]:
        """Return which generations wait here."""
        return list(self._tasks)

    def begin(self, generation_id: str) -> None:
        """Wait for a generation's provider, unless that is done already."""
        if generation_id not in self._tasks:
            # It belongs neither to a request nor to a workflow that it was begun in.
            self._tasks[generation_id] = asyncio.create_task(
                self._run(generation_id), context=Context()
            )

    def break_off(self, generation_id: str) -> None:
        """Wait no more; whoever answers for the generation begins again."""
        task = self._tasks.get(generation_id)
        if task is not None:
            task.cancel()

    async def stop(self) -> None:
        """Break off all that wait, and return when they have ended."""
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        for task in tasks:
            with suppress(asyncio.CancelledError):
                await task

    async def _run(self, generation_id: str) -> None:
        try:
            if await self._wait(generation_id) == GenerationState.STORING:
                await self._deliver(generation_id)
        except Exception:
            # Its rows say that nobody works on it, and it is taken up again.
            log.exception("a wait failed", generation_id=generation_id)
        finally:
            del self._tasks[generation_id]
