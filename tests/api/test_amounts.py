"""Amounts of credits in requests are exact, or refused."""

from __future__ import annotations

import math
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from mediawright.api.account_bodies import TopUpBody
from mediawright.core.errors import InvalidRequestError
from mediawright.ledger.amounts import MOST_CREDITS, credit_words, exact_micros

NUMBERS = r"-?[0-9]{0,12}(\.[0-9]{0,12})?([eE][-+]?[0-9]{1,7})?"
AMOUNTS = (
    st.none()
    | st.booleans()
    | st.integers(-(10**40), 10**40)
    | st.floats()
    | st.text(max_size=12)
    | st.from_regex(NUMBERS, fullmatch=True)
    | st.lists(st.integers(), max_size=2)
)


def read(amount: Any) -> int:
    return exact_micros(TopUpBody.model_validate({"amount_credits": amount}).amount_credits)


@settings(max_examples=400, deadline=None)
@given(amount=AMOUNTS)
def test_whatever_is_sent_is_exact_or_refused(amount: Any) -> None:
    try:
        micros = read(amount)
    except (ValidationError, InvalidRequestError):
        return
    assert isinstance(amount, int | float | str)
    assert Decimal(str(amount)) * 1_000_000 == micros
    assert abs(micros) <= MOST_CREDITS * 1_000_000


@given(micros=st.integers(-(10**15), 10**15))
def test_what_the_ledger_says_it_understands(micros: int) -> None:
    assert read(credit_words(micros)) == micros


@pytest.mark.parametrize(
    ("amount", "micros"),
    [
        ("12.5", 12_500_000),
        (12.5, 12_500_000),
        (0.1, 100_000),
        (7, 7_000_000),
        ("1e3", 10**9),
        ("0.000001", 1),
        ("1000000000", 10**15),
    ],
)
def test_amounts(amount: Any, micros: int) -> None:
    assert read(amount) == micros


@pytest.mark.parametrize(
    "amount",
    [True, None, [], {}, "", "a", "1,5", "NaN", "Infinity", math.inf, "1e999999", "9" * 41],
)
def test_what_is_no_amount(amount: Any) -> None:
    with pytest.raises((ValidationError, InvalidRequestError)):
        read(amount)


@pytest.mark.parametrize("amount", ["0.0000001", 1e-7, "1000000000.000001", "1e-999999"])
def test_what_cannot_be_kept_exactly(amount: Any) -> None:
    with pytest.raises(InvalidRequestError) as caught:
        read(amount)
    assert caught.value.code == "invalid_amount"
