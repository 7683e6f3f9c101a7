"""Gives every request an id, which its reply and the log carry."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mediawright.core.ids import IdPrefix, new_id

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send


class RequestIds:
    """ASGI middleware that adds `X-Request-Id` to replies."""

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
        header = (b"x-request-id", request_id.encode())

        async def send_with_id(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = [item for item in message["headers"] if item[0] != header[0]]
                message["headers"] = [*headers, header]
            await send(message)

        await self._app(scope, receive, send_with_id)
