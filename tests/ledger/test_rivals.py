"""Many at once: neither the balance nor a budget is ever overrun, and nothing is lost."""

from __future__ import annotations

import random
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal

import pytest
from tests.ledger.accounts import (
    NOW,
    available,
    begin,
    entries_of,
    events_of,
    generation_of,
    micros,
    set_budget,
    spending_kept,
    spending_recomputed,
)

from mediawright.core.errors import InsufficientCreditError
from mediawright.core.generation import Generation
from mediawright.store import ledger_entries, spending
from mediawright.store.kinds import BudgetPeriod, LedgerKind

RIVALS = 48


@pytest.fixture
def try_all(database, ledger):
    """Begins all generations at once and returns those that were let in."""

    def trying(wanted: list[Generation]) -> list[Generation]:
        def attempt(generation: Generation) -> Generation | None:
            try:
                return begin(ledger, database, generation)
            except InsufficientCreditError:
                return None

        with ThreadPoolExecutor(8) as threads:
            return [one for one in threads.map(attempt, wanted) if one is not None]

    return trying


def test_rivals_never_take_more_than_the_balance(database, ledger, workspace_id, try_all) -> None:
    database.write_now(lambda c: ledger.grant(c, workspace_id, Decimal(100), now=NOW))
    begun = try_all([generation_of(workspace_id, 7) for _ in range(RIVALS)])
    assert len(begun) == 14
    assert available(database, workspace_id) == micros(2)


def test_rivals_never_take_more_than_a_budget(database, ledger, workspace_id, try_all) -> None:
    database.write_now(lambda c: ledger.grant(c, workspace_id, Decimal(10_000), now=NOW))
    set_budget(database, workspace_id, 100)
    set_budget(database, workspace_id, 30, key="key_one", period=BudgetPeriod.MONTH)
    keys = ["key_one", "key_two", None]
    wanted = [generation_of(workspace_id, 7, key=keys[n % 3]) for n in range(RIVALS)]
    begun = try_all(wanted)
    assert len(begun) == 14
    assert sum(one.api_key_id == "key_one" for one in begun) <= 4

    def spent(c):
        return (
            spending.spent_micros(c, workspace_id, BudgetPeriod.DAY, NOW),
            spending.spent_micros(c, workspace_id, BudgetPeriod.MONTH, NOW, api_key_id="key_one"),
        )

    day, of_key = database.read_now(spent)
    assert day == micros(98)
    assert of_key == micros(7 * sum(one.api_key_id == "key_one" for one in begun))
    # Both holds that reach the step cannot both announce it.
    warned = events_of(database, workspace_id, "budget.warning")
    announced = [(event["budget_id"], event["percent"]) for event in warned]
    assert len(announced) == len(set(announced)) > 0


def test_settling_at_once_books_each_end_once(database, ledger, workspace_id) -> None:
    database.write_now(lambda c: ledger.grant(c, workspace_id, Decimal(100), now=NOW))
    made = [
        begin(ledger, database, generation_of(workspace_id, 5, key="key_one")) for _ in range(10)
    ]
    steps = [
        lambda c, one: ledger.capture(c, one, micros(3), now=NOW),
        lambda c, one: ledger.capture(c, one, micros(1), now=NOW),
        lambda c, one: ledger.release(c, one, now=NOW),
        lambda c, one: ledger.top_up(c, workspace_id, Decimal(1), now=NOW, reference=one.id),
    ]
    work = [(step, one) for one in made for step in steps for _ in range(2)]
    random.Random(7).shuffle(work)

    def settle(item) -> None:
        step, one = item
        database.write_now(lambda c: step(c, one))

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(settle, work))

    entries = entries_of(database, workspace_id)
    kinds = [entry.kind for entry in entries if entry.generation_id is not None]
    closed = kinds.count(LedgerKind.CAPTURE) + kinds.count(LedgerKind.RELEASE)
    assert closed == kinds.count(LedgerKind.HOLD) == len(made)
    assert sum(entry.reference is not None for entry in entries) == len(made)
    assert database.read_now(lambda c: ledger_entries.held_micros(c, workspace_id)) == 0
    assert available(database, workspace_id) == sum(entry.amount_micros for entry in entries)
    assert spending_kept(database, workspace_id) == spending_recomputed(
        entries, {one.id: one for one in made}
    )
