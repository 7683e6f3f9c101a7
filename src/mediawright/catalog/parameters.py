"""Checks the parameters of a request against a model's rules and fills in defaults."""

from __future__ import annotations

from typing import Any

from mediawright.catalog.dimensions import SAME_RATIO, tier_of
from mediawright.catalog.findings import Findings
from mediawright.catalog.model import Model, ParameterRule, Scalar
from mediawright.catalog.parameter_values import (
    NUMBERS,
    allowed_hint,
    check_value,
    code_for,
    pointer_to,
    shown,
)
from mediawright.catalog.shots import set_duration
from mediawright.catalog.values import read_ratio, read_size, reduced_ratio
from mediawright.core.operations import Operation
from mediawright.core.request import AdjustmentKind, Parameters

PARAMETERS = tuple(name for name in Parameters.__struct_fields__ if name != "vendor")
"""Every parameter that a model can honour, in the order in which they are checked."""

_FEATURES = frozenset({"edit_mode", "kling_elements", "shots"})
"""Parameters that say what to do, not how: a model without them cannot take the request."""

_SAID_BY_SIZE = ("aspect_ratio", "resolution")
"""Parameters that an explicit size takes the place of (rule 80)."""


def given_values(
    parameters: Parameters, presets: dict[str, Scalar], findings: Findings | None = None
) -> dict[str, Any]:
    """Return what the caller set, with what the model's name sets on top (rule 32).

    Args:
        parameters: The caller's.
        presets: What the name sets.
        findings: Where to note what the name sets, if it is to be noted.
    """
    given = {name: value for name in PARAMETERS if (value := getattr(parameters, name)) is not None}
    for name, value in presets.items():
        if findings is not None and given.get(name) != value:
            asked = shown(given[name]) if name in given else None
            findings.replaced(pointer_to(name), "the name of the model sets it", asked, value)
    given.update(presets)
    return given


def apply_parameters(
    model: Model,
    operation: Operation,
    given: dict[str, Any],
    findings: Findings,
    *,
    has_inputs: bool = False,
) -> dict[str, Any]:
    """Return the parameters to apply, and note every problem and adjustment (rules 22, 26, 40).

    Args:
        model: The model.
        operation: The operation, one of the model's.
        given: The caller's values by parameter name.
        findings: Where to note what was found.
        has_inputs: Whether the request has source files.
    """
    given = _settle_size(model, operation, given, findings)
    sized = "size" in given and model.parameter("size", operation) is not None
    applied: dict[str, Any] = {}
    known = model.parameters.keys() | model.operations[operation].parameters.keys() | given.keys()
    for name in PARAMETERS:
        # Most are neither given nor known to the model.
        if name not in known:
            continue
        rule = model.parameter(name, operation)
        value = given.get(name)
        if rule is None or (rule.without_inputs and has_inputs):
            if value is not None:
                _ignore(model, operation, name, value, findings)
        elif rule.fixed is not None:
            applied[name] = _fixed(name, value, rule.fixed, findings)
        elif value is not None:
            checked = check_value(name, value, rule, findings)
            if checked is not None:
                applied[name] = checked
        elif rule.required:
            findings.problem(
                code_for(name),
                f"{model.id} needs {name}.",
                pointer_to(name),
                hint=allowed_hint(rule),
                allowed=list(rule.values),
            )
        elif rule.default is not None and not (sized and name in _SAID_BY_SIZE):
            applied[name] = _as_typed(name, rule.default)
            findings.defaulted(pointer_to(name), "default of the model", rule.default)
    _tier_from_size(model, operation, applied, findings)
    _drop_excluded(model, operation, applied, findings)
    set_duration(applied, findings)
    return applied


def _drop_excluded(
    model: Model, operation: Operation, applied: dict[str, Any], findings: Findings
) -> None:
    """Leave out what another parameter makes pointless, such as words without singing."""
    for name in list(applied):
        rule = model.parameter(name, operation)
        if rule is None or not rule.unless:
            continue
        for other, excluding in rule.unless.items():
            if applied.get(other) == excluding:
                dropped = applied.pop(name)
                reason = f"{other} is {str(excluding).lower()}"
                findings.dropped(pointer_to(name), reason, shown(dropped))
                break


