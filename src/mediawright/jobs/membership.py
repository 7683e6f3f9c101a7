"""Who works: one process alone in its folder, or one of many on a shared database.

A worker lives as long as it writes to its row often enough. Others take over from it when
the row has been silent for `dead_after` seconds of the database's time, and it stops of its own
accord when it has not managed to write for `fence_after`, which is less: so no two ever act on
the same generation, not even when one was frozen and wakes up again.
"""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Callable, Collection
from contextlib import suppress
from datetime import datetime
from typing import TYPE_CHECKING, Protocol

import msgspec
import structlog

from mediawright._version import __version__
from mediawright.core.errors import UnavailableError
from mediawright.jobs.ports import Lease
from mediawright.store import custody, workers
from mediawright.store.kinds import WorkerRole
from mediawright.store.workers import Worker

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from mediawright.core.clock import Clock
    from mediawright.store.database import Database

log = structlog.get_logger(__name__)


class WorkerSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How processes share the work. The same for all that share a database."""

    beat: float = 2.0
    """Seconds between two signs of life."""
    fence_after: float = 10.0
    """Seconds without a sign of life after which a process stops itself; less than
    `dead_after`."""
    dead_after: float = 15.0
    """Seconds of silence after which others take over."""
    sweep: float = 1.0
    """Seconds between two looks for generations whose process is gone."""
    dispatch: float = 0.5
    """Seconds between two looks at the queue; what this process queues itself is seen at once."""
    generations: int = 2000
    """How many generations one process has under way at most."""

    def __post_init__(self) -> None:
        """Hold the order of the times, on which it depends that no two act at once.

        Raises:
            ValueError: They are in another order.
        """
        if not self.beat < self.fence_after < self.dead_after:
            raise ValueError("beat must be less than fence_after, and that less than dead_after")


class Membership(Lease, Protocol):
    """A process's place among those that work."""

    @property
    def id(self) -> str:
        """The executor's name in generations and attempts."""
        ...

    async def join(self, role: WorkerRole, fenced: Callable[[], None]) -> None:
        """Begin to count as working.

        Args:
            role: What the process does.
            fenced: Called once if the process may not go on, because others take over.
        """
        ...

    async def hand_over(self, kept: Collection[str]) -> None:
        """Stop taking over from others, and let go of what is held but for what is kept."""
        ...

    async def leave(self) -> None:
        """Stop counting as working; others may take what is left."""
        ...

    def living(self, connection: Connection) -> list[str]:
        """Return the executors that live, this one among them; those that retire are left out."""
        ...

    def is_due(self, connection: Connection, holders: set[str]) -> bool:
        """Tell whether somebody who holds generations, or has a row, is gone."""
        ...

    def bury(self, connection: Connection) -> set[str] | None:
        """Remove the dead and return who lives, retiring or not.

        `None` when another process is at it, or when this one is dead itself.
        """
        ...

    async def all(self) -> list[Worker]:
        """Return the processes at work, the oldest first."""
        ...

    async def leads(self) -> bool:
        """Tell whether this process does what only one of all has to do."""
        ...

    async def is_alive(self, executor: str) -> bool:
        """Tell whether a process of that name works."""
        ...


class SoleWorker:
    """The one process that works in a data folder, whose lock keeps others out."""

    def __init__(self, executor: str, clock: Clock) -> None:
        """Name it; the name is the same at each start."""
        self.id = executor
        self._clock = clock
        self._worker: Worker | None = None

    def require(self) -> None:
        """Return: nobody else can act on what lies in the folder."""

    async def join(self, role: WorkerRole, fenced: Callable[[], None]) -> None:
        """Begin to count as working."""
        del fenced
        now = self._clock.now()
        self._worker = _this_process(self.id, role, now)

    async def hand_over(self, kept: Collection[str]) -> None:
        """Say that it is about to stop; there is nobody to hand over to."""
        del kept
        if self._worker is not None:
            self._worker = msgspec.structs.replace(self._worker, stopping=True)

    async def leave(self) -> None:
        """Stop counting as working."""
        self._worker = None

    def living(self, connection: Connection) -> list[str]:
        """Return this process."""
        del connection
        return [self.id]

    def is_due(self, connection: Connection, holders: set[str]) -> bool:
        """Tell whether a generation is held under another name."""
        del connection
        return bool(holders - {self.id})

    def bury(self, connection: Connection) -> set[str] | None:
        """Return this process."""
        del connection
        return {self.id}

    async def all(self) -> list[Worker]:
        """Return this process, if it works."""
        if self._worker is None:
            return []
        return [msgspec.structs.replace(self._worker, seen_at=self._clock.now())]

    async def leads(self) -> bool:
        """Tell that there is nobody else to do it."""
        return True

    async def is_alive(self, executor: str) -> bool:
        """Tell whether it is this process, and works."""
        return self._worker is not None and executor == self.id


