"""The engine port on DBOS: what was begun is finished by the next process, and run once."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from mediawright.core.errors import ConflictError
from mediawright.jobs.durable import DurableEngine


class Recorder:
    """Steps that note what they are called for; `wait` hangs until it is let go."""

    def __init__(self) -> None:
        self.called: list[tuple[str, str]] = []
        self.go = asyncio.Event()
        self.submitted = asyncio.Event()
        self.submitted.set()
        self.leavable: set[str] = set()
        self.results: set[str] = set()
        self.stored = asyncio.Event()
        self.at_provider: set[str] = set()

    async def submit(self, generation_id: str) -> str:
        self.called.append(("submit", generation_id))
        await self.submitted.wait()
        if generation_id in self.results:
            return "storing"
        self.at_provider.add(generation_id)
        return "running"

    async def wait(self, generation_id: str) -> str:
        self.called.append(("wait", generation_id))
        self.leavable.add(generation_id)
        try:
            await self.go.wait()
        finally:
            self.leavable.discard(generation_id)
        return "storing"

    async def waiting(self, generation_ids: Sequence[str]) -> set[str]:
        return self.at_provider & set(generation_ids)

    async def store(self, generation_id: str) -> str:
        self.called.append(("store", generation_id))
        self.at_provider.discard(generation_id)
        self.stored.set()
        return "succeeded"

    def may_leave(self, generation_id: str) -> bool:
        return generation_id in self.leavable

    def has_result(self, generation_id: str) -> bool:
        return generation_id in self.results


async def until(recorder: Recorder, step: str) -> None:
    async with asyncio.timeout(20):
        while step not in [name for name, _ in recorder.called]:
            await asyncio.sleep(0.02)


async def test_a_generation_runs_once_and_is_taken_up_where_it_was(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'engine.db'}"
    first = Recorder()
    engine = DurableEngine(url, "local", first)
    try:
        await engine.enqueue("gen_1")
        await engine.enqueue("gen_1")
        await until(first, "wait")
        await engine.adopt(["gen_1"])
        async with asyncio.timeout(20):
            while (await engine.counts()) != {"SUCCESS": 1}:
                await asyncio.sleep(0.02)
        assert engine.works_on("gen_1")
        assert engine.count() == 1
    finally:
        await engine.close()
    assert first.called == [("submit", "gen_1"), ("wait", "gen_1")]

    second = Recorder()
    second.go.set()
    second.at_provider.add("gen_1")
    engine = DurableEngine(url, "local", second)
    try:
        await engine.adopt(["gen_1"])
        async with asyncio.timeout(20):
            await second.stored.wait()
            while (await engine.counts()) != {"SUCCESS": 2}:
                await asyncio.sleep(0.02)
        assert not engine.works_on("gen_1")
        await engine.forget("gen_1")
        assert await engine.counts() == {}
    finally:
        await engine.close()
    # It was taken before; only what was not finished is run again.
    assert second.called == [("wait", "gen_1"), ("store", "gen_1")]


async def test_a_submit_that_was_broken_off_is_run_by_the_next_of_its_name(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'engine.db'}"
    first = Recorder()
    first.submitted.clear()
    first.leavable.add("gen_1")
    engine = DurableEngine(url, "local", first)
    try:
        await engine.enqueue("gen_1")
        await until(first, "submit")
    finally:
        await engine.close()

    second = Recorder()
    second.go.set()
    engine = DurableEngine(url, "local", second)
    try:
        await engine.start()
        async with asyncio.timeout(20):
            await second.stored.wait()
    finally:
        await engine.close()
    assert [name for name, _ in second.called] == ["submit", "wait", "store"]


async def test_a_wait_that_fails_is_left_to_be_taken_up(tmp_path: Path) -> None:
    recorder = Recorder()
    recorder.at_provider.add("gen_1")
    whole, tries = recorder.wait, iter([RuntimeError("no"), None])

    async def wait(generation_id: str) -> str:
        error = next(tries)
        if error is not None:
            raise error
        return await whole(generation_id)

    recorder.wait = wait  # type: ignore[method-assign]
    recorder.go.set()
    engine = DurableEngine(f"sqlite:///{tmp_path / 'engine.db'}", "local", recorder)
    try:
        await engine.adopt(["gen_1"])
        async with asyncio.timeout(20):
            while engine.works_on("gen_1"):
                await asyncio.sleep(0.02)
        assert not recorder.stored.is_set()
        await engine.adopt(["gen_1"])
        async with asyncio.timeout(20):
            await recorder.stored.wait()
    finally:
        await engine.close()


async def test_one_that_has_ended_can_be_run_again(tmp_path: Path) -> None:
    recorder = Recorder()
    recorder.go.set()
    engine = DurableEngine(f"sqlite:///{tmp_path / 'engine.db'}", "local", recorder)
    try:
        for times in (1, 2):
            recorder.stored.clear()
            await engine.adopt(["gen_1"])
            async with asyncio.timeout(20):
                await recorder.stored.wait()
                while engine.works_on("gen_1"):
                    await asyncio.sleep(0.02)
            assert recorder.called.count(("submit", "gen_1")) == times
        assert engine.count() == 0
    finally:
        await engine.close()


async def test_closing_sees_a_submit_through_and_leaves_a_wait(tmp_path: Path) -> None:
    recorder = Recorder()
    engine = DurableEngine(f"sqlite:///{tmp_path / 'engine.db'}", "local", recorder)
    try:
        await engine.enqueue("gen_waits")
        await until(recorder, "wait")
        recorder.submitted.clear()
        await engine.enqueue("gen_submits")
        async with asyncio.timeout(20):
            while ("submit", "gen_submits") not in recorder.called:
                await asyncio.sleep(0.02)
        assert await engine.let_go() == {"gen_submits"}
        closing = asyncio.create_task(engine.close())
        await asyncio.sleep(0.1)
        assert not closing.done()
        recorder.submitted.set()
        await closing
    finally:
        await engine.close()
    # Its wait is left to whoever is next.
    assert ("wait", "gen_submits") not in recorder.called


async def test_what_a_submit_brought_is_stored_before_closing(tmp_path: Path) -> None:
    recorder = Recorder()
    recorder.submitted.clear()
    recorder.go.set()
    recorder.results.add("gen_1")
    engine = DurableEngine(f"sqlite:///{tmp_path / 'engine.db'}", "local", recorder)
    try:
        await engine.enqueue("gen_1")
        await until(recorder, "submit")
        closing = asyncio.create_task(engine.close())
        await asyncio.sleep(0.05)
        recorder.submitted.set()
        await closing
    finally:
        await engine.close()
    assert recorder.stored.is_set()


async def test_old_records_go_and_those_of_the_living_stay(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'engine.db'}"
    for executor in ("wrk_dead", "wrk_living"):
        engine = DurableEngine(url, executor, Recorder())
        try:
            engine.steps.submitted.clear()  # type: ignore[attr-defined]
            engine.steps.leavable.add(f"gen_{executor}")  # type: ignore[attr-defined]
            await engine.adopt([f"gen_{executor}"])
            async with asyncio.timeout(20):
                while await engine.counts() != {"PENDING": 1}:
                    await asyncio.sleep(0.02)
        finally:
            await engine.close()
    recorder = Recorder()
    recorder.go.set()
    engine = DurableEngine(url, "wrk_mine", recorder)
    try:
        await engine.enqueue("gen_mine")
        async with asyncio.timeout(20):
            while await engine.counts() != {"SUCCESS": 2}:
                await asyncio.sleep(0.02)
        before = datetime.now(UTC)
        assert await engine.forget_old(before - timedelta(hours=1), ["wrk_living"]) == 0
        assert await engine.forget_old(before + timedelta(hours=1), ["wrk_living"]) == 3
        assert await engine.counts() == {}
    finally:
        await engine.close()
    with sqlite3.connect(tmp_path / "engine.db") as connection:
        left = connection.execute("SELECT executor_id FROM workflow_status").fetchall()
    connection.close()
    assert left == [("wrk_living",)]


async def test_its_database_is_written_through(tmp_path: Path) -> None:
    engine = DurableEngine(f"sqlite:///{tmp_path / 'engine.db'}", "local", Recorder())
    try:
        await engine.start()
        with sqlite3.connect(tmp_path / "engine.db") as connection:
            (mode,) = connection.execute("PRAGMA journal_mode").fetchone()
        connection.close()
        assert mode == "wal"
    finally:
        await engine.close()


async def test_there_is_one_engine_in_a_process(tmp_path: Path) -> None:
    engine = DurableEngine(f"sqlite:///{tmp_path / 'one.db'}", "local", Recorder())
    other = DurableEngine(f"sqlite:///{tmp_path / 'two.db'}", "local", Recorder())
    try:
        await engine.start()
        with pytest.raises(ConflictError) as raised:
            await other.start()
        assert raised.value.code == "engine_in_use"
    finally:
        await engine.close()
    await other.start()
    await other.close()
