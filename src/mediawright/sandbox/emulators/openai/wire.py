"""OpenAI's error bodies."""

from __future__ import annotations

from typing import Any

from mediawright.sandbox.kit.call import Reply, VendorError
from mediawright.sandbox.kit.fields import Fault, Violation, json_type
from mediawright.sandbox.kit.scenario import Scenario, ScenarioName

INVALID_REQUEST = "invalid_request_error"


def error_reply(
    status: int,
    message: str,
    *,
    code: str | None = None,
    param: str | None = None,
    kind: str = INVALID_REQUEST,
    headers: dict[str, str] | None = None,
    **more: Any,
) -> Reply:
    """Return an error as OpenAI writes it."""
    error = {"message": message, "type": kind, "param": param, "code": code, **more}
    return Reply.json({"error": error}, status, headers)


def invalid(message: str, param: str | None, code: str | None = "invalid_value") -> VendorError:
    """Return the refusal of a parameter."""
    return VendorError(error_reply(400, message, param=param, code=code))


def model_not_found(model: str) -> VendorError:
    """Return the refusal of a model that is unknown or retired."""
    message = f"The model `{model}` does not exist or you do not have access to it."
    return VendorError(error_reply(404, message, code="model_not_found"))


def supported_values(value: Any, choices: tuple[str | int, ...], param: str) -> VendorError:
    """Return the refusal of a value that is none of the choices."""
    *most, last = [f"'{choice}'" for choice in choices]
    listed = f"{', '.join(most)}, and {last}" if most else last
    return invalid(f"Invalid value: '{value}'. Supported values are: {listed}.", param)


def broken_rule(violation: Violation) -> VendorError:
    """Return the refusal of a body that breaks a rule."""
    param = _param(violation)
    match violation.fault:
        case Fault.MISSING:
            message, code = f"Missing required parameter: '{param}'.", "missing_required_parameter"
        case Fault.UNKNOWN_FIELD:
            message, code = f"Unknown parameter: '{param}'.", "unknown_parameter"
        case Fault.WRONG_TYPE:
            got = json_type(violation.value)
            message = f"Invalid type for '{param}': expected {_a(violation.expected)}, but got "
            message, code = f"{message}{_a(got)} instead.", "invalid_type"
        case Fault.NOT_A_CHOICE:
            return supported_values(violation.value, violation.choices, param)
        case Fault.TOO_SMALL:
            message, code = _out_of_range(violation, param, ("below minimum", ">=", "below_min"))
        case Fault.TOO_LARGE:
            message, code = _out_of_range(violation, param, ("above maximum", "<=", "above_max"))
        case Fault.TOO_SHORT:
            message, code = _wrong_length(violation, param, ("short", "minimum", "below_min"))
        case Fault.TOO_LONG:
            message, code = _wrong_length(violation, param, ("long", "maximum", "above_max"))
        case Fault.PATTERN | Fault.RULE:
            message = violation.message or f"Invalid value: '{violation.value}'."
            code = "invalid_value"
    return invalid(message, param, code)


def fault_reply(scenario: Scenario, key: str | None, *, of_images: bool) -> Reply:
    """Return the reply to a request that meets a scenario.

    Args:
        scenario: What goes wrong.
        key: The key that came with the request.
        of_images: Whether the request was for images, which are refused in their own form.
    """
    match scenario.name:
        case ScenarioName.BAD_KEY:
            return _bad_key(key)
        case ScenarioName.RATE_LIMITED:
            return _rate_limited(1.0 if scenario.seconds is None else scenario.seconds)
        case ScenarioName.OUT_OF_CREDIT:
            return error_reply(
                429,
                "You exceeded your current quota, please check your plan and billing details.",
                kind="insufficient_quota",
                code="insufficient_quota",
            )
        case ScenarioName.MODERATED:
            return _moderated(of_images=of_images)
        case _:
            return error_reply(
                scenario.status or 500,
                "The server had an error while processing your request. Sorry about that!",
                kind="server_error",
                code="server_error",
            )


def _moderated(*, of_images: bool) -> Reply:
    message = "Your request was rejected by the safety system."
    if not of_images:
        return error_reply(400, message, code="content_policy_violation")
    return error_reply(
        400,
        message,
        kind="image_generation_user_error",
        code="moderation_blocked",
        moderation_details={"moderation_stage": "input", "categories": ["violence"]},
    )


def _bad_key(key: str | None) -> Reply:
    if key:
        message = f"Incorrect API key provided: {key[:3]}***{key[-4:]}."
    else:
        message = (
            "You didn't provide an API key. You need to provide your API key in an Authorization "
            "header using Bearer auth (i.e. Authorization: Bearer YOUR_KEY)."
        )
    return error_reply(401, message, code="invalid_api_key")


def _rate_limited(seconds: float) -> Reply:
    return error_reply(
        429,
        f"Rate limit reached for requests. Please try again in {seconds:g}s.",
        kind="requests",
        code="rate_limit_exceeded",
        headers={"Retry-After": f"{seconds:g}", "retry-after-ms": f"{seconds * 1000:.0f}"},
    )


def _param(violation: Violation) -> str:
    text = ""
    for step in violation.path:
        text += f"[{step}]" if isinstance(step, int) else f".{step}" if text else step
    return text


def _a(kind: str) -> str:
    return f"{'an' if kind[:1] in 'aeio' else 'a'} {kind}"


def _out_of_range(violation: Violation, param: str, words: tuple[str, str, str]) -> tuple[str, str]:
    where, sign, code = words
    name = "integer" if violation.expected == "integer" else "decimal"
    message = (
        f"Invalid '{param}': {name} {where} value. Expected a value {sign} {violation.limit:g}, "
        f"but got {violation.value} instead."
    )
    return message, f"{name}_{code}_value"


def _wrong_length(violation: Violation, param: str, words: tuple[str, str, str]) -> tuple[str, str]:
    how, bound, code = words
    name = violation.expected
    message = (
        f"Invalid '{param}': {name} too {how}. Expected {_a(name)} with {bound} length "
        f"{violation.limit:g}, but got {_a(name)} with length {len(violation.value)} instead."
    )
    return message, f"{name}_{code}_length"
