"""What served its purpose is removed after a time, and nothing else."""

from __future__ import annotations

import os
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, insert, select
from tests.jobs.bench import WORKSPACE, Bench, ScriptedProvider, picture_reply

from mediawright.assets.staging import Staging
from mediawright.core.provider import Accepted, Waiting
from mediawright.core.states import GenerationState
from mediawright.jobs.membership import SoleWorker
from mediawright.jobs.retention import Retention
from mediawright.store.codec import to_micros
from mediawright.store.kinds import DeliveryState
from mediawright.store.tables import (
    generations,
    ledger_entries,
    provider_events,
    webhook_deliveries,
    webhook_endpoints,
)

S = GenerationState
DAY = 86_400.0


@pytest.fixture
def retention(bench: Bench) -> Retention:
    async def clean(seconds: float) -> int:
        return Staging(bench.folder / "staging").clean_up_now(seconds)

    member = SoleWorker("test", bench.clock)
    return Retention(bench.context, bench.engine, member, clean)


async def rows(bench: Bench, table: Any) -> int:
    statement = select(func.count()).select_from(table)
    return await bench.database.read(lambda c: c.execute(statement).scalar_one())


async def add_report(bench: Bench, generation_id: str, name: str, *, handled: bool) -> None:
    now = to_micros(bench.clock.now())
    values = {
        "workspace_id": WORKSPACE,
        "generation_id": generation_id,
        "attempt_number": 1,
        "provider": "scripted",
        "delivery_id": name,
        "body": "{}",
        "received_at": now,
        "handled_at": now if handled else None,
    }
    await bench.database.write(lambda c: c.execute(insert(provider_events).values(values)))


async def test_reports_that_were_acted_on_go(bench: Bench, retention: Retention) -> None:
    ended = await bench.settle(await bench.jobs.create(bench.generation()))
    await add_report(bench, ended.id, "old", handled=True)
    await add_report(bench, ended.id, "open", handled=False)
    await bench.clock.advance(DAY + 60)
    await add_report(bench, ended.id, "new", handled=True)
    before = [await rows(bench, table) for table in (generations, ledger_entries)]
    assert (await retention.tidy_database()).provider_events == 1
    assert await rows(bench, provider_events) == 2
    assert (await retention.tidy_database()).provider_events == 0
    assert [await rows(bench, table) for table in (generations, ledger_entries)] == before


async def test_payloads_of_deliveries_go_and_their_log_stays(
    bench: Bench, retention: Retention
) -> None:
    now = to_micros(bench.clock.now())
    endpoint = {
        "id": "whe_1",
        "workspace_id": WORKSPACE,
        "url": "https://hooks.test/",
        "secret": "sealed",
        "event_types": "[]",
        "enabled": True,
        "created_at": now,
        "updated_at": now,
    }

    def delivery(number: int, state: DeliveryState, created_at: int) -> dict[str, Any]:
        return {
            "id": f"whd_{number}",
            "workspace_id": WORKSPACE,
            "endpoint_id": "whe_1",
            "event_sequence": number,
            "event_type": "generation.created",
            "state": state.value,
            "payload": "{}",
            "tries": 1,
            "next_at": created_at,
            "log": "[]",
            "created_at": created_at,
        }

    later = to_micros(bench.clock.now() + timedelta(hours=25))
    made = [
        delivery(1, DeliveryState.DELIVERED, now),
        delivery(2, DeliveryState.FAILED, now),
        delivery(3, DeliveryState.PENDING, now),
        delivery(4, DeliveryState.DELIVERED, later),
    ]

    def work(connection: Any) -> None:
        connection.execute(insert(webhook_endpoints), [endpoint])
        connection.execute(insert(webhook_deliveries), made)

    await bench.database.write(work)
    await bench.clock.advance(DAY + 7200)
    assert (await retention.tidy_database()).payloads == 2
    kept = select(webhook_deliveries.c.id).where(webhook_deliveries.c.payload.is_not(None))
    found = await bench.database.read(lambda c: list(c.execute(kept).scalars()))
    assert sorted(found) == ["whd_3", "whd_4"]
    assert await rows(bench, webhook_deliveries) == 4


async def test_old_replies_go_when_their_money_is_settled(
    bench: Bench, retention: Retention
) -> None:
    settled = await bench.settle(await bench.jobs.create(bench.generation()))
    bench.use(ScriptedProvider(submits=[Accepted(handle={})], polls=[Waiting(stage="running")]))
    running = await bench.jobs.create(bench.queued())
    await bench.until_state(running, S.RUNNING)
    replies = bench.context.replies
    for generation in (settled, running):
        await replies.save(generation.id, 1, picture_reply())
        for path in (bench.folder / "replies").glob(f"{generation.id}-1.*"):
            age_of(path, bench, hours=30)
    await replies.save(settled.id, 2, picture_reply())
    for path in (bench.folder / "replies").glob(f"{settled.id}-2.*"):
        age_of(path, bench, hours=1)
    assert (await retention.tidy_folder()).replies == 1
    assert await replies.load(settled.id, 1) is None
    assert await replies.load(settled.id, 2) is not None
    assert await replies.load(running.id, 1) is not None


async def test_old_staged_files_go_and_finished_files_stay(
    bench: Bench, retention: Retention
) -> None:
    await bench.settle(await bench.jobs.create(bench.generation()))
    files = [path for path in (bench.folder / "files").rglob("*") if path.is_file()]
    staging = bench.folder / "staging"
    staging.mkdir(exist_ok=True)
    for name in ("old", "new"):
        (staging / name).write_bytes(b"x")
    os.utime(staging / "old", (1, 1))
    for path in files:
        os.utime(path, (1, 1))
    assert (await retention.tidy_folder()).staged_files == 1
    assert [path.name for path in staging.iterdir()] == ["new"]
    assert all(path.exists() for path in files)
    assert files


async def test_it_comes_round(bench: Bench, retention: Retention) -> None:
    await bench.jobs.start(chores=retention.chores())
    ended = await bench.settle(await bench.jobs.create(bench.generation()))
    await add_report(bench, ended.id, "old", handled=True)

    async def is_gone() -> bool:
        await bench.clock.advance(600)
        return await rows(bench, provider_events) == 0

    await bench.clock.advance(DAY)
    await bench.until(is_gone)


def age_of(folder: Path, bench: Bench, *, hours: float) -> None:
    moment = (bench.clock.now() - timedelta(hours=hours)).timestamp()
    os.utime(folder, (moment, moment))
