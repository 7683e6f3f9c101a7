"""The outermost layer of the application: ids for requests, and the last resort for errors."""

from __future__ import annotations

import time
from http import HTTPMethod
from typing import TYPE_CHECKING

import structlog

from mediawright.api.replies import HTTP_PROBLEMS, error_body, json_bytes
from mediawright.core.ids import IdPrefix, new_id
from mediawright.core.measures import Measure

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from mediawright.core.measures import Measures

log = structlog.get_logger(__name__)

_HEADER = b"x-request-id"


class Boundary:
    """ASGI middleware that gives every request an id and lets no exception out.

    The id is in `scope["state"]["request_id"]`, in the log, and in the reply's `X-Request-Id`.
    An exception that nobody expected is logged once and answered with 500, without a word of
    what it was.
    """

    def __init__(self, app: ASGIApp) -> None:
        """Wrap an application."""
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = new_id(IdPrefix.REQUEST)
        scope.setdefault("state", {})["request_id"] = request_id
        started = time.monotonic()
        has_begun = False

        async def send_with_id(message: Message) -> None:
            nonlocal has_begun
            if message["type"] == "http.response.start":
                has_begun = True
                # Up to the first byte: a stream of events may stay open for days.
                _observe(scope, message["status"], time.monotonic() - started)
                headers = [item for item in message["headers"] if item[0] != _HEADER]
                message["headers"] = [*headers, (_HEADER, request_id.encode())]
            await send(message)

        if "\0" in scope["path"]:
            # No database takes it, and no name here has it.
            await _answer(send_with_id, 404, request_id)
            return
        with structlog.contextvars.bound_contextvars(request_id=request_id):
            try:
                await self._app(scope, receive, send_with_id)
            except Exception:
                log.exception("request failed", method=scope["method"], path=scope["path"])
                if has_begun:
                    # The server breaks the connection off, so that nobody takes half a file
                    # for a whole one.
                    raise
                await _answer(send_with_id, 500, request_id)


def _observe(scope: Scope, status: int, seconds: float) -> None:
    """Note how long a request took."""
    measures: Measures = scope["app"].state.runtime.measures
    # The template, not the path: ids would make each request a series of its own.
    route = getattr(scope.get("route"), "path_format", "none")
    measures.observe(
        Measure.HTTP_REQUEST, seconds, method=_method(scope), route=route, status=str(status)
    )


def _method(scope: Scope) -> str:
    """Return the method if it is a known one; callers can send any word."""
    return scope["method"] if scope["method"] in HTTPMethod.__members__ else "other"


async def _answer(send: Send, status: int, request_id: str) -> None:
    body = json_bytes(error_body(HTTP_PROBLEMS[status], request_id))
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(body)).encode()),
        (b"cache-control", b"no-store"),
    ]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
