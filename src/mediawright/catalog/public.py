"""A model as callers see it before they ask for anything (rule 47)."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import msgspec

from mediawright.catalog.applied import Applied, applied_values
from mediawright.catalog.inputs import input_counts
from mediawright.catalog.model import InputRule, Model, OperationRule, ParameterRule, Route
from mediawright.catalog.parameters import PARAMETERS
from mediawright.catalog.preflight import estimate_seconds
from mediawright.catalog.price_rows import PriceRow
from mediawright.catalog.pricing import PriceSettings, price
from mediawright.core.money import Currency, Price, plain
from mediawright.core.operations import MediaKind, Operation

_DEFAULT_PRICES = PriceSettings()
_USUAL_CHARACTERS = 1_000
_USUAL_INPUT_SECONDS = 60.0


def public_model(
    model: Model,
    *,
    now: datetime | None = None,
    prices: PriceSettings = _DEFAULT_PRICES,
    adapters: frozenset[str] | None = None,
) -> dict[str, Any]:
    """Return a model's description as plain JSON data.

    Args:
        model: The model.
        now: The time to judge by whether it can be called; the system's where not given.
        prices: How dollars become credits where no credits are named.
        adapters: The providers that there is an adapter for; `None` counts all.
    """
    today = (now or datetime.now(UTC)).date()
    live = model.live_routes(today)
    usable = model.callable_routes(today, adapters)
    first = next(iter(model.operations))
    return {
        "id": model.id,
        "title": model.title,
        "description": model.summary,
        "kind": model.kind.value,
        "family": model.family,
        "aliases": [*model.aliases, *model.presets],
        "generation_types": [operation.value for operation in model.operations],
        "cost": _costs(model, next(iter(usable or model.routes), None), prices),
        "price_book_date": model.source.seen_on.isoformat(),
        "aspect_ratios": _union(model, "aspect_ratio"),
        "resolutions": _union(model, "resolution"),
        "qualities": _union(model, "quality"),
        "duration": _duration(model),
        "prompt_max_length": model.prompt_rule(first).max_length,
        "input_media_types": _input_kinds(model),
        "inputs": {
            operation.value: [_slot(slot) for slot in rule.inputs if slot.maximum]
            for operation, rule in model.operations.items()
        },
        "input_counts": {
            operation.value: _counts(rule) for operation, rule in model.operations.items()
        },
        "parameters": [name for name in PARAMETERS if _rules_of(model, name)],
        "flags": dict(model.flags),
        "capabilities": {"video_audio": model.video_audio.value if model.video_audio else None},
        "supports_sound": model.supports_sound,
        "supports_seed": bool(_rules_of(model, "seed")),
        "estimated_time_seconds": _usual_seconds(model, first),
        "live": bool(usable),
        "unavailable_reason": None if usable else "provider_not_available" if live else "ended",
        "lifecycle": _lifecycle(model),
        "routes": [
            {
                **_route(model, route, is_live=route in live),
                "available": adapters is None or route.provider in adapters,
            }
            for route in model.routes
        ],
        "source": {"text": model.source.text, "seen_on": model.source.seen_on.isoformat()},
    }


def _costs(model: Model, route: Route | None, prices: PriceSettings) -> list[dict[str, Any]]:
    """Return the price rows that hold for a route, tier by tier."""
    rows = list(model.prices)
    if route is not None:
        own = list(route.prices)
        covered = {row.currency for row in own}
        rows = own + [row for row in rows if row.currency not in covered]
    rows.sort(key=lambda row: row.currency is not Currency.CREDITS)
    named = bool(rows) and rows[0].currency is Currency.CREDITS
    return [_cost(row, prices, named_credits=named) for row in rows]


def _cost(row: PriceRow, prices: PriceSettings, *, named_credits: bool) -> dict[str, Any]:
    cost: dict[str, Any] = {
        "currency": row.currency.value,
        "amount": row.amount,
        "per": row.per,
        "unit": row.unit.value,
    }
    if row.token is not None:
        cost["token"] = row.token.value
    if row.sku:
        cost["sku"] = row.sku
        cost["title"] = row.title
    if row.when:
        cost["when"] = dict(row.when)
    if row.base != "0":
        cost["base"] = row.base
    if row.minimum != "0":
        cost["minimum"] = row.minimum
    if row.seconds_of.value != "output":
        cost["seconds_of"] = row.seconds_of.value
    if row.estimated or row.estimate is not None:
        cost["estimated"] = True
    if row.currency is Currency.USD and not named_credits:
        rate = prices.credits_per_usd * (1 + prices.markup)
        cost["credits"] = plain(rate * Decimal(row.amount))
    return cost


def _rules_of(model: Model, name: str) -> list[ParameterRule]:
    rules = (model.parameter(name, operation) for operation in model.operations)
    return [rule for rule in rules if rule is not None]


def _union(model: Model, name: str) -> list[Any]:
    values: dict[Any, None] = {}
    for rule in _rules_of(model, name):
        values.update(dict.fromkeys(rule.values or ([rule.fixed] if rule.fixed else [])))
    return list(values)


def _duration(model: Model) -> dict[str, Any] | None:
    rules = _rules_of(model, "duration")
    if not rules:
        return None
    rule = rules[0]
    if rule.fixed is not None:
        return {"configurable": False, "seconds": rule.fixed}
    described: dict[str, Any] = {"configurable": True, "default": rule.default}
    if rule.values:
        described["values"] = list(rule.values)
    else:
        described |= {"minimum": rule.minimum, "maximum": rule.maximum, "whole": rule.whole}
    return described


def _input_kinds(model: Model) -> list[str]:
    kinds: dict[str, None] = {}
    for rule in model.operations.values():
        kinds.update({slot.role.media_kind.value: None for slot in rule.inputs if slot.maximum})
    return list(kinds)


def _counts(rule: OperationRule) -> dict[str, Any]:
    least, most = input_counts(rule)
    counts: dict[str, Any] = {"minimum": least, "maximum": most}
    if rule.arrangements:
        counts["roles_by_number"] = [[role.value for role in roles] for roles in rule.arrangements]
    return counts


def _slot(slot: InputRule) -> dict[str, Any]:
    described = msgspec.json.decode(msgspec.json.encode(slot), type=dict[str, Any])
    hidden = {"count_code", "length_code"}
    return {
        "media_type": slot.role.media_kind.value,
        **{
            name: value
            for name, value in described.items()
            if name not in hidden and (value or value == 0)
        },
    }


def usual_price(model: Model, prices: PriceSettings, usable: tuple[Route, ...]) -> Price:
    """Return what a request costs that leaves everything to the defaults; maybe unknown.

    Where the prompt counts it has 1,000 characters, and where the length of an input counts
    that is a minute.

    Args:
        model: The model.
        prices: How dollars become credits where no credits are named.
        usable: The routes that can be called, the preferred one first.
    """
    operation = next(iter(model.operations))
    serving = [
        route for route in usable or model.routes if operation in model.route_operations(route)
    ]
    if not serving:
        return Price()
    rule = model.operations[operation]
    inputs = {slot.role.value: slot.minimum for slot in rule.inputs if slot.minimum}
    timed = any(
        slot.minimum and slot.role.media_kind in (MediaKind.AUDIO, MediaKind.VIDEO)
        for slot in rule.inputs
    )
    applied = msgspec.structs.replace(
        _usual(model, operation),
        characters=_USUAL_CHARACTERS,
        inputs=inputs,
        input_seconds=_USUAL_INPUT_SECONDS if timed else 0.0,
        video_seconds=_USUAL_INPUT_SECONDS if timed else 0.0,
        input_pixels=None if inputs else 0,
    )
    return price(model, serving[0], applied, prices)


def _usual_seconds(model: Model, operation: Operation) -> float:
    """Return how long a request with all defaults takes."""
    return estimate_seconds(model, _usual(model, operation))


def _usual(model: Model, operation: Operation) -> Applied:
    """Return a request with all defaults."""
    values: dict[str, Any] = {}
    for name in PARAMETERS:
        rule = model.parameter(name, operation)
        value = None if rule is None else rule.fixed if rule.fixed is not None else rule.default
        if value is not None:
            values[name] = value
    return applied_values(model, operation, values)


def _lifecycle(model: Model) -> dict[str, Any]:
    life = model.lifecycle
    return {
        "status": life.status.value,
        "ends_on": life.ends_on.isoformat() if life.ends_on else None,
        "successor": life.successor,
        "substitute": life.substitute,
        "note": life.note or None,
    }


def _route(model: Model, route: Route, *, is_live: bool) -> dict[str, Any]:
    end = model.route_ends_on(route)
    return {
        "provider": route.provider,
        "upstream_id": route.upstream_id,
        "generation_types": [operation.value for operation in model.route_operations(route)],
        "synchronous": route.synchronous,
        "prompt_max_length": route.prompt_max,
        "price_note": route.price_note or None,
        "note": route.note or None,
        "live": is_live,
        "ends_on": end.isoformat() if end else None,
    }
