"""Wake-ups inside one process: progress, changes and requests to stop.

The rows are the truth; a signal only says that it is worth looking at them now.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple

from mediawright.core.clock import SystemClock
from mediawright.jobs.pauses import sleep_or_change

if TYPE_CHECKING:
    from collections.abc import Generator

    from mediawright.core.generation import Asset, Attempt, Generation

_REAL_TIME = SystemClock()
ProgressListener = Callable[[str, float | None, str | None], None]
"""Called with generation id, part done (0 to 1) and stage."""


class Ended(NamedTuple):
    """How a generation stands when nobody waits for it any more, usually at its end."""

    generation: Generation
    outputs: list[Asset] | None = None
    """Its assets; `None` where they have to be looked up."""
    attempts: list[Attempt] | None = None
    """Its attempts, first to last; `None` where they have to be looked up."""


class Change(asyncio.Event):
    """Set when something about a generation has changed.

    Attributes:
        ended: How it has ended, when that was in this process.
    """

    def __init__(self) -> None:
        """Nothing has changed yet."""
        super().__init__()
        self.ended: Ended | None = None


class Signals:
    """Tells the waiters of this process that something about a generation changed."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiters: dict[str, set[tuple[asyncio.AbstractEventLoop, Change]]] = {}
        self._listeners: dict[str, set[ProgressListener]] = {}

    def changed(self, generation_id: str, ended: Ended | None = None) -> None:
        """Wake whoever waits for this generation, or for any. Callable from any thread.

        Args:
            generation_id: Which.
            ended: How it has ended, if it just has, so that nobody has to look.
        """
        with self._lock:
            due = [*self._waiters.get(generation_id, ()), *self._waiters.get("", ())]
        here = _running_loop()
        for loop, change in due:
            change.ended = ended
            if loop is here:
                change.set()
            elif not loop.is_closed():
                loop.call_soon_threadsafe(change.set)

    def progressed(self, generation_id: str, done: float | None, stage: str | None) -> None:
        """Hand progress to the listeners of this generation. Callable from any thread."""
        with self._lock:
            listeners = list(self._listeners.get(generation_id, ()))
        for listener in listeners:
            listener(generation_id, done, stage)

    @contextmanager
    def waiting(self, generation_id: str = "") -> Generator[Change]:
        """Yield what is set at each change of the generation (or of any)."""
        entry = (asyncio.get_running_loop(), Change())
        with self._lock:
            self._waiters.setdefault(generation_id, set()).add(entry)
        try:
            yield entry[1]
        finally:
            with self._lock:
                remaining = self._waiters[generation_id]
                remaining.discard(entry)
                if not remaining:
                    del self._waiters[generation_id]

    @contextmanager
    def listening(self, generation_id: str, listener: ProgressListener) -> Generator[None]:
        """Call `listener` at each progress of the generation, from the thread that makes it."""
        with self._lock:
            self._listeners.setdefault(generation_id, set()).add(listener)
        try:
            yield
        finally:
            with self._lock:
                remaining = self._listeners[generation_id]
                remaining.discard(listener)
                if not remaining:
                    del self._listeners[generation_id]


def _running_loop() -> asyncio.AbstractEventLoop | None:
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None


async def wait_for_event(event: asyncio.Event, seconds: float) -> bool:
    """Wait until `event` is set or real time has passed; clear it. Tell whether it was set."""
    return await sleep_or_change(_REAL_TIME, event, seconds)
