"""fal's error bodies: of the platform, and of the models behind it."""

from __future__ import annotations

from typing import Any

from mediawright.sandbox.kit.call import Reply, VendorError
from mediawright.sandbox.kit.fields import Fault, Violation
from mediawright.sandbox.kit.scenario import Scenario, ScenarioName

_DOCUMENTATION = "https://docs.fal.ai/errors#"
_RETRYABLE = frozenset(
    {
        "internal_server_error",
        "downstream_service_error",
        "downstream_service_unavailable",
        "generation_timeout",
    }
)
_STATUS_TYPES = {
    499: "client_cancelled",
    500: "internal_error",
    503: "runner_scheduling_failure",
    504: "request_timeout",
}
_TYPE_ERRORS = {
    "string": "string_type",
    "integer": "int_type",
    "number": "float_type",
    "boolean": "bool_type",
    "array": "list_type",
    "object": "dict_type",
}


class FalError(VendorError):
    """An error with what a job's status says about it."""

    def __init__(self, reply: Reply, message: str, error_type: str) -> None:
        """Carry a reply and its gist."""
        super().__init__(reply)
        self.message = message
        self.error_type = error_type


def detail_reply(status: int, text: str, headers: dict[str, str] | None = None) -> Reply:
    """Return a plain error."""
    return Reply.json({"detail": text}, status, headers)


def platform_error(status: int, text: str, error_type: str | None = None) -> FalError:
    """Return an error of the platform around the models."""
    name = error_type or _STATUS_TYPES.get(status, "internal_error")
    reply = Reply.json({"detail": text, "error_type": name}, status, {"X-Fal-Error-Type": name})
    return FalError(reply, text, name)


def model_error(
    error_type: str,
    message: str,
    *,
    status: int = 422,
    location: tuple[str | int, ...] = ("body",),
    context: dict[str, Any] | None = None,
    value: Any = None,
) -> FalError:
    """Return an error that a model raised about its input or its work."""
    entry = _entry(error_type, message, location, context or {}, value)
    return _model_error([entry], status)


def invalid_input(violations: list[Violation]) -> FalError:
    """Return the refusal of an input that breaks rules."""
    return _model_error([_violation_entry(violation) for violation in violations], 422)


def fault_reply(scenario: Scenario, *, has_key: bool) -> Reply:
    """Return the reply to a request that meets a scenario."""
    match scenario.name:
        case ScenarioName.BAD_KEY if has_key:
            return detail_reply(401, "No user found for Key ID and Secret")
        case ScenarioName.BAD_KEY:
            return detail_reply(401, "Authentication is required to access this application")
        case ScenarioName.RATE_LIMITED:
            seconds = 1.0 if scenario.seconds is None else scenario.seconds
            return detail_reply(429, "Too many requests", {"Retry-After": f"{seconds:g}"})
        case ScenarioName.OUT_OF_CREDIT:
            return detail_reply(
                403,
                "User is locked. Reason: Exhausted balance. Top up your balance at "
                "fal.ai/dashboard/billing.",
            )
        case ScenarioName.MODERATED:
            return refusal("").reply
        case _:
            return platform_error(scenario.status or 500, "Internal Server Error").reply


def refusal(prompt: str) -> FalError:
    """Return a model's refusal of what was asked."""
    return model_error(
        "content_policy_violation",
        "The content could not be processed because it contained material flagged by a content "
        "checker.",
        location=("body", "prompt"),
        context={"extra_info": {"reason": "sensitive_content"}},
        value=prompt,
    )


def _model_error(entries: list[dict[str, Any]], status: int) -> FalError:
    error_type = entries[0]["type"]
    retryable = "true" if error_type in _RETRYABLE else "false"
    reply = Reply.json({"detail": entries}, status, {"X-Fal-Retryable": retryable})
    return FalError(reply, entries[0]["msg"], error_type)


def _entry(
    error_type: str,
    message: str,
    location: tuple[str | int, ...],
    context: dict[str, Any],
    value: Any,
) -> dict[str, Any]:
    return {
        "loc": list(location),
        "msg": message,
        "type": error_type,
        "url": f"{_DOCUMENTATION}{error_type}",
        "ctx": context,
        "input": value,
    }


def _violation_entry(violation: Violation) -> dict[str, Any]:
    limit = violation.limit
    context: dict[str, Any] = {}
    match violation.fault:
        case Fault.MISSING:
            error_type, message = "missing", "Field required"
        case Fault.WRONG_TYPE:
            error_type = _TYPE_ERRORS[violation.expected]
            message = f"Input should be a valid {violation.expected}"
        case Fault.NOT_A_CHOICE:
            error_type, context = "one_of", {"expected": list(violation.choices)}
            listed = ", ".join(repr(choice) for choice in violation.choices)
            message = f"Input should be one of: {listed}"
        case Fault.TOO_SMALL:
            error_type, context = "greater_than_equal", {"ge": limit}
            message = f"Input should be greater than or equal to {limit:g}"
        case Fault.TOO_LARGE:
            error_type, context = "less_than_equal", {"le": limit}
            message = f"Input should be less than or equal to {limit:g}"
        case Fault.TOO_SHORT:
            error_type, context = "sequence_too_short", {"min_length": limit}
            message = f"Input should have at least {limit:g} items"
        case Fault.TOO_LONG:
            error_type, context = "sequence_too_long", {"max_length": limit}
            message = f"Input should have at most {limit:g} items"
        case _:
            error_type, message = "value_error", f"Value error, {violation.message}"
    return _entry(error_type, message, ("body", *violation.path), context, violation.value)
