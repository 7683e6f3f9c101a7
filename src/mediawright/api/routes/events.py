"""Events as they happen, as Server-Sent Events that can be resumed."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Annotated

import msgspec
from fastapi import APIRouter, Header, Query, Response
from fastapi.responses import StreamingResponse

from mediawright.api.closing import Closing, until_closing
from mediawright.api.context import CallerOf, ClosingOf, RuntimeOf
from mediawright.api.documentation import described_errors
from mediawright.app.events import follow_events, latest_event
from mediawright.app.runtime import Runtime
from mediawright.core.errors import InvalidRequestError
from mediawright.core.events import Event, EventType

router = APIRouter(prefix="/v1", tags=["events"])
_SEQUENCE = re.compile(r"[0-9]{1,18}", re.ASCII)
_LAST_SEQUENCE = 10**18 - 1
_RETRY = b"retry: 2000\n\n"
"""Milliseconds after which a client whose connection broke comes back."""
_ALIVE = b": still here\n\n"


class _Filter(msgspec.Struct, frozen=True):
    generation_id: str | None
    types: frozenset[EventType]

    def lets_in(self, event: Event) -> bool:
        if self.generation_id is not None and event.generation_id != self.generation_id:
            return False
        return not self.types or event.type in self.types


@router.get(
    "/events",
    operation_id="follow_events",
    summary="Follow what happens",
    response_class=Response,
    responses={
        200: {
            "content": {"text/event-stream": {"schema": {"type": "string"}}},
            "description": "A stream without end. Each event has its sequence as id, its type "
            "as name, and JSON as data.",
        },
        **described_errors(400, 401),
    },
)
async def follow(
    runtime: RuntimeOf,
    closing: ClosingOf,
    caller: CallerOf,
    last_event_id: Annotated[
        str | None, Header(description="Go on after this event; without it, from now on.")
    ] = None,
    after: Annotated[
        int | None,
        Query(
            ge=0,
            le=_LAST_SEQUENCE,
            description="The same as Last-Event-ID, for first connections.",
        ),
    ] = None,
    generation_id: Annotated[str | None, Query(description="Only of this generation.")] = None,
    types: Annotated[
        list[EventType] | None,
        Query(alias="type", description="Only of these types; may be repeated."),
    ] = None,
) -> Response:
    """Stream the workspace's events; each has its sequence as id."""
    start = _start(last_event_id, after)
    if start is None:
        start = await latest_event(runtime, caller.workspace_id)
    wanted = _Filter(generation_id, frozenset(types or ()))
    return StreamingResponse(
        _frames(runtime, closing, caller.workspace_id, start, wanted),
        media_type="text/event-stream",
        headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
    )


async def _frames(
    runtime: Runtime, closing: Closing, workspace_id: str, start: int, wanted: _Filter
) -> AsyncIterator[bytes]:
    yield _RETRY
    pause = runtime.settings.server.heartbeat
    clock = asyncio.get_running_loop()
    silent_since = clock.time()
    async with (
        aclosing(follow_events(runtime, workspace_id, start, pause=pause)) as events,
        aclosing(until_closing(events, closing)) as open_events,
    ):
        async for event in open_events:
            if event is not None and wanted.lets_in(event):
                frame = _frame(event)
            elif event is None or clock.time() - silent_since >= pause:
                # Nothing was sent for a while, perhaps because every event was left out.
                frame = _ALIVE
            else:
                continue
            silent_since = clock.time()
            yield frame


def _start(last_event_id: str | None, after: int | None) -> int | None:
    if last_event_id is None:
        return after
    if not _SEQUENCE.fullmatch(last_event_id):
        raise InvalidRequestError(
            "invalid_last_event_id",
            "Last-Event-ID must be the id of an event.",
            hint="Leave it out to follow from now on.",
        )
    return int(last_event_id)


def _frame(event: Event) -> bytes:
    data = msgspec.json.encode(
        {
            **event.data,
            "type": event.type.value,
            "generation_id": event.generation_id,
            "created_at": event.created_at,
        }
    )
    head = f"id: {event.sequence}\nevent: {event.type.value}\ndata: ".encode()
    return head + data + b"\n\n"
