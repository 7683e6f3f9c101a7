"""Turns what people write into parameters: `duration=5s`, `sound=yes`, `seed="7"`."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

import msgspec

from mediawright.app.complaints import Complaints
from mediawright.catalog.parameter_values import LISTS, code_for
from mediawright.catalog.values import parse_duration
from mediawright.core.errors import InvalidRequestError
from mediawright.core.request import FallbackPolicy, Parameters

ALIASES = {
    "n": "count",
    "guidance": "guidance_scale",
    "num_inference_steps": "steps",
    "duration_seconds": "duration",
    "generate_audio": "sound",
    "format": "output_format",
}
"""Other names under which surfaces know a parameter."""
_KNOWN = frozenset(Parameters.__struct_fields__)


def parameters_from(values: Mapping[str, Any]) -> Parameters:
    """Return typed parameters; unknown names and impossible values are errors.

    Args:
        values: By name; `None` counts as not given. Texts are read as numbers and truth
            values where the parameter is one; a duration may be `5s`, `"5"` or 5 (rule 28).

    Raises:
        InvalidRequestError: `unknown_parameter` or `invalid_parameter`, with its place; where
            more is wrong, all of it is among its `problems`.
    """
    given: dict[str, Any] = {}
    complaints = Complaints()
    for written, value in values.items():
        name = ALIASES.get(written, written)
        if name not in _KNOWN:
            complaints.add(_unknown(written))
        elif value is not None:
            given[name] = complaints.read(partial(_read, name, value), None)
    try:
        converted = msgspec.convert(given, Parameters, strict=False)
    except msgspec.ValidationError:
        # It tells of one value only; each by itself tells of all.
        for name, value in given.items():
            complaints.read(partial(_converted, name, value), None)
        complaints.settle()
        raise
    complaints.settle()
    return converted


def _unknown(written: str) -> InvalidRequestError:
    return InvalidRequestError(
        "unknown_parameter",
        f"There is no parameter {written!r}.",
        pointer=f"/parameters/{written}",
        hint="`mediawright models show MODEL` lists the parameters of a model.",
        details={"allowed": sorted(_KNOWN)},
    )


def _converted(name: str, value: Any) -> Parameters | None:
    try:
        return msgspec.convert({name: value}, Parameters, strict=False)
    except msgspec.ValidationError as error:
        named = name in {"quality", "size", *LISTS}
        raise InvalidRequestError(
            code_for(name) if named else "invalid_parameter",
            f"A parameter has an impossible value: {error}",
            pointer=_place_in(str(error)),
        ) from error


def _place_in(complaint: str) -> str:
    """Return the JSON pointer to what a complaint such as `... - at `$.a[0].b`` is about."""
    path = complaint.rpartition("`$.")[2].partition("`")[0]
    return "/parameters/" + path.replace("[", "/").replace("]", "").replace(".", "/")


def _read(name: str, value: Any) -> Any:
    if name == "duration":
        return parse_duration(value)
    if name in LISTS and isinstance(value, str):
        try:
            return msgspec.json.decode(value)
        except msgspec.DecodeError as error:
            raise InvalidRequestError(
                code_for(name), f"{name} must be JSON.", pointer=f"/parameters/{name}"
            ) from error
    return value


def parse_fallback(value: str | None) -> FallbackPolicy:
    """Return the policy that a word names; the usual one for `None`.

    Raises:
        InvalidRequestError: `invalid_fallback`.
    """
    if value is None:
        return FallbackPolicy.ON_OUTAGE
    if value in set(FallbackPolicy):
        return FallbackPolicy(value)
    allowed = [policy.value for policy in FallbackPolicy]
    raise InvalidRequestError(
        "invalid_fallback",
        f"There is no fallback policy {value!r}.",
        pointer="/fallback",
        hint=f"Use {', '.join(allowed[:-1])} or {allowed[-1]}.",
        details={"allowed": allowed},
    )
