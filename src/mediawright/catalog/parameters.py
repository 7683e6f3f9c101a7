"""Checks the parameters of a request against a model's rules and fills in defaults."""

from __future__ import annotations

import math
import re
from typing import Any

import msgspec

from mediawright.catalog.dimensions import SAME_RATIO, size_fault, tier_of
from mediawright.catalog.findings import Findings
from mediawright.catalog.model import Model, ParameterRule, Scalar
from mediawright.catalog.values import (
    is_text,
    number,
    read_ratio,
    read_seconds,
    read_size,
    reduced_ratio,
)
from mediawright.core.operations import EditMode, Operation
from mediawright.core.request import AdjustmentKind, Parameters

PARAMETERS = tuple(name for name in Parameters.__struct_fields__ if name != "vendor")
"""Every parameter that a model can honour, in the order in which they are checked."""

NUMBERS = frozenset({"duration", "strength", "guidance_scale", "speed"})
INTEGERS = frozenset({"seed", "count", "steps", "safety_tolerance"})
BOOLEANS = frozenset(
    {
        "sound",
        "instrumental",
        "enhance_prompt",
        "turbo",
        "raw",
        "disable_safety_checker",
    }
)

_FEATURES = frozenset({"edit_mode"})
"""Parameters that say what to do, not how: a model without them cannot take the request."""

_SAID_BY_SIZE = ("aspect_ratio", "resolution")
"""Parameters that an explicit size takes the place of (rule 80)."""

_CODES = {"count": "invalid_n"}
_EXACT_INTEGER = 2**53


def code_for(name: str) -> str:
    """Return the code of the error for a bad value of a parameter."""
    return _CODES.get(name, f"invalid_{name}")


def pointer_to(name: str) -> str:
    """Return the JSON pointer to a parameter."""
    return f"/parameters/{name}"


def given_values(parameters: Parameters, presets: dict[str, Scalar]) -> dict[str, Any]:
    """Return what the caller set, with what the model's name sets on top."""
    given = {name: value for name in PARAMETERS if (value := getattr(parameters, name)) is not None}
    given.update(presets)
    return given


def apply_parameters(
    model: Model, operation: Operation, given: dict[str, Any], findings: Findings
) -> dict[str, Any]:
    """Return the parameters to apply, and note every problem and adjustment.

    Args:
        model: The model.
        operation: The operation, one of the model's.
        given: The caller's values by parameter name.
        findings: Where to note what was found.
    """
    given = _settle_size(model, operation, given, findings)
    sized = "size" in given and model.parameter("size", operation) is not None
    applied: dict[str, Any] = {}
    for name in PARAMETERS:
        rule = model.parameter(name, operation)
        value = given.get(name)
        if rule is None:
            if value is not None:
                _ignore(model, operation, name, value, findings)
        elif rule.fixed is not None:
            applied[name] = _fixed(name, value, rule.fixed, findings)
        elif value is not None:
            checked = _check(name, value, rule, findings)
            if checked is not None:
                applied[name] = checked
        elif rule.required:
            findings.problem(
                code_for(name),
                f"{model.id} needs {name}.",
                pointer_to(name),
                hint=_allowed_hint(rule),
                allowed=list(rule.values),
            )
        elif rule.default is not None and not (sized and name in _SAID_BY_SIZE):
            applied[name] = _as_typed(name, rule.default)
            findings.defaulted(pointer_to(name), "default of the model", rule.default)
    _tier_from_size(model, operation, applied, findings)
    return applied


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
    if name in _FEATURES:
        findings.problem(
            "unsupported_by_model",
            f"{model.id} has no {name.replace('_', ' ')} in {operation.value}.",
            pointer_to(name),
            hint="Leave it out, or choose a model that has it.",
        )
        return
    reason = model.ignored.get(name) or f"{model.id} does not use it"
    findings.dropped(pointer_to(name), reason, _shown(value))


def _fixed(name: str, value: Any, fixed: Scalar, findings: Findings) -> Scalar:
    if value is None:
        findings.defaulted(pointer_to(name), "fixed by the model", fixed)
    elif value != fixed:
        findings.adjust(
            AdjustmentKind.DROPPED,
            pointer_to(name),
            "fixed by the model",
            requested=_shown(value),
            applied=fixed,
        )
    return _as_typed(name, fixed)


def _as_typed(name: str, value: Scalar) -> Scalar:
    return float(value) if name in NUMBERS else value


def _check(name: str, value: Any, rule: ParameterRule, findings: Findings) -> Any:
    if name in BOOLEANS:
        return _check_boolean(name, value, rule, findings)
    if name in NUMBERS or name in INTEGERS:
        return _check_number(name, value, rule, findings)
    if isinstance(value, EditMode):
        value = value.value
    checked = _check_text(name, value, rule, findings)
    return EditMode(checked) if name == "edit_mode" and checked is not None else checked


def _check_boolean(name: str, value: Any, rule: ParameterRule, findings: Findings) -> bool | None:
    if isinstance(value, bool):
        return value
    _refuse(name, value, rule, findings, "must be true or false")
    return None


