"""Counts what a price row charges for, from the request or from what the provider reported."""

from __future__ import annotations

from decimal import ROUND_CEILING, Decimal

import msgspec

from mediawright.catalog.applied import Applied
from mediawright.catalog.price_rows import PriceRow, PriceUnit, SecondsOf, TokenKind
from mediawright.core.provider import Usage

_MILLION = Decimal(1_000_000)
_MINUTE = Decimal(60)


class Measure(msgspec.Struct, frozen=True):
    """A quantity, and how it came about."""

    quantity: Decimal
    exact: bool
    """Whether it is known, or only expected."""
    text: str
    """For people, such as `4 s`."""


def measure(row: PriceRow, applied: Applied, usage: Usage | None = None) -> Measure | None:
    """Return how many units of a row a request comes to, or `None` if nobody can say.

    Args:
        row: The price row.
        applied: The request.
        usage: What the provider reported, which counts before what was expected.
    """
    count = Decimal(applied.count)
    match row.unit:
        case PriceUnit.CALL:
            return Measure(Decimal(1), True, "1 request")  # noqa: FBT003 - a field, not a flag
        case PriceUnit.GENERATION | PriceUnit.IMAGE:
            return Measure(count, True, _plural(count, row.unit.value))  # noqa: FBT003
        case PriceUnit.CHARACTER:
            return _characters(applied, usage)
        case PriceUnit.SECOND | PriceUnit.MINUTE:
            return _time(row, applied, usage)
        case PriceUnit.MEGAPIXEL:
            return _megapixels(applied, count, round_up=row.round_up)
        case PriceUnit.INPUT_MEGAPIXEL:
            return _input_megapixels(applied)
        case PriceUnit.TOKEN:
            return _tokens(row, applied, usage)


def packages(row: PriceRow, quantity: Decimal) -> Decimal:
    """Return how often the amount of a row is due for a quantity."""
    number = quantity / Decimal(row.per)
    return number.to_integral_value(ROUND_CEILING) if row.round_up else number


def _characters(applied: Applied, usage: Usage | None) -> Measure:
    reported = usage.characters if usage is not None else None
    number = Decimal(applied.characters if reported is None else reported)
    return Measure(number, True, _plural(number, "character"))  # noqa: FBT003


def _time(row: PriceRow, applied: Applied, usage: Usage | None) -> Measure | None:
    reported = usage.seconds if usage is not None else None
    if reported is not None:
        found: tuple[Decimal, bool] | None = (exact_decimal(reported), True)
    else:
        found = _expected_seconds(row, applied)
    if found is None:
        return None
    seconds, exact = found
    if row.unit is PriceUnit.MINUTE:
        return Measure(seconds / _MINUTE, exact, f"{_short(seconds)} s")
    return Measure(seconds, exact, f"{_short(seconds)} s")


def _expected_seconds(row: PriceRow, applied: Applied) -> tuple[Decimal, bool] | None:
    total, exact = Decimal(0), True
    if row.seconds_of in (SecondsOf.OUTPUT, SecondsOf.BOTH):
        if applied.seconds is None:
            return None
        total += exact_decimal(applied.seconds) * applied.count
    if row.seconds_of in (SecondsOf.INPUT, SecondsOf.BOTH):
        if applied.input_seconds is not None:
            seconds = exact_decimal(applied.input_seconds)
        elif row.unknown_seconds is not None:
            seconds, exact = Decimal(row.unknown_seconds), False
        else:
            return None
        if row.max_input_seconds is not None:
            seconds = min(seconds, Decimal(row.max_input_seconds))
        total += seconds
    return total, exact


def _megapixels(applied: Applied, count: Decimal, *, round_up: bool) -> Measure | None:
    if applied.width is None or applied.height is None:
        return None
    each = Decimal(applied.width * applied.height) / _MILLION
    if round_up:
        each = each.to_integral_value(ROUND_CEILING)
    text = f"{_short(each)} MP" if count == 1 else f"{_short(count)} x {_short(each)} MP"
    return Measure(each * count, True, text)  # noqa: FBT003


def _input_megapixels(applied: Applied) -> Measure | None:
    if applied.input_pixels is None:
        return None
    megapixels = Decimal(applied.input_pixels) / _MILLION
    return Measure(megapixels, True, f"{_short(megapixels)} MP in")  # noqa: FBT003


def _tokens(row: PriceRow, applied: Applied, usage: Usage | None) -> Measure | None:
    reported = _reported_tokens(row.token, usage)
    if reported is not None:
        return Measure(Decimal(reported), True, f"{reported} tokens")  # noqa: FBT003
    estimate = row.estimate
    if estimate is None:
        return None
    megapixels = Decimal(repr(applied.megapixels)) if applied.megapixels is not None else None
    seconds = exact_decimal(applied.seconds) if applied.seconds is not None else None
    count = Decimal(applied.count)
    images = Decimal(sum(n for role, n in applied.inputs.items() if role not in _NOT_PICTURES))
    area_time = megapixels * seconds if megapixels is not None and seconds is not None else None
    terms = (
        (estimate.flat, count),
        (estimate.per_character, Decimal(applied.characters)),
        (estimate.per_image, images),
        (estimate.per_megapixel, megapixels * count if megapixels is not None else None),
        (estimate.per_second, seconds * count if seconds is not None else None),
        (estimate.per_megapixel_second, area_time * count if area_time is not None else None),
    )
    total = Decimal(0)
    for factor, quantity in terms:
        if factor == "0":
            continue
        if quantity is None:
            return None
        total += Decimal(factor) * quantity
    total = total.to_integral_value(ROUND_CEILING)
    return Measure(total, False, f"about {total} tokens")  # noqa: FBT003


def _reported_tokens(kind: TokenKind | None, usage: Usage | None) -> int | None:
    if usage is None:
        return None
    if kind is TokenKind.OUTPUT:
        return usage.output_tokens
    if kind is TokenKind.INPUT_IMAGE:
        return usage.input_image_tokens
    if usage.input_tokens is None:
        return None
    # The total that providers report holds the tokens of the pictures too.
    return max(0, usage.input_tokens - (usage.input_image_tokens or 0))


def exact_decimal(value: float) -> Decimal:
    """Return the decimal that a float is written as, so that 0.1 stays 0.1."""
    return Decimal(int(value)) if float(value).is_integer() else Decimal(repr(float(value)))


def _short(value: Decimal) -> str:
    return f"{value.quantize(Decimal('0.001')).normalize():f}"


def _plural(number: Decimal, noun: str) -> str:
    return f"{number:f} {noun}" if number == 1 else f"{number:f} {noun}s"


_NOT_PICTURES = frozenset({"reference_video", "reference_audio"})
