"""Balances, top-ups, charges and refunds, each step by itself."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import msgspec
import pytest
from tests.ledger.accounts import (
    NOW,
    available,
    begin,
    entries_of,
    events_of,
    generation_of,
    micros,
)

from mediawright.core.errors import ConflictError, InsufficientCreditError, InvalidRequestError
from mediawright.core.money import Money


@pytest.fixture
def credit(database, ledger, workspace_id):
    database.write_now(lambda c: ledger.grant(c, workspace_id, Decimal(10), now=NOW))


@pytest.fixture
def charged(database, ledger, workspace_id, credit):
    """A generation that was charged 3 of the 4 credits held for it."""
    generation = begin(ledger, database, generation_of(workspace_id, 4))
    database.write_now(lambda c: ledger.capture(c, generation, micros(3), now=NOW))
    return generation


async def test_the_balance_in_words(database, ledger, workspace_id) -> None:
    database.write_now(lambda c: ledger.grant(c, workspace_id, Decimal("12.5"), now=NOW))
    begin(ledger, database, generation_of(workspace_id, "0.25"))
    balance = await ledger.balance(workspace_id)
    assert str(balance.available) == "12.25 credits"
    assert str(balance.held) == "0.25 credits"


@pytest.mark.usefixtures("credit")
def test_the_last_millionth_can_be_spent_and_no_more(database, ledger, workspace_id) -> None:
    with pytest.raises(InsufficientCreditError) as caught:
        begin(ledger, database, generation_of(workspace_id, "10.000001"))
    assert caught.value.code == "insufficient_credit"
    assert caught.value.details == {"price_credits": "10.000001", "available_credits": "10"}
    begin(ledger, database, generation_of(workspace_id, "10"))
    assert available(database, workspace_id) == 0


@pytest.mark.usefixtures("credit")
def test_what_has_no_price_is_never_charged(database, ledger, workspace_id) -> None:
    generation = begin(ledger, database, generation_of(workspace_id, None))
    assert database.write_now(lambda c: ledger.capture(c, generation, micros(99), now=NOW)) == 0
    database.write_now(lambda c: ledger.release(c, generation, now=NOW))
    assert [entry.kind for entry in entries_of(database, workspace_id)] == ["top_up"]
    assert available(database, workspace_id) == micros(10)


@pytest.mark.usefixtures("credit")
def test_what_is_free_has_its_entries_all_the_same(database, ledger, workspace_id) -> None:
    first, second = (begin(ledger, database, generation_of(workspace_id, 0)) for _ in range(2))
    database.write_now(lambda c: ledger.capture(c, first, 0, now=NOW))
    database.write_now(lambda c: ledger.release(c, second, now=NOW))
    kinds = [entry.kind for entry in entries_of(database, workspace_id)]
    assert sorted(kinds) == ["capture", "hold", "hold", "release", "top_up"]


@pytest.mark.usefixtures("credit")
def test_a_charge_above_the_price_stops_at_the_price(database, ledger, workspace_id) -> None:
    generation = begin(ledger, database, generation_of(workspace_id, 4))
    assert database.write_now(
        lambda c: ledger.capture(c, generation, micros(400), now=NOW)
    ) == micros(4)
    assert available(database, workspace_id) == micros(6)


def test_what_is_captured_again_stays_as_it_was(database, ledger, workspace_id, charged) -> None:
    before = entries_of(database, workspace_id)
    assert database.write_now(lambda c: ledger.capture(c, charged, 0, now=NOW)) == micros(3)
    database.write_now(lambda c: ledger.release(c, charged, now=NOW))
    database.write_now(lambda c: ledger.hold(c, charged))
    assert entries_of(database, workspace_id) == before


def test_a_hold_that_stands_is_not_refused_later(database, ledger, workspace_id, credit) -> None:
    generation = begin(ledger, database, generation_of(workspace_id, 10))
    database.write_now(lambda c: ledger.hold(c, generation))
    assert available(database, workspace_id) == 0


def test_a_top_up_is_booked_once_for_its_reference(database, ledger, workspace_id) -> None:
    def top_up(amount, **fields):
        return database.write_now(
            lambda c: ledger.top_up(
                c, workspace_id, Decimal(amount), now=NOW, reference="invoice-7", **fields
            )
        )

    first = top_up("25.5", note="by bank")
    again = top_up("25.500000")
    assert (first.is_new, again.is_new) == (True, False)
    assert again.entry == first.entry
    assert (first.entry.reference, first.entry.note) == ("invoice-7", "by bank")
    assert available(database, workspace_id) == micros("25.5")
    with pytest.raises(ConflictError) as caught:
        top_up("26")
    assert caught.value.code == "reference_reused"
    assert events_of(database, workspace_id, "credit.changed") == [
        {
            "kind": "top_up",
            "amount_credits": "25.5",
            "available_credits": "25.5",
            "reference": "invoice-7",
            "note": "by bank",
        }
    ]


def test_a_reference_is_the_workspace_s_own(database, ledger, workspace_id) -> None:
    from tests.ledger.accounts import add_workspace

    for one in (workspace_id, add_workspace(database)):
        booked = database.write_now(
            lambda c, one=one: ledger.top_up(c, one, Decimal(1), now=NOW, reference="r")
        )
        assert booked.is_new


@pytest.mark.parametrize(
    "amount", ["0", "-1", "0.0000001", "1000000000.000001", "NaN", "Infinity", "-Infinity"]
)
def test_amounts_that_are_none(database, ledger, workspace_id, amount: str) -> None:
    with pytest.raises(InvalidRequestError) as caught:
        database.write_now(lambda c: ledger.top_up(c, workspace_id, Decimal(amount), now=NOW))
    assert (caught.value.code, caught.value.pointer) == ("invalid_amount", "/amount_credits")
    assert entries_of(database, workspace_id) == []


@pytest.mark.usefixtures("credit")
def test_an_adjustment_takes_no_more_than_there_is(database, ledger, workspace_id) -> None:
    def adjust(amount):
        database.write_now(lambda c: ledger.adjust(c, workspace_id, Decimal(amount), now=NOW))

    with pytest.raises(InsufficientCreditError, match=r"takes away 10\.000001"):
        adjust("-10.000001")
    adjust("-10")
    adjust("2")
    assert available(database, workspace_id) == micros(2)


def test_a_refund_gives_back_what_was_charged_once(database, ledger, workspace_id, charged) -> None:
    def refund(amount=None):
        return database.write_now(
            lambda c: ledger.refund(c, charged, amount, now=NOW, note="it was blurred")
        )

    with pytest.raises(InvalidRequestError) as caught:
        refund(Decimal("3.000001"))
    assert caught.value.code == "refund_too_high"
    with pytest.raises(InvalidRequestError, match="more than zero"):
        refund(Decimal(0))
    assert refund(Decimal("1.5")).is_new
    assert not refund(Decimal("1.5")).is_new
    for other in (None, Decimal(1)):
        with pytest.raises(ConflictError) as refused:
            refund(other)
        assert refused.value.code == "already_refunded"
    assert available(database, workspace_id) == micros("8.5")
    (event,) = events_of(database, workspace_id, "credit.changed")
    assert event["kind"] == "refund"
    assert (event["amount_credits"], event["available_credits"]) == ("1.5", "8.5")


def test_a_whole_refund_needs_no_amount(database, ledger, workspace_id, charged) -> None:
    booked = database.write_now(lambda c: ledger.refund(c, charged, now=NOW))
    assert Money.from_micros(booked.entry.amount_micros, "credits") == Money.credits(3)
    assert available(database, workspace_id) == micros(10)


@pytest.mark.usefixtures("credit")
def test_what_was_not_charged_is_not_refunded(database, ledger, workspace_id) -> None:
    under_way = begin(ledger, database, generation_of(workspace_id, 1))
    released = begin(ledger, database, generation_of(workspace_id, 1))
    free = begin(ledger, database, generation_of(workspace_id, 0))
    database.write_now(lambda c: ledger.release(c, released, now=NOW))
    database.write_now(lambda c: ledger.capture(c, free, 0, now=NOW))
    for generation in (under_way, released, free, generation_of(workspace_id, 1)):
        with pytest.raises(ConflictError) as caught:
            database.write_now(lambda c, one=generation: ledger.refund(c, one, now=NOW))
        assert caught.value.code == "nothing_charged"


def test_what_the_provider_bills_is_another_book(database, ledger, workspace_id, charged) -> None:
    """However late and however high a cost comes in, it is nobody's credits."""
    costly = msgspec.structs.replace(
        charged, cost_micros=10**12, updated_at=NOW + timedelta(days=9)
    )
    before = available(database, workspace_id)
    assert database.write_now(
        lambda c: ledger.capture(c, costly, 10**12, now=costly.updated_at)
    ) == micros(3)
    assert available(database, workspace_id) == before
