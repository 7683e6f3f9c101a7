"""Checks one value of a parameter against its rule."""

from __future__ import annotations

import math
import re
from typing import Any

import msgspec

from mediawright.catalog.dimensions import size_fault
from mediawright.catalog.elements import read_elements
from mediawright.catalog.findings import Findings
from mediawright.catalog.model import ParameterRule, Scalar
from mediawright.catalog.shots import read_shots
from mediawright.catalog.values import (
    is_text,
    number,
    read_loras,
    read_ratio,
    read_seconds,
    read_size,
)
from mediawright.core.operations import EditMode
from mediawright.core.request import AdjustmentKind

NUMBERS = frozenset({"duration", "strength", "guidance_scale", "speed"})
INTEGERS = frozenset({"seed", "count", "steps", "safety_tolerance", "sample_rate", "bit_rate"})
BOOLEANS = frozenset(
    {
        "sound",
        "instrumental",
        "enhance_prompt",
        "turbo",
        "raw",
        "disable_safety_checker",
        "watermark",
        "return_last_frame",
        "web_search",
        "camera_fixed",
        "loop",
        "lyrics_optimizer",
        "punctuate",
        "smart_format",
        "diarize",
        "utterances",
    }
)
LISTS = frozenset({"loras", "kling_elements", "shots"})
"""Parameters that are lists of tables."""

_CODES = {"count": "invalid_n", "kling_elements": "invalid_elements"}
_READERS = {"kling_elements": read_elements, "shots": read_shots}
_EXACT_INTEGER = 2**53


def code_for(name: str) -> str:
    """Return the code of the error for a bad value of a parameter."""
    return _CODES.get(name, f"invalid_{name}")


def pointer_to(name: str) -> str:
    """Return the JSON pointer to a parameter."""
    return f"/parameters/{name}"


def check_value(name: str, value: Any, rule: ParameterRule, findings: Findings) -> Any:
    """Return the value to apply, or `None` if it is refused (rules 20, 22, 25, 28, 54-56).

    Args:
        name: The parameter.
        value: What the caller gave for it.
        rule: What the model takes.
        findings: Where to note what was found.
    """
    if name in BOOLEANS:
        return _check_boolean(name, value, rule, findings)
    if name in _READERS:
        return _READERS[name](value, rule, findings) or None
    if name in LISTS:
        return _check_loras(name, value, rule, findings)
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


def _check_loras(
    name: str, value: Any, rule: ParameterRule, findings: Findings
) -> tuple[dict[str, Any], ...] | None:
    loras = read_loras(value)
    if loras is None:
        _refuse(name, value, rule, findings, "must be a list of tables with a path and a scale")
    elif rule.max_items is not None and len(loras) > rule.max_items:
        _refuse(name, value, rule, findings, f"may have {rule.max_items} entries at most")
    else:
        return loras
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
        requested=shown(value),
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
    details: dict[str, Any] = {"given": shown(value)}
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
        f"{name} {shown(value)!r} {fault}.",
        pointer_to(name),
        hint=allowed_hint(rule),
        **details,
    )


def allowed_hint(rule: ParameterRule) -> str | None:
    """Return what a parameter may be, as advice."""
    if rule.values:
        listed = ", ".join(str(value) for value in rule.values[:24])
        return f"Use one of {listed}." if len(rule.values) > 1 else f"Use {listed}."
    if rule.minimum is not None and rule.maximum is not None:
        kind = "a whole number" if rule.whole else "a number"
        return f"Use {kind} from {rule.minimum:g} to {rule.maximum:g}."
    return rule.note or None


def shown(value: Any) -> Any:
    """Return a value short and plain enough to be sent back."""
    if isinstance(value, bool) or (isinstance(value, float) and math.isfinite(value)):
        return value
    if isinstance(value, int):
        return value if abs(value) <= _EXACT_INTEGER else "a very large number"
    text = str(value).encode(errors="replace").decode()
    return text if len(text) <= 80 else text[:77] + "..."  # noqa: PLR2004 - a short quotation
