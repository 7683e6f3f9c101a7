"""Spans of one generation, kept in memory while it runs and written with its rows."""

from __future__ import annotations

from collections import deque
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import msgspec

from mediawright.core.generation import Generation, Span
from mediawright.core.ids import IdPrefix, new_id
from mediawright.store import spans

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from sqlalchemy import Connection

    from mediawright.core.clock import Clock
    from mediawright.store.database import Database


_MOST_ENDED = 10_000
"""Ended generations that are remembered for whoever exports traces, if anybody does."""


class Tracer:
    """Writes one trace per generation (rule 79)."""

    def __init__(self, database: Database, clock: Clock) -> None:
        """Write into `database`."""
        self._database = database
        self._clock = clock
        self._steps: dict[str, list[Span]] = {}
        self._written: set[str] = set()
        self._ended: deque[str] = deque(maxlen=_MOST_ENDED)

    def begin(self, connection: Connection, generation: Generation) -> None:
        """Write the root span of a new generation, in the caller's transaction."""
        root = Span(
            id=root_span_id(generation.trace_id),
            trace_id=generation.trace_id,
            workspace_id=generation.workspace_id,
            name=generation.operation.value,
            kind=generation.operation.span_kind,
            generation_id=generation.id,
            started_at=generation.created_at,
            attributes=_asked(generation),
        )
        spans.insert(connection, [root])

    def finish(
        self, connection: Connection, generation: Generation, attributes: dict[str, Any]
    ) -> None:
        """Finish the root span and write the parts so far, in the caller's transaction.

        Args:
            connection: The open transaction.
            generation: The generation as it has become, finished.
            attributes: What is known only now: provider, outputs, cost.
        """
        self.write_steps(connection, generation.id)
        self._ended.append(generation.id)
        spans.finish(
            connection,
            root_span_id(generation.trace_id),
            ended_at=generation.finished_at or self._clock.now(),
            status="error" if generation.problem else "ok",
            attributes={**_asked(generation), **attributes},
        )

    @asynccontextmanager
    async def step(
        self, generation: Generation, name: str, **attributes: Any
    ) -> AsyncGenerator[dict[str, Any]]:
        """Time a part of the generation; the yielded attributes may be added to.

        It is written with the next transaction of the generation that takes it along, so
        that a trace costs no commit of its own.
        """
        collected: dict[str, Any] = dict(attributes)
        span = Span(
            id=new_id(IdPrefix.SPAN),
            trace_id=generation.trace_id,
            workspace_id=generation.workspace_id,
            parent_id=root_span_id(generation.trace_id),
            name=name,
            kind="step",
            generation_id=generation.id,
            started_at=self._clock.now(),
        )
        # A step may take long, and what it belongs to is much larger than its id.
        generation_id = generation.id
        del generation
        status = "error"
        try:
            yield collected
            status = str(collected.pop("status", "ok"))
        finally:
            finished = msgspec.structs.replace(
                span, ended_at=self._clock.now(), status=status, attributes=collected
            )
            self._steps.setdefault(generation_id, []).append(finished)

    def write_steps(self, connection: Connection, generation_id: str) -> None:
        """Write the finished parts of a generation's trace, in the caller's transaction."""
        steps = self._steps.get(generation_id, [])
        spans.insert(connection, steps)
        self._written.update(span.id for span in steps)

    def take_ended(self) -> list[str]:
        """Return the generations that ended in this process since the last time.

        One whose transaction failed may be among them; its root span is not finished then.
        """
        taken: list[str] = []
        while self._ended:
            taken.append(self._ended.popleft())
        return taken

    async def flush(self, generation_id: str) -> None:
        """Write what no other transaction took along, and forget the generation's parts."""
        finished = self._steps.pop(generation_id, [])
        left = [span for span in finished if span.id not in self._written]
        self._written.difference_update(span.id for span in finished)
        if left:
            await self._database.write(lambda connection: spans.insert(connection, left))


def _asked(generation: Generation) -> dict[str, Any]:
    """Return what is known of a generation from its beginning."""
    request = generation.request
    return {
        "model": generation.model,
        "prompt": request.prompt,
        **{f"metadata.{key}": value for key, value in request.metadata.items()},
    }


def root_span_id(trace_id: str) -> str:
    """Return the id of a trace's root span, which is derived from the trace's."""
    return f"{IdPrefix.SPAN.value}_{trace_id.partition('_')[2]}"
