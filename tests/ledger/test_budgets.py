"""Budgets: what they refuse, of what they warn, and when they begin anew."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from tests.ledger.accounts import (
    NOW,
    begin,
    entries_of,
    events_of,
    generation_of,
    micros,
    set_budget,
    spending_kept,
)

from mediawright.core.errors import InsufficientCreditError
from mediawright.store import budgets, spending
from mediawright.store.kinds import BudgetAction, BudgetPeriod
from mediawright.store.spending import period_end, period_start

NEXT_DAY = datetime(2026, 11, 21, tzinfo=UTC)
NEXT_MONTH = datetime(2026, 12, 1, tzinfo=UTC)


@pytest.fixture(autouse=True)
def credit(database, ledger, workspace_id):
    database.write_now(lambda c: ledger.grant(c, workspace_id, Decimal(1000), now=NOW))


@pytest.fixture
def spend(database, ledger, workspace_id):
    def spending_so_much(price, **fields):
        return begin(ledger, database, generation_of(workspace_id, price, **fields))

    return spending_so_much


def refusal(spend, price, **fields) -> InsufficientCreditError:
    with pytest.raises(InsufficientCreditError) as caught:
        spend(price, **fields)
    return caught.value


@pytest.mark.parametrize(
    ("period", "moment", "start", "end"),
    [
        ("day", (2026, 11, 20, 23, 59, 59, 999_999), (2026, 11, 20), (2026, 11, 21)),
        ("day", (2026, 12, 31), (2026, 12, 31), (2027, 1, 1)),
        ("month", (2026, 12, 31, 5), (2026, 12, 1), (2027, 1, 1)),
        ("month", (2028, 2, 29, 1), (2028, 2, 1), (2028, 3, 1)),
        ("month", (2026, 1, 31), (2026, 1, 1), (2026, 2, 1)),
        ("month", (2026, 2, 1), (2026, 2, 1), (2026, 3, 1)),
    ],
)
def test_periods_are_days_and_months_in_utc(period, moment, start, end) -> None:
    at = datetime(*moment, tzinfo=UTC)
    assert period_start(BudgetPeriod(period), at) == datetime(*start, tzinfo=UTC)
    assert period_end(BudgetPeriod(period), at) == datetime(*end, tzinfo=UTC)


def test_a_budget_refuses_what_would_exceed_it(database, workspace_id, spend) -> None:
    budget = set_budget(database, workspace_id, "10")
    spend("6")
    error = refusal(spend, "4.000001")
    assert error.code == "budget_exceeded"
    assert error.kind.http_status == 402
    assert "4 are left today of the workspace's budget of 10" in error.message
    assert "2026-11-21 00:00 UTC" in (error.hint or "")
    assert error.details == {
        "budget_id": budget.id,
        "key_id": None,
        "period": "day",
        "action": "refuse",
        "limit_credits": "10",
        "spent_credits": "6",
        "price_credits": "4.000001",
        "resets_at": "2026-11-21T00:00:00+00:00",
    }
    spend("4")
    assert len(entries_of(database, workspace_id)) == 3


def test_the_next_period_begins_anew(database, workspace_id, spend) -> None:
    set_budget(database, workspace_id, 10)
    set_budget(database, workspace_id, 15, period=BudgetPeriod.MONTH)
    spend(10)
    assert refusal(spend, 1).details["period"] == "day"
    spend(5, at=NEXT_DAY)
    # The one that ends last is named: the next day would not help.
    error = refusal(spend, 6, at=NEXT_DAY)
    assert (error.details["period"], error.details["resets_at"]) == (
        "month",
        "2026-12-01T00:00:00+00:00",
    )
    spend(10, at=NEXT_MONTH)


def test_a_key_s_budget_is_its_own(database, workspace_id, spend) -> None:
    set_budget(database, workspace_id, 5, key="key_one")
    set_budget(database, workspace_id, 20)
    spend(5, key="key_one")
    error = refusal(spend, 1, key="key_one")
    assert error.details["key_id"] == "key_one"
    assert "key's budget" in error.message
    spend(10, key="key_two")
    spend(5)
    assert refusal(spend, 1, key="key_two").details["key_id"] is None


def test_what_costs_nothing_exceeds_nothing(database, workspace_id, spend) -> None:
    spend(10)
    set_budget(database, workspace_id, 5)
    spend(0)
    refusal(spend, "0.000001")


def test_what_is_given_back_can_be_spent_again(database, ledger, workspace_id, spend) -> None:
    set_budget(database, workspace_id, 10)
    released, partly, refunded = spend(2), spend(4), spend(4)
    later = datetime(2026, 12, 24, tzinfo=UTC)

    def settle(c) -> None:
        ledger.release(c, released, now=later)
        ledger.capture(c, partly, micros(1), now=later)
        ledger.capture(c, refunded, micros(4), now=later)
        ledger.refund(c, refunded, Decimal("2.5"), now=later)

    database.write_now(settle)
    # In the period of the holds, however much later it is given back.
    starts = [int(day.timestamp()) * 1_000_000 for day in (NOW.replace(hour=0, minute=0),)]
    kept = spending_kept(database, workspace_id)
    assert kept["", "day", starts[0]] == micros("2.5")
    assert len(kept) == 2
    refusal(spend, "7.500001")
    spend("7.5")


def test_spending_is_known_for_the_workspace_and_the_key(
    database, ledger, workspace_id, spend
) -> None:
    spend(3, key="key_one")
    spend(4, key="key_two", at=NEXT_DAY)
    spend(5)

    def spent(c):
        return [
            spending.spent_micros(c, workspace_id, period, NOW, api_key_id=key)
            for period in BudgetPeriod
            for key in (None, "key_one", "key_two")
        ]

    assert database.read_now(spent) == [micros(n) for n in (8, 3, 0, 12, 3, 4)]


def test_an_unknown_price_is_refused_where_there_is_a_budget_to_keep(
    database, workspace_id, spend
) -> None:
    spend(None)
    set_budget(database, workspace_id, 5, key="key_one")
    set_budget(database, workspace_id, 5, action=BudgetAction.WARN)
    error = refusal(spend, None, key="key_one")
    assert (error.code, error.details["key_id"]) == ("price_unknown", "key_one")
    spend(None)
    spend(None, key="key_two")
    set_budget(database, workspace_id, 5, key="key_one", allow_unknown=True)
    spend(None, key="key_one")


def test_a_warning_is_given_once_at_each_step(database, workspace_id, spend) -> None:
    budget = set_budget(database, workspace_id, 10, action=BudgetAction.WARN)

    def warnings():
        return [
            (event["percent"], event["spent_credits"])
            for event in events_of(database, workspace_id, "budget.warning")
        ]

    spend("7.999999")
    assert warnings() == []
    spend("0.000001")
    spend("1")
    assert warnings() == [(80, "8")]
    spend("3")
    spend("100")
    assert warnings() == [(80, "8"), (100, "12")]
    spend("10", at=NEXT_DAY)
    assert warnings()[2:] == [(100, "10")]
    (event, *_) = events_of(database, workspace_id, "budget.warning")
    assert event["budget_id"] == budget.id
    assert event["action"] == "warn"


def test_a_refusing_budget_warns_before_it_refuses(database, workspace_id, spend) -> None:
    set_budget(database, workspace_id, 10)
    spend(9)
    refusal(spend, 2)
    (event,) = events_of(database, workspace_id, "budget.warning")
    assert (event["percent"], event["action"]) == (80, "refuse")


def test_a_budget_that_is_set_again_is_the_same_one_and_warns_anew(
    database, workspace_id, spend
) -> None:
    first = set_budget(database, workspace_id, 10, action=BudgetAction.WARN)
    spend(10)
    again = set_budget(database, workspace_id, 11, action=BudgetAction.WARN)
    assert again.id == first.id
    spend(1)
    assert [event["percent"] for event in events_of(database, workspace_id, "budget.warning")] == [
        100,
        100,
    ]
    assert set_budget(database, workspace_id, 11).id != first.id


def test_budgets_are_listed_with_how_they_stand_and_removed(database, workspace_id, spend) -> None:
    from tests.ledger.accounts import add_workspace

    other = add_workspace(database)
    of_key = set_budget(database, workspace_id, 5, key="key_one", period=BudgetPeriod.MONTH)
    own = set_budget(database, workspace_id, 2, action=BudgetAction.WARN)
    set_budget(database, other, 1)
    spend(3, key="key_one")
    standings = database.read_now(lambda c: budgets.standings(c, workspace_id, NOW))
    assert [
        (one.budget.id, one.spent_micros, one.left_micros, one.resets_at) for one in standings
    ] == [
        (own.id, micros(3), 0, NEXT_DAY),
        (of_key.id, micros(3), micros(2), NEXT_MONTH),
    ]
    assert database.read_now(lambda c: budgets.get(c, workspace_id, own.id)) is not None
    assert database.read_now(lambda c: budgets.get(c, other, own.id)) is None
    assert not database.write_now(lambda c: budgets.remove(c, other, own.id))
    assert database.write_now(lambda c: budgets.remove(c, workspace_id, own.id))
    assert not database.write_now(lambda c: budgets.remove(c, workspace_id, own.id))
    assert len(database.read_now(lambda c: budgets.standings(c, workspace_id, NOW))) == 1
