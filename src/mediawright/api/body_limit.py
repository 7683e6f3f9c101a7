"""The most that a request's body may have."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.exceptions import HTTPException

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

MOST_BYTES = 1024**2
"""Bytes of a body; media travels by URL or as an asset, never inside a request."""
_READ_ON_BYTES = 16 * 1024**2
"""Bytes that are read and thrown away, so that a client that sends first and reads afterwards
gets its answer instead of a broken connection."""


class BodyLimit:
    """ASGI middleware that answers a body that is too large with 413, before it is all read."""

    def __init__(
        self,
        app: ASGIApp,
        *,
        most_bytes: int = MOST_BYTES,
        unlimited: frozenset[str] = frozenset(),
    ) -> None:
        """Wrap an application.

        Args:
            app: What is wrapped.
            most_bytes: The largest body that gets through.
            unlimited: Paths whose routes read the body as it comes and have limits of their own.
        """
        self._app = app
        self._most_bytes = most_bytes
        self._unlimited = unlimited

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http" or scope["path"] in self._unlimited:
            await self._app(scope, receive, send)
            return
        received = 0

        async def limited() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if received > self._most_bytes:
                await _read_on(receive, message)
                # The framework lets this pass while it reads a body; any other exception
                # becomes a 400. Whoever has still more to send is cut off.
                raise HTTPException(413, headers={"Connection": "close"})
            return message

        await self._app(scope, limited, send)


async def _read_on(receive: Receive, message: Message) -> None:
    thrown_away = 0
    while message.get("more_body") and thrown_away < _READ_ON_BYTES:
        message = await receive()
        thrown_away += len(message.get("body", b""))
