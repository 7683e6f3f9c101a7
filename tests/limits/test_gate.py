"""Whoever submits again waits for the account like everybody else."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import Connection
from tests.limits import rows
from tests.limits.rows import START

from mediawright.core.clock import ManualClock
from mediawright.core.states import GenerationState
from mediawright.jobs.admission import Admission
from mediawright.jobs.gate import AccountGate
from mediawright.jobs.limits import AccountLimits, LimitSettings
from mediawright.store import generations
from mediawright.store.database import Database


class Bench:
    """An account with a limit, and generations that were submitted there."""

    def __init__(self, database: Database, **limits: int) -> None:
        accounts = {name: AccountLimits(**limits) for name in ("vendor", "other")}
        self.database = database
        self.clock = ManualClock(START)
        self.admission = Admission(LimitSettings(accounts=accounts))
        self.gate = AccountGate(database, self.admission, self.clock)

    def submitted(self, account: str = "vendor", *, count: int = 1) -> list[str]:
        def work(c: Connection) -> list[str]:
            names = rows.add(c, "a", count, account, state=GenerationState.SUBMITTING)
            for name in names:
                rows.submit(c, name, self.clock.now(), account)
            return names

        return self.database.write_now(work)

    def again(self, name: str, account: str = "vendor") -> asyncio.Task[None]:
        found = self.database.read_now(lambda c: generations.get(c, None, name))
        return asyncio.create_task(self.gate.pass_through(found, account))

    async def move(self, seconds: float) -> None:
        """Move time, a second at a time as the gate looks again."""
        while seconds > 0:
            await asyncio.sleep(0.02)
            await self.clock.advance(min(seconds, 1.0))
            seconds -= 1.0
        await asyncio.sleep(0.02)

    def admit(self) -> list[str]:
        now = self.clock.now()
        return self.database.write_now(
            lambda c: self.admission.admit(c, executor="one", now=now, most=9)
        )


async def test_without_a_limit_the_gate_is_open(database):
    bench = Bench(database)
    await asyncio.wait_for(bench.again(*bench.submitted()), 5)


async def test_a_further_submit_waits_until_the_rate_frees(database):
    bench = Bench(database, requests_per_minute=1)
    waiting = bench.again(*bench.submitted())

    await bench.move(58)
    assert not waiting.done()
    await bench.move(3)
    await asyncio.wait_for(waiting, 5)


async def test_a_place_that_was_passed_is_counted_until_it_is_used(database):
    bench = Bench(database, requests_per_minute=1)
    (name,) = bench.submitted()
    database.write_now(lambda c: rows.add(c, "b"))
    await bench.move(61)

    await asyncio.wait_for(bench.again(name), 5)
    assert bench.admit() == []
    # Asking again, as after a crash, takes no second place.
    await asyncio.wait_for(bench.again(name), 5)

    database.write_now(lambda c: rows.submit(c, name, bench.clock.now()))
    assert bench.admit() == []
    await bench.move(60)
    assert len(bench.admit()) == 1


async def test_a_free_place_is_kept_for_whoever_waits_at_the_gate(database):
    bench = Bench(database, requests_per_minute=1)
    (name,) = bench.submitted()
    database.write_now(lambda c: rows.add(c, "b"))
    waiting = bench.again(name)
    await bench.move(0.5)

    # The rate is free now, and the queue is asked before the gate looks again.
    now = bench.clock.now() + timedelta(seconds=60)
    admitted = database.write_now(
        lambda c: bench.admission.admit(c, executor="one", now=now, most=9)
    )

    assert admitted == []
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    again = database.write_now(lambda c: bench.admission.admit(c, executor="one", now=now, most=9))
    assert len(again) == 1


async def test_a_fallback_waits_for_a_place_at_the_other_account(database):
    bench = Bench(database, concurrent=1)
    (name,) = bench.submitted("vendor")
    (there,) = bench.submitted("other")
    waiting = bench.again(name, "other")
    await bench.move(5)
    assert not waiting.done()

    database.write_now(lambda c: rows.set_state(c, there, GenerationState.STORING))
    await bench.move(2)
    await asyncio.wait_for(waiting, 5)
    assert database.read_now(lambda c: rows.at_provider(c, "other")) == {"a": 1}
    assert database.read_now(rows.at_provider) == {}


async def test_a_retry_needs_no_second_place(database):
    bench = Bench(database, concurrent=1)
    await asyncio.wait_for(bench.again(*bench.submitted()), 5)


async def test_what_is_cancelled_waits_no_longer(database):
    bench = Bench(database, requests_per_minute=1)
    (name,) = bench.submitted()
    waiting = bench.again(name)
    await bench.move(2)

    database.write_now(lambda c: rows.set_state(c, name, GenerationState.CANCELLED))
    await bench.move(2)
    await asyncio.wait_for(waiting, 5)
