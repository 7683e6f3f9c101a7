"""Out of the queue: whoever may start is given to the engine of this process.

The queue is made of rows. What waits in it costs no memory and no workflow, and any process
that works may serve it; the transaction that admits a generation names the one that did.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, NamedTuple

import structlog

from mediawright.core.errors import MediawrightError
from mediawright.jobs.waiting import sleep_or_change
from mediawright.store import custody

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from mediawright.jobs.admission import Admission
    from mediawright.jobs.context import JobContext
    from mediawright.jobs.membership import WorkerSettings

log = structlog.get_logger(__name__)

_AT_A_TIME = 64

Begin = Callable[[Sequence[str]], Awaitable[None]]
"""Sets generations going that this process has just been given."""


class _Admitted(NamedTuple):
    ids: list[str]
    waiting: bool
    """Whether others are left in the queue."""
    seconds: float | None
    """How long until a rate frees for one of those."""


class Dispatcher:
    """Serves the queue: at once when something is put into it or ends, and now and then."""

    def __init__(
        self,
        context: JobContext,
        admission: Admission,
        settings: WorkerSettings,
        *,
        begin: Begin,
        busy: Callable[[], int],
    ) -> None:
        """Prepare; nothing is served yet.

        Args:
            context: The parts to work with.
            admission: Decides who may start.
            settings: How often to look, and how much one process takes on.
            begin: Sets going what was admitted.
            busy: Tells how many generations this process has under way.
        """
        self._context = context
        self._admission = admission
        self._settings = settings
        self._begin = begin
        self._busy = busy
        self._lock = asyncio.Lock()
        self._waiting = False
        self._seconds: float | None = None
        self._stopped = False

    def stop(self) -> None:
        """Serve nothing more."""
        self._stopped = True

    async def dispatch(self) -> int:
        """Start what may start now; return how many generations that is."""
        started = 0
        async with self._lock:
            while (room := self._room()) > 0:
                admitted = await self._admit(room)
                self._waiting, self._seconds = admitted.waiting, admitted.seconds
                if admitted.ids:
                    await self._begin(admitted.ids)
                started += len(admitted.ids)
                if len(admitted.ids) < room:
                    break
        return started

    async def run(self) -> None:
        """Serve the queue until it is cancelled."""
        with self._context.signals.waiting() as changed:
            while not self._stopped:
                try:
                    await self._once(changed)
                except Exception as error:
                    # A database that is away for a moment must not end this for good.
                    self._seconds = None
                    expected = isinstance(error, MediawrightError)
                    log.warning("the queue was not served", exc_info=not expected, error=str(error))

    async def _once(self, changed: asyncio.Event) -> None:
        pause = self._settings.dispatch
        if self._seconds is not None:
            pause = min(pause, max(0.01, self._seconds))
        if await sleep_or_change(self._context.clock, changed, pause):
            # Something has ended, perhaps, and made room for what is known to wait.
            due = self._waiting
        else:
            due = await self._context.database.read(custody.any_queued)
        if due:
            await self.dispatch()

    def _room(self) -> int:
        if self._stopped:
            return 0
        return min(_AT_A_TIME, self._settings.generations - self._busy())

    async def _admit(self, most: int) -> _Admitted:
        context = self._context
        context.lease.require()
        now = context.clock.now()

        def work(connection: Connection) -> _Admitted:
            ids = self._admission.admit(connection, executor=context.executor, now=now, most=most)
            waiting = custody.any_queued(connection)
            seconds = self._admission.earliest(connection, now) if waiting else None
            return _Admitted(ids, waiting, seconds)

        return await context.database.write(work)
