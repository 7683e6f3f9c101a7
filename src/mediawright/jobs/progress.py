"""Progress of a running generation: to listeners at once, to the rows at a gentle pace."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING

from mediawright.core.events import EventType
from mediawright.store import events, generations

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from sqlalchemy import Connection

    from mediawright.core.generation import Generation
    from mediawright.core.provider import ProgressReport
    from mediawright.jobs.context import JobContext

_INTERVAL = 0.5
"""Seconds between two writes."""


async def record_progress(
    context: JobContext, workspace_id: str, generation_id: str, done: float | None, stage: str
) -> None:
    """Write progress to a generation's row and its events, and tell the listeners."""
    now = context.clock.now()

    def work(connection: Connection) -> None:
        if generations.update_progress(connection, generation_id, done, stage, now):
            events.append(
                connection,
                workspace_id=workspace_id,
                type=EventType.GENERATION_PROGRESSED,
                generation_id=generation_id,
                data={"progress": done, "stage": stage},
                now=now,
            )

    await context.database.write(work)
    context.signals.progressed(generation_id, done, stage)


@asynccontextmanager
async def reporting(context: JobContext, generation: Generation) -> AsyncGenerator[ProgressReport]:
    """Yield a report that may be called from any thread and as often as it likes."""
    latest: list[tuple[float, str]] = []

    def report(done: float, stage: str) -> None:
        latest[:] = [(done, stage)]
        context.signals.progressed(generation.id, done, stage)

    async def write() -> None:
        while True:
            await asyncio.sleep(_INTERVAL)
            if latest:
                done, stage = latest.pop()
                await record_progress(context, generation.workspace_id, generation.id, done, stage)

    writer = asyncio.create_task(write())
    try:
        yield report
    finally:
        writer.cancel()
        with suppress(asyncio.CancelledError):
            await writer
