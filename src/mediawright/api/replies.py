"""How results and errors become HTTP replies."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import msgspec
from fastapi import Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from mediawright.api.field_problems import problem_of
from mediawright.core.errors import ErrorKind, MediawrightError, MissingApiKeyError, Problem

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fastapi import FastAPI

_encoder = msgspec.json.Encoder(enc_hook=str)

HTTP_PROBLEMS: dict[int, Problem] = {
    400: Problem(code="invalid_body", message="The body of the request cannot be read."),
    404: Problem(
        code="route_not_found",
        message="There is nothing at this address.",
        hint="GET /v1/openapi.json lists what there is.",
    ),
    405: Problem(
        code="method_not_allowed",
        message="This address does not know this method.",
        hint="The header Allow names those it knows.",
    ),
    413: Problem(
        code="body_too_large",
        message="The body of the request is too large.",
        hint="Name files by URL or by the id of an asset; up to 1 MiB of JSON may be sent.",
    ),
    415: Problem(
        code="invalid_content_type",
        message="The body of the request must be JSON.",
        hint="Send the header Content-Type: application/json.",
    ),
    416: Problem(code="range_not_satisfiable", message="The file has no such part."),
    500: Problem(
        code="internal_error",
        message="Something went wrong on our side.",
        hint="The server's log has the details under this request_id.",
    ),
}
"""What is wrong where only HTTP itself is at fault, by status."""


def json_bytes(value: Any) -> bytes:
    """Return a value as JSON."""
    return _encoder.encode(value)


def json_reply(value: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """Return a JSON reply, which no cache keeps."""
    return Response(
        json_bytes(value),
        status_code=status,
        media_type="application/json",
        headers={"Cache-Control": "no-store", **(headers or {})},
    )


def error_body(problem: Problem, request_id: str) -> dict[str, Any]:
    """Return the one shape of every error: the code under `error`, details beside it.

    Details stand at the top level because the sources of the API show them there (rule 30).
    """
    body: dict[str, Any] = {"error": problem.code, "message": problem.message}
    if problem.pointer is not None:
        body["pointer"] = problem.pointer
    if problem.hint is not None:
        body["hint"] = problem.hint
    for name, value in problem.details.items():
        body.setdefault(name, value)
    body["request_id"] = request_id
    return body


def install_error_handlers(app: FastAPI) -> None:
    """Answer every error in the one shape."""
    app.add_exception_handler(MediawrightError, _ours)
    app.add_exception_handler(RequestValidationError, _malformed)
    app.add_exception_handler(HTTPException, _plain)


async def _ours(request: Request, error: Exception) -> Response:
    if not isinstance(error, MediawrightError):
        raise TypeError from error
    headers: dict[str, str] = {}
    retry_after = error.details.get("retry_after")
    if isinstance(retry_after, int | float):
        # Rounded up: whoever comes back a moment too early is refused again.
        headers["Retry-After"] = str(max(1, math.ceil(retry_after)))
    # A provider's missing key is the operator's matter; another key of ours would not help.
    if error.kind is ErrorKind.UNAUTHENTICATED and not isinstance(error, MissingApiKeyError):
        headers["WWW-Authenticate"] = "Bearer"
    return _reply(request, error.to_problem(), error.kind.http_status, headers)


async def _malformed(request: Request, error: Exception) -> Response:
    if not isinstance(error, RequestValidationError):
        raise TypeError from error
    if isinstance(error.body, bytes) and error.body:
        return _reply(request, HTTP_PROBLEMS[415], 415)
    return _reply(request, problem_of(error.errors()), 400)


async def _plain(request: Request, error: Exception) -> Response:
    if not isinstance(error, HTTPException):
        raise TypeError from error
    status = error.status_code if error.status_code in HTTP_PROBLEMS else 500
    return _reply(request, HTTP_PROBLEMS[status], status, dict(error.headers or {}))


def _reply(
    request: Request,
    problem: Problem,
    status: int,
    headers: Mapping[str, str] | None = None,
) -> Response:
    return json_reply(error_body(problem, request.state.request_id), status, headers)