def _check_number(
    name: str, value: Any, rule: ParameterRule, findings: Findings
) -> float | int | None:
    amount = read_seconds(value) if name == "duration" else number(value)
    if amount is None:
        _refuse(name, value, rule, findings, "must be a number")
        return None
    whole = rule.whole or name in INTEGERS
    if whole and not amount.is_integer():
        _refuse(name, value, rule, findings, "must be a whole number")
        return None
    if rule.values and amount not in rule.values:
        _refuse(name, value, rule, findings, "is not one of the allowed values")
        return None
    amount = _within(name, value, amount, rule, findings)
    if amount is None:
        return None
    if name in INTEGERS:
        return value if isinstance(value, int) and abs(value) > _EXACT_INTEGER else int(amount)
    return amount


def _within(
    name: str, value: Any, amount: float, rule: ParameterRule, findings: Findings
) -> float | None:
    low, high = rule.minimum, rule.maximum
    if (low is None or amount >= low) and (high is None or amount <= high):
        return amount
    if not rule.clamp:
        _refuse(name, value, rule, findings, "is out of range")
        return None
    moved = low if low is not None and amount < low else high
    assert moved is not None  # noqa: S101 - one of the two bounds was crossed
    findings.adjust(
        AdjustmentKind.CLAMPED,
        pointer_to(name),
        "moved into the range of the model",
        requested=_shown(value),
        applied=moved,
    )
    return moved


def _check_text(name: str, value: Any, rule: ParameterRule, findings: Findings) -> Any:
    if not is_text(value):
        _refuse(name, value, rule, findings, "must be text")
        return None
    if rule.max_length is not None:
        if len(value) <= rule.max_length:
            return value
        _refuse(name, value, rule, findings, f"may have {rule.max_length} characters at most")
        return None
    known = _known_value(value, rule)
    if known is not None:
        if known != value:
            findings.replaced(pointer_to(name), "another word for it", value, known)
        return known
    accepted, fault = _open_value(name, value, rule)
    if accepted is not None:
        return accepted
    _refuse(name, value, rule, findings, fault)
    return None


def _known_value(value: str, rule: ParameterRule) -> Scalar | None:
    if value in rule.values:
        return value
    if value in rule.aliases:
        return rule.aliases[value]
    lowered = value.strip().lower()
    for allowed in rule.values:
        if isinstance(allowed, str) and allowed.lower() == lowered:
            return allowed
    for alias, meaning in rule.aliases.items():
        if alias.lower() == lowered:
            return meaning
    return None


def _open_value(name: str, value: str, rule: ParameterRule) -> tuple[str | None, str]:
    """Return a value that the rule admits without listing it, or what is wrong with it."""
    if rule.size is not None:
        pixels = read_size(value)
        if pixels is None:
            return None, "must be written as WIDTHxHEIGHT"
        fault = size_fault(rule.size, *pixels)
        return (f"{pixels[0]}x{pixels[1]}", "") if fault is None else (None, f"is refused: {fault}")
    if rule.any_ratio:
        ratio = read_ratio(value)
        if ratio is None:
            return None, "must be written as W:H"
        low, high = rule.minimum or 0.0, rule.maximum or float("inf")
        return (value, "") if low <= ratio <= high else (None, "is too narrow or too wide")
    if rule.pattern is not None:
        if re.fullmatch(rule.pattern, value):
            return value, ""
        return None, "is not known"
    if rule.values:
        return None, "is not one of the allowed values"
    return value, ""


def _refuse(name: str, value: Any, rule: ParameterRule, findings: Findings, fault: str) -> None:
    details: dict[str, Any] = {"given": _shown(value)}
    if rule.values:
        details["allowed"] = list(rule.values)
    if rule.minimum is not None:
        details["minimum"] = rule.minimum
    if rule.maximum is not None:
        details["maximum"] = rule.maximum
    if rule.size is not None:
        details["size"] = msgspec.to_builtins(rule.size)
    findings.problem(
        code_for(name),
        f"{name} {_shown(value)!r} {fault}.",
        pointer_to(name),
        hint=_allowed_hint(rule),
        **details,
    )


def _allowed_hint(rule: ParameterRule) -> str | None:
    if rule.values:
        listed = ", ".join(str(value) for value in rule.values[:24])
        return f"Use one of {listed}." if len(rule.values) > 1 else f"Use {listed}."
    if rule.minimum is not None and rule.maximum is not None:
        kind = "a whole number" if rule.whole else "a number"
        return f"Use {kind} from {rule.minimum:g} to {rule.maximum:g}."
    return rule.note or None


def _shown(value: Any) -> Any:
    """Return a value short and plain enough to be sent back."""
    if isinstance(value, bool) or (isinstance(value, float) and math.isfinite(value)):
        return value
    if isinstance(value, int):
        return value if abs(value) <= _EXACT_INTEGER else "a very large number"
    text = str(value).encode(errors="replace").decode()
    return text if len(text) <= 80 else text[:77] + "..."  # noqa: PLR2004 - a short quotation
