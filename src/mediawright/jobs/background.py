"""Tasks of this process, by name."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterable
from contextlib import suppress
from contextvars import Context
from typing import Any

import structlog

log = structlog.get_logger(__name__)


class Background:
    """Tasks that nobody awaits; what goes wrong in one is logged."""

    def __init__(self) -> None:
        self._tasks: dict[str, asyncio.Task[None]] = {}

    def __contains__(self, name: str) -> bool:
        """Tell whether a task of that name runs."""
        return name in self._tasks

    def __len__(self) -> int:
        """Return how many run."""
        return len(self._tasks)

    def names(self) -> set[str]:
        """Return the names of those that run."""
        return set(self._tasks)

    def tasks(self) -> list[asyncio.Task[None]]:
        """Return those that run."""
        return list(self._tasks.values())

    def spawn(
        self, name: str, work: Coroutine[Any, Any, None], context: Context | None = None
    ) -> None:
        """Run `work` in a task of that name, in this context or in a copy of the current one."""
        task = asyncio.create_task(work, context=context)
        self._tasks[name] = task
        task.add_done_callback(lambda done: self._ended(name, done))

    def cancel(self, names: Iterable[str]) -> None:
        """Cancel the tasks of these names that run, without waiting."""
        for name in list(names):
            if name in self._tasks:
                self._tasks[name].cancel()

    async def finish(self, seconds: float) -> None:
        """Wait so long for all of them."""
        if self._tasks:
            await asyncio.wait(self._tasks.values(), timeout=seconds)

    async def stop(self) -> None:
        """Cancel all of them, and wait until they have ended."""
        tasks = self.tasks()
        for task in tasks:
            task.cancel()
        for task in tasks:
            with suppress(asyncio.CancelledError):
                await task

    def _ended(self, name: str, task: asyncio.Task[None]) -> None:
        if self._tasks.get(name) is task:
            del self._tasks[name]
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("background work failed", work=name, exc_info=error)
