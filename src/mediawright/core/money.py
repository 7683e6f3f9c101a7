"""Exact amounts of credits and US dollars.

Amounts are decimals with at most six places, so that they can be stored as whole
micro-units and summed by a database without rounding.
"""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal
from enum import StrEnum

import msgspec

MICRO = Decimal("0.000001")
_MICROS_PER_UNIT = Decimal(1_000_000)


class Currency(StrEnum):
    """The two currencies: what a workspace is charged, and what a vendor costs."""

    CREDITS = "credits"
    USD = "USD"


class PriceBasis(StrEnum):
    """Where a price comes from."""

    VENDOR_REPORTED = "vendor_reported"
    COMPUTED = "computed"
    ESTIMATED = "estimated"
    UNKNOWN = "unknown"


class Money(msgspec.Struct, frozen=True, order=False):
    """An exact amount of one currency."""

    amount: Decimal
    currency: Currency

    @classmethod
    def credits(cls, amount: Decimal | int | str) -> Money:
        """Return an amount of credits."""
        return cls(_exact(amount), Currency.CREDITS)

    @classmethod
    def usd(cls, amount: Decimal | int | str) -> Money:
        """Return an amount of US dollars."""
        return cls(_exact(amount), Currency.USD)

    @classmethod
    def from_micros(cls, micros: int, currency: Currency) -> Money:
        """Return the amount that `micros` millionths of a unit make."""
        return cls((Decimal(micros) / _MICROS_PER_UNIT).quantize(MICRO), currency)

    @property
    def micros(self) -> int:
        """The amount in millionths of a unit, rounded half up."""
        return int((self.amount * _MICROS_PER_UNIT).to_integral_value(ROUND_HALF_UP))

    def __add__(self, other: Money) -> Money:
        """Add an amount of the same currency."""
        self._require_same(other)
        return Money(self.amount + other.amount, self.currency)

    def __sub__(self, other: Money) -> Money:
        """Subtract an amount of the same currency."""
        self._require_same(other)
        return Money(self.amount - other.amount, self.currency)

    def __mul__(self, factor: Decimal | int) -> Money:
        """Multiply by a whole or exact number."""
        return Money(self.amount * factor, self.currency)

    def __lt__(self, other: Money) -> bool:
        """Compare with an amount of the same currency."""
        self._require_same(other)
        return self.amount < other.amount

    def __str__(self) -> str:
        """Render as `12 credits` or `$0.04`."""
        text = plain(self.amount)
        return f"${text}" if self.currency is Currency.USD else f"{text} credits"

    def _require_same(self, other: Money) -> None:
        if self.currency is not other.currency:
            raise ValueError(f"cannot combine {self.currency} with {other.currency}")


class Price(msgspec.Struct, frozen=True, kw_only=True):
    """What a request is expected to cost, in both books.

    `None` means unknown; it never means zero.
    """

    credits: Decimal | None = None
    """What the workspace is charged."""
    usd: Decimal | None = None
    """What the vendor is expected to bill."""
    basis: PriceBasis = PriceBasis.UNKNOWN
    price_book_date: str | None = None
    """The day (ISO) the price data was last checked."""
    explanation: str = ""
    """How the figure came about, such as `4 s x 12 credits`."""

    @property
    def is_known(self) -> bool:
        """Whether the workspace's charge is known."""
        return self.credits is not None


def plain(amount: Decimal) -> str:
    """Write a decimal without exponent or trailing zeros."""
    text = f"{amount.quantize(MICRO, ROUND_HALF_UP):f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _exact(amount: Decimal | int | str) -> Decimal:
    return amount if isinstance(amount, Decimal) else Decimal(amount)
