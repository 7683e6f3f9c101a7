"""Parts of the OpenAPI document that are the same for many routes."""

from __future__ import annotations

from typing import Any

from mediawright.api.reply_bodies import ErrorBody

_MEANINGS = {
    400: "The request breaks a rule; nothing was started.",
    401: "The API key is missing or not valid, or a provider has no key here.",
    402: "The balance does not cover the price.",
    403: "A URL may not be fetched, or the caller may not do this.",
    404: "There is no such thing, or it belongs to somebody else.",
    409: "The thing is in a state that does not allow this.",
    413: "The body is too large.",
    415: "The body is not JSON.",
    416: "There is no such part.",
    422: "A safety policy refused it.",
    429: "Too many requests; `Retry-After` says when to come back.",
    503: "Something that this installation needs is not there right now.",
}


def described_errors(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Return what a route may answer other than its result: these, and whatever goes wrong.

    Naming a default keeps the framework from describing a reply that is never given.
    """
    described: dict[int | str, dict[str, Any]] = {
        status: {"model": ErrorBody, "description": _MEANINGS[status]} for status in statuses
    }
    described["default"] = {"model": ErrorBody, "description": "Any other error."}
    return described