def _settle_size(
    model: Model, operation: Operation, given: dict[str, Any], findings: Findings
) -> dict[str, Any]:
    """Keep one of size and aspect ratio (rule 80), in the form the model knows."""
    given = _auto_size(model, operation, given, findings)
    size, ratio = given.get("size"), given.get("aspect_ratio")
    takes_size = model.parameter("size", operation) is not None
    ratio_rule = model.parameter("aspect_ratio", operation)
    given = dict(given)
    if size is not None and takes_size:
        for name in _SAID_BY_SIZE:
            dropped = given.pop(name, None)
            if dropped is None or (name == "resolution" and _agrees(model, size, dropped)):
                continue
            findings.dropped(pointer_to(name), "the size says it already", dropped)
    elif isinstance(size, str) and ratio is None and ratio_rule is not None:
        _size_to_ratio(size, ratio_rule, given, findings)
    elif isinstance(ratio, str) and size is None and takes_size and ratio_rule is None:
        size_rule = model.parameter("size", operation)
        assert size_rule is not None  # noqa: S101 - takes_size says so
        _ratio_to_size(ratio, size_rule, given, findings)
    return given


def _auto_size(
    model: Model, operation: Operation, given: dict[str, Any], findings: Findings
) -> dict[str, Any]:
    """Read a size of `auto` as the aspect ratio of that name, where the model has it."""
    rule = model.parameter("aspect_ratio", operation)
    if given.get("size") != "auto" or rule is None or "auto" not in rule.values:
        return given
    findings.replaced(pointer_to("size"), "the model takes it as an aspect ratio", "auto", "auto")
    moved = {name: value for name, value in given.items() if name != "size"}
    return {"aspect_ratio": "auto", **moved}


def _agrees(model: Model, size: Any, resolution: Any) -> bool:
    pixels = read_size(size) if isinstance(size, str) else None
    return pixels is not None and tier_of(model.dimensions, *pixels) == resolution


def _size_to_ratio(
    size: str, rule: ParameterRule, given: dict[str, Any], findings: Findings
) -> None:
    pixels = read_size(size)
    if pixels is None or rule.fixed is not None:
        return
    ratio = reduced_ratio(*pixels)
    if ratio in rule.values or rule.any_ratio:
        del given["size"]
        given["aspect_ratio"] = ratio
        findings.replaced(
            pointer_to("size"), "the model takes an aspect ratio in place of a size", size, ratio
        )


def _ratio_to_size(
    ratio: str, rule: ParameterRule, given: dict[str, Any], findings: Findings
) -> None:
    wanted = read_ratio(ratio)
    if wanted is None:
        return
    for value in rule.values:
        pixels = read_size(str(value))
        if pixels and abs(pixels[0] / pixels[1] / wanted - 1) <= SAME_RATIO:
            del given["aspect_ratio"]
            given["size"] = value
            findings.replaced(
                pointer_to("aspect_ratio"),
                "the model takes a size in place of an aspect ratio",
                ratio,
                value,
            )
            return


def _tier_from_size(
    model: Model, operation: Operation, applied: dict[str, Any], findings: Findings
) -> None:
    size = applied.get("size")
    if size is None or model.parameter("resolution", operation) is None:
        return
    pixels = read_size(size)
    tier = tier_of(model.dimensions, *pixels) if pixels else None
    if tier is not None and applied.get("resolution") != tier:
        applied["resolution"] = tier
        findings.defaulted(pointer_to("resolution"), "the tier the size belongs to", tier)


def _ignore(model: Model, operation: Operation, name: str, value: Any, findings: Findings) -> None:
    """Leave out what the model does not use, and report it (rules 23, 27, 31 and 57)."""
    if name in _FEATURES:
        findings.problem(
            "unsupported_by_model",
            f"{model.id} has no {name.replace('_', ' ')} in {operation.value}.",
            pointer_to(name),
            hint="Leave it out, or choose a model that has it.",
        )
        return
    reason = model.ignored.get(name) or f"{model.id} does not use it"
    if model.parameter(name, operation) is not None:
        reason = "only for requests without source files"
    findings.dropped(pointer_to(name), reason, shown(value))


def _fixed(name: str, value: Any, fixed: Scalar, findings: Findings) -> Scalar:
    """Return the only value there is, and report another one that was asked for (rule 28)."""
    if value is None:
        findings.defaulted(pointer_to(name), "fixed by the model", fixed)
    elif value != fixed:
        findings.adjust(
            AdjustmentKind.DROPPED,
            pointer_to(name),
            "fixed by the model",
            requested=shown(value),
            applied=fixed,
        )
    return _as_typed(name, fixed)


def _as_typed(name: str, value: Scalar) -> Scalar:
    return float(value) if name in NUMBERS else value
