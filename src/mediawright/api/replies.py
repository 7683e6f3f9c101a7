"""How results and errors become HTTP replies."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
import structlog
from fastapi import Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from mediawright.core.errors import ErrorKind, InternalError, MediawrightError, Problem
from mediawright.core.ids import IdPrefix, new_id

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fastapi import FastAPI

log = structlog.get_logger(__name__)

_encoder = msgspec.json.Encoder(enc_hook=str)
_CODE_OF_STATUS = {404: "not_found", 405: "method_not_allowed", 413: "body_too_large"}


def json_reply(value: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """Return a JSON reply."""
    return Response(
        _encoder.encode(value),
        status_code=status,
        media_type="application/json",
        headers=dict(headers or {}),
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
    app.add_exception_handler(Exception, _unexpected)


def request_id_of(request: Request) -> str:
    """Return the id of this request, the same in log and reply."""
    known = getattr(request.state, "request_id", None)
    if known is None:
        known = request.state.request_id = new_id(IdPrefix.REQUEST)
    return known


async def _ours(request: Request, error: Exception) -> Response:
    if not isinstance(error, MediawrightError):
        raise TypeError from error
    headers: dict[str, str] = {}
    retry_after = error.details.get("retry_after")
    if isinstance(retry_after, int | float):
        headers["Retry-After"] = str(max(1, round(retry_after)))
    if error.kind is ErrorKind.UNAUTHENTICATED:
        headers["WWW-Authenticate"] = "Bearer"
    return _reply(request, error.to_problem(), error.kind.http_status, headers)


async def _malformed(request: Request, error: Exception) -> Response:
    if not isinstance(error, RequestValidationError):
        raise TypeError from error
    problems = [_field_problem(item) for item in error.errors()]
    first = problems[0]
    if len(problems) > 1:
        shown = [msgspec.to_builtins(item) for item in problems]
        first = msgspec.structs.replace(first, details={**first.details, "problems": shown})
    return _reply(request, first, 400)


async def _plain(request: Request, error: Exception) -> Response:
    if not isinstance(error, HTTPException):
        raise TypeError from error
    code = _CODE_OF_STATUS.get(error.status_code, "http_error")
    problem = Problem(code=code, message=str(error.detail))
    return _reply(request, problem, error.status_code, dict(error.headers or {}))


async def _unexpected(request: Request, error: Exception) -> Response:
    log.error("request failed", request_id=request_id_of(request), exc_info=error)
    hidden = InternalError(
        "internal_error",
        "Something went wrong on our side.",
        hint="The server's log has the details under this request_id.",
    )
    return _reply(request, hidden.to_problem(), 500)


def _reply(
    request: Request,
    problem: Problem,
    status: int,
    headers: Mapping[str, str] | None = None,
) -> Response:
    request_id = request_id_of(request)
    return json_reply(
        error_body(problem, request_id),
        status,
        {**(headers or {}), "X-Request-Id": request_id},
    )


def _field_problem(item: Mapping[str, Any]) -> Problem:
    """Return what is wrong with one field of a request that does not have the right form."""
    place = [str(part) for part in item["loc"] if part != "body"]
    pointer = "/" + "/".join(place) if place else ""
    name = place[-1] if place else "body"
    kind = str(item["type"])
    if kind == "missing":
        return Problem(code=f"{name}_required", message=f"`{name}` is required.", pointer=pointer)
    if kind == "extra_forbidden":
        return Problem(
            code="unknown_parameter",
            message=f"There is no parameter `{name}`.",
            pointer=pointer,
            hint="GET /v1/models/{id} lists the parameters of a model.",
        )
    if kind.startswith("json"):
        return Problem(code="invalid_json", message="The body is not JSON.")
    return Problem(
        code=f"invalid_{name}" if name.isidentifier() and place else "invalid_request",
        message=f"`{name}`: {item['msg']}",
        pointer=pointer,
    )