class Member:
    """One of many processes that share a database."""

    def __init__(
        self,
        database: Database,
        executor: str,
        clock: Clock,
        settings: WorkerSettings | None = None,
    ) -> None:
        """Prepare; nobody knows of it yet.

        Args:
            database: Best one of its own, so that signs of life wait for nothing else.
            executor: A name that no process ever had.
            clock: Measures how long ago the last sign of life was.
            settings: How often, and how long.
        """
        self.id = executor
        self._database = database
        self._clock = clock
        self._settings = settings or WorkerSettings()
        self._renewed: float | None = None
        self._fenced: Callable[[], None] | None = None
        self._is_fenced = False
        self._beating: asyncio.Task[None] | None = None

    def require(self) -> None:
        """Return if the last sign of life was begun less than `fence_after` seconds ago.

        A process that never joined holds nothing and passes.

        Raises:
            UnavailableError: `worker_fenced`.
        """
        if self._is_fenced or self._age() >= self._settings.fence_after:
            raise UnavailableError(
                "worker_fenced",
                "This process has lost touch with the database, and others go on in its place.",
                hint="It stops by itself; start it again when the database answers.",
                details={"worker": self.id},
            )

    async def join(self, role: WorkerRole, fenced: Callable[[], None]) -> None:
        """Write the process's row, and keep on writing to it."""
        began = self._clock.monotonic()
        process = _this_process(self.id, role, self._clock.now())
        await self._database.write(
            lambda connection: workers.join(
                connection,
                self.id,
                role=role,
                host=process.host,
                process_id=process.process_id,
                version=process.version,
            )
        )
        self._renewed = began
        self._fenced = fenced
        self._beating = asyncio.create_task(self._keep_beating())

    async def hand_over(self, kept: Collection[str]) -> None:
        """Write that the process is about to stop, and let go of all but what is kept."""

        def work(connection: Connection) -> None:
            workers.retire(connection, self.id)
            custody.give_back(connection, self.id, kept)

        if self._renewed is not None and not self._is_fenced:
            await self._database.write(work)

    async def leave(self) -> None:
        """Remove the process's row."""
        if self._beating is not None:
            self._beating.cancel()
            with suppress(asyncio.CancelledError):
                await self._beating
            self._beating = None
        if self._renewed is not None:
            self._renewed = None
            await self._database.write(lambda connection: workers.leave(connection, self.id))

    async def renew(self) -> None:
        """Give one sign of life, and find out whether the process may go on."""
        began = self._clock.monotonic()
        alive = True
        try:
            # A connection that hangs must not keep the process from noticing the time.
            async with asyncio.timeout(self._settings.fence_after / 2):
                alive = await self._database.write(
                    lambda connection: workers.beat(connection, self.id)
                )
        except Exception as error:  # noqa: BLE001 - whatever it is, the time decides
            log.warning("no sign of life could be given", worker=self.id, error=repr(error))
        else:
            if alive:
                self._renewed = began
        if not alive or self._age() >= self._settings.fence_after:
            self._fence("others took over" if not alive else "the database was not reached")

    def living(self, connection: Connection) -> list[str]:
        """Return the executors that live and do not retire."""
        found = workers.living(connection, self._settings.dead_after)
        return [worker.id for worker in found if not worker.stopping]

    def is_due(self, connection: Connection, holders: set[str]) -> bool:
        """Tell whether somebody who holds generations, or has a row, is gone."""
        live = {item.id for item in workers.living(connection, self._settings.dead_after)}
        return bool(holders - live) or workers.any_dead(connection, self._settings.dead_after)

    def bury(self, connection: Connection) -> set[str] | None:
        """Remove the dead and return who lives."""
        if not workers.try_lock(connection):
            return None
        dead = workers.bury(connection, self._settings.dead_after)
        if dead:
            log.warning("workers are gone", workers=dead)
        live = {item.id for item in workers.living(connection, self._settings.dead_after)}
        return live if self.id in live else None

    async def all(self) -> list[Worker]:
        """Return the processes at work, the oldest first."""
        return await self._database.read(
            lambda connection: workers.living(connection, self._settings.dead_after)
        )

    async def leads(self) -> bool:
        """Tell whether this process is the oldest of those that do not stop.

        That is one at a time, but for the moments until the others notice that it died.
        """
        self.require()
        oldest = await self._database.read(self.living)
        return oldest[:1] == [self.id]

    async def is_alive(self, executor: str) -> bool:
        """Tell whether a process of that name works, or finishes what it cannot leave."""
        return any(worker.id == executor for worker in await self.all())

    def _age(self) -> float:
        return 0.0 if self._renewed is None else self._clock.monotonic() - self._renewed

    def _fence(self, reason: str) -> None:
        if self._is_fenced:
            return
        self._is_fenced = True
        log.error("this worker stops at once", worker=self.id, reason=reason)
        if self._fenced is not None:
            self._fenced()

    async def _keep_beating(self) -> None:
        while not self._is_fenced:
            await self._clock.sleep(self._settings.beat)
            await self.renew()


def _this_process(executor: str, role: WorkerRole, now: datetime) -> Worker:
    return Worker(
        id=executor,
        role=role,
        host=socket.gethostname(),
        process_id=os.getpid(),
        version=__version__,
        started_at=now,
        seen_at=now,
    )
