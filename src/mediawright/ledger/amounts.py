"""Amounts of credits as people write them, and as the ledger keeps them."""

from __future__ import annotations

from decimal import Decimal

from mediawright.core.errors import InvalidRequestError
from mediawright.core.money import MICRO, Currency, Money, plain

MOST_CREDITS = Decimal(1_000_000_000)
"""The largest amount of one entry or budget."""


def exact_micros(amount: Decimal, pointer: str = "/amount_credits") -> int:
    """Return an amount in millionths of a credit, without rounding anything away.

    Args:
        amount: Credits, with at most six decimal places.
        pointer: Where it stood in the request.

    Raises:
        InvalidRequestError: `invalid_amount`: it has more places, or is beyond all measure.
    """
    if not amount.is_finite() or abs(amount) > MOST_CREDITS or amount % MICRO:
        raise InvalidRequestError(
            "invalid_amount",
            "An amount of credits has at most six decimal places and is at most "
            f"{plain(MOST_CREDITS)}.",
            pointer=pointer,
        )
    return Money.credits(amount).micros


def in_credits(micros: int) -> Money:
    """Return millionths of a credit as an amount."""
    return Money.from_micros(micros, Currency.CREDITS)


def credit_words(micros: int) -> str:
    """Return millionths of a credit as an exact decimal number, such as `12.5`."""
    return plain(in_credits(micros).amount)
