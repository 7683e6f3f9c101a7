"""Cancelling in every state: it is cancelled at once, and the money follows the truth."""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec
import pytest
from tests.jobs.bench import (
    PICTURE,
    WORKSPACE,
    Bench,
    ScriptedProvider,
    picture_reply,
    remote_reply,
)

from mediawright.core.errors import ConflictError
from mediawright.core.generation import Generation
from mediawright.core.money import Money
from mediawright.core.operations import MediaKind
from mediawright.core.provider import Accepted, Done, Feature, InlineMedia, Usage, Waiting
from mediawright.core.states import GenerationState
from mediawright.jobs.orphans import sweep
from mediawright.store import assets, custody

S = GenerationState
ACCEPTED = Accepted(handle={"id": "v-1"}, vendor_id="v-1")
RUNNING = Waiting(stage="running")
CANCEL = frozenset({Feature.CANCEL})
RELEASED = [("hold", -10), ("release", 10)]
CAPTURED = [("hold", -10), ("capture", 0)]


def keeping(bench: Bench) -> None:
    bench.settings = msgspec.structs.replace(bench.settings, keep_cancelled_results=True)


async def cancel(bench: Bench, generation: Generation) -> Generation:
    cancelled = await bench.jobs.cancel(WORKSPACE, generation.id)
    assert cancelled.state is S.CANCELLED
    assert cancelled.cancel_requested
    assert cancelled.finished_at is not None
    return cancelled


async def outputs(bench: Bench, generation: Generation) -> list[bytes]:
    found = await bench.database.read(lambda c: assets.for_generation(c, WORKSPACE, generation.id))
    return [(bench.folder / "files" / item.key).read_bytes() for item in found]


def files(bench: Bench) -> list[str]:
    return [path.name for path in (bench.folder / "files").rglob("*.png") if path.is_file()]


async def test_in_the_queue(bench: Bench) -> None:
    provider = bench.use(ScriptedProvider(submits=[ACCEPTED]))
    bench.jobs.only_create()
    created = await bench.jobs.create(bench.queued())
    cancelled = await cancel(bench, created)
    assert cancelled.charge_micros == 0
    assert await bench.entries(created) == RELEASED
    await bench.jobs.resume(created.id)
    assert provider.calls == []
    assert await bench.attempt_states(created) == []


@pytest.mark.parametrize(
    ("features", "stops", "money"),
    [
        (CANCEL, True, RELEASED),
        (CANCEL, False, CAPTURED),
        (frozenset(), True, CAPTURED),
    ],
)
@pytest.mark.parametrize("when", ["submitting", "running"])
async def test_at_a_provider(
    bench: Bench,
    when: str,
    features: frozenset[Feature],
    stops: bool,
    money: list[tuple[str, int]],
) -> None:
    provider = bench.use(
        ScriptedProvider(
            submits=[ACCEPTED],
            polls=[RUNNING],
            features=features,
            can_cancel=stops,
            gate=asyncio.Event(),
        )
    )
    assert provider.gate is not None
    created = await bench.jobs.create(bench.queued())
    await bench.until(lambda: len(provider.calls) == 1)
    if when == "running":
        provider.gate.set()
        await bench.until(lambda: provider.polled == 1)
    await cancel(bench, created)
    provider.gate.set()
    ended = await bench.settle(created)
    assert ended.state is S.CANCELLED
    assert provider.cancelled == ([{"id": "v-1"}] if features else [])
    assert await bench.entries(created) == money
    assert ended.cost_micros == (None if money == RELEASED else 80_000)
    assert "generation.reconciled" not in await bench.event_types()
    assert (await sweep(bench.context, bench.jobs.resume)).open == []


async def test_at_a_provider_that_is_finished_already(bench: Bench) -> None:
    """Some providers delete a finished job when asked to stop it, and bill it."""
    provider = bench.use(
        ScriptedProvider(submits=[ACCEPTED], polls=[RUNNING, remote_reply()], features=CANCEL)
    )
    created = await bench.jobs.create(bench.queued())
    await bench.until(lambda: provider.polled == 1)
    await cancel(bench, created)
    ended = await bench.settle(created)
    assert provider.cancelled == []
    assert await bench.entries(ended) == CAPTURED
    assert ended.cost_micros == 80_000


