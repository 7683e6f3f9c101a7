"""Broken rules in the vendor's words: the issues that a 400 lists."""

from __future__ import annotations

import json
from typing import Any

from mediawright.sandbox.kit.fields import Fault, Violation, json_type

_UNITS = {"string": "characters", "array": "items"}


def issue(violation: Violation) -> dict[str, Any]:
    """Return one entry of a validation error's `issues`."""
    details = _BY_FAULT[violation.fault](violation)
    path = violation.path
    if violation.fault is Fault.UNKNOWN_FIELD:
        path = path[:-1]
    return {**details, "path": list(path)}


def unknown_model() -> dict[str, Any]:
    """Return the entry for a `model` that the operation does not know, or for none."""
    return {
        "code": "invalid_union",
        "errors": [],
        "note": "No matching discriminator",
        "discriminator": "model",
        "path": ["model"],
        "message": "Invalid input",
    }


def _type_name(name: str) -> str:
    return "number" if name == "integer" else name


def _missing(violation: Violation) -> dict[str, Any]:
    expected = _type_name(violation.expected)
    return {
        "expected": expected,
        "code": "invalid_type",
        "message": f"Invalid input: expected {expected}, received undefined",
    }


def _wrong_type(violation: Violation) -> dict[str, Any]:
    received = _type_name(json_type(violation.value))
    expected = violation.expected
    if expected == "integer":
        expected = "int" if received == "number" else "number"
    return {
        "expected": expected,
        "code": "invalid_type",
        "message": f"Invalid input: expected {expected}, received {received}",
    }


def _not_a_choice(violation: Violation) -> dict[str, Any]:
    words = "|".join(json.dumps(choice) for choice in violation.choices)
    single = len(violation.choices) == 1
    message = (
        f"Invalid input: expected {words}" if single else f"Invalid option: expected one of {words}"
    )
    return {"code": "invalid_value", "values": list(violation.choices), "message": message}


def _too_little(violation: Violation) -> dict[str, Any]:
    return {
        "origin": _type_name(violation.expected),
        "code": "too_small",
        "minimum": violation.limit,
        "inclusive": True,
        "message": f"Too small: expected {_extent(violation, '>=')}",
    }


def _too_much(violation: Violation) -> dict[str, Any]:
    return {
        "origin": _type_name(violation.expected),
        "code": "too_big",
        "maximum": violation.limit,
        "inclusive": True,
        "message": f"Too big: expected {_extent(violation, '<=')}",
    }


def _extent(violation: Violation, sign: str) -> str:
    kind = _type_name(violation.expected)
    if kind in _UNITS:
        return f"{kind} to have {sign}{violation.limit} {_UNITS[kind]}"
    return f"{kind} to be {sign}{violation.limit}"


def _pattern(violation: Violation) -> dict[str, Any]:
    del violation
    return {
        "origin": "string",
        "code": "invalid_format",
        "format": "regex",
        "message": "Invalid string: must match pattern",
    }


def _unknown_field(violation: Violation) -> dict[str, Any]:
    name = violation.path[-1]
    return {
        "code": "unrecognized_keys",
        "keys": [name],
        "message": f"Unrecognized key: {json.dumps(name)}",
    }


def _rule(violation: Violation) -> dict[str, Any]:
    return {"code": "custom", "message": violation.message}


_BY_FAULT = {
    Fault.MISSING: _missing,
    Fault.WRONG_TYPE: _wrong_type,
    Fault.NOT_A_CHOICE: _not_a_choice,
    Fault.TOO_SMALL: _too_little,
    Fault.TOO_SHORT: _too_little,
    Fault.TOO_LARGE: _too_much,
    Fault.TOO_LONG: _too_much,
    Fault.PATTERN: _pattern,
    Fault.UNKNOWN_FIELD: _unknown_field,
    Fault.RULE: _rule,
}
