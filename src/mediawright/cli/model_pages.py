"""What a model takes, makes and costs, in words."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from mediawright.core.money import plain

NO_KEY = "no key"

_UNAVAILABLE = {"ended": "ended", "provider_not_available": "not yet"}
_ENOUGH_VALUES = 16
_READINESS_WORDS = {
    NO_KEY: "no key; see `mediawright doctor`",
    "ended": "no longer",
    "not yet": "not yet: this version cannot speak to its providers",
}
_LARGE = {"1000000": "million", "3600": "hour", "60": "minute"}


def notes(model: dict[str, Any]) -> list[str]:
    """Return what a model is: title, description, routes, engine, life."""
    lines = [f"{model['id']}: {model['title']}"]
    if model["description"]:
        lines.append(model["description"])
    facts: list[tuple[str, Any]] = [
        ("makes", ", ".join(model["generation_types"])),
        ("also called", ", ".join(model["aliases"])),
        ("prompt", _prompt_words(model["prompt_max_length"])),
        *(("served by", _route_words(route, model)) for route in model["routes"]),
        ("usable now", _READINESS_WORDS.get(readiness(model), "yes")),
        ("takes", f"about {model['estimated_time_seconds']:.3g} s"),
        ("life", _life_words(model["lifecycle"])),
        *model.get("engine", {}).items(),
    ]
    width = max(len(name) for name, value in facts if value) + 2
    lines += [f"{name.replace('_', ' ') + ':':<{width}}{value}" for name, value in facts if value]
    return lines


def readiness(model: dict[str, Any]) -> str:
    """Return whether a model could be used now: `yes`, `no key`, `ended` or `not yet`."""
    reason = model["unavailable_reason"]
    if reason is not None:
        return _UNAVAILABLE[reason]
    return "yes" if model["ready"] else NO_KEY


def parameter_rows(model: dict[str, Any]) -> list[list[str]]:
    """Return name, values, default and meaning of each parameter."""
    properties: dict[str, dict[str, Any]] = model["parameter_schema"]["properties"]
    required: list[str] = model["parameter_schema"].get("required", [])
    return [
        [
            name,
            _values(rule),
            "required" if name in required else _default(rule),
            str(rule.get("description", "")),
        ]
        for name, rule in properties.items()
    ]


def input_rows(model: dict[str, Any]) -> list[list[str]]:
    """Return role, operations, number and limits of each input file."""
    slots: dict[str, tuple[dict[str, Any], list[str]]] = {}
    for operation, inputs in model["inputs"].items():
        for slot in inputs:
            key = str(sorted(slot.items(), key=str))
            slots.setdefault(key, (slot, []))[1].append(operation)
    return [
        [slot["role"], ", ".join(operations), _how_many(slot), _files(slot)]
        for slot, operations in slots.values()
    ]


def price_lines(model: dict[str, Any]) -> list[str]:
    """Return the price rows of a model; rows that differ only in a condition become one."""
    if not model["cost"]:
        return ["price: unknown"]
    if _is_free(model):
        return ["price: free"]
    merged: dict[str, tuple[dict[str, Any], list[Mapping[str, Any]]]] = {}
    for cost in model["cost"]:
        bare = {name: value for name, value in cost.items() if name != "when"}
        conditions = merged.setdefault(str(sorted(bare.items())), (bare, []))[1]
        conditions.append(cost.get("when", {}))
    lines = [
        f"price{_sold_as(cost)}: {cost_words(cost, _when(all_of))}"
        for cost, all_of in merged.values()
    ]
    return [*lines, f"price book of {model['price_book_date']}"]


def lowest_price(model: dict[str, Any]) -> str:
    """Return the lowest price of a model, in words."""
    costs = model["cost"]
    if not costs:
        return "unknown"
    if _is_free(model):
        return "free"
    named = [cost for cost in costs if cost["currency"] == "credits"]
    paid = [cost for cost in named or costs if Decimal(str(cost["amount"])) > 0]
    cheapest = min(paid, key=lambda cost: Decimal(str(cost["amount"])) / Decimal(str(cost["per"])))
    words = cost_words(cheapest, brief=True)
    return f"from {words}" if len(paid) > 1 else words


def cost_words(cost: dict[str, Any], condition: str = "", *, brief: bool = False) -> str:
    """Return one price row in words; in brief, credits alone where they are known."""
    amount = plain(Decimal(str(cost["amount"])))
    words = f"${amount}" if cost["currency"] == "USD" else f"{amount} credits"
    if "credits" in cost:
        named = f"{plain(round(Decimal(str(cost['credits'])), 4))} credits"
        words = named if brief else f"{words} ({named})"
    words += f" per {_unit(cost)}{condition}"
    if brief:
        return words
    for name, what in (("base", "plus"), ("minimum", "at least")):
        if name in cost:
            words += f", {what} {plain(Decimal(str(cost[name])))}"
    return f"{words}, estimated beforehand" if cost.get("estimated") else words


def _is_free(model: dict[str, Any]) -> bool:
    return all(Decimal(str(cost["amount"])) == 0 for cost in model["cost"])


def _unit(cost: dict[str, Any]) -> str:
    per, unit = plain(Decimal(str(cost["per"]))), str(cost["unit"])
    of_input = " of the input" if cost.get("seconds_of") == "input" else ""
    if "token" in cost:
        unit = f"{cost['token'].replace('_', ' ')} token"
    if unit == "second" and per in ("3600", "60"):
        return f"{_LARGE[per]}{of_input}"
    if per == "1":
        return f"{unit}{of_input}"
    if per == "1000000":
        return f"million {unit}s{of_input}"
    return (
        f"{Decimal(per):,.4g} {unit}s{of_input}"
        if "." in per
        else f"{int(per):,} {unit}s{of_input}"
    )


def _sold_as(cost: Mapping[str, Any]) -> str:
    """Return the name of a row that is sold under a name of its own (rule 32)."""
    return f" of {cost['title']} ({cost['sku']})" if "sku" in cost else ""


def _when(conditions: list[Mapping[str, Any]]) -> str:
    """Return the conditions under which a price holds; it holds under any of them."""
    if not all(conditions):
        return ""
    names = {name for condition in conditions for name in condition}
    if len(names) == 1:
        (name,) = names
        values = [_listed(condition[name]) for condition in conditions]
        return f" when {name} is {' or '.join(values)}"
    return " when " + " or ".join(
        " and ".join(f"{name} is {_listed(value)}" for name, value in condition.items())
        for condition in conditions
    )


def _values(rule: dict[str, Any]) -> str:
    """Return what a parameter may be, in words."""
    if "anyOf" in rule:
        return "; ".join(_values(item) for item in rule["anyOf"])
    words = _range(rule)
    if "enum" in rule:
        words = _listed(rule["enum"])
    elif "const" in rule:
        words = str(rule["const"])
    if rule.get("x-aliases"):
        words += f" (or {_listed(list(rule['x-aliases']))})"
    if rule.get("x-note"):
        words += f"; {rule['x-note']}"
    operations = rule.get("x-operations")
    return f"{words} [{', '.join(operations)}]" if operations else words


def _range(rule: dict[str, Any]) -> str:
    if "x-size" in rule:
        return _size_words(rule["x-size"])
    low, high = rule.get("minimum"), rule.get("maximum")
    words = {
        "array": "a list, as JSON",
        "integer": "whole number",
        "boolean": "true, false",
        "string": "text",
    }.get(str(rule.get("type")), str(rule.get("type", "anything")))
    if low is not None or high is not None:
        words += f" {'' if low is None else low}..{'' if high is None else high}"
    if rule.get("maxLength"):
        words += f" of at most {rule['maxLength']:,} characters"
    unit = rule.get("x-unit")
    return f"{words} {unit}" if unit else words


def _size_words(size: dict[str, Any]) -> str:
    words = f"WxH, sides {size.get('min_side', 1)}..{size.get('max_side', '')}"
    if size.get("multiple_of", 1) > 1:
        words += f" in steps of {size['multiple_of']}"
    if size.get("max_pixels"):
        words += f", at most {size['max_pixels'] / 1e6:.3g} megapixels"
    return words


def _default(rule: dict[str, Any]) -> str:
    if "anyOf" in rule:
        defaults = dict.fromkeys(_default(item) for item in rule["anyOf"])
        return ", ".join(filter(None, defaults))
    default = rule.get("default")
    if isinstance(default, bool):
        return "true" if default else "false"
    return "" if default is None else str(default)


def _listed(value: Any) -> str:
    if isinstance(value, list):
        items: list[Any] = list(value)  # pyright: ignore[reportUnknownArgumentType] - JSON
        shown = ", ".join(str(item) for item in items[:_ENOUGH_VALUES])
        more = len(items) - _ENOUGH_VALUES
        return f"{shown} and {more} more (--json lists all)" if more > 0 else shown
    return str(value).lower() if isinstance(value, bool) else str(value)


def _how_many(slot: dict[str, Any]) -> str:
    low, high = slot.get("minimum", 0), slot.get("maximum")
    return str(low) if low == high else f"{low}..{'' if high is None else high}"


def _files(slot: dict[str, Any]) -> str:
    formats = slot.get("formats")
    parts = [", ".join(formats) if formats else f"any {slot['media_type']}"]
    if slot.get("max_bytes"):
        parts.append(f"at most {slot['max_bytes'] / 1e6:g} MB")
    low, high = slot.get("min_seconds"), slot.get("max_seconds")
    if low is not None or high is not None:
        parts.append(
            f"{'' if low is None else f'{low:g}'}..{'' if high is None else f'{high:g}'} s"
        )
    return ", ".join(parts)


def _prompt_words(longest: int | None) -> str:
    return "" if longest is None else f"at most {longest:,} characters"


def _route_words(route: dict[str, Any], model: dict[str, Any]) -> str:
    manner = "answers at once" if route["synchronous"] else "queued"
    words = f"{route['provider']} as {route['upstream_id']} ({manner})"
    if len(route["generation_types"]) < len(model["generation_types"]):
        words += f" for {', '.join(route['generation_types'])}"
    if route["ends_on"]:
        words += f", until {route['ends_on']}"
    if route["note"]:
        words += f", {route['note']}"
    if not route["live"]:
        return f"{words}, no longer"
    return words if route["available"] else f"{words}, not yet"


def _life_words(life: dict[str, Any]) -> str:
    if life["status"] == "live" and not life["ends_on"]:
        return ""
    parts = [life["status"]]
    if life["ends_on"]:
        parts.append(f"ends on {life['ends_on']}")
    if life["successor"]:
        served = ", which serves requests for it" if life["substitute"] else ""
        parts.append(f"use {life['successor']}{served}")
    if life["note"]:
        parts.append(life["note"])
    return ", ".join(parts)
