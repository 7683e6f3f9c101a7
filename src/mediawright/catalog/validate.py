"""Checks the data itself: that every name leads somewhere and no row contradicts itself."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Mapping

from mediawright.catalog.model import Family, Model, ModelStatus, ParameterRule, Route, Scalar
from mediawright.catalog.parameter_values import BOOLEANS, INTEGERS, NUMBERS
from mediawright.catalog.parameters import PARAMETERS
from mediawright.catalog.price_rows import PriceRow, PriceUnit
from mediawright.catalog.routes import HINTS_ONLY
from mediawright.catalog.rules import REQUIRED_OPTIONS, RULES
from mediawright.catalog.translate import PIXEL_PARAMETERS, carried_parameters
from mediawright.catalog.values import read_size

_KNOWN = frozenset(PARAMETERS)
_MAPPABLE = _KNOWN | frozenset(PIXEL_PARAMETERS)
_CONDITIONS = _KNOWN | {"operation", "provider", "megapixels", "inputs"}


def find_faults(
    models: Mapping[str, Model], families: Mapping[str, Family], places: Mapping[str, str]
) -> list[str]:
    """Return everything that is wrong with the rows, each with its place.

    Args:
        models: By id.
        families: By label.
        places: Model id -> file and position, for the messages.
    """
    faults: list[str] = list(_name_faults(models, families, places))
    for model in models.values():
        place = places[model.id]
        faults += [f"{place}: {fault}" for fault in _model_faults(model, models)]
    return faults


def _name_faults(
    models: Mapping[str, Model], families: Mapping[str, Family], places: Mapping[str, str]
) -> Iterator[str]:
    taken = {model_id: f"model {model_id}" for model_id in models}
    for label, family in families.items():
        if label in taken:
            yield f"family {label}: there is a model of that name"
        taken[label] = f"family {label}"
        for variant in family.variants:
            if variant not in models:
                yield f"family {label}: there is no model {variant}"
    for model in models.values():
        for alias in (*model.aliases, *model.presets):
            if alias in taken:
                yield f"{places[model.id]}: the name {alias} already means {taken[alias]}"
            taken[alias] = f"model {model.id}"


def _model_faults(model: Model, models: Mapping[str, Model]) -> Iterator[str]:
    yield from _parameter_faults(model)
    yield from _rule_faults(model)
    yield from _dimension_faults(model)
    yield from _price_faults("/prices", model.prices)
    for index, route in enumerate(model.routes):
        yield from (f"/routes/{index}{fault}" for fault in _route_faults(model, route))
    yield from _reference_faults(model, models)
    if model.lifecycle.status is not ModelStatus.ENDED:
        served = {name for route in model.routes for name in model.route_operations(route)}
        for operation in model.operations:
            if operation not in served:
                yield f"/operations/{operation.value}: no route serves it"


def _reference_faults(model: Model, models: Mapping[str, Model]) -> Iterator[str]:
    """Yield what refers to models or parameters that are not there."""
    successor = model.lifecycle.successor
    if successor is not None and successor not in models:
        yield f"/lifecycle/successor: there is no model {successor}"
    for operation, rule in model.operations.items():
        named = {other for slot in rule.inputs for other in slot.instead}
        for other in sorted(named - set(models)):
            yield f"/operations/{operation.value}/inputs: there is no model {other}"
    for name, values in model.lifecycle.maps.items():
        yield from _unknown_names("/lifecycle/maps", [name])
        for wanted in values.values():
            yield from _unknown_names(f"/lifecycle/maps/{name}", wanted)
    for name, siblings in model.switches.items():
        yield from _unknown_names("/switches", [name])
        for sibling in siblings.values():
            if sibling not in models:
                yield f"/switches/{name}: there is no model {sibling}"


def _parameter_faults(model: Model) -> Iterator[str]:
    for preset, values in model.presets.items():
        yield from _unknown_names(f"/presets/{preset}", values)
    yield from _unknown_names("/ignored", model.ignored)
    tables = [("/parameters", model.parameters)]
    tables += [
        (f"/operations/{name.value}/parameters", rule.parameters)
        for name, rule in model.operations.items()
    ]
    for place, rules in tables:
        yield from _unknown_names(place, rules)
        for name, rule in rules.items():
            yield from (f"{place}/{name}: {fault}" for fault in _value_faults(name, rule))


def _value_faults(name: str, rule: ParameterRule) -> Iterator[str]:
    if rule.pattern is not None:
        try:
            re.compile(rule.pattern)
        except re.error as error:
            yield f"the pattern is wrong: {error}"
    for value in (rule.default, rule.fixed):
        if value is not None:
            yield from _default_faults(name, value, rule)
    for meaning in rule.aliases.values():
        if rule.values and meaning not in rule.values:
            yield f"an alias means {meaning!r}, which is not among the values"
    low, high = rule.minimum, rule.maximum
    if low is not None and high is not None and low > high:
        yield "the minimum is above the maximum"


def _default_faults(name: str, value: Scalar, rule: ParameterRule) -> Iterator[str]:
    listed = not rule.values or value in rule.values or rule.any_ratio or rule.size
    if not listed and rule.pattern is None:
        yield f"{value!r} is not among the values"
    if not isinstance(value, _type_of(name)):
        yield f"{value!r} is of the wrong type"
    elif name in NUMBERS | INTEGERS and not _in_range(float(value), rule):
        yield f"{value!r} is out of the range"


def _in_range(value: float, rule: ParameterRule) -> bool:
    least = -math.inf if rule.minimum is None else rule.minimum
    return least <= value <= (math.inf if rule.maximum is None else rule.maximum)


def _type_of(name: str) -> type | tuple[type, ...]:
    if name in BOOLEANS:
        return bool
    if name in INTEGERS:
        return int
    return (int, float) if name in NUMBERS else str


def _rule_faults(model: Model) -> Iterator[str]:
    for use in model.rules:
        if use.name not in RULES:
            yield f"/rules: there is no rule {use.name}"
        for option in REQUIRED_OPTIONS.get(use.name, ()):
            if option not in use.options:
                yield f"/rules: {use.name} needs the option {option}"


def _dimension_faults(model: Model) -> Iterator[str]:
    rule = model.dimensions
    if rule is None:
        return
    yield from _unknown_names("/dimensions/tier_parameter", [rule.tier_parameter])
    if rule.measure not in ("area", "short_side"):
        yield f"/dimensions/measure: {rule.measure!r} is neither area nor short_side"
    for tier, sizes in rule.table.items():
        for ratio, size in sizes.items():
            if read_size(size) is None:
                yield f"/dimensions/table/{tier}/{ratio}: {size!r} is not WIDTHxHEIGHT"


def _route_faults(model: Model, route: Route) -> Iterator[str]:
    operations = model.route_operations(route)
    for operation in operations:
        if operation not in model.operations:
            yield f"/operations: the model has no {operation.value}"
            return
    yield from _unknown_names("/fields", route.fields, _MAPPABLE)
    yield from _unknown_names("/limits", route.limits)
    yield from _unknown_names("/implied", route.implied)
    for table in route.tables:
        yield from _unknown_names("/tables", table.parameters, _MAPPABLE)
    roles = {slot.role for name in operations for slot in model.operations[name].inputs}
    for role in (
        *route.input_fields,
        *route.many_input_fields,
        *route.inputs_max,
        *route.input_limits,
    ):
        if role not in roles:
            yield f": the model takes no {role.value}"
    carried = carried_parameters(route) | HINTS_ONLY
    for operation in operations:
        for name in PARAMETERS:
            rule = model.parameter(name, operation)
            set_by_us = rule is not None and (rule.default is not None or rule.fixed is not None)
            if set_by_us and name not in carried:
                yield f"/fields: {name} is set in {operation.value} but not passed on or implied"
    yield from _price_faults("/prices", route.prices)


def _price_faults(place: str, rows: tuple[PriceRow, ...]) -> Iterator[str]:
    for index, row in enumerate(rows):
        if (row.unit is PriceUnit.TOKEN) is (row.token is None):
            yield f"{place}/{index}: rows by token, and only those, name the kind of token"
        for name in row.when:
            if name not in _CONDITIONS and not name.startswith("inputs."):
                yield f"{place}/{index}/when: {name} is not a parameter or fact"


def _unknown_names(
    place: str, names: Iterable[str], known: frozenset[str] = _KNOWN
) -> Iterator[str]:
    for name in names:
        if name not in known:
            yield f"{place}/{name}: there is no such parameter"