async def hanging_store(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> tuple[Any, Any]:
    reached, go_on = asyncio.Event(), asyncio.Event()
    original = bench.context.library.store

    async def store(*arguments: Any, **named: Any) -> Any:
        asset = await original(*arguments, **named)
        reached.set()
        await go_on.wait()
        return asset

    monkeypatch.setattr(bench.context.library, "store", store)
    return reached, go_on


@pytest.mark.parametrize("keeps", [False, True])
@pytest.mark.parametrize("at_once", [False, True])
async def test_during_the_download(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, at_once: bool, keeps: bool
) -> None:
    if keeps:
        keeping(bench)
    usage = Usage(cost=Money.usd("0.09"))
    reply = picture_reply(usage) if at_once else ACCEPTED
    provider = bench.use(
        ScriptedProvider(submits=[reply], polls=[remote_reply(usage=usage)], features=CANCEL)
    )
    reached, go_on = await hanging_store(bench, monkeypatch)
    created = await bench.jobs.create(bench.generation() if at_once else bench.queued())
    await asyncio.wait_for(reached.wait(), 20)
    await cancel(bench, created)
    go_on.set()
    ended = await bench.settle(created)
    await bench.until(lambda: created.id not in bench.engine.runs and not bench.jobs._tasks.names())
    assert ended.state is S.CANCELLED
    assert provider.cancelled == []
    assert await bench.entries(created) == CAPTURED
    assert ended.cost_micros == 90_000
    assert await outputs(bench, created) == ([PICTURE] if keeps else [])
    assert len(files(bench)) == (1 if keeps else 0)
    assert await bench.context.replies.kept() == []


async def test_a_damaged_file_that_came_too_late(bench: Bench) -> None:
    """The provider took the job; what it sent is worth nothing, and costs nothing."""
    damaged = Done(outputs=(InlineMedia(kind=MediaKind.IMAGE, data=PICTURE[:40]),))
    provider = bench.use(ScriptedProvider(submits=[damaged], gate=asyncio.Event()))
    assert provider.gate is not None
    created = await bench.jobs.create(bench.generation())
    await bench.until(lambda: len(provider.calls) == 1)
    await cancel(bench, created)
    provider.gate.set()
    ended = await bench.settle(created)
    assert ended.state is S.CANCELLED
    assert await bench.entries(created) == RELEASED
    assert await bench.attempt_states(created) == ["acknowledged"]
    assert await outputs(bench, created) == []


async def test_in_doubt_it_is_left_to_the_sweep(bench: Bench) -> None:
    """Nobody can work on it until it is known what became of the submit."""
    provider = bench.use(ScriptedProvider(gate=asyncio.Event()))
    created = await bench.jobs.create(bench.generation())
    await bench.until(lambda: len(provider.calls) == 1)
    await cancel(bench, created)
    await bench.die()
    bench.use(ScriptedProvider())
    assert await bench.jobs.start() == 1
    await bench.settle(created)
    assert await bench.attempt_states(created) == ["unknown"]
    assert await bench.entries(created) == [("hold", -10)]
    executor = bench.context.executor
    assert await bench.database.read(lambda c: custody.held(c, executor)) == []
    report = await sweep(bench.context, bench.jobs.resume)
    assert [item.generation_id for item in report.unresolved] == [created.id]


async def test_after_the_download_and_a_crash(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The provider would delete the finished job; it is billed all the same."""
    bench.use(ScriptedProvider(submits=[ACCEPTED], features=CANCEL))
    reached, _ = await hanging_store(bench, monkeypatch)
    created = await bench.jobs.create(bench.queued())
    await asyncio.wait_for(reached.wait(), 20)
    await bench.die()
    monkeypatch.undo()
    bench.jobs.only_create()
    await cancel(bench, created)
    provider = bench.use(ScriptedProvider(polls=[RUNNING], features=CANCEL))
    await bench.jobs.start()
    ended = await bench.settle(created)
    assert provider.cancelled == []
    assert await bench.entries(ended) == CAPTURED


async def test_a_result_that_is_to_be_kept_is_waited_for(bench: Bench) -> None:
    keeping(bench)
    provider = bench.use(ScriptedProvider(submits=[ACCEPTED], polls=[RUNNING]))
    created = await bench.jobs.create(bench.queued())
    await bench.until(lambda: provider.polled == 1)
    await cancel(bench, created)
    ended = await bench.settle(created)
    assert await bench.entries(ended) == CAPTURED
    assert (await sweep(bench.context, bench.jobs.resume)).open == [created.id]
    provider.polls = [remote_reply()]
    await bench.clock.advance(200)
    assert (await sweep(bench.context, bench.jobs.resume)).late_results == [created.id]
    after = await bench.look(created)
    assert (after.state, after.charge_micros, after.cost_micros) == (
        S.CANCELLED,
        10_000_000,
        80_000,
    )
    assert await outputs(bench, after) == [PICTURE]
    assert await bench.entries(after) == CAPTURED


async def test_twice(bench: Bench) -> None:
    provider = bench.use(ScriptedProvider(submits=[ACCEPTED], polls=[RUNNING], features=CANCEL))
    created = await bench.jobs.create(bench.queued())
    await bench.until(lambda: provider.polled == 1)
    await asyncio.gather(cancel(bench, created), cancel(bench, created))
    ended = await bench.settle(created)
    await cancel(bench, created)
    assert await bench.look(created) == ended
    assert provider.cancelled == [{"id": "v-1"}]
    assert await bench.entries(created) == RELEASED
    assert (await bench.event_types()).count("generation.cancelled") == 1


async def test_against_a_finished_one(bench: Bench) -> None:
    bench.use(ScriptedProvider())
    created = await bench.jobs.create(bench.generation())
    await bench.until_state(created, S.SUCCEEDED)
    with pytest.raises(ConflictError) as raised:
        await bench.jobs.cancel(WORKSPACE, created.id)
    assert raised.value.code == "generation_finished"
    assert await bench.entries(created) == CAPTURED
