"""Two processes on the same generation: one was taken over from, and wakes up again."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from tests.jobs.bench import (
    PICTURE,
    WORKSPACE,
    Bench,
    ScriptedProvider,
    declined,
    picture_reply,
    remote_reply,
)
from tests.jobs.processes import Living, Process

from mediawright.core.errors import UnavailableError
from mediawright.core.generation import Generation
from mediawright.core.provider import Accepted, FaultKind, Feature, Waiting
from mediawright.core.states import GenerationState
from mediawright.jobs.settling import settle_success, settle_without_media
from mediawright.store import assets, attempts

S = GenerationState
ACCEPTED = Accepted(handle={"id": "v-1"}, vendor_id="v-1")
RUNNING = Waiting(stage="running")


class Two:
    """Process `a`, which is taken over from, and process `b`, which does it."""

    def __init__(self, bench: Bench) -> None:
        self.bench = bench
        self.living = Living()
        self.open: list[Process] = []

    def process(self, name: str, provider: ScriptedProvider, **parts: Any) -> Process:
        made = Process(self.bench, name, self.living, provider, **parts)
        self.open.append(made)
        return made

    async def files(self) -> list[bytes]:
        folder = self.bench.folder / "files"
        return [path.read_bytes() for path in folder.rglob("*.png") if path.is_file()]

    async def assets_of(self, generation: Generation) -> list[Any]:
        return await self.bench.database.read(
            lambda c: assets.for_generation(c, WORKSPACE, generation.id)
        )


@pytest.fixture
async def two(bench: Bench) -> Any:
    made = Two(bench)
    yield made
    for process in made.open:
        await process.close()


async def test_a_process_without_lease_sends_nothing_and_settles_nothing(two: Two) -> None:
    provider = ScriptedProvider()
    a = two.process("a", provider)
    a.lease.held = False
    created = await a.jobs.create(two.bench.generation())
    await two.bench.until(lambda: created.id not in a.jobs._tasks)
    assert provider.calls == []
    left = await two.bench.look(created)
    assert (left.state, left.charge_micros) == (S.SUBMITTING, None)
    assert await two.bench.attempt_states(created) == ["intent"]
    assert await two.bench.entries(created) == [("hold", -10)]


async def test_a_submit_that_was_permitted_too_early_is_stopped_before_it_leaves(two: Two) -> None:
    provider = ScriptedProvider(gate=asyncio.Event())
    a = two.process("a", provider)
    await a.jobs.create(two.bench.generation())
    await two.bench.until(lambda: len(provider.calls) == 1)
    permit = provider.calls[0].permit
    assert permit is not None
    permit()
    a.lease.held = False
    with pytest.raises(UnavailableError):
        permit()


@pytest.mark.parametrize("answer", [ACCEPTED, picture_reply()])
async def test_the_answer_of_a_frozen_submit_is_adopted(two: Two, answer: Any) -> None:
    frozen = ScriptedProvider(submits=[answer], gate=asyncio.Event())
    a = two.process("a", frozen)
    created = await a.jobs.create(two.bench.queued())
    await two.bench.until(lambda: len(frozen.calls) == 1)
    a.die()

    taker = ScriptedProvider()
    b = two.process("b", taker)
    await b.resume(created.id)
    await two.bench.until_state(created, S.UNKNOWN)
    assert frozen.gate is not None
    frozen.gate.set()
    await two.bench.until(lambda: not a.engine.runs)
    await b.resume(created.id)
    ended = await two.bench.settle(created)
    assert ended.state is S.SUCCEEDED
    assert (len(frozen.calls), len(taker.calls)) == (1, 0)
    assert await two.bench.entries(created) == [("hold", -10), ("capture", 0)]
    assert len(await two.assets_of(created)) == 1


async def test_a_frozen_submit_that_was_turned_down_settles_the_doubt(two: Two) -> None:
    turned_down = declined(FaultKind.OUT_OF_CREDIT)
    frozen = ScriptedProvider(submits=[turned_down], gate=asyncio.Event())
    a = two.process("a", frozen)
    created = await a.jobs.create(two.bench.queued())
    await two.bench.until(lambda: len(frozen.calls) == 1)
    a.die()
    b = two.process("b", ScriptedProvider())
    await b.resume(created.id)
    await two.bench.until_state(created, S.UNKNOWN)
    assert frozen.gate is not None
    frozen.gate.set()
    await two.bench.until_state(created, S.FAILED)
    ended = await two.bench.look(created)
    assert ended.problem is not None
    assert ended.problem.code == "provider_out_of_credit"
    assert await two.bench.entries(created) == [("hold", -10), ("release", 10)]


async def test_a_zombie_stops_asking_and_changes_nothing(two: Two) -> None:
    slow = ScriptedProvider(submits=[ACCEPTED], polls=[RUNNING])
    a = two.process("a", slow)
    created = await a.jobs.create(two.bench.queued())
    await two.bench.until(lambda: slow.polled == 1)
    a.die()
    other = ScriptedProvider(polls=[RUNNING])
    b = two.process("b", other)
    await b.resume(created.id)
    await two.bench.until(lambda: other.polled >= 1)
    a.lease.held = False
    await two.bench.clock.advance(60)
    await two.bench.until(lambda: not a.engine.runs)
    assert slow.polled == 1
    other.polls = [remote_reply()]
    ended = await two.bench.settle(created)
    assert ended.state is S.SUCCEEDED
    assert ended.executor == "b"


async def test_a_zombie_with_a_lease_of_its_own_is_told_apart_by_name(two: Two) -> None:
    """It was frozen so long that others took over, and has come back since."""
    late = ScriptedProvider(submits=[ACCEPTED], polls=[RUNNING, remote_reply()])
    a = two.process("a", late)
    created = await a.jobs.create(two.bench.queued())
    await two.bench.until(lambda: late.polled == 1)
    a.die()
    other = ScriptedProvider(polls=[RUNNING])
    b = two.process("b", other)
    await b.resume(created.id)
    await two.bench.until(lambda: other.polled >= 1)
    two.living.names.add("a")
    await two.bench.clock.advance(30)
    await two.bench.until(lambda: not a.engine.runs)
    assert late.polled == 2
    current = await two.bench.look(created)
    assert (current.state, current.executor) == (S.RUNNING, "b")
    assert await two.bench.entries(created) == [("hold", -10)]


async def test_a_loser_deletes_nothing_of_the_winner(two: Two, monkeypatch: Any) -> None:
    """Both fetch the same result and store it under the same name."""
    a = two.process("a", ScriptedProvider(submits=[ACCEPTED]))
    stored = asyncio.Event()
    go_on = asyncio.Event()
    original = two.bench.context.library.store

    async def store_and_freeze(*arguments: Any, **named: Any) -> Any:
        asset = await original(*arguments, **named)
        if not stored.is_set():
            stored.set()
            await go_on.wait()
        return asset

    monkeypatch.setattr(two.bench.context.library, "store", store_and_freeze)
    created = await a.jobs.create(two.bench.queued())
    await asyncio.wait_for(stored.wait(), 10)
    a.die()
    b = two.process("b", ScriptedProvider())
    await b.resume(created.id)
    ended = await two.bench.settle(created)
    assert ended.state is S.SUCCEEDED
    go_on.set()
    await two.bench.until(lambda: not a.engine.runs)
    (asset,) = await two.assets_of(created)
    assert (two.bench.folder / "files" / asset.key).read_bytes() == PICTURE
    assert await two.bench.entries(created) == [("hold", -10), ("capture", 0)]
    assert (await two.bench.event_types()).count("generation.succeeded") == 1


async def test_the_same_while_the_winner_is_still_at_it(two: Two, monkeypatch: Any) -> None:
    a = two.process("a", ScriptedProvider(submits=[ACCEPTED]))
    reached: list[asyncio.Event] = [asyncio.Event(), asyncio.Event()]
    gates: list[asyncio.Event] = [asyncio.Event(), asyncio.Event()]
    original = two.bench.context.library.store

    async def store_in_turn(*arguments: Any, **named: Any) -> Any:
        asset = await original(*arguments, **named)
        turn = 1 if reached[0].is_set() else 0
        reached[turn].set()
        await gates[turn].wait()
        return asset

    monkeypatch.setattr(two.bench.context.library, "store", store_in_turn)
    created = await a.jobs.create(two.bench.queued())
    await asyncio.wait_for(reached[0].wait(), 10)
    a.die()
    b = two.process("b", ScriptedProvider())
    await b.resume(created.id)
    await asyncio.wait_for(reached[1].wait(), 10)
    gates[0].set()
    await two.bench.until(lambda: not a.engine.runs)
    assert (await two.bench.look(created)).state is S.STORING
    assert len(await two.files()) >= 1
    gates[1].set()
    ended = await two.bench.settle(created)
    assert ended.state is S.SUCCEEDED
    (asset,) = await two.assets_of(created)
    assert (two.bench.folder / "files" / asset.key).read_bytes() == PICTURE


async def test_settling_is_for_whoever_is_in_charge(two: Two) -> None:
    provider = ScriptedProvider(submits=[ACCEPTED], polls=[RUNNING])
    a = two.process("a", provider)
    b = two.process("b", ScriptedProvider())
    created = await a.jobs.create(two.bench.queued())
    await two.bench.until(lambda: provider.polled == 1)
    running = await two.bench.look(created)
    attempt = await two.bench.database.read(lambda c: attempts.latest(c, created.id))
    assert attempt is not None
    for settle in (
        settle_success(b.context, running, attempt, picture_reply().usage, []),
        settle_without_media(b.context, running, S.FAILED, None),
        b.steps.wait(created.id),
        b.steps.store(created.id),
    ):
        with pytest.raises(UnavailableError) as raised:
            await settle
        assert raised.value.code == "worker_fenced"
    current = await two.bench.look(created)
    assert (current.state, current.executor, current.charge_micros) == (S.RUNNING, "a", None)
    assert await two.bench.entries(created) == [("hold", -10)]


async def test_a_cancellation_is_left_to_the_process_in_charge(two: Two) -> None:
    features = frozenset({Feature.CANCEL})
    provider = ScriptedProvider(submits=[ACCEPTED], features=features, gate=asyncio.Event())
    provider.polls = [RUNNING]
    a = two.process("a", provider)
    b = two.process("b", provider)
    created = await a.jobs.create(two.bench.queued())
    await two.bench.until(lambda: len(provider.calls) == 1)
    await b.jobs.cancel(WORKSPACE, created.id)
    await two.bench.until(lambda: len(b.jobs._tasks) == 0)
    assert await two.bench.entries(created) == [("hold", -10)]
    assert provider.gate is not None
    provider.gate.set()
    ended = await two.bench.settle(created)
    assert ended.state is S.CANCELLED
    assert provider.cancelled == [{"id": "v-1"}]
    assert await two.bench.entries(created) == [("hold", -10), ("release", 10)]


async def test_a_stopped_process_still_writes_down_the_answer_to_its_submit(two: Two) -> None:
    provider = ScriptedProvider(submits=[ACCEPTED], polls=[RUNNING], gate=asyncio.Event())
    a = two.process("a", provider)
    created = await a.jobs.create(two.bench.queued())
    await two.bench.until(lambda: len(provider.calls) == 1)
    await a.engine.close()
    assert provider.gate is not None
    provider.gate.set()
    await a.context.under_way.finish(10)
    assert await two.bench.attempt_states(created) == ["acknowledged"]
    assert (await two.bench.look(created)).state is S.RUNNING
