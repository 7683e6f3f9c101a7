"""What is wrong with a request that does not have the right form."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from mediawright.core.errors import Problem

_CODES = {
    "count": "invalid_n",
    "file_path": "invalid_path",
    "inputs": "invalid_source_media",
    "kling_elements": "invalid_elements",
    "model": "model_required",
    "prompt": "prompt_required",
    "source_media_urls": "invalid_source_media",
}
"""Codes of fields whose rules have names of their own (rules 1, 2, 5, 61 and 80)."""
_MOST_SHOWN = 20
_LONGEST_NAME = 60


def problem_of(faults: Sequence[Mapping[str, Any]]) -> Problem:
    """Return the first fault as a problem, with all of them in its details if several.

    Args:
        faults: At least one, as the framework reports them.
    """
    problems = [_problem(fault) for fault in faults[:_MOST_SHOWN]]
    first = problems[0]
    if len(problems) == 1:
        return first
    shown = [msgspec.to_builtins(item) for item in problems]
    return msgspec.structs.replace(first, details={**first.details, "problems": shown})


def _problem(fault: Mapping[str, Any]) -> Problem:
    kind = str(fault["type"])
    place = [str(part) for part in fault["loc"]]
    source, path = place[0], place[1:]
    if kind.startswith("json"):
        return Problem(code="invalid_json", message="The body of the request is not JSON.")
    if not path:
        return Problem(
            code="invalid_body",
            message="The body of the request must be a JSON object.",
            pointer="",
        )
    name = path[-1][:_LONGEST_NAME]
    pointer = _pointer(path) if source in ("body", "query") else None
    if kind == "extra_forbidden":
        return Problem(
            code="unknown_parameter",
            message=f"There is no parameter {name!r}.",
            pointer=pointer,
            hint="GET /v1/openapi.json lists them.",
        )
    message = f"`{name}` is required." if kind == "missing" else f"`{name}`: {fault['msg']}."
    # In a body the code is the same that the model's own check would give.
    codes = _CODES if source == "body" else {}
    code = codes.get(path[0], f"{path[0]}_required" if kind == "missing" else f"invalid_{path[0]}")
    return Problem(code=code, message=message, pointer=pointer)


def _pointer(path: Sequence[str]) -> str:
    escaped = (part.replace("~", "~0").replace("/", "~1") for part in path)
    return "".join(f"/{part}" for part in escaped)
