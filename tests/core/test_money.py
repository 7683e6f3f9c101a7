from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mediawright.core.money import Currency, Money, Price, plain

amounts = st.decimals(min_value=-(10**9), max_value=10**9, places=6)


@given(amounts)
def test_micros_keep_every_place(amount: Decimal) -> None:
    money = Money.credits(amount)
    assert Money.from_micros(money.micros, Currency.CREDITS).amount == amount


@given(amounts, amounts)
def test_sums_are_exact(one: Decimal, other: Decimal) -> None:
    total = Money.usd(one) + Money.usd(other)
    assert total.micros == Money.usd(one).micros + Money.usd(other).micros
    assert total - Money.usd(other) == Money.usd(one)


@given(amounts)
def test_plain_text_has_no_exponent_and_means_the_same(amount: Decimal) -> None:
    text = plain(amount)
    assert "E" not in text
    assert Decimal(text) == amount


def test_currencies_do_not_mix() -> None:
    with pytest.raises(ValueError, match="cannot combine"):
        Money.usd(1) + Money.credits(1)
    with pytest.raises(ValueError, match="cannot combine"):
        assert Money.usd(1) < Money.credits(1)


@pytest.mark.parametrize(
    ("money", "text"),
    [
        (Money.usd("0.040"), "$0.04"),
        (Money.credits(12), "12 credits"),
        (Money.credits("0.5"), "0.5 credits"),
        (Money.credits(100), "100 credits"),
    ],
)
def test_money_in_words(money: Money, text: str) -> None:
    assert str(money) == text


def test_an_unknown_price_is_not_nothing() -> None:
    assert not Price().is_known
    assert Price(credits=Decimal(0)).is_known
