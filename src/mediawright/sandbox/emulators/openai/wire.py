"""OpenAI's error bodies and headers."""

from __future__ import annotations

from typing import Any

from mediawright.sandbox.kit.call import Reply, VendorError
from mediawright.sandbox.kit.scenario import Scenario, ScenarioName

INVALID = "invalid_request_error"


def error_reply(
    status: int,
    message: str,
    *,
    code: str | None = None,
    param: str | None = None,
    kind: str = INVALID,
    headers: dict[str, str] | None = None,
    **more: Any,
) -> Reply:
    """Return an error as OpenAI writes it."""
    error = {"message": message, "type": kind, "param": param, "code": code, **more}
    return Reply.json({"error": error}, status, headers)


def invalid(message: str, *, param: str | None, code: str = "invalid_value") -> VendorError:
    """Return the refusal of a parameter."""
    return VendorError(error_reply(400, message, param=param, code=code))


def model_not_found(model: str) -> VendorError:
    """Return the refusal of a model that is unknown or retired."""
    return VendorError(
        error_reply(
            404,
            f"The model `{model}` does not exist or you do not have access to it.",
            code="model_not_found",
        )
    )


def fault_reply(scenario: Scenario, key: str | None) -> Reply:
    """Return the reply to a request that meets a scenario."""
    match scenario.name:
        case ScenarioName.BAD_KEY:
            return _bad_key(key)
        case ScenarioName.RATE_LIMITED:
            return _rate_limited(scenario.seconds)
        case ScenarioName.OUT_OF_CREDIT:
            return error_reply(
                429,
                "You exceeded your current quota, please check your plan and billing details.",
                kind="insufficient_quota",
                code="insufficient_quota",
            )
        case ScenarioName.MODERATED:
            return error_reply(
                400,
                "Your request was rejected by the safety system.",
                kind="image_generation_user_error",
                code="moderation_blocked",
                moderation_details={"moderation_stage": "input", "categories": ["violence"]},
            )
        case _:
            return error_reply(
                scenario.status or 500,
                "The server had an error while processing your request. Sorry about that!",
                kind="server_error",
                code="server_error",
            )


def _bad_key(key: str | None) -> Reply:
    if not key:
        message = (
            "You didn't provide an API key. You need to provide your API key in an Authorization "
            "header using Bearer auth (i.e. Authorization: Bearer YOUR_KEY)."
        )
    else:
        message = f"Incorrect API key provided: {key[:3]}***{key[-4:]}."
    return error_reply(401, message, code="invalid_api_key")


def _rate_limited(seconds: float | None) -> Reply:
    wait = 1.0 if seconds is None else seconds
    return error_reply(
        429,
        f"Rate limit reached for requests. Please try again in {wait:g}s.",
        kind="requests",
        code="rate_limit_exceeded",
        headers={"Retry-After": f"{wait:g}", "retry-after-ms": f"{wait * 1000:.0f}"},
    )
