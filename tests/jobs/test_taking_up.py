"""A process ends somewhere in the middle; the next one takes up what it left."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from tests.jobs.bench import Bench, ScriptedProvider, picture_reply

from mediawright.core.provider import Accepted, Feature, Waiting
from mediawright.core.states import GenerationState

S = GenerationState
ACCEPTED = Accepted(handle={"id": "v-1"})


async def test_a_wait_goes_on(bench: Bench) -> None:
    first = bench.use(ScriptedProvider(submits=[ACCEPTED], polls=[Waiting(stage="running")]))
    created = await bench.jobs.create(bench.queued())
    await bench.until(lambda: first.polled == 1)
    await bench.die()
    second = bench.use(ScriptedProvider(submits=[ACCEPTED]))
    assert await bench.jobs.start() == 1
    ended = await bench.settle(created)
    assert ended.state is S.SUCCEEDED
    assert (len(first.calls), len(second.calls)) == (1, 0)
    assert await bench.entries(ended) == [("hold", -10), ("capture", 0)]


async def test_a_queued_generation_is_submitted(bench: Bench) -> None:
    bench.use(ScriptedProvider(submits=[ACCEPTED]))
    bench.jobs.only_create()
    created = await bench.jobs.create(bench.queued())
    provider = bench.use(ScriptedProvider(submits=[ACCEPTED]))
    assert await bench.jobs.start() == 1
    assert (await bench.settle(created)).state is S.SUCCEEDED
    assert len(provider.calls) == 1


async def test_a_request_that_may_have_left_is_unknown(bench: Bench) -> None:
    first = bench.use(ScriptedProvider(gate=asyncio.Event()))
    created = await bench.jobs.create(bench.generation())
    await bench.until(lambda: len(first.calls) == 1)
    await bench.die()
    second = bench.use(ScriptedProvider())
    assert await bench.jobs.start() == 1
    unknown = await bench.settle(created)
    assert unknown.state is S.UNKNOWN
    assert second.calls == []
    assert await bench.entries(unknown) == [("hold", -10)]


async def test_half_a_reply_is_none(bench: Bench) -> None:
    replies = bench.context.replies
    await replies.save("gen_whole", 1, picture_reply())
    (bench.folder / "replies" / "gen_half-1.0").write_bytes(b"half")
    replies.drop_partial_now()
    assert await replies.kept() == [("gen_whole", 1)]
    left = sorted(path.name for path in (bench.folder / "replies").iterdir())
    assert left == ["gen_whole-1.reply"]


async def test_a_spare_file_that_was_removed_is_no_loss(bench: Bench) -> None:
    replies = bench.context.replies
    await replies.save("gen_first", 1, picture_reply())
    await replies.discard("gen_first", 1)
    for path in (bench.folder / "spare-replies").iterdir():
        path.unlink()
    await replies.save("gen_second", 1, picture_reply())
    assert await replies.load("gen_second", 1) == picture_reply()


async def test_a_free_one_is_made_again(bench: Bench) -> None:
    features = frozenset({Feature.REPEATABLE_SUBMIT})
    first = bench.use(ScriptedProvider(gate=asyncio.Event(), features=features))
    created = await bench.jobs.create(bench.generation())
    await bench.until(lambda: len(first.calls) == 1)
    await bench.die()
    second = bench.use(ScriptedProvider(features=features))
    await bench.jobs.start()
    assert (await bench.settle(created)).state is S.SUCCEEDED
    assert len(second.calls) == 1


async def test_a_reply_that_was_received_is_not_lost(bench: Bench) -> None:
    bench.use(ScriptedProvider())
    created = await bench.jobs.create(bench.generation(state=S.QUEUED))
    await bench.die()
    # As if the process had ended after the reply and before anything was stored.
    await bench.context.replies.save(created.id, 1, picture_reply())
    second = bench.use(ScriptedProvider())
    await bench.jobs.start()
    ended = await bench.settle(created)
    assert ended.state is S.SUCCEEDED
    assert second.calls == []
    assert await bench.entries(ended) == [("hold", -10), ("capture", 0)]


async def test_a_half_written_reply_does_not_count(bench: Bench) -> None:
    first = bench.use(ScriptedProvider(gate=asyncio.Event()))
    created = await bench.jobs.create(bench.generation())
    await bench.until(lambda: len(first.calls) == 1)
    await bench.die()
    folder = bench.folder / "replies"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{created.id}-1.0").write_bytes(b"half")
    (folder / f"{created.id}-1.part").write_bytes(b"{")
    bench.use(ScriptedProvider())
    await bench.jobs.start()
    assert (await bench.settle(created)).state is S.UNKNOWN


async def test_a_crash_after_the_file_was_stored_stores_it_once(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench.use(ScriptedProvider())
    stop = asyncio.Event()
    library = bench.context.library
    original = library.store

    async def store_and_hang(*arguments: Any, **named: Any) -> Any:
        await original(*arguments, **named)
        stop.set()
        await asyncio.Event().wait()

    monkeypatch.setattr(library, "store", store_and_hang)
    created = await bench.jobs.create(bench.generation())
    await asyncio.wait_for(stop.wait(), 10)
    await bench.die()
    monkeypatch.undo()
    second = bench.use(ScriptedProvider())
    await bench.jobs.start()
    ended = await bench.settle(created)
    assert ended.state is S.SUCCEEDED
    assert second.calls == []
    originals = [path for path in (bench.folder / "files").rglob("*.png") if path.is_file()]
    assert len(originals) == 1


async def test_a_cancellation_is_finished(bench: Bench) -> None:
    features = frozenset({Feature.CANCEL})
    first = bench.use(ScriptedProvider(submits=[ACCEPTED], polls=[Waiting(stage="running")]))
    created = await bench.jobs.create(bench.queued())
    await bench.until(lambda: first.polled == 1)
    await bench.die()
    # Cancelled by a process that only looks on and tells no provider.
    bench.jobs.only_create()
    await bench.jobs.cancel(created.workspace_id, created.id)
    provider = bench.use(ScriptedProvider(features=features, polls=[Waiting(stage="running")]))
    assert await bench.jobs.start() == 1
    ended = await bench.settle(created)
    assert ended.state is S.CANCELLED
    assert provider.cancelled == [{"id": "v-1"}]
    assert await bench.entries(ended) == [("hold", -10), ("release", 10)]


async def test_whoever_notices_a_cancellation_the_provider_is_told_once(bench: Bench) -> None:
    first = bench.use(ScriptedProvider(submits=[ACCEPTED], polls=[Waiting(stage="running")]))
    created = await bench.jobs.create(bench.queued())
    await bench.until(lambda: first.polled == 1)
    await bench.die()
    features = frozenset({Feature.CANCEL})
    provider = bench.use(ScriptedProvider(features=features, polls=[Waiting(stage="running")]))
    cancelled = await bench.jobs.cancel(created.workspace_id, created.id)
    await asyncio.gather(
        bench.jobs._stop_at_provider(cancelled),
        bench.steps.wait(created.id),
        bench.jobs._stop_at_provider(cancelled),
    )
    assert provider.cancelled == [{"id": "v-1"}]
    assert await bench.entries(created) == [("hold", -10), ("release", 10)]
