"""The engine port on DBOS: what is begun is finished, also by the next process.

DBOS keeps nothing but ids and the few words our steps return; everything an owner or an
accountant asks about lies in our own tables. DBOS has its own thread and event loop, and
each step hops onto the application's loop, where sessions and signals live.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, Protocol, TypeVar

import sqlalchemy
from dbos import DBOS, DBOSConfig, SetWorkflowID
from sqlalchemy import event

from mediawright.core.errors import ConflictError

_T = TypeVar("_T")

APPLICATION_VERSION = "1"
"""Constant, so that an upgrade of this package finds the work of the one before."""
_EXECUTOR_THREADS = 16
_MOST_RECOVERIES = 10_000
_LAST_RECORDS = 5.0
"""Seconds that closing waits for workflows that only have to write down how they ended."""

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

    async def store(self, generation_id: str) -> str:
        """Store the media and settle."""
        ...


class DurableEngine:
    """Runs generations as DBOS workflows, one workflow per generation."""

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
        self._running: set[asyncio.Task[Any]] = set()
        self._workflows: set[asyncio.Task[Any]] = set()
        self._closing = False
        self._starting = asyncio.Lock()

    async def start(self) -> None:
        """Launch DBOS, which takes up at once what an earlier process left.

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
        """Run the generation; asking twice runs it once."""
        await self.start()
        await self._there(self._begin(generation_id))

    async def forget(self, generation_id: str) -> None:
        """Drop the record of a finished generation."""
        if self._thread is not None:
            await self._there(DBOS.delete_workflow_async(generation_id))

    async def counts(self) -> dict[str, int]:
        """Return how many workflows of this engine are in which state."""
        if self._thread is None:
            return {}
        found = await self._there(DBOS.list_workflows_async())
        states = [item.status for item in found]
        return {state: states.count(state) for state in set(states)}

    async def close(self) -> None:
        """Stop; workflows that are not finished stay pending and are recovered later."""
        if self._thread is None or self._loop is None:
            return
        await self._there(self._stop_workflows())
        await asyncio.to_thread(DBOS.destroy)
        self._loop.call_soon_threadsafe(self._loop.stop)
        await asyncio.to_thread(self._thread.join)
        self._loop.close()
        self._thread = self._loop = None
        self._closing = False
        _current.remove(self)

    def follow(self) -> None:
        """Remember the current task as a workflow's until it ends (called on the engine's loop)."""
        task = asyncio.current_task()
        if task is not None:
            self._workflows.add(task)
            task.add_done_callback(self._workflows.discard)

    async def run_here(self, step: Step, generation_id: str) -> str:
        """Run a step on the application's loop (called on the engine's)."""
        task = asyncio.current_task()
        loop = self._application_loop
        if task is None or loop is None:
            raise RuntimeError("the engine is not running")
        if self._closing:
            raise asyncio.CancelledError
        self._running.add(task)
        try:
            work = asyncio.run_coroutine_threadsafe(_call(step, generation_id), loop)
            return await asyncio.wrap_future(work)
        finally:
            self._running.discard(task)

    async def _launch(self) -> None:
        config = DBOSConfig(
            name="mediawright",
            system_database_url=self._database_url,
            application_version=APPLICATION_VERSION,
            executor_id=self._executor,
            max_executor_threads=_EXECUTOR_THREADS,
            log_level="ERROR",
        )
        if self._database_url.startswith("sqlite"):
            config["system_database_engine"] = _sqlite_engine(self._database_url)
        DBOS(config=config)
        DBOS.launch()

    async def _begin(self, generation_id: str) -> None:
        workflow_id = await self._workflow_id(generation_id)
        with SetWorkflowID(workflow_id):
            await DBOS.start_workflow_async(run_generation, generation_id)

    async def _workflow_id(self, generation_id: str) -> str:
        """Return the generation's id, or a successor of it when that run broke off for good."""
        known = await DBOS.list_workflows_async(workflow_id_prefix=generation_id)
        if any(item.status in {"PENDING", "ENQUEUED"} for item in known):
            return generation_id
        return f"{generation_id}#{len(known)}" if known else generation_id

    async def _stop_workflows(self) -> None:
        self._closing = True
        for task in list(self._running):
            task.cancel()
        # Those between two steps still write what the last one returned.
        if self._workflows:
            await asyncio.wait(self._workflows, timeout=_LAST_RECORDS)

    async def _there(self, work: Coroutine[Any, Any, _T]) -> _T:
        if self._loop is None:
            raise RuntimeError("the engine is not running")
        return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(work, self._loop))


@DBOS.step(name="submit")
async def submit_step(generation_id: str) -> str:
    """Submit; never preempted, never retried by the engine."""
    engine = _current[0]
    return await engine.run_here(engine.steps.submit, generation_id)


@DBOS.step(name="wait", preemptible=True)
async def wait_step(generation_id: str) -> str:
    """Wait, with one checkpoint however long it takes."""
    engine = _current[0]
    return await engine.run_here(engine.steps.wait, generation_id)


@DBOS.step(name="store")
async def store_step(generation_id: str) -> str:
    """Store and settle."""
    engine = _current[0]
    return await engine.run_here(engine.steps.store, generation_id)


@DBOS.workflow(name="generation", max_recovery_attempts=_MOST_RECOVERIES)
async def run_generation(generation_id: str) -> str:
    """Be the durable promise that a generation reaches its end."""
    _current[0].follow()
    await submit_step(generation_id)
    await wait_step(generation_id)
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
