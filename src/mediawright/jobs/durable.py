"""The engine port on DBOS: what is begun is finished, also by the next process.

DBOS keeps nothing but ids and the few words our steps return; everything an owner or an
accountant asks about lies in our own tables. DBOS has its own thread and event loop, and
each step hops onto the application's loop, where sessions and signals live.

What costs money or makes files is a step of a workflow: a workflow gets a generation accepted,
and another, or the same where the answer comes at once, stores its media. The time between,
which may be hours, is no workflow's: see `waits`.
"""

from __future__ import annotations

import asyncio
import secrets
import threading
from collections import Counter
from collections.abc import Awaitable, Callable, Collection, Coroutine, Generator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any, Protocol, TypeVar

import sqlalchemy
from dbos import DBOS, DBOSConfig, SetWorkflowID
from sqlalchemy import event

from mediawright.core.errors import ConflictError
from mediawright.core.states import GenerationState
from mediawright.jobs import engine_records
from mediawright.jobs.waits import Waits

_T = TypeVar("_T")

APPLICATION_VERSION = "1"
"""Constant, so that an upgrade of this package finds the work of the one before."""
_EXECUTOR_THREADS = 16
_MOST_RECOVERIES = 10_000
_CONNECTIONS = 10
"""To the engine's database, on PostgreSQL."""
_LAST_SUBMITS = 30.0
"""Seconds that closing waits for submits under way and what they bring: broken off, nobody
would know of them."""
_LAST_RECORDS = 5.0
"""Seconds that closing waits for workflows that only have to write down how they ended."""
_AT_A_TIME = 16
"""How many workflows are started side by side."""
_RUN_BY_ANOTHER = "run by another"
"""How a workflow ends that finds another of its process at work on its generation."""

_current: list[DurableEngine] = []
"""DBOS is one per process; this is the engine its workflow belongs to."""


Step = Callable[[str], Awaitable[str]]


class GenerationSteps(Protocol):
    """The steps of a generation by its id; each returns the state it is then in."""

    async def submit(self, generation_id: str) -> str:
        """Get it accepted by a provider."""
        ...

    async def wait(self, generation_id: str) -> str:
        """Wait for the provider's answer."""
        ...

    async def waiting(self, generation_ids: Sequence[str]) -> set[str]:
        """Return which of these a provider is working on."""
        ...

    async def store(self, generation_id: str) -> str:
        """Store the media and settle."""
        ...

    def may_leave(self, generation_id: str) -> bool:
        """Tell whether its step may be broken off now, because any process can do it again."""
        ...

    def has_result(self, generation_id: str) -> bool:
        """Tell whether its media are at hand, and only wait to be stored."""
        ...


class _Run:
    """A generation that a workflow of this process works on."""

    def __init__(self, workflow_id: str) -> None:
        self.workflow_id = workflow_id
        self.task: asyncio.Task[Any] | None = None
        self.loop: asyncio.AbstractEventLoop | None = None
        self.waits_next = False

    def begin(self) -> None:
        """Note the current task as the workflow's."""
        self.task = asyncio.current_task()
        self.loop = asyncio.get_running_loop()

    def break_off(self) -> None:
        """Cancel the workflow, from any thread."""
        if self.task is not None and self.loop is not None and not self.loop.is_closed():
            self.loop.call_soon_threadsafe(self.task.cancel)


