"""Several processes share the rows: signs of life, fencing, taking over, handing over."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import AsyncIterator
from typing import Any

import pytest
from sqlalchemy import text
from tests.jobs.bench import WORKSPACE, Bench, DirectEngine, Directory, ScriptedProvider

from mediawright.core.clock import ManualClock
from mediawright.core.errors import UnavailableError
from mediawright.core.provider import Accepted, Feature, Waiting
from mediawright.core.states import GenerationState
from mediawright.jobs.advance import Steps
from mediawright.jobs.jobs import Jobs
from mediawright.jobs.locks import GenerationLocks
from mediawright.jobs.membership import Member, WorkerSettings
from mediawright.jobs.signals import Signals
from mediawright.jobs.under_way import UnderWay
from mediawright.store import custody, generations
from mediawright.store.kinds import WorkerRole

S = GenerationState
ACCEPTED = Accepted(handle={"id": "v-1"})
WAITING = Waiting(stage="running")
SETTINGS = WorkerSettings(beat=2, fence_after=10, dead_after=15, sweep=1, generations=50)


class Process:
    """A process with a row in `workers`, whose providers follow a script."""

    def __init__(self, bench: Bench, name: str, *providers: ScriptedProvider) -> None:
        self.bench = bench
        self.name = name
        self.member = Member(bench.database, name, bench.clock, SETTINGS)
        self.context = dataclasses.replace(
            bench.context,
            executor=name,
            providers=Directory(*providers),
            signals=Signals(),
            under_way=UnderWay(),
            abandoning=GenerationLocks(),
            lease=self.member,
            executors=self.member,
        )
        self.steps = Steps(self.context)
        self.engine = DirectEngine(self.steps)
        self.jobs = Jobs(
            self.context, self.steps, self.engine, membership=self.member, settings=SETTINGS
        )
        self.fenced: list[bool] = []

    async def start(self) -> int:
        return await self.jobs.start(
            role=WorkerRole.WORKER, fenced=lambda: self.fenced.append(True)
        )

    async def freeze(self) -> None:
        """Do nothing any more and tidy nothing up, as when killed or stopped."""
        self.jobs._chores.cancel()
        if self.member._beating is not None:
            self.member._beating.cancel()
        await self.jobs._tasks.stop()
        await self.engine.close()
        self.engine.runs.clear()

    async def held(self) -> list[str]:
        return await self.bench.database.read(lambda c: custody.held(c, self.name))

    async def silent_for(self, seconds: float) -> None:
        """Let the database see no sign of life of it for so long."""
        statement = text("UPDATE workers SET seen_at = seen_at - :micros WHERE id = :id")
        await self.bench.database.write(
            lambda c: c.execute(statement, {"micros": int(seconds * 1e6), "id": self.name})
        )


@pytest.fixture
async def processes(bench: Bench) -> AsyncIterator[Any]:
    made: list[Process] = []

    def make(name: str, *providers: ScriptedProvider) -> Process:
        made.append(Process(bench, name, *(providers or (ScriptedProvider(),))))
        return made[-1]

    yield make
    for process in made:
        await process.freeze()


def patient(**fields: Any) -> ScriptedProvider:
    return ScriptedProvider(submits=[ACCEPTED], polls=[WAITING], **fields)


async def run_one(bench: Bench, process: Process) -> Any:
    created = await process.jobs.create(bench.queued())
    await bench.until_state(created, S.RUNNING)
    return created


async def test_a_process_that_gives_signs_of_life_may_act(bench: Bench, processes: Any) -> None:
    process = processes("wrk_a")
    await process.start()
    for _ in range(10):
        await bench.clock.advance(2)
        await bench.spin()
    process.member.require()
    assert process.fenced == []


async def test_one_that_cannot_give_any_stops_in_time(
    bench: Bench, processes: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    process = processes("wrk_a")
    await process.start()

    async def away(*_: Any) -> None:
        raise UnavailableError("database_away", "gone")

    monkeypatch.setattr(process.member._database, "write", away)
    await bench.clock.advance(8)
    await bench.spin()
    process.member.require()
    assert process.fenced == []
    await bench.clock.advance(4)
    await bench.spin()
    assert process.fenced == [True]
    with pytest.raises(UnavailableError) as raised:
        process.member.require()
    assert raised.value.code == "worker_fenced"


async def test_the_first_thing_that_acts_after_a_sleep_is_refused(
    bench: Bench, processes: Any
) -> None:
    process = processes("wrk_a")
    await process.start()
    await process.freeze()
    await bench.clock.advance(10)
    with pytest.raises(UnavailableError):
        process.member.require()


async def test_one_that_was_buried_stops_although_it_lives(bench: Bench, processes: Any) -> None:
    buried, other = processes("wrk_a"), processes("wrk_b")
    await buried.start()
    await buried.silent_for(16)
    await other.start()
    await buried.member.renew()
    assert buried.fenced == [True]
    with pytest.raises(UnavailableError):
        buried.member.require()


async def test_what_the_dead_ran_is_finished_by_another(bench: Bench, processes: Any) -> None:
    first, second = processes("wrk_a", patient()), processes("wrk_b", ScriptedProvider())
    await first.start()
    await second.start()
    created = await run_one(bench, first)
    await first.freeze()
    await first.silent_for(16)
    ended = await bench.settle(created)
    assert ended.state is S.SUCCEEDED
    assert ended.executor == "wrk_b"
    assert await bench.entries(ended) == [("hold", -10), ("capture", 0)]
    assert [item.id for item in await second.member.all()] == ["wrk_b"]


async def test_what_the_living_run_is_left_to_them(bench: Bench, processes: Any) -> None:
    first, second = processes("wrk_a", patient()), processes("wrk_b")
    await first.start()
    await second.start()
    created = await run_one(bench, first)
    for _ in range(10):
        await bench.clock.advance(1)
        await bench.spin()
    assert await first.held() == [created.id]
    assert second.engine.enqueued == []


async def test_what_the_dead_had_not_told_the_provider_is_told_by_another(
    bench: Bench, processes: Any
) -> None:
    cancelling = patient(features=frozenset({Feature.CANCEL}))
    first, second = processes("wrk_a", patient()), processes("wrk_b", cancelling)
    await first.start()
    created = await run_one(bench, first)
    await first.freeze()
    bench.jobs.only_create()
    await bench.jobs.cancel(WORKSPACE, created.id)
    await first.silent_for(16)
    await second.start()
    ended = await bench.settle(created)
    assert ended.state is S.CANCELLED
    assert cancelling.cancelled == [{"id": "v-1"}]
    assert await bench.entries(ended) == [("hold", -10), ("release", 10)]


async def test_one_that_stops_hands_over_at_once(bench: Bench, processes: Any) -> None:
    first, second = processes("wrk_a", patient()), processes("wrk_b", ScriptedProvider())
    await first.start()
    await second.start()
    created = await run_one(bench, first)
    await first.jobs.close()
    assert await first.held() == []
    assert [item.id for item in await second.member.all()] == ["wrk_b"]
    ended = await bench.settle(created, seconds=10)
    assert (ended.state, ended.executor) == (S.SUCCEEDED, "wrk_b")


async def test_a_paid_request_is_seen_through_before_stopping(bench: Bench, processes: Any) -> None:
    provider = ScriptedProvider(gate=asyncio.Event())
    first, second = processes("wrk_a", provider), processes("wrk_b")
    await first.start()
    await second.start()
    created = await first.jobs.create(bench.generation())
    await bench.until(lambda: len(provider.calls) == 1)
    closing = asyncio.create_task(first.jobs.close())
    for _ in range(5):
        await bench.clock.advance(1)
        await bench.spin()
    assert await first.held() == [created.id]
    assert provider.gate is not None
    provider.gate.set()
    await closing
    assert (await bench.look(created)).state is S.SUCCEEDED
    assert second.engine.enqueued == []


async def test_a_neglected_generation_is_taken_up_again(bench: Bench, processes: Any) -> None:
    process = processes("wrk_a", ScriptedProvider(submits=[ACCEPTED]))
    await process.start()
    created = await run_one_lost(bench, process)
    await bench.clock.advance(5)
    await bench.spin()
    assert process.engine.enqueued == []
    ended = await bench.settle(created)
    assert ended.state is S.SUCCEEDED
    assert process.engine.enqueued == [created.id]


async def run_one_lost(bench: Bench, process: Process) -> Any:
    """Admit a generation whose start in the engine goes wrong."""

    async def broken(*_: Any) -> None:
        raise UnavailableError("engine_away", "gone")

    process.jobs._dispatcher._begin = broken
    created = await process.jobs.create(bench.queued())
    await bench.until_state(created, S.SUBMITTING)
    await bench.until(lambda: "dispatch" not in process.jobs._tasks)
    return created


async def test_many_orphans_are_shared_out(bench: Bench, processes: Any) -> None:
    dead, one, two = processes("wrk_a", patient()), processes("wrk_b"), processes("wrk_c")
    await dead.start()
    for _ in range(90):
        row = bench.queued(state=S.RUNNING, executor="wrk_a", charge_micros=None)
        await bench.database.write(lambda c, row=row: generations.insert(c, row))
    for process in (one, two):
        await process.member.join(WorkerRole.WORKER, lambda: None)
    await dead.freeze()
    await dead.silent_for(16)
    taken = await one.jobs._takeover.claim()
    assert len(taken) == 45
    assert len(await two.jobs._takeover.claim()) == 32
    assert len(await two.jobs._takeover.claim()) == 13
    assert await one.jobs._takeover.claim() == []


async def test_the_oldest_leads(bench: Bench, processes: Any) -> None:
    one, two = processes("wrk_a"), processes("wrk_b")
    await one.member.join(WorkerRole.WORKER, lambda: None)
    await two.member.join(WorkerRole.WORKER, lambda: None)
    assert (await one.member.leads(), await two.member.leads()) == (True, False)
    await one.member.hand_over(())
    assert await two.member.leads()


def test_times_in_a_wrong_order_are_refused() -> None:
    with pytest.raises(ValueError, match="dead_after"):
        WorkerSettings(fence_after=20)


async def test_one_that_never_joined_passes() -> None:
    clock = ManualClock()
    member = Member(None, "wrk_a", clock)  # type: ignore[arg-type]
    await clock.advance(100)
    member.require()
