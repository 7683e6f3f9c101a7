"""The queue is rows: what starts, when, and by whom."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import msgspec
import pytest
from tests.jobs.bench import WORKSPACE, Bench, ScriptedProvider

from mediawright.core.provider import Accepted, Waiting
from mediawright.core.states import GenerationState
from mediawright.jobs.admission import Admission
from mediawright.jobs.jobs import Jobs
from mediawright.jobs.limits import AccountLimits, LimitSettings
from mediawright.jobs.membership import WorkerSettings
from mediawright.store import custody, generations

S = GenerationState
ACCEPTED = Accepted(handle={"id": "v-1"})


def limited(bench: Bench, *, generations_at_most: int = 100, **limits: Any) -> Jobs:
    """Return the bench's jobs with limits of the one account."""
    account = AccountLimits(**limits)
    bench.jobs = Jobs(
        bench.context,
        bench.steps,
        bench.engine,
        admission=Admission(LimitSettings(accounts={"scripted": account})),
        settings=WorkerSettings(generations=generations_at_most),
    )
    return bench.jobs


async def count(bench: Bench, state: GenerationState) -> int:
    found = await bench.database.read(generations.counts_by_state)
    return found.get(state, 0)


@pytest.fixture
async def endless(bench: Bench) -> AsyncIterator[ScriptedProvider]:
    yield bench.use(ScriptedProvider(submits=[ACCEPTED], polls=[Waiting(stage="running")]))
    await bench.die()


async def test_what_is_created_starts_without_waiting_for_a_look(bench: Bench) -> None:
    provider = bench.use(ScriptedProvider(submits=[ACCEPTED]))
    created = await bench.jobs.create(bench.queued())
    await bench.until_state(created, S.RUNNING)
    assert len(provider.calls) == 1


async def test_what_has_no_place_waits_as_a_row_and_starts_when_one_is_free(bench: Bench) -> None:
    waits = ScriptedProvider(submits=[ACCEPTED], polls=[Waiting(stage="running")])
    provider = bench.use(waits)
    jobs = limited(bench, concurrent=1)
    await jobs.start()
    first = await jobs.create(bench.queued())
    second = await jobs.create(bench.queued())
    await bench.until_state(first, S.RUNNING)
    await bench.spin()
    assert (await bench.look(second)).state is S.QUEUED
    assert bench.engine.enqueued == [first.id]
    await jobs.cancel(WORKSPACE, first.id)
    # Whoever ends makes room at once, without time passing.
    await bench.until_state(second, S.RUNNING)
    assert len(provider.calls) == 2


async def test_a_synchronous_one_without_a_place_queues_and_is_delivered(bench: Bench) -> None:
    provider = bench.use(ScriptedProvider())
    jobs = limited(bench, requests_per_minute=1)
    await jobs.start()
    first = await bench.settle(await jobs.create(bench.generation()))
    second = await jobs.create(bench.generation(created_at=bench.clock.now()))
    assert first.state is S.SUCCEEDED
    assert second.state is S.QUEUED
    await bench.clock.advance(55)
    await bench.spin()
    assert len(provider.calls) == 1
    ended = await bench.settle(second)
    assert ended.state is S.SUCCEEDED
    assert await bench.entries(ended) == [("hold", -10), ("capture", 0)]


async def test_another_process_s_row_is_found_by_looking(
    bench: Bench, endless: ScriptedProvider
) -> None:
    await bench.jobs.start()
    row = bench.queued()
    await bench.database.write(lambda c: generations.insert(c, row))
    await bench.spin()
    assert (await bench.look(row)).state is S.QUEUED
    await bench.clock.advance(1)
    await bench.until_state(row, S.RUNNING)


async def test_a_process_takes_on_no_more_than_it_may(
    bench: Bench, endless: ScriptedProvider
) -> None:
    jobs = limited(bench, generations_at_most=3)
    await jobs.start()
    for _ in range(5):
        await jobs.create(bench.queued())

    async def three_run() -> bool:
        return await count(bench, S.RUNNING) == 3

    await bench.until(three_run)
    for _ in range(4):
        await bench.clock.advance(1)
        await bench.spin()
    assert await count(bench, S.QUEUED) == 2
    synchronous = await jobs.create(bench.generation())
    assert synchronous.state is S.QUEUED


async def test_one_that_only_creates_runs_nothing(bench: Bench) -> None:
    provider = bench.use(ScriptedProvider())
    bench.jobs.only_create()
    created = await bench.jobs.create(bench.generation())
    await bench.clock.advance(5)
    await bench.spin()
    assert created.state is S.QUEUED
    assert provider.calls == []
    cancelled = await bench.jobs.cancel(WORKSPACE, created.id)
    assert cancelled.charge_micros == 0


async def test_a_queue_of_thousands_is_left_where_it_is(
    bench: Bench, endless: ScriptedProvider
) -> None:
    jobs = limited(bench, concurrent=2)
    rows = [bench.queued() for _ in range(1000)]
    rows = [
        msgspec.structs.replace(row, id=f"{row.id[:-4]}{number:04x}")
        for number, row in enumerate(rows)
    ]

    def fill(connection: Any) -> None:
        for row in rows:
            assert generations.insert(connection, row)

    await bench.database.write(fill)
    await jobs.start()

    async def two_run() -> bool:
        return await count(bench, S.RUNNING) == 2

    await bench.until(two_run)
    assert await bench.database.read(custody.count_queued) == 998
    assert len(bench.engine.enqueued) == 2
    # The oldest are first.
    assert sorted(bench.engine.enqueued) == [rows[0].id, rows[1].id]
