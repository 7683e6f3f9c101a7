"""Waiting for a provider: cadence, time limits, cancellation, results that come late."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import msgspec
import pytest
from tests.jobs.bench import (
    PICTURE,
    WORKSPACE,
    Bench,
    ScriptedProvider,
    broken,
    remote_reply,
)

from mediawright.core.errors import ConflictError, NotFoundError
from mediawright.core.generation import Generation
from mediawright.core.money import Money
from mediawright.core.provider import (
    Accepted,
    FaultKind,
    Feature,
    Usage,
    Waiting,
)
from mediawright.core.states import GenerationState
from mediawright.jobs.cadence import Cadence, Cadences
from mediawright.store import generations

S = GenerationState
ACCEPTED = Accepted(handle={"id": "v-1"})
STEADY = Cadence(first=10.0, growth=1.0, longest=10.0, window=60.0, limit=600.0, jitter=0.0)


def waiting(*polls: object, **fields: object) -> ScriptedProvider:
    script = list(polls) or [Waiting(stage="running")]
    return ScriptedProvider(submits=[ACCEPTED], polls=script, **fields)  # type: ignore[arg-type]


def steady(bench: Bench) -> None:
    cadences = Cadences(image=STEADY, video=STEADY)
    bench.settings = msgspec.structs.replace(bench.settings, cadence=cadences)


async def pass_time_until(
    bench: Bench, generation: Generation, holds: Callable[[Generation], bool]
) -> Generation:
    """Move time in steps of five seconds until something holds of the generation."""
    for _ in range(200):
        current = await bench.look(generation)
        if holds(current):
            return current
        await bench.clock.advance(5.0)
        await bench.spin(3)
    raise AssertionError("it did not come to that")


async def test_progress_is_noted_and_the_result_fetched(bench: Bench) -> None:
    provider = bench.use(
        waiting(
            Waiting(stage="queued"),
            Waiting(stage="running", progress=0.25),
            Waiting(stage="running", progress=0.75),
            remote_reply(),
        )
    )
    ended = await bench.settle(await bench.jobs.create(bench.queued()))
    assert ended.state is S.SUCCEEDED
    assert provider.polled == 4
    assert bench.downloads.asked == ["https://files.test/a.png"]
    assert (await bench.event_types()).count("generation.progressed") >= 2


async def test_the_provider_s_own_pace_is_kept(bench: Bench) -> None:
    steady(bench)
    provider = bench.use(waiting(Waiting(stage="running", retry_after=3.0)))
    created = await bench.jobs.create(bench.queued())
    await bench.until_state(created, S.RUNNING)
    await bench.spin(50)
    for _ in range(4):
        await bench.clock.advance(3.0)
        await bench.spin(50)
    assert provider.polled == 5
    assert (await bench.look(created)).state is S.RUNNING


async def test_a_failed_question_does_not_fail_the_job(bench: Bench) -> None:
    trouble = Waiting(stage="unreachable", warning="503")
    bench.use(waiting(trouble, trouble, trouble, remote_reply()))
    ended = await bench.settle(await bench.jobs.create(bench.queued()))
    assert ended.state is S.SUCCEEDED


async def test_an_overdue_job_goes_on_and_is_charged_once(bench: Bench) -> None:
    steady(bench)
    provider = bench.use(waiting())
    created = await bench.jobs.create(bench.queued())
    overdue = await pass_time_until(bench, created, lambda current: current.overdue)
    assert overdue.state is S.RUNNING
    provider.polls = [remote_reply()]
    ended = await bench.settle(created)
    assert ended.state is S.SUCCEEDED
    assert await bench.entries(ended) == [("hold", -10), ("capture", 0)]


async def test_past_the_limit_it_expires_and_the_hold_is_released(bench: Bench) -> None:
    steady(bench)
    features = frozenset({Feature.CANCEL})
    provider = bench.use(waiting(features=features))
    created = await bench.jobs.create(bench.queued())
    expired = await pass_time_until(bench, created, lambda current: current.state is S.EXPIRED)
    assert bench.clock.monotonic() >= STEADY.limit
    assert expired.problem is not None
    assert expired.problem.code == "expired"
    assert await bench.entries(expired) == [("hold", -10), ("release", 10)]
    assert provider.cancelled == [{"id": "v-1"}]


@pytest.mark.parametrize(
    ("kind", "state"),
    [
        (FaultKind.REFUSED, S.REFUSED),
        (FaultKind.FAILED, S.FAILED),
        (FaultKind.CANCELLED, S.CANCELLED),
    ],
)
async def test_the_provider_s_verdict_ends_it(bench: Bench, kind: FaultKind, state: S) -> None:
    bench.use(waiting(broken(kind, Usage(cost=Money.usd("0.02")))))
    ended = await bench.settle(await bench.jobs.create(bench.queued()))
    assert ended.state is state
    assert await bench.entries(ended) == [("hold", -10), ("release", 10)]
    assert ended.charge_micros == 0
    assert ended.cost_micros == 20_000


async def test_cancelling_flips_the_state_at_once_and_stops_the_provider(bench: Bench) -> None:
    provider = bench.use(waiting(features=frozenset({Feature.CANCEL})))
    created = await bench.jobs.create(bench.queued())
    await bench.until(lambda: provider.polled == 1)
    cancelled = await bench.jobs.cancel(WORKSPACE, created.id)
    assert cancelled.state is S.CANCELLED
    assert cancelled.charge_micros is None
    ended = await bench.settle(created)
    assert provider.cancelled == [{"id": "v-1"}]
    assert await bench.entries(ended) == [("hold", -10), ("release", 10)]
    assert ended.charge_micros == 0
    assert (await bench.event_types()).count("generation.cancelled") == 1
    assert (await bench.jobs.cancel(WORKSPACE, created.id)).state is S.CANCELLED


@pytest.mark.parametrize("features", [frozenset(), frozenset({Feature.CANCEL})])
async def test_what_cannot_be_stopped_is_charged(
    bench: Bench, features: frozenset[Feature]
) -> None:
    provider = bench.use(waiting(features=features, can_cancel=False))
    created = await bench.jobs.create(bench.queued())
    await bench.until(lambda: provider.polled == 1)
    await bench.jobs.cancel(WORKSPACE, created.id)
    ended = await bench.settle(created)
    assert ended.state is S.CANCELLED
    assert await bench.entries(ended) == [("hold", -10), ("capture", 0)]
    assert ended.charge_micros == 10_000_000
    assert len(provider.cancelled) == len(features)


async def test_cancelling_before_the_submit_costs_nothing(bench: Bench) -> None:
    provider = bench.use(ScriptedProvider(submits=[ACCEPTED]))
    created = await bench.jobs.create(bench.queued())
    cancelled = await bench.jobs.cancel(WORKSPACE, created.id)
    assert cancelled.state is S.CANCELLED
    assert cancelled.charge_micros == 0
    await bench.spin()
    assert provider.calls == []
    assert await bench.entries(created) == [("hold", -10), ("release", 10)]


async def test_cancelling_during_a_paid_submit_tells_the_truth(bench: Bench) -> None:
    provider = ScriptedProvider(gate=asyncio.Event())
    bench.use(provider)
    created = await bench.jobs.create(bench.generation())
    await bench.until(lambda: len(provider.calls) == 1)
    assert (await bench.jobs.cancel(WORKSPACE, created.id)).state is S.CANCELLED
    assert provider.gate is not None
    provider.gate.set()
    ended = await bench.settle(created)
    assert ended.state is S.CANCELLED
    assert await bench.entries(ended) == [("hold", -10), ("capture", 0)]
    assert not [path for path in (bench.folder / "files").rglob("*") if path.is_file()]


async def test_a_free_submit_is_broken_off(bench: Bench) -> None:
    features = frozenset({Feature.REPEATABLE_SUBMIT})
    provider = bench.use(ScriptedProvider(gate=asyncio.Event(), features=features))
    created = await bench.jobs.create(bench.generation())
    await bench.until(lambda: len(provider.calls) == 1)
    await bench.jobs.cancel(WORKSPACE, created.id)
    ended = await bench.settle(created)
    assert ended.state is S.CANCELLED
    assert await bench.entries(ended) == [("hold", -10), ("release", 10)]


async def test_what_has_ended_cannot_be_cancelled(bench: Bench) -> None:
    bench.use(ScriptedProvider())
    ended = await bench.settle(await bench.jobs.create(bench.generation()))
    with pytest.raises(ConflictError) as raised:
        await bench.jobs.cancel(WORKSPACE, ended.id)
    assert raised.value.code == "generation_finished"
    with pytest.raises(NotFoundError):
        await bench.jobs.cancel("wsp_other", ended.id)


async def test_an_expired_url_is_asked_for_again(bench: Bench) -> None:
    bench.use(waiting(remote_reply("https://files.test/gone.png"), remote_reply()))
    ended = await bench.settle(await bench.jobs.create(bench.queued()))
    assert ended.state is S.SUCCEEDED
    assert bench.downloads.asked == ["https://files.test/gone.png", "https://files.test/a.png"]


@pytest.mark.parametrize("content", [b"", PICTURE[: len(PICTURE) // 2], b"<html>sorry</html>"])
async def test_a_file_that_is_none_is_not_delivered_nor_charged(
    bench: Bench, content: bytes
) -> None:
    bench.downloads.files["https://files.test/a.png"] = content
    bench.use(waiting(remote_reply(usage=Usage(cost=Money.usd("0.07")))))
    ended = await bench.settle(await bench.jobs.create(bench.queued()), seconds=120)
    assert ended.state is S.FAILED
    assert ended.problem is not None
    assert await bench.entries(ended) == [("hold", -10), ("release", 10)]
    assert ended.cost_micros == 70_000
    assert not [path for path in (bench.folder / "files").rglob("*") if path.is_file()]


async def test_closing_tells_the_provider_what_another_process_cancelled(bench: Bench) -> None:
    provider = bench.use(waiting(features=frozenset({Feature.CANCEL})))
    await bench.jobs.start()
    created = await bench.jobs.create(bench.queued())
    await bench.until(lambda: provider.polled == 1)
    now = bench.clock.now()
    await bench.database.write(
        lambda c: generations.transition(c, created.id, S.CANCELLED, now=now, cancel_requested=True)
    )
    await bench.jobs.close()
    assert provider.cancelled == [{"id": "v-1"}]
    assert await bench.entries(created) == [("hold", -10), ("release", 10)]
