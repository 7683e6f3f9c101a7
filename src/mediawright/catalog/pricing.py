"""What a request costs: the workspace's charge in credits and the vendor's bill in dollars."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, cast

import msgspec

from mediawright.catalog.applied import Applied
from mediawright.catalog.measures import Measure, measure, packages
from mediawright.catalog.model import Model, Route
from mediawright.catalog.price_rows import PriceRow
from mediawright.core.money import MICRO, Currency, Price, PriceBasis, plain
from mediawright.core.provider import Usage


class PriceSettings(msgspec.Struct, frozen=True, kw_only=True):
    """How credits come out of dollars where the catalogue names no credits."""

    credits_per_usd: Decimal = Decimal(100)
    markup: Decimal = Decimal(0)
    """Added on top, as a part: 0.2 makes 1 dollar of cost 1.20 dollars of charge."""


DEFAULT_SETTINGS = PriceSettings()


class _Sum(msgspec.Struct, frozen=True):
    amount: Decimal
    exact: bool
    text: str
    seen_on: str


def price(
    model: Model,
    route: Route,
    applied: Applied,
    settings: PriceSettings = DEFAULT_SETTINGS,
) -> Price:
    """Return the price of a request on a route; what is not known stays `None` (rules 41-43).

    Args:
        model: The model.
        route: The route, one of the model's.
        applied: What was asked, checked and with defaults filled in.
        settings: How dollars become credits where no credits are named.
    """
    facts = applied.facts()
    facts["provider"] = route.provider
    named = _rows(model, route, Currency.CREDITS)
    usd = _total(_rows(model, route, Currency.USD), applied, facts, model, explained=not named)
    if named:
        charge = _total(named, applied, facts, model)
        amount = None if charge is None else charge.amount
    else:
        charge = usd
        amount = None if usd is None else _credits_for(usd.amount, settings)
    return Price(
        credits=amount,
        usd=None if usd is None else _exact(usd.amount),
        basis=_basis(charge),
        price_book_date=charge.seen_on if charge else model.source.seen_on.isoformat(),
        explanation=charge.text if charge else _unknown(route),
    )


def cost_of_usage(
    model: Model, route: Route, usage: Usage, applied: Applied
) -> tuple[Decimal, PriceBasis] | None:
    """Return what the vendor bills for a finished generation, in US dollars.

    What the vendor says it bills counts first; then what it says it used, at the price
    book's rates; then what the request was expected to use.

    Args:
        model: The model.
        route: The route that was taken.
        usage: What the provider reported.
        applied: The request.

    Returns:
        The amount and where it comes from, or `None` if nobody can say.
    """
    if usage.cost is not None and usage.cost.currency is Currency.USD:
        return _exact(usage.cost.amount), PriceBasis.VENDOR_REPORTED
    facts = applied.facts()
    facts["provider"] = route.provider
    rows = _rows(model, route, Currency.USD)
    total = _total(rows, applied, facts, model, usage, explained=False)
    return None if total is None else (_exact(total.amount), _basis(total))


def _unknown(route: Route) -> str:
    return f"the price is not known{': ' if route.price_note else ''}{route.price_note}"


def _rows(model: Model, route: Route, currency: Currency) -> list[PriceRow]:
    own = [row for row in route.prices if row.currency is currency]
    return own or [row for row in model.prices if row.currency is currency]


def _total(
    rows: Iterable[PriceRow],
    applied: Applied,
    facts: dict[str, Any],
    model: Model,
    usage: Usage | None = None,
    *,
    explained: bool = True,
) -> _Sum | None:
    parts: dict[str, PriceRow] = {}
    for row in rows:
        if row.part_name not in parts and _holds(row.when, facts):
            parts[row.part_name] = row
    if not parts:
        return None
    total, exact, texts = Decimal(0), True, list[str]()
    for row in parts.values():
        found = measure(row, applied, usage)
        if found is None:
            return None
        total += _amount(row, found, applied)
        exact = exact and found.exact and not row.estimated
        if explained:
            texts.append(_explain(row, found, applied))
    seen = max(row.seen_on or model.source.seen_on for row in parts.values())
    return _Sum(total, exact, " + ".join(texts), seen.isoformat())


def _amount(row: PriceRow, found: Measure, applied: Applied) -> Decimal:
    amount = packages(row, found) * Decimal(row.amount)
    amount += Decimal(row.base) * applied.count
    return max(amount, Decimal(row.minimum))


def _explain(row: PriceRow, found: Measure, applied: Applied) -> str:
    unit = "credits" if row.currency is Currency.CREDITS else "USD"
    text = f"{found.text} x {row.amount} {unit}"
    if row.per != "1":
        text += f" per {row.per}"
    if row.base != "0":
        text += f" + {applied.count} x {row.base} {unit}"
    if row.minimum != "0":
        text += f" (at least {row.minimum} {unit})"
    return text


def _holds(when: dict[str, Any], facts: dict[str, Any]) -> bool:
    # A role that no input has is not among the facts.
    return all(
        _matches(facts.get(name, 0 if name.startswith("inputs.") else None), wanted)
        for name, wanted in when.items()
    )


def _matches(value: Any, wanted: Any) -> bool:
    if isinstance(wanted, list):
        return value in wanted
    if not isinstance(wanted, dict):
        return value == wanted
    bounds = cast("dict[str, float]", wanted)
    if value is None:
        return False
    return bounds.get("minimum", value) <= value <= bounds.get("maximum", value)


def _credits_for(usd: Decimal, settings: PriceSettings) -> Decimal:
    return _exact(usd * settings.credits_per_usd * (1 + settings.markup))


def _basis(total: _Sum | None) -> PriceBasis:
    if total is None:
        return PriceBasis.UNKNOWN
    return PriceBasis.COMPUTED if total.exact else PriceBasis.ESTIMATED


def _exact(amount: Decimal) -> Decimal:
    return Decimal(plain(amount.quantize(MICRO, ROUND_HALF_UP)))
