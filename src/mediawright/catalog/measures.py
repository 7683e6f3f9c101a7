"""Counts what a price row charges for, from the request or from what the provider reported."""

from __future__ import annotations

from decimal import ROUND_CEILING, Decimal

import msgspec

from mediawright.catalog.applied import Applied
from mediawright.catalog.price_rows import PriceRow, PriceUnit, SecondsOf, TokenKind
from mediawright.core.provider import Usage

_MILLION = Decimal(1_000_000)
_MINUTE = Decimal(60)


class Measure(msgspec.Struct, frozen=True, kw_only=True):
    """A quantity, and how it came about."""

    quantity: Decimal
    times: int = 1
    """How often it is due: once for each output."""
    exact: bool = True
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
    count = applied.count
    match row.unit:
        case PriceUnit.CALL:
            return Measure(quantity=Decimal(1), text="1 request")
        case PriceUnit.GENERATION | PriceUnit.IMAGE:
            text = _plural(count, row.unit.value)
            return Measure(quantity=Decimal(1), times=count, text=text)
        case PriceUnit.CHARACTER:
            return _characters(applied, usage)
        case PriceUnit.SECOND | PriceUnit.MINUTE:
            return _time(row, applied, usage)
        case PriceUnit.MEGAPIXEL:
            return _megapixels(applied)
        case PriceUnit.INPUT_MEGAPIXEL:
            return _input_megapixels(row, applied)
        case PriceUnit.TOKEN:
            return _tokens(row, applied, usage)


def packages(row: PriceRow, found: Measure) -> Decimal:
    """Return how often the amount of a row is due; started packages may count as whole ones."""
    number = found.quantity / Decimal(row.per)
    if row.round_up:
        number = number.to_integral_value(ROUND_CEILING)
    return number * found.times


def _characters(applied: Applied, usage: Usage | None) -> Measure:
    reported = usage.characters if usage is not None else None
    number = applied.characters if reported is None else reported
    return Measure(quantity=Decimal(number), text=_plural(number, "character"))


def _time(row: PriceRow, applied: Applied, usage: Usage | None) -> Measure | None:
    reported = usage.seconds if usage is not None else None
    if reported is not None:
        seconds, times, exact = exact_decimal(reported), 1, True
    elif row.seconds_of is SecondsOf.OUTPUT:
        if applied.seconds is None:
            return None
        seconds, times, exact = exact_decimal(applied.seconds), applied.count, True
    else:
        found = _with_input_seconds(row, applied)
        if found is None:
            return None
        (seconds, exact), times = found, 1
    text = f"{_short(seconds)} s" if times == 1 else f"{times} x {_short(seconds)} s"
    if row.unit is PriceUnit.MINUTE:
        seconds /= _MINUTE
    return Measure(quantity=seconds, times=times, exact=exact, text=text)


def _with_input_seconds(row: PriceRow, applied: Applied) -> tuple[Decimal, bool] | None:
    both = row.seconds_of is SecondsOf.BOTH
    handed_in = applied.video_seconds if both else applied.input_seconds
    if handed_in is not None:
        seconds, exact = exact_decimal(handed_in), True
    elif row.unknown_seconds is not None:
        seconds, exact = Decimal(row.unknown_seconds), False
    else:
        return None
    if row.max_input_seconds is not None:
        seconds = min(seconds, Decimal(row.max_input_seconds))
    if both:
        if applied.seconds is None:
            return None
        seconds += exact_decimal(applied.seconds) * applied.count
    return seconds, exact


def _megapixels(applied: Applied) -> Measure | None:
    if applied.width is None or applied.height is None:
        return None
    each = Decimal(applied.width * applied.height) / _MILLION
    times = applied.count
    text = f"{_short(each)} MP" if times == 1 else f"{times} x {_short(each)} MP"
    return Measure(quantity=each, times=times, text=text)


def _input_megapixels(row: PriceRow, applied: Applied) -> Measure | None:
    known = applied.input_pixels
    if known is None and row.unknown_megapixels is None:
        return None
    if known is not None:
        megapixels = Decimal(known) / _MILLION
    else:
        megapixels = Decimal(row.unknown_megapixels or 0) * _pictures(applied)
    text = f"{_short(megapixels)} MP in"
    return Measure(quantity=megapixels, exact=known is not None, text=text)


def _pictures(applied: Applied) -> int:
    return sum(number for role, number in applied.inputs.items() if role not in _NOT_PICTURES)


def _tokens(row: PriceRow, applied: Applied, usage: Usage | None) -> Measure | None:
    reported = _reported_tokens(row.token, usage)
    if reported is not None:
        return Measure(quantity=Decimal(reported), text=_plural(reported, "token"))
    estimate = row.estimate
    if estimate is None:
        return None
    megapixels = Decimal(repr(applied.megapixels)) if applied.megapixels is not None else None
    seconds = exact_decimal(applied.seconds) if applied.seconds is not None else None
    count = Decimal(applied.count)
    images = Decimal(_pictures(applied))
    area_time = megapixels * seconds if megapixels is not None and seconds is not None else None
    terms = (
        (estimate.flat, count),
        (estimate.per_character, Decimal(applied.characters)),
        (estimate.per_image, images),
        (estimate.per_megapixel, megapixels * count if megapixels is not None else None),
        (estimate.per_second, seconds * count if seconds is not None else None),
        (estimate.per_megapixel_second, area_time * count if area_time is not None else None),
        (estimate.per_megapixel_video_second, _video_area_time(row, applied, megapixels)),
    )
    total = Decimal(0)
    for factor, quantity in terms:
        if factor == "0":
            continue
        if quantity is None:
            return None
        total += Decimal(factor) * quantity
    total = total.to_integral_value(ROUND_CEILING)
    return Measure(quantity=total, exact=False, text=f"about {_plural(total, 'token')}")


def _video_area_time(row: PriceRow, applied: Applied, megapixels: Decimal | None) -> Decimal | None:
    """Return the seconds of the reference videos, by the pixels of the output."""
    known = applied.video_seconds
    seconds = row.unknown_seconds if known is None else exact_decimal(known)
    if seconds is None or megapixels is None:
        return None
    seconds = Decimal(seconds)
    if row.max_input_seconds is not None:
        seconds = min(seconds, Decimal(row.max_input_seconds))
    return megapixels * seconds * applied.count


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


def _plural(number: Decimal | int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


_NOT_PICTURES = frozenset({"reference_video", "reference_audio"})