class DurableEngine:
    """Runs generations as DBOS workflows.

    The rows say what has to run, and this process runs each generation once at a time; a run
    that broke off for good is followed by a workflow of a new name.
    """

    def __init__(self, database_url: str, executor: str, steps: GenerationSteps) -> None:
        """Prepare; nothing is started.

        Args:
            database_url: Where DBOS keeps its own tables: SQLite file or PostgreSQL.
            executor: The name of this process.
            steps: What to do with a generation, on the loop that calls `start`.
        """
        self._database_url = database_url
        self._executor = executor
        self.steps = steps
        self._application_loop: asyncio.AbstractEventLoop | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._runs: dict[str, _Run] = {}
        self._waits = Waits(steps.wait, self._deliver)
        self._lock = threading.Lock()
        self._idle = threading.Event()
        self._idle.set()
        self._closing = False
        self._starting = asyncio.Lock()

    async def start(self) -> None:
        """Launch DBOS, which takes up at once what a process of the same name left.

        Raises:
            ConflictError: Another engine is at work in this process.
        """
        async with self._starting:
            if self._thread is not None:
                return
            if _current:
                raise ConflictError(
                    "engine_in_use",
                    "Another mediawright instance of this process runs durable jobs.",
                    hint="Close it first, or use one instance for both.",
                )
            _current.append(self)
            self._application_loop = asyncio.get_running_loop()
            loop = asyncio.new_event_loop()
            self._loop = loop
            self._thread = threading.Thread(
                target=loop.run_forever, name="mediawright-engine", daemon=True
            )
            self._thread.start()
            await self._there(self._launch())

    async def enqueue(self, generation_id: str) -> None:
        """Run the generation, unless it runs here already."""
        await self.adopt([generation_id])

    async def adopt(self, generation_ids: Sequence[str]) -> None:
        """Run generations that another process, or an earlier one, left unfinished."""
        await self.start()
        left = [item for item in generation_ids if not self.works_on(item)]
        waiting = await self.steps.waiting(left)
        for generation_id in waiting:
            self._begin_wait(generation_id)
        await self._there(self._begin_all([item for item in left if item not in waiting]))

    def works_on(self, generation_id: str) -> bool:
        """Tell whether this process runs the generation."""
        return generation_id in self._runs or generation_id in self._waits

    def count(self) -> int:
        """Return how many generations this process runs."""
        return len(self._runs) + len(self._waits)

    async def forget(self, generation_id: str) -> None:
        """Drop the records of a finished generation."""
        if self._thread is not None:
            await self._there(engine_records.drop(generation_id))

    async def forget_old(self, before: datetime, living: Collection[str]) -> int:
        """Drop the records of runs that ended before then, or whose process is gone.

        Args:
            before: The time.
            living: The executors that are at work.

        Returns:
            How many records were dropped.
        """
        if self._thread is None:
            return 0
        ended = await self._there(engine_records.drop_ended(before))
        at_work = {*living, self._executor}
        return ended + await self._there(engine_records.drop_stranded(before, at_work))

    async def counts(self) -> dict[str, int]:
        """Return how many workflows of this process are in which state."""
        if self._thread is None:
            return {}
        found = await self._there(
            DBOS.list_workflows_async(
                executor_id=self._executor, load_input=False, load_output=False
            )
        )
        return dict(Counter(item.status for item in found))

    async def let_go(self) -> set[str]:
        """Break off what can be taken up again; return the ids of what cannot, and goes on."""
        self._closing = True
        with self._lock:
            runs = dict(self._runs)
        going_on: set[str] = set()
        for generation_id, run in runs.items():
            if self.steps.may_leave(generation_id):
                run.break_off()
            else:
                going_on.add(generation_id)
        self._waits.break_off()
        return going_on

    async def close(self) -> None:
        """Stop when submits under way are through; what is unfinished is taken up later."""
        if self._thread is None or self._loop is None:
            return
        await self.let_go()
        await self._until_idle(_LAST_SUBMITS)
        for run in list(self._runs.values()):
            run.break_off()
        await self._until_idle(_LAST_RECORDS)
        await self._waits.stop()
        await asyncio.to_thread(DBOS.destroy)
        self._loop.call_soon_threadsafe(self._loop.stop)
        await asyncio.to_thread(self._thread.join)
        self._loop.close()
        self._thread = self._loop = None
        self._runs.clear()
        self._idle.set()
        self._closing = False
        _current.remove(self)

    @contextmanager
    def running(self, generation_id: str) -> Generator[bool]:
        """Run the generation in the current workflow, if no other of this process does."""
        workflow_id = DBOS.workflow_id or generation_id
        run = self._reserve(generation_id, _Run(workflow_id))
        if run.workflow_id != workflow_id:
            yield False
            return
        run.begin()
        try:
            yield True
        finally:
            self._ended(generation_id, workflow_id)

    async def run_here(self, step: Step, generation_id: str) -> str:
        """Run a step on the application's loop (called on another).

        When the engine is closing, only media that are at hand are still stored.
        """
        loop = self._application_loop
        if loop is None:
            raise RuntimeError("the engine is not running")
        if self._closing and not self.steps.has_result(generation_id):
            raise asyncio.CancelledError
        work = asyncio.run_coroutine_threadsafe(_call(step, generation_id), loop)
        return await asyncio.wrap_future(work)

    def wait_after(self, generation_id: str) -> None:
        """Let a generation wait for its provider when the current workflow has left it."""
        with self._lock:
            self._runs[generation_id].waits_next = True

    def _begin_wait(self, generation_id: str) -> None:
        if not self._closing:
            self._waits.begin(generation_id)

    async def _deliver(self, generation_id: str) -> None:
        await self._there(self._begin(generation_id, is_delivered=True))

    async def _launch(self) -> None:
        config = DBOSConfig(
            name="mediawright",
            system_database_url=self._database_url,
            application_version=APPLICATION_VERSION,
            executor_id=self._executor,
            max_executor_threads=_EXECUTOR_THREADS,
            sys_db_pool_size=_CONNECTIONS,
            log_level="ERROR",
        )
        if self._database_url.startswith("sqlite"):
            config["system_database_engine"] = _sqlite_engine(self._database_url)
        DBOS(config=config)
        DBOS.launch()

    async def _begin_all(self, generation_ids: Sequence[str]) -> None:
        for start in range(0, len(generation_ids), _AT_A_TIME):
            some = generation_ids[start : start + _AT_A_TIME]
            await asyncio.gather(*(self._begin(generation_id) for generation_id in some))

    async def _begin(self, generation_id: str, *, is_delivered: bool = False) -> None:
        # No name is used twice, so a record of an earlier run can never be in the way.
        run = _Run(f"{generation_id}#{secrets.token_hex(6)}")
        if self._closing or self._reserve(generation_id, run) is not run:
            return
        try:
            with SetWorkflowID(run.workflow_id):
                await DBOS.start_workflow_async(run_generation, generation_id, is_delivered)
        except BaseException:
            self._ended(generation_id, run.workflow_id)
            raise

    def _reserve(self, generation_id: str, run: _Run) -> _Run:
        """Note the run; return the one that is noted already if there is one."""
        with self._lock:
            self._idle.clear()
            return self._runs.setdefault(generation_id, run)

    def _ended(self, generation_id: str, workflow_id: str) -> None:
        with self._lock:
            run = self._runs.get(generation_id)
            if run is not None and run.workflow_id != workflow_id:
                run = None
            if run is not None:
                del self._runs[generation_id]
            if not self._runs:
                self._idle.set()
        loop = self._application_loop
        if run is not None and run.waits_next and loop is not None and not loop.is_closed():
            loop.call_soon_threadsafe(self._begin_wait, generation_id)

    async def _until_idle(self, seconds: float) -> None:
        await asyncio.to_thread(self._idle.wait, seconds)

    async def _there(self, work: Coroutine[Any, Any, _T]) -> _T:
        if self._loop is None:
            raise RuntimeError("the engine is not running")
        return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(work, self._loop))


