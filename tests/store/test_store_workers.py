"""Who works, by the database's clock; who answers for which generation."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import text

from mediawright.core.generation import Generation
from mediawright.core.states import GenerationState
from mediawright.jobs.membership import WorkerSettings
from mediawright.store import custody, generations, workers
from mediawright.store.database import Database
from mediawright.store.kinds import WorkerRole

PATIENCE = 15.0
S = GenerationState


def join(database: Database, worker_id: str) -> None:
    database.write_now(
        lambda c: workers.join(
            c, worker_id, role=WorkerRole.WORKER, host="host", process_id=7, version="1"
        )
    )


def silence(database: Database, worker_id: str, seconds: float) -> None:
    """Let a worker's last sign of life be so long ago."""
    statement = text("UPDATE workers SET seen_at = seen_at - :micros WHERE id = :id")
    database.write_now(
        lambda c: c.execute(statement, {"micros": int(seconds * 1e6), "id": worker_id})
    )


def living(database: Database) -> list[str]:
    return [item.id for item in database.read_now(lambda c: workers.living(c, PATIENCE))]


def test_times_are_the_database_s(database):
    join(database, "wrk_a")
    (found,) = database.read_now(lambda c: workers.living(c, PATIENCE))
    assert abs((found.seen_at - datetime.now(UTC)).total_seconds()) < 5
    assert (found.role, found.host, found.process_id) == (WorkerRole.WORKER, "host", 7)
    assert found.stopping is False


def test_the_silent_are_buried_and_find_out(database):
    join(database, "wrk_a")
    join(database, "wrk_b")
    silence(database, "wrk_a", PATIENCE + 1)
    assert living(database) == ["wrk_b"]
    assert database.read_now(lambda c: workers.any_dead(c, PATIENCE))
    assert database.write_now(lambda c: workers.bury(c, PATIENCE)) == ["wrk_a"]
    assert not database.read_now(lambda c: workers.any_dead(c, PATIENCE))
    assert database.write_now(lambda c: workers.beat(c, "wrk_a")) is False
    assert database.write_now(lambda c: workers.beat(c, "wrk_b")) is True


def test_a_sign_of_life_in_time_keeps_it_alive(database):
    join(database, "wrk_a")
    silence(database, "wrk_a", PATIENCE + 1)
    assert database.write_now(lambda c: workers.beat(c, "wrk_a")) is True
    assert database.write_now(lambda c: workers.bury(c, PATIENCE)) == []
    assert living(database) == ["wrk_a"]


def test_one_at_a_time_takes_over(postgresql_database):
    first = postgresql_database
    seen: list[bool] = []

    def while_locked(c: Any) -> None:
        assert workers.try_lock(c)
        with first._write_engine.begin() as other:
            seen.append(workers.try_lock(other))

    first.write_now(while_locked)
    assert seen == [False]
    assert first.write_now(workers.try_lock)


def test_a_frozen_process_gives_its_locks_back(postgresql_database):
    question = text("SHOW idle_in_transaction_session_timeout")
    found = {
        postgresql_database.write_now(lambda c: c.execute(question).scalar_one()),
        postgresql_database.read_now(lambda c: c.execute(question).scalar_one()),
    }
    # Before the others may take over.
    assert found == {"10s"}
    assert WorkerSettings().dead_after > 10


@pytest.mark.parametrize(
    "state", [S.SUBMITTING, S.RUNNING, S.STORING], ids=lambda state: state.value
)
def test_what_is_under_way_passes_on(
    database: Database, add_generation: Callable[..., Generation], state: GenerationState
) -> None:
    made = [add_generation(state=state, executor="wrk_a").id for _ in range(3)]
    add_generation(state=state, executor="wrk_b")
    assert database.read_now(custody.executors) == {"wrk_a", "wrk_b"}
    assert database.read_now(custody.counts) == {"wrk_a": 3, "wrk_b": 1}
    taken = database.write_now(lambda c: custody.pass_on(c, "wrk_a", "wrk_c", 2))
    assert sorted(taken) == sorted(made[:2])
    assert database.read_now(lambda c: custody.held(c, "wrk_a")) == made[2:]
    assert database.read_now(lambda c: custody.held(c, "wrk_c")) == made[:2]


@pytest.mark.parametrize(
    "state",
    [S.QUEUED, S.AWAITING_APPROVAL, S.UNKNOWN, S.SUCCEEDED, S.FAILED],
    ids=lambda state: state.value,
)
def test_what_nobody_runs_stays(
    database: Database, add_generation: Callable[..., Generation], state: GenerationState
) -> None:
    add_generation(state=state, executor="wrk_a", charge_micros=0)
    assert database.read_now(custody.executors) == set()
    assert database.write_now(lambda c: custody.pass_on(c, "wrk_a", "wrk_b", 9)) == []


def test_a_cancellation_that_is_not_settled_passes_on(
    database: Database, add_generation: Callable[..., Generation]
) -> None:
    opened = add_generation(state=S.CANCELLED, executor="wrk_a")
    add_generation(state=S.CANCELLED, executor="wrk_a", charge_micros=0)
    assert database.read_now(custody.executors) == {"wrk_a"}
    assert database.write_now(lambda c: custody.pass_on(c, "wrk_a", "wrk_b", 9)) == [opened.id]


def test_what_is_given_back_but_for_what_is_kept(
    database: Database, add_generation: Callable[..., Generation]
) -> None:
    made = [add_generation(state=S.RUNNING, executor="wrk_a").id for _ in range(3)]
    assert database.write_now(lambda c: custody.give_back(c, "wrk_a", {made[1]})) == 2
    assert database.read_now(lambda c: custody.held(c, "wrk_a")) == [made[1]]
    assert database.read_now(custody.counts)[custody.GIVEN_BACK] == 2


def test_the_queue_is_seen(
    database: Database, add_generation: Callable[..., Generation], now: datetime
) -> None:
    assert not database.read_now(custody.any_queued)
    made = add_generation()
    assert database.read_now(custody.any_queued)
    assert database.read_now(custody.count_queued) == 1
    database.write_now(lambda c: generations.transition(c, made.id, S.SUBMITTING, now=now))
    assert not database.read_now(custody.any_queued)


def test_taking_over_reads_no_more_than_it_needs(sqlite_database: Database) -> None:
    def plan(c: Any, statement: Any) -> str:
        compiled = statement.compile(c.engine, compile_kwargs={"render_postcompile": True})
        values = tuple(compiled.params[name] or "wrk_a" for name in compiled.positiontup)
        rows = c.exec_driver_sql(f"EXPLAIN QUERY PLAN {compiled}", values)
        return " ".join(row[3] for row in rows)

    def work(c: Any) -> list[str]:
        return [plan(c, statement) for statement in (*custody._NEXT_EXECUTOR, *custody._HELD)]

    plans = sqlite_database.read_now(work)
    assert all("ix_generations_executor" in item for item in (plans[0], plans[2])), plans
    assert all("ix_generations_unbooked" in item for item in (plans[1], plans[3])), plans
