"""Events as they happen, as Server-Sent Events that can be resumed."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Header, Query, Request, Response
from fastapi.responses import StreamingResponse

from mediawright.api.context import CallerOf, RuntimeOf
from mediawright.api.schemas import ErrorBody
from mediawright.app.events import follow_events, latest_event
from mediawright.core.errors import InvalidRequestError
from mediawright.core.events import Event

router = APIRouter(prefix="/v1", tags=["events"])
_ERRORS: dict[int | str, dict[str, Any]] = {status: {"model": ErrorBody} for status in (400, 401)}
_HEARTBEAT = 15.0
"""Seconds after which a silent stream says that it lives."""


@router.get(
    "/events",
    operation_id="follow_events",
    summary="Follow what happens",
    response_class=Response,
    responses={200: {"content": {"text/event-stream": {}}}, **_ERRORS},
)
async def follow(
    request: Request,
    runtime: RuntimeOf,
    caller: CallerOf,
    last_event_id: Annotated[
        str | None, Header(description="Go on after this event; without it, from now on.")
    ] = None,
    after: Annotated[
        int | None, Query(ge=0, description="The same as Last-Event-ID, for first connections.")
    ] = None,
    generation_id: Annotated[str | None, Query(description="Only of this generation.")] = None,
) -> Response:
    """Stream the workspace's events; each has its sequence as id."""
    start = _start(last_event_id, after)
    if start is None:
        start = await latest_event(runtime, caller.workspace_id)

    async def stream() -> AsyncIterator[bytes]:
        yield b"retry: 2000\n\n"
        events = follow_events(runtime, caller.workspace_id, start, pause=_HEARTBEAT)
        async for event in events:
            if await request.is_disconnected():
                return
            if event is None:
                yield b": still here\n\n"
            elif generation_id is None or event.generation_id == generation_id:
                yield _frame(event)

    return StreamingResponse(
        stream(),
        media_type="text/event-stream",
        headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
    )


def _start(last_event_id: str | None, after: int | None) -> int | None:
    if last_event_id is None:
        return after
    if not last_event_id.isdigit():
        raise InvalidRequestError("invalid_last_event_id", "Last-Event-ID is a number.")
    return int(last_event_id)


def _frame(event: Event) -> bytes:
    data = msgspec.json.encode(
        {
            "type": event.type.value,
            "generation_id": event.generation_id,
            "created_at": event.created_at,
            **event.data,
        }
    )
    head = f"id: {event.sequence}\nevent: {event.type.value}\ndata: ".encode()
    return head + data + b"\n\n"
