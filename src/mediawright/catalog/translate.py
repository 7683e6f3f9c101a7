"""Writes applied parameters in a provider's own names and values."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from typing import Any, cast

import msgspec

from mediawright.catalog.applied import Applied
from mediawright.catalog.model import FieldRule, Route
from mediawright.core.provider import INPUT_FIELDS

PIXEL_PARAMETERS = ("width", "height", "dimensions")
"""Worked out by us, and mapped like parameters: pixels, and `WIDTHxHEIGHT`."""

_PROMPT_FIELDS = frozenset(
    {"prompt", "promptText", "input", "text", "model", "model_id", "file", INPUT_FIELDS}
)
"""Fields that adapters write themselves: what is asked, and of which model."""


_UNCHANGING = (str, int, float)


def translate(
    route: Route, applied: Applied, vendor_settings: dict[str, Any] | None = None
) -> dict[str, Any]:
    """Return the provider's fields for a request.

    Under the reserved key `INPUT_FIELDS` they also say which field takes which inputs,
    where the route names one.

    Args:
        route: The route whose names are used.
        applied: What was asked, checked and with defaults filled in.
        vendor_settings: The caller's own settings for this provider, put in untouched.
    """
    values = _values_of(applied)
    fields: dict[str, Any] = {}
    for path, constant in route.constants.items():
        _put(fields, path, constant)
    for parameter, target in route.fields.items():
        value = values.get(parameter)
        if value is None:
            continue
        if isinstance(target, str):
            _put(fields, target, _plain(value))
        else:
            _put_by_rule(fields, target, value)
    for table in route.tables:
        key = " ".join(as_text(values.get(name)) for name in table.parameters)
        if key in table.values:
            _put(fields, table.field, table.values[key])
    _merge(fields, vendor_settings or {})
    named = {
        role.value: field
        for role, field in route.input_fields.items()
        if applied.inputs.get(role.value)
    } | {
        role.value: field
        for role, field in route.many_input_fields.items()
        if applied.inputs.get(role.value, 0) > 1
    }
    if named:
        fields[INPUT_FIELDS] = named
    return fields


def setting_conflicts(route: Route, settings: Mapping[str, Any]) -> list[str]:
    """Return the caller's vendor settings (dotted paths) that the route writes itself."""
    written = _written_paths(route)
    return [
        path
        for path in _leaf_paths(settings)
        if any(
            path == own or path.startswith(f"{own}.") or own.startswith(f"{path}.")
            for own in written
        )
    ]


def carried_parameters(route: Route) -> frozenset[str]:
    """Return the parameters that the route passes on in some way."""
    carried = set(route.fields) | set(route.implied)
    for table in route.tables:
        carried.update(table.parameters)
    if carried & {"width", "height", "dimensions"}:
        carried |= {"size", "aspect_ratio", "resolution"}
    return frozenset(carried)


def as_text(value: Any) -> str:
    """Write a value as the data files do in keys: `true`, `5`, `2.5`, `16:9`."""
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(_plain(value))


def _values_of(applied: Applied) -> dict[str, Any]:
    values = dict(applied.values)
    if applied.width is not None and applied.height is not None:
        values["width"] = applied.width
        values["height"] = applied.height
        values["dimensions"] = f"{applied.width}x{applied.height}"
    return values


def _put_by_rule(fields: dict[str, Any], rule: FieldRule, value: Any) -> None:
    if value in rule.omit:
        return
    text = as_text(value)
    if text in rule.values:
        _put(fields, rule.field, rule.values[text])
        return
    if rule.scale is not None:
        value *= rule.scale
    if rule.whole:
        value = round(value)
    if rule.format is not None:
        value = rule.format.replace("{value}", as_text(value))
    _put(fields, rule.field, _plain(value))


def _plain(value: Any) -> Any:
    """Write a whole float without its fraction, as providers expect `5`, not `5.0`.

    Lists of tables become plain JSON.
    """
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, tuple):
        return msgspec.json.decode(msgspec.json.encode(value))
    return value


def _written_paths(route: Route) -> set[str]:
    if route.free_settings:
        return {*route.reserved, *_PROMPT_FIELDS}
    paths = {
        target if isinstance(target, str) else target.field for target in route.fields.values()
    }
    paths.update(table.field for table in route.tables)
    paths.update(route.constants)
    paths.update(field.removesuffix("[]") for field in route.input_fields.values())
    paths.update(route.reserved)
    paths.update(_PROMPT_FIELDS)
    return paths


def _leaf_paths(settings: Mapping[str, Any], prefix: str = "") -> Iterator[str]:
    for key, value in settings.items():
        path = f"{prefix}{key}"
        if isinstance(value, dict) and value:
            yield from _leaf_paths(cast("dict[str, Any]", value), f"{path}.")
        else:
            yield path


def _merge(fields: dict[str, Any], settings: Mapping[str, Any]) -> None:
    for key, value in settings.items():
        inner = fields.get(key)
        if isinstance(inner, dict) and isinstance(value, dict):
            _merge(cast("dict[str, Any]", inner), cast("dict[str, Any]", value))
        else:
            fields[key] = copy.deepcopy(value)


def _put(fields: dict[str, Any], path: str, value: Any) -> None:
    # The catalogue's own lists and tables must not be reachable through the result.
    own = value if isinstance(value, _UNCHANGING) else copy.deepcopy(value)
    *parents, last = path.split(".")
    place = fields
    for parent in parents:
        inner = place.get(parent)
        place[parent] = cast("dict[str, Any]", inner) if isinstance(inner, dict) else {}
        place = cast("dict[str, Any]", place[parent])
    place[last] = own
