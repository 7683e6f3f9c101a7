"""Several processes at work on the same rows, each with a name, a lease and steps of its own."""

from __future__ import annotations

import dataclasses
from typing import Any

from tests.jobs.bench import Bench, DirectEngine, Directory, ScriptedProvider

from mediawright.core.errors import UnavailableError
from mediawright.jobs.advance import Steps
from mediawright.jobs.jobs import Jobs
from mediawright.jobs.locks import GenerationLocks
from mediawright.jobs.orphans import SweepReport, sweep
from mediawright.jobs.signals import Signals
from mediawright.jobs.under_way import UnderWay


class ScriptedLease:
    """Held until it is taken away."""

    def __init__(self) -> None:
        self.held = True

    def require(self) -> None:
        if not self.held:
            raise UnavailableError("worker_fenced", "others have taken over")


class Living:
    """The processes that live."""

    def __init__(self, *names: str) -> None:
        self.names = set(names)

    async def is_alive(self, executor: str) -> bool:
        return executor in self.names


class Process:
    """One of several processes on a bench's data."""

    def __init__(
        self, bench: Bench, name: str, living: Living, *providers: ScriptedProvider, **parts: Any
    ) -> None:
        living.names.add(name)
        self.living = living
        self.lease = ScriptedLease()
        self.context = dataclasses.replace(
            bench.context,
            executor=name,
            providers=Directory(*providers),
            signals=Signals(),
            under_way=UnderWay(),
            abandoning=GenerationLocks(),
            lease=self.lease,
            executors=living,
            **{"settings": bench.settings, **parts},
        )
        self.steps = Steps(self.context)
        self.engine = DirectEngine(self.steps)
        self.jobs = Jobs(self.context, self.steps, self.engine)

    def die(self) -> None:
        """Count as dead for the others; what it does goes on, as in a process that is frozen."""
        self.living.names.discard(self.context.executor)

    async def resume(self, generation_id: str) -> None:
        """Run the generation, as whoever takes over does."""
        await self.engine.enqueue(generation_id)

    async def sweep(self) -> SweepReport:
        """Look after orphans once."""
        return await sweep(self.context, self.resume)

    async def close(self) -> None:
        """End without tidying up."""
        self.jobs._chores.cancel()
        await self.jobs._tasks.stop()
        await self.engine.close()
