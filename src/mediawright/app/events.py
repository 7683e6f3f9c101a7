"""Following what happens in a workspace."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from typing import TYPE_CHECKING

from mediawright.jobs.signals import wait_for_event
from mediawright.store import events

if TYPE_CHECKING:
    from mediawright.app.runtime import Runtime
    from mediawright.core.events import Event

_PAGE = 200
_LOOK_AGAIN = 1.0
"""Seconds after which another process's events are looked for."""


async def latest_event(runtime: Runtime, workspace_id: str) -> int:
    """Return the sequence of the workspace's newest event, 0 if there is none."""
    return await runtime.database.read(
        lambda connection: events.latest_sequence(connection, workspace_id)
    )


async def follow_events(
    runtime: Runtime, workspace_id: str, after: int, *, pause: float
) -> AsyncGenerator[Event | None]:
    """Yield every event after the sequence `after`, for ever; `None` after `pause` idle seconds.

    Args:
        runtime: The installation.
        workspace_id: Whose events.
        after: The last sequence the listener has seen.
        pause: Seconds of silence after which `None` is yielded, as a sign of life.
    """
    sequence = after
    loop = asyncio.get_running_loop()
    silent_since = loop.time()
    with runtime.signals.waiting() as changed:
        while True:
            last = sequence
            page = await runtime.database.read(
                lambda connection, last=last: events.after(connection, workspace_id, last, _PAGE)
            )
            for event in page:
                sequence = event.sequence
                silent_since = loop.time()
                yield event
            if len(page) == _PAGE:
                continue
            await wait_for_event(changed, min(_LOOK_AGAIN, pause))
            if loop.time() - silent_since >= pause:
                silent_since = loop.time()
                yield None