@DBOS.step(name="submit")
async def submit_step(generation_id: str) -> str:
    """Submit; never preempted, never retried by the engine."""
    engine = _current[0]
    return await engine.run_here(engine.steps.submit, generation_id)


@DBOS.step(name="store")
async def store_step(generation_id: str) -> str:
    """Store and settle."""
    engine = _current[0]
    return await engine.run_here(engine.steps.store, generation_id)


@DBOS.workflow(name="generation", max_recovery_attempts=_MOST_RECOVERIES)
async def run_generation(generation_id: str, is_delivered: bool) -> str:  # noqa: FBT001 - what DBOS writes down has no names
    """Be the durable promise that a generation gets to a provider, and its media to us."""
    engine = _current[0]
    with engine.running(generation_id) as is_ours:
        if not is_ours:
            return _RUN_BY_ANOTHER
        if not is_delivered:
            state = await submit_step(generation_id)
            if state == GenerationState.RUNNING:
                engine.wait_after(generation_id)
                return state
        return await store_step(generation_id)


async def _call(step: Step, generation_id: str) -> str:
    return await step(generation_id)


def _sqlite_engine(url: str) -> sqlalchemy.Engine:
    """Return an engine in WAL with full synchronisation: one fsync a step, none lost."""
    engine = sqlalchemy.create_engine(url)

    def configure(connection: Any, record: object) -> None:
        del record
        connection.isolation_level = "IMMEDIATE"
        for pragma in (
            "journal_mode=WAL",
            "synchronous=FULL",
            "busy_timeout=30000",
            "foreign_keys=ON",
        ):
            connection.execute(f"PRAGMA {pragma}")

    event.listen(engine, "connect", configure)
    return engine
