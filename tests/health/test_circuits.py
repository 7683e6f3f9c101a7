"""Providers that do not work are left alone, and one request finds out when they do again."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from tests.health.conftest import Process

from mediawright.core.clock import ManualClock
from mediawright.core.provider import Fault, FaultKind
from mediawright.jobs.health import ACCOUNT_MARK, Circuits
from mediawright.store import provider_health
from mediawright.store.database import Database
from mediawright.store.kinds import HealthState
from mediawright.store.provider_health import Health

OUTAGES = [
    FaultKind.UNAVAILABLE,
    FaultKind.UNREACHABLE,
    FaultKind.LOST_REPLY,
    FaultKind.GARBAGE,
]


def fault(kind: FaultKind = FaultKind.UNAVAILABLE, **fields: Any) -> Fault:
    return Fault(kind=kind, message="scripted", **fields)


async def fail(circuits: Circuits, times: int = 1, *, of: Fault | None = None) -> None:
    for _ in range(times):
        await circuits.failed("fal", of or fault())


async def standing(circuits: Circuits) -> Health:
    return (await circuits.standings())["fal"]


async def row(database: Database) -> Health:
    found = await database.read(provider_health.all_of)
    return next(item for item in found if item.provider == "fal")


@pytest.mark.parametrize("kind", OUTAGES)
async def test_outages_in_a_row_close_the_way_for_a_while(
    process: Process, clock: ManualClock, kind: FaultKind
) -> None:
    circuits = process()
    await fail(circuits, 4, of=fault(kind))
    assert await circuits.refusal("fal") is None
    await fail(circuits, of=fault(kind))
    refusal = await circuits.refusal("fal")
    assert refusal is not None
    assert refusal.retry_after == 30.0
    assert "fal" in refusal.message
    await clock.advance(29.9)
    assert await circuits.take_turn("fal") is not None
    await clock.advance(0.1)
    assert await circuits.refusal("fal") is None


async def test_a_success_between_them_does_not(process: Process) -> None:
    circuits = process()
    for _ in range(5):
        await fail(circuits, 4)
        await circuits.succeeded("fal")
    assert await circuits.refusal("fal") is None
    assert (await standing(circuits)).failures == 0


@pytest.mark.parametrize(
    ("kind", "status"),
    [
        (FaultKind.REFUSED, 400),
        (FaultKind.REFUSED, None),
        (FaultKind.INVALID_REQUEST, 422),
        (FaultKind.INVALID_REQUEST, None),
        (FaultKind.RATE_LIMITED, 429),
        (FaultKind.NOT_FOUND, 404),
    ],
)
async def test_what_is_no_outage_does_not_count(
    process: Process, kind: FaultKind, status: int | None
) -> None:
    circuits = process()
    await fail(circuits, 50, of=fault(kind, http_status=status))
    assert await circuits.refusal("fal") is None


async def test_an_answer_ends_a_row_and_want_of_room_does_not(process: Process) -> None:
    answering, crowded = process(), process()
    await fail(answering, 4)
    await fail(answering, of=fault(FaultKind.REFUSED, http_status=400))
    await fail(answering)
    assert await answering.refusal("fal") is None
    for _ in range(4):
        await crowded.failed("runway", fault())
        await crowded.failed("runway", fault(FaultKind.RATE_LIMITED, http_status=429))
    await crowded.failed("runway", fault())
    assert await crowded.refusal("runway") is not None


async def test_what_went_wrong_on_this_side_says_nothing(process: Process) -> None:
    circuits = process()
    await fail(circuits, 4)
    await fail(circuits, of=fault(FaultKind.INVALID_REQUEST))
    await fail(circuits)
    assert await circuits.refusal("fal") is not None


@pytest.mark.parametrize("kind", [FaultKind.BAD_CREDENTIAL, FaultKind.OUT_OF_CREDIT])
async def test_trouble_with_the_account_does_so_at_once_and_for_longer(
    process: Process, kind: FaultKind
) -> None:
    circuits = process()
    await fail(circuits, of=fault(kind, http_status=401))
    refusal = await circuits.refusal("fal")
    assert refusal is not None
    assert refusal.retry_after == 300.0
    error = (await standing(circuits)).last_error
    assert error is not None
    assert error.code in {"provider_key_rejected", "provider_out_of_credit"}


async def test_one_forbidden_model_is_not_the_whole_account(process: Process) -> None:
    circuits = process()
    forbidden = fault(FaultKind.BAD_CREDENTIAL, http_status=403)
    await fail(circuits, 4, of=forbidden)
    assert await circuits.refusal("fal") is None
    await fail(circuits, of=forbidden)
    assert await circuits.refusal("fal") is not None


async def test_each_failed_try_doubles_the_pause_up_to_a_limit(
    process: Process, clock: ManualClock
) -> None:
    circuits = process(cooldown=30.0, longest=200.0)
    await fail(circuits, 5)
    for pause in (30.0, 60.0, 120.0, 200.0, 200.0):
        refusal = await circuits.refusal("fal")
        assert refusal is not None
        assert refusal.retry_after == pause
        await clock.advance(pause)
        assert await circuits.take_turn("fal") is None
        await fail(circuits)
    opened = await standing(circuits)
    assert opened.opened_at is not None
    assert (clock.now() - opened.opened_at).total_seconds() == 610.0


async def test_a_provider_that_says_when_to_come_back_is_believed(process: Process) -> None:
    circuits = process()
    await fail(circuits, 5, of=fault(retry_after=90.0))
    refusal = await circuits.refusal("fal")
    assert refusal is not None
    assert refusal.retry_after == 90.0


async def test_one_request_of_all_processes_tries_it(
    process: Process, database: Database, clock: ManualClock
) -> None:
    processes = [process() for _ in range(4)]
    await fail(processes[0], 5)
    await processes[0].standings()
    await clock.advance(30.0)
    answers = await asyncio.gather(
        *(circuits.take_turn("fal") for circuits in processes for _ in range(8))
    )
    refused = [answer for answer in answers if answer is not None]
    assert len(refused) == len(answers) - 1
    assert {answer.retry_after for answer in refused} == {5.0}
    assert (await row(database)).state is HealthState.HALF_OPEN


async def test_its_success_lets_all_processes_in_again(
    process: Process, database: Database, clock: ManualClock
) -> None:
    one, other = process(), process()
    await fail(one, 5)
    await one.standings()
    assert await other.refusal("fal") is not None
    await clock.advance(30.0)
    assert await one.take_turn("fal") is None
    assert await other.take_turn("fal") is not None
    await one.succeeded("fal")
    await one.close()
    assert (await row(database)).state is HealthState.CLOSED
    assert await one.take_turn("fal") is None
    assert await other.take_turn("fal") is not None, "what others wrote is read every two seconds"
    await clock.advance(2.0)
    assert await other.take_turn("fal") is None
    assert (await standing(other)).failures == 0


async def test_a_try_that_is_refused_or_crowded_out_shows_that_it_works(
    process: Process, clock: ManualClock
) -> None:
    for kind in (FaultKind.RATE_LIMITED, FaultKind.REFUSED):
        circuits = process()
        await circuits.reset("fal")
        await fail(circuits, 5)
        await clock.advance(30.0)
        assert await circuits.take_turn("fal") is None
        await fail(circuits, of=fault(kind, http_status=429))
        assert await circuits.refusal("fal") is None
        assert (await standing(circuits)).state is HealthState.CLOSED


async def test_a_try_that_did_not_reach_it_is_given_back(
    process: Process, clock: ManualClock
) -> None:
    circuits = process()
    await fail(circuits, 5)
    await clock.advance(30.0)
    assert await circuits.take_turn("fal") is None
    await fail(circuits, of=fault(FaultKind.INVALID_REQUEST))
    assert (await standing(circuits)).state is HealthState.OPEN
    assert await circuits.take_turn("fal") is None


async def test_a_try_of_a_process_that_died_is_made_by_another(
    process: Process, clock: ManualClock
) -> None:
    dead, living = process(), process()
    await fail(dead, 5)
    await clock.advance(30.0)
    assert await dead.take_turn("fal") is None
    assert await living.take_turn("fal") is not None
    await clock.advance(60.0)
    assert await living.take_turn("fal") is None
    await dead.failed("fal", fault())
    assert (await standing(living)).state is HealthState.HALF_OPEN, "its word is out of date"


async def test_requests_that_were_under_way_change_nothing(
    process: Process, clock: ManualClock
) -> None:
    circuits = process()
    await fail(circuits, 12)
    await circuits.succeeded("fal")
    refusal = await circuits.refusal("fal")
    assert refusal is not None
    assert refusal.retry_after == 30.0
    await clock.advance(30.0)
    assert await circuits.take_turn("fal") is None
    await circuits.succeeded("fal")
    assert (await standing(circuits)).state is HealthState.CLOSED


async def test_failures_of_several_processes_add_up(process: Process, clock: ManualClock) -> None:
    for number in range(4):
        circuits = process()
        assert await circuits.refusal("fal") is None, number
        await fail(circuits)
        await circuits.close()
    last = process()
    assert await last.refusal("fal") is None
    await fail(last)
    assert await last.refusal("fal") is not None


async def test_an_operator_has_it_used_again_at_once(process: Process, clock: ManualClock) -> None:
    server, tool = process(), process()
    await fail(server, of=fault(FaultKind.OUT_OF_CREDIT, http_status=402))
    await server.standings()
    await tool.reset("fal")
    await clock.advance(2.0)
    assert await server.take_turn("fal") is None
    assert (await standing(server)).failures == 0
    await fail(server, 4)
    assert await server.refusal("fal") is None


@pytest.mark.parametrize("kind", [FaultKind.BAD_CREDENTIAL, FaultKind.OUT_OF_CREDIT])
async def test_another_account_is_tried_at_once(
    process: Process, clock: ManualClock, kind: FaultKind
) -> None:
    before = process(account_mark=lambda _: "old")
    await fail(before, 3, of=fault(kind, http_status=401))
    await before.close()
    same, other = process(account_mark=lambda _: "old"), process(account_mark=lambda _: "new")
    assert await same.take_turn("fal") is not None
    assert await other.take_turn("fal") is None
    assert await same.take_turn("fal") is not None
    await other.failed("fal", fault(kind, http_status=401))
    assert await other.take_turn("fal") is not None
    error = (await standing(other)).last_error
    assert error is not None
    assert error.details[ACCOUNT_MARK] == "new"


async def test_questions_without_answer_count_and_answers_make_up_for_them_alone(
    process: Process,
) -> None:
    circuits = process()
    for _ in range(4):
        await circuits.polled("fal", fault(FaultKind.UNREACHABLE))
    await circuits.polled("fal", None)
    await circuits.polled("fal", fault(FaultKind.UNREACHABLE))
    assert await circuits.refusal("fal") is None
    for _ in range(4):
        await circuits.polled("fal", fault(FaultKind.UNREACHABLE))
    assert await circuits.refusal("fal") is not None
    await circuits.polled("fal", None)
    assert await circuits.refusal("fal") is None

    await fail(circuits, 4)
    await circuits.polled("fal", None)
    await fail(circuits)
    await circuits.polled("fal", None)
    assert await circuits.refusal("fal") is not None, "jobs are answered for, none is taken"


async def test_crowded_questions_do_not_count(process: Process) -> None:
    circuits = process()
    for _ in range(20):
        await circuits.polled("fal", fault(FaultKind.RATE_LIMITED, http_status=429))
    assert await circuits.refusal("fal") is None


async def test_it_can_be_switched_off(process: Process) -> None:
    circuits = process(enabled=False)
    await fail(circuits, 50)
    assert await circuits.refusal("fal") is None
    assert await circuits.take_turn("fal") is None
    seen = await standing(circuits)
    assert (seen.state, seen.failures) == (HealthState.CLOSED, 50)


async def test_answers_are_not_written_one_by_one(
    process: Process, database: Database, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    circuits = process()
    writes = 0
    write = database.write

    async def counted(work: Any) -> Any:
        nonlocal writes
        writes += 1
        return await write(work)

    monkeypatch.setattr(database, "write", counted)
    for _ in range(200):
        assert await circuits.take_turn("fal") is None
        await circuits.succeeded("fal")
        await circuits.polled("fal", None)
        await asyncio.sleep(0)
        await clock.advance(0.1)
    assert 1 <= writes <= 5
    assert (await standing(circuits)).last_success_at is not None


async def test_while_the_database_is_away_what_is_known_has_to_do(
    process: Process, database: Database, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    circuits = process()
    await fail(circuits, 4)
    write, read = database.write, database.read

    async def away(work: Any) -> Any:
        raise OSError("no connection")

    monkeypatch.setattr(database, "write", away)
    monkeypatch.setattr(database, "read", away)
    await clock.advance(10.0)
    assert await circuits.take_turn("fal") is None
    await fail(circuits)
    assert await circuits.take_turn("fal") is not None
    monkeypatch.setattr(database, "write", write)
    monkeypatch.setattr(database, "read", read)
    await circuits.standings()
    seen = await row(database)
    assert (seen.state, seen.failures) == (HealthState.OPEN, 5)
