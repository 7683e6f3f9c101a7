"""The vendor's error bodies."""

from __future__ import annotations

import json
from typing import Any

from mediawright.sandbox.kit.fields import Fault, Violation, json_type

_PYDANTIC_TYPES = {
    "string": ("string_type", "Input should be a valid string"),
    "integer": ("int_type", "Input should be a valid integer"),
    "number": ("float_type", "Input should be a valid number"),
    "boolean": ("bool_type", "Input should be a valid boolean"),
    "array": ("list_type", "Input should be a valid list"),
    "object": ("model_attributes_type", "Input should be a valid dictionary or object"),
}


def validation_entry(violation: Violation, *, place: str = "body") -> dict[str, Any]:
    """Return one entry of a 422's `detail` list.

    Args:
        violation: What is wrong.
        place: Where the value was given: body, query or path.
    """
    kind, message = _words(violation)
    return {
        "type": kind,
        "loc": [place, *violation.path],
        "msg": message,
        "input": violation.value,
    }


def _words(violation: Violation) -> tuple[str, str]:
    limit = violation.limit
    items = violation.expected == "array"
    match violation.fault:
        case Fault.MISSING:
            return "missing", "Field required"
        case Fault.WRONG_TYPE:
            return _wrong_type(violation)
        case Fault.NOT_A_CHOICE:
            *others, last = (json.dumps(choice).replace('"', "'") for choice in violation.choices)
            words = f"{', '.join(others)} or {last}" if others else last
            return "enum", f"Input should be {words}"
        case Fault.TOO_SMALL:
            return "greater_than_equal", f"Input should be greater than or equal to {limit}"
        case Fault.TOO_LARGE:
            return "less_than_equal", f"Input should be less than or equal to {limit}"
        case Fault.TOO_SHORT if items:
            return "too_short", f"List should have at least {limit} item after validation"
        case Fault.TOO_LONG if items:
            return "too_long", f"List should have at most {limit} items after validation"
        case Fault.TOO_SHORT:
            return "string_too_short", f"String should have at least {limit} character"
        case Fault.TOO_LONG:
            return "string_too_long", f"String should have at most {limit} characters"
        case _:
            return "value_error", violation.message


def _wrong_type(violation: Violation) -> tuple[str, str]:
    """Tell a string that was to be parsed from a value of another type."""
    kind, message = _PYDANTIC_TYPES[violation.expected]
    if json_type(violation.value) == "string" and kind in {"int_type", "float_type", "bool_type"}:
        return kind.replace("_type", "_parsing"), f"{message}, unable to parse string"
    return kind, message


def error_detail(status: str, message: str, **more: Any) -> dict[str, Any]:
    """Return the body of every error but a validation error."""
    return {"detail": {"status": status, "message": message, **more}}
