"""The sweep, and results that come when nobody waits for them any more."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import msgspec
import pytest
from tests.jobs.bench import (
    LOST,
    PICTURE,
    WORKSPACE,
    Bench,
    ScriptedProvider,
    broken,
    picture_reply,
    remote_reply,
)
from tests.jobs.processes import Living, Process

from mediawright.core.errors import ProviderError
from mediawright.core.generation import Generation
from mediawright.core.money import Money
from mediawright.core.provider import Absent, Accepted, FaultKind, Feature, Usage, Waiting
from mediawright.core.states import GenerationState
from mediawright.jobs.cadence import Cadence, Cadences
from mediawright.jobs.orphans import SweepReport, sweep
from mediawright.jobs.reconciling import adopt
from mediawright.jobs.resolving import Resolution, resolve
from mediawright.store import assets, attempts

S = GenerationState
ACCEPTED = Accepted(handle={"id": "v-1"}, vendor_id="v-1")
RUNNING = Waiting(stage="running")
LOOKUP = frozenset({Feature.LOOKUP})
CANCEL = frozenset({Feature.CANCEL})
QUICK = Cadence(first=5.0, growth=1.0, longest=5.0, window=10.0, limit=20.0, jitter=0.0)


def settings(bench: Bench, **changes: Any) -> None:
    bench.settings = msgspec.structs.replace(bench.settings, **changes)


async def swept(bench: Bench, after: float = 0.0) -> SweepReport:
    """Sweep once, some seconds later; time goes on while it waits for something."""
    await bench.clock.advance(after)
    sweeping = asyncio.create_task(sweep(bench.context, bench.jobs.resume))
    while not sweeping.done():
        await asyncio.wait({sweeping}, timeout=0.5)
        if not sweeping.done():
            await bench.clock.advance(1.0)
    return sweeping.result()


async def outputs(bench: Bench, generation: Generation) -> list[bytes]:
    found = await bench.database.read(lambda c: assets.for_generation(c, WORKSPACE, generation.id))
    return [(bench.folder / "files" / item.key).read_bytes() for item in found]


async def unknown_one(bench: Bench, provider: ScriptedProvider) -> Generation:
    bench.use(provider)
    unknown = await bench.settle(await bench.jobs.create(bench.queued()))
    async with asyncio.timeout(30):
        while (await bench.look(unknown)).state is not S.UNKNOWN:
            await bench.clock.advance(50)
            await bench.spin()
    return await bench.look(unknown)


async def expired_one(bench: Bench, provider: ScriptedProvider) -> Generation:
    settings(bench, cadence=Cadences(image=QUICK))
    bench.use(provider)
    created = await bench.jobs.create(bench.queued())
    await bench.until(lambda: provider.polled >= 1)
    expired = await bench.settle(created, seconds=60)
    assert expired.state is S.EXPIRED
    assert await bench.entries(expired) == [("hold", -10), ("release", 10)]
    return expired


async def is_open(bench: Bench, generation: Generation) -> bool:
    found = await bench.database.read(lambda c: attempts.latest(c, generation.id))
    assert found is not None
    return found.closed_at is None


async def test_nothing_to_do(bench: Bench) -> None:
    bench.use(ScriptedProvider())
    await bench.settle(await bench.jobs.create(bench.generation()))
    assert await swept(bench, 3600) == SweepReport()


async def test_a_running_submit_is_left_alone(bench: Bench) -> None:
    provider = bench.use(ScriptedProvider(gate=asyncio.Event()))
    created = await bench.jobs.create(bench.generation())
    await bench.until(lambda: len(provider.calls) == 1)
    assert await swept(bench, 3600) == SweepReport()
    assert (await bench.look(created)).state is S.SUBMITTING
    provider.gate.set()


async def test_unknowns_are_counted_for_whoever_watches(bench: Bench) -> None:
    unknown = await unknown_one(bench, ScriptedProvider(submits=[LOST]))
    report = await swept(bench)
    (found,) = report.unresolved
    assert (found.generation_id, found.attempt, found.provider) == (unknown.id, 1, "scripted")
    # It was admitted and sent at once, or a look at the queue later.
    assert timedelta() <= found.since - unknown.created_at < timedelta(seconds=5)
    assert (await bench.look(unknown)).state is S.UNKNOWN


async def test_an_unknown_is_looked_up_again_after_growing_pauses(bench: Bench) -> None:
    provider = ScriptedProvider(submits=[LOST], features=LOOKUP)
    unknown = await unknown_one(bench, provider)
    asked = len(provider.looked_up)
    for _ in range(120):
        assert len((await swept(bench, 60)).unresolved) == 1
    assert 6 <= len(provider.looked_up) - asked <= 9
    provider.lookups = [ACCEPTED]
    report = SweepReport()
    while not report.adopted:
        report = await swept(bench, 600)
    assert report.adopted == [unknown.id]
    ended = await bench.settle(unknown)
    assert ended.state is S.SUCCEEDED
    assert len(provider.calls) == 1
    assert await bench.entries(ended) == [("hold", -10), ("capture", 0)]


async def test_an_unknown_that_never_arrived_is_given_back(bench: Bench) -> None:
    provider = ScriptedProvider(submits=[LOST], features=LOOKUP)
    unknown = await unknown_one(bench, provider)
    provider.lookups = [Absent()]
    assert (await swept(bench)).absent == []
    assert (await swept(bench, 120)).absent == [unknown.id]
    ended = await bench.look(unknown)
    assert ended.state is S.FAILED
    assert ended.problem is not None
    assert ended.problem.code == "submit_not_charged"
    assert await bench.entries(ended) == [("hold", -10), ("release", 10)]
    assert len(provider.calls) == 1
    assert "generation.resolved" in await bench.event_types()


async def test_a_reply_that_was_kept_for_one_that_became_unknown(bench: Bench) -> None:
    unknown = await unknown_one(bench, ScriptedProvider(submits=[LOST]))
    await bench.context.replies.save(unknown.id, 1, picture_reply())
    assert (await swept(bench)).adopted == []
    assert (await swept(bench, 120)).adopted == [unknown.id]
    ended = await bench.look(unknown)
    assert ended.state is S.SUCCEEDED
    assert await bench.entries(ended) == [("hold", -10), ("capture", 0)]
    assert await outputs(bench, ended) == [PICTURE]
    assert await bench.context.replies.kept() == []


async def test_a_reply_that_was_kept_for_one_that_was_resolved(bench: Bench) -> None:
    unknown = await unknown_one(bench, ScriptedProvider(submits=[LOST]))
    await bench.context.replies.save(unknown.id, 1, picture_reply())
    await resolve(bench.context, unknown.id, Resolution.NOT_CHARGED)
    assert (await swept(bench, 120)).late_results == [unknown.id]
    ended = await bench.look(unknown)
    assert (ended.state, ended.charge_micros, ended.cost_micros) == (S.FAILED, 0, 80_000)
    assert await outputs(bench, ended) == [PICTURE]
    assert await bench.entries(ended) == [("hold", -10), ("release", 10)]
    assert await bench.context.replies.kept() == []


async def test_a_reply_of_something_that_never_was(bench: Bench) -> None:
    await bench.context.replies.save("gen_nobody", 1, picture_reply())
    await swept(bench)
    assert await bench.context.replies.kept() == []


async def test_a_result_after_the_limit_is_kept_and_not_charged(bench: Bench) -> None:
    provider = ScriptedProvider(submits=[ACCEPTED], polls=[RUNNING])
    expired = await expired_one(bench, provider)
    assert (await swept(bench)).open == [expired.id]
    provider.polls = [remote_reply(usage=Usage(cost=Money.usd("0.11")))]
    assert (await swept(bench, 200)).late_results == [expired.id]
    late = await bench.look(expired)
    assert (late.state, late.charge_micros) == (S.EXPIRED, 0)
    assert (late.cost_micros, late.cost_basis.value) == (110_000, "vendor_reported")
    assert await outputs(bench, late) == [PICTURE]
    assert await bench.entries(late) == [("hold", -10), ("release", 10)]
    assert await bench.available() == 100
    assert (await bench.event_types())[-2:] == ["asset.stored", "generation.late_result"]
    assert await swept(bench, 3600) == SweepReport()
    assert await bench.look(expired) == late


async def test_a_late_result_is_kept_once_when_two_processes_find_it(bench: Bench) -> None:
    provider = ScriptedProvider(submits=[ACCEPTED], polls=[RUNNING])
    expired = await expired_one(bench, provider)
    provider.polls = [remote_reply()]
    living = Living()
    processes = [Process(bench, name, living, provider) for name in "ab"]
    await asyncio.gather(*(process.sweep() for process in processes))
    late = await bench.look(expired)
    assert late.cost_micros == 80_000
    assert await outputs(bench, late) == [PICTURE]
    assert (await bench.event_types()).count("generation.late_result") == 1


async def test_a_job_that_fails_after_the_limit_is_let_go(bench: Bench) -> None:
    provider = ScriptedProvider(submits=[ACCEPTED], polls=[RUNNING])
    expired = await expired_one(bench, provider)
    provider.polls = [broken(FaultKind.FAILED, Usage(cost=Money.usd("0.03")))]
    assert (await swept(bench)).late_results == []
    assert (await bench.look(expired)).cost_micros == 30_000
    assert not await is_open(bench, expired)


async def test_it_is_not_looked_for_for_ever(bench: Bench) -> None:
    provider = ScriptedProvider(submits=[ACCEPTED], polls=[RUNNING])
    expired = await expired_one(bench, provider)
    before = provider.polled
    for _ in range(60):
        await swept(bench, 1800)
    assert 10 <= provider.polled - before <= 40
    assert not await is_open(bench, expired)
    assert await swept(bench, 3600) == SweepReport()


async def test_one_that_could_be_stopped_at_the_limit_is_over(bench: Bench) -> None:
    provider = ScriptedProvider(submits=[ACCEPTED], polls=[RUNNING], features=CANCEL)
    expired = await expired_one(bench, provider)
    assert provider.cancelled == [{"id": "v-1"}]
    assert not await is_open(bench, expired)


async def test_a_file_that_could_not_be_kept_is_kept_later(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench.use(ScriptedProvider(submits=[ACCEPTED]))

    async def full(*arguments: Any, **named: Any) -> Any:
        raise ProviderError("drive_unavailable", "the drive is away")

    monkeypatch.setattr(bench.context.library, "store", full)
    failed = await bench.settle(await bench.jobs.create(bench.queued()), seconds=60)
    assert failed.state is S.FAILED
    assert await is_open(bench, failed)
    assert (await swept(bench)).late_results == []
    monkeypatch.undo()
    assert (await swept(bench, 200)).late_results == [failed.id]
    late = await bench.look(failed)
    assert (late.state, late.charge_micros, late.cost_micros) == (S.FAILED, 0, 80_000)
    assert await outputs(bench, late) == [PICTURE]


async def test_the_same_for_a_provider_that_answered_at_once(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    provider = bench.use(ScriptedProvider())

    async def full(*arguments: Any, **named: Any) -> Any:
        raise ProviderError("drive_unavailable", "the drive is away")

    monkeypatch.setattr(bench.context.library, "store", full)
    failed = await bench.settle(await bench.jobs.create(bench.generation()), seconds=60)
    assert failed.state is S.FAILED
    monkeypatch.undo()
    assert (await swept(bench, 200)).late_results == [failed.id]
    assert await outputs(bench, failed) == [PICTURE]
    assert len(provider.calls) == 1
    assert await bench.context.replies.kept() == []


async def test_a_job_that_is_found_after_the_end_is_stopped(bench: Bench) -> None:
    provider = ScriptedProvider(submits=[LOST], polls=[RUNNING], features=CANCEL)
    unknown = await unknown_one(bench, provider)
    await resolve(bench.context, unknown.id, Resolution.NOT_CHARGED)
    await adopt(bench.context, unknown.id, 1, ACCEPTED)
    assert provider.cancelled == [{"id": "v-1"}]
    assert not await is_open(bench, unknown)
    ended = await bench.look(unknown)
    assert (ended.state, ended.charge_micros) == (S.FAILED, 0)


async def test_or_its_result_is_kept(bench: Bench) -> None:
    provider = ScriptedProvider(submits=[LOST], polls=[RUNNING])
    unknown = await unknown_one(bench, provider)
    await resolve(bench.context, unknown.id, Resolution.NOT_CHARGED)
    await adopt(bench.context, unknown.id, 1, ACCEPTED)
    assert (await swept(bench)).open == [unknown.id]
    provider.polls = [remote_reply()]
    assert (await swept(bench, 200)).late_results == [unknown.id]
    assert await outputs(bench, unknown) == [PICTURE]


async def test_a_second_job_of_a_delivered_generation_is_a_cost(bench: Bench) -> None:
    provider = bench.use(
        ScriptedProvider(submits=[LOST, ACCEPTED], lookups=[Absent()], features=LOOKUP)
    )
    created = await bench.jobs.create(bench.queued())
    await bench.until(lambda: len(provider.looked_up) == 1)
    ended = await bench.settle(created, seconds=2 * bench.settings.submit_timeout)
    assert ended.state is S.SUCCEEDED
    # The first submit had arrived after all, and nobody could have known.
    await adopt(bench.context, created.id, 1, Accepted(handle={"id": "v-0"}))
    await swept(bench)
    after = await bench.look(created)
    assert (after.state, after.charge_micros) == (S.SUCCEEDED, 10_000_000)
    assert after.cost_micros == 160_000
    assert await bench.entries(after) == [("hold", -10), ("capture", 0)]
    assert await swept(bench, 3600) == SweepReport()


async def test_what_a_dead_process_left_in_the_middle_is_run_again(bench: Bench) -> None:
    living = Living()
    hanging = ScriptedProvider(gate=asyncio.Event())
    a = Process(bench, "a", living, hanging)
    created = await a.jobs.create(bench.generation())
    await bench.until(lambda: len(hanging.calls) == 1)
    b = Process(bench, "b", living, ScriptedProvider(lookups=[ACCEPTED], features=LOOKUP))
    assert await b.sweep() == SweepReport()
    a.die()
    await a.close()
    assert (await b.sweep()).resumed == [created.id]
    ended = await bench.settle(created)
    assert ended.state is S.SUCCEEDED
    await b.close()


async def test_one_that_goes_wrong_leaves_the_others_alone(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    provider = ScriptedProvider(submits=[LOST], features=LOOKUP)
    first = await unknown_one(bench, provider)
    second = await unknown_one(bench, ScriptedProvider(submits=[LOST], features=LOOKUP))
    confused = ScriptedProvider(features=LOOKUP)
    bench.use(confused)
    asked: list[str] = []

    async def lookup(client_reference: str, upstream_id: str) -> Any:
        asked.append(client_reference)
        if len(asked) == 1:
            raise ValueError("a defect")
        return ACCEPTED

    monkeypatch.setattr(confused, "lookup", lookup)
    report = await swept(bench, 7200)
    assert len(asked) == 2
    assert report.adopted == [second.id]
    assert (await bench.look(first)).state is S.UNKNOWN
