"""The vendor's replies: errors by their status words, and the headers of what was made."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from typing import Any

from mediawright.sandbox.emulators.elevenlabs.account import Account
from mediawright.sandbox.emulators.elevenlabs.formats import (
    CREATOR_FORMATS,
    PRO_FORMATS,
    OutputFormat,
)
from mediawright.sandbox.emulators.elevenlabs.wire import error_detail, validation_entry
from mediawright.sandbox.kit.call import Call, Reply, VendorError
from mediawright.sandbox.kit.fields import Choice, Path, Violation
from mediawright.sandbox.kit.scenario import Scenario, ScenarioName

_PIECE = 8192
_BUSY = frozenset({429, 503})


def refuse(status_code: int, status: str, message: str, **more: Any) -> VendorError:
    """Return an error to raise."""
    return VendorError(Reply.json(error_detail(status, message, **more), status=status_code))


def invalid(violations: Iterable[Violation], *, place: str = "body") -> VendorError:
    """Return the validation error to raise for what is wrong in the body or the query."""
    entries = [validation_entry(violation, place=place) for violation in violations]
    return VendorError(Reply.json({"detail": entries}, status=422))


def malformed_json() -> VendorError:
    """Return the validation error to raise for a body that is no JSON."""
    entry: dict[str, Any] = {
        "type": "json_invalid",
        "loc": ["body", 0],
        "msg": "JSON decode error",
        "input": {},
    }
    return VendorError(Reply.json({"detail": [entry]}, status=422))


def check_choice(value: str, choices: Sequence[str], path: Path) -> None:
    """Refuse a value of the query that is none of the choices.

    Raises:
        VendorError: It is none of them.
    """
    violations = list(Choice(tuple(choices)).check(value, path))
    if violations:
        raise invalid(violations, place="query")


def over_quota(account: Account, needed: int) -> VendorError:
    """Return the error to raise when an account has too few characters left."""
    return refuse(
        401,
        "quota_exceeded",
        f"This request exceeds your quota of {account.tier.characters}. "
        f"You have {account.left} credits remaining, while {needed} credits are required "
        "for this request.",
    )


def too_many_requests(account: Account, group: str) -> VendorError:
    """Return the error to raise when an account does as much as it may."""
    return refuse(
        429,
        "too_many_concurrent_requests",
        "Too many concurrent requests. Your current subscription is associated with a maximum "
        f"of {account.most_running(group)} concurrent requests.",
    )


def voice_not_found(status_code: int, voice_id: str) -> VendorError:
    """Return the error to raise for an unknown voice."""
    message = f"A voice with the voice_id {voice_id} was not found."
    return refuse(status_code, "voice_not_found", message)


def check_plan(account: Account, format_name: str) -> None:
    """Refuse a format that the account's plan does not include.

    Raises:
        VendorError: The plan is too small.
    """
    if format_name in PRO_FORMATS and not account.tier.has_pro_formats:
        needed = "Pro"
    elif format_name in CREATOR_FORMATS and not account.tier.is_paid:
        needed = "Creator"
    else:
        return
    message = f"Output format {format_name} is only allowed from the {needed} tier on."
    raise refuse(403, "output_format_not_allowed", message)


def fault_reply(scenario: Scenario, *, path: str, has_plan: bool) -> Reply:
    """Return the reply to a request that meets a scenario.

    Args:
        scenario: What goes wrong. A `server_error` with status 429 or 503 is a busy system.
        path: Where the request went; music and speech are refused in different ways.
        has_plan: Whether it asks for music by a composition plan.
    """
    match scenario.name:
        case ScenarioName.RATE_LIMITED:
            seconds = 1.0 if scenario.seconds is None else scenario.seconds
            body = error_detail(
                "too_many_concurrent_requests",
                "Too many concurrent requests. Please wait for running requests to end.",
            )
            return Reply.json(body, status=429, headers={"Retry-After": f"{seconds:g}"})
        case ScenarioName.BAD_KEY:
            return Reply.json(error_detail("invalid_api_key", "Invalid API key"), status=401)
        case ScenarioName.OUT_OF_CREDIT:
            message = (
                "This request exceeds your quota of 10000. You have 0 credits remaining, "
                "while 1 credits are required for this request."
            )
            return Reply.json(error_detail("quota_exceeded", message), status=401)
        case ScenarioName.MODERATED:
            return _moderated(path, has_plan=has_plan)
        case _:
            return _server_error(scenario.status or 500)


def _moderated(path: str, *, has_plan: bool) -> Reply:
    if "/v1/music" not in path:
        message = (
            "We are sorry but text you are trying to use may violate our Terms of Service "
            "and has been blocked."
        )
        return Reply.json(error_detail("content_against_policy", message), status=403)
    if has_plan:
        suggestion: dict[str, Any] = {"composition_plan_suggestion": None}
        body = error_detail(
            "bad_composition_plan", "The composition plan violates our terms.", data=suggestion
        )
    else:
        body = error_detail(
            "bad_prompt",
            "The prompt violates our terms, for example by naming an artist.",
            data={"prompt_suggestion": "An instrumental piece in a similar mood"},
        )
    return Reply.json(body, status=400)


def _server_error(status: int) -> Reply:
    if status in _BUSY:
        message = "We are currently experiencing heavy traffic, please try again shortly."
        return Reply.json(error_detail("system_busy", message), status=status)
    return Reply.json({"detail": "Internal Server Error"}, status=status)


def streamed(
    call: Call, data: bytes, output_format: OutputFormat, headers: Mapping[str, str]
) -> Reply:
    """Return a file piece by piece, without its length; one that is to be cut goes whole."""
    if call.scenario.name is ScenarioName.TRUNCATED_FILE:
        return Reply.media(data, output_format.content_type, headers)
    return Reply(stream=_pieces(data), content_type=output_format.content_type, headers=headers)


async def _pieces(data: bytes) -> AsyncIterator[bytes]:
    for start in range(0, len(data), _PIECE):
        yield data[start : start + _PIECE]


def multipart(
    parts: Sequence[tuple[dict[str, str], bytes]], boundary: str, headers: dict[str, str]
) -> Reply:
    """Return a `multipart/mixed` reply.

    Args:
        parts: Each part's headers and bytes.
        boundary: What stands between them.
        headers: The reply's own.
    """
    pieces: list[bytes] = []
    for about, data in parts:
        head = "".join(f"{name}: {value}\r\n" for name, value in about.items())
        pieces.append(f"--{boundary}\r\n{head}\r\n".encode() + data + b"\r\n")
    body = b"".join(pieces) + f"--{boundary}--\r\n".encode()
    return Reply.media(body, f"multipart/mixed; boundary={boundary}", headers)


def json_bytes(value: Any) -> bytes:
    """Return a JSON value on one line."""
    return json.dumps(value, ensure_ascii=False).encode()
