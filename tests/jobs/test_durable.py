"""The engine port on DBOS: what was begun is finished by the next process, and run once."""

from __future__ import annotations

import asyncio
import sqlite3
from pathlib import Path

import pytest

from mediawright.core.errors import ConflictError
from mediawright.jobs.durable import DurableEngine


class Recorder:
    """Steps that note what they are called for; `wait` hangs until it is let go."""

    def __init__(self) -> None:
        self.called: list[tuple[str, str]] = []
        self.go = asyncio.Event()
        self.stored = asyncio.Event()

    async def submit(self, generation_id: str) -> str:
        self.called.append(("submit", generation_id))
        return "running"

    async def wait(self, generation_id: str) -> str:
        self.called.append(("wait", generation_id))
        await self.go.wait()
        return "storing"

    async def store(self, generation_id: str) -> str:
        self.called.append(("store", generation_id))
        self.stored.set()
        return "succeeded"


async def until(recorder: Recorder, step: str) -> None:
    async with asyncio.timeout(20):
        while step not in [name for name, _ in recorder.called]:
            await asyncio.sleep(0.02)


async def test_a_workflow_runs_once_and_is_taken_up_where_it_was(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'engine.db'}"
    first = Recorder()
    engine = DurableEngine(url, "local", first)
    try:
        await engine.enqueue("gen_1")
        await engine.enqueue("gen_1")
        await until(first, "wait")
        assert (await engine.counts()) == {"PENDING": 1}
    finally:
        await engine.close()
    assert first.called == [("submit", "gen_1"), ("wait", "gen_1")]

    second = Recorder()
    second.go.set()
    engine = DurableEngine(url, "local", second)
    try:
        await engine.start()
        async with asyncio.timeout(20):
            await second.stored.wait()
            while (await engine.counts()) != {"SUCCESS": 1}:
                await asyncio.sleep(0.02)
        await engine.forget("gen_1")
        assert await engine.counts() == {}
    finally:
        await engine.close()
    # The submit was checkpointed; only what was not finished is run again.
    assert second.called == [("wait", "gen_1"), ("store", "gen_1")]


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
