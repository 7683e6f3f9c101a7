"""The outermost layer of the application: ids for requests, and the last resort for errors."""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog

from mediawright.api.replies import HTTP_PROBLEMS, error_body, json_bytes
from mediawright.core.ids import IdPrefix, new_id

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

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
        has_begun = False

        async def send_with_id(message: Message) -> None:
            nonlocal has_begun
            if message["type"] == "http.response.start":
                has_begun = True
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


async def _answer(send: Send, status: int, request_id: str) -> None:
    body = json_bytes(error_body(HTTP_PROBLEMS[status], request_id))
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(body)).encode()),
        (b"cache-control", b"no-store"),
    ]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
