"""Spans: the timed parts of traces."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import Connection, Row, bindparam, select, update

from mediawright.core.generation import Span
from mediawright.store.codec import (
    from_micros,
    from_micros_or_none,
    to_json,
    to_micros,
    to_micros_or_none,
)
from mediawright.store.insertion import insert_all_once
from mediawright.store.tables import spans

_attributes = msgspec.json.Decoder(dict[str, Any])

_OWN = spans.c.workspace_id == bindparam("workspace_id")
_FINISH = (
    update(spans)
    .where(spans.c.id == bindparam("span_id"))
    .values(
        ended_at=bindparam("at"),
        status=bindparam("new_status"),
        attributes=bindparam("new_attributes"),
    )
)
_FOR_TRACE = (
    select(spans)
    .where(_OWN, spans.c.trace_id == bindparam("trace_id"))
    .order_by(spans.c.started_at, spans.c.id)
)
_WHOLE_TRACE = (
    select(spans)
    .where(spans.c.generation_id == bindparam("generation_id"))
    .order_by(spans.c.started_at, spans.c.id)
)
_FOR_GENERATION = (
    select(spans)
    .where(_OWN, spans.c.generation_id == bindparam("generation_id"))
    .order_by(spans.c.started_at, spans.c.id)
)


def insert(c: Connection, added: Sequence[Span]) -> None:
    """Add spans, finished or not, but for those that are there already."""
    insert_all_once(c, spans, [_to_values(span) for span in added], ("id",))


def finish(
    c: Connection,
    span_id: str,
    *,
    ended_at: datetime,
    status: str,
    attributes: Mapping[str, Any],
) -> bool:
    """End a span; for the engine.

    Args:
        c: The connection.
        span_id: Which.
        ended_at: When it ended.
        status: `ok` or `error`.
        attributes: All that is known of it, in place of what was known.

    Returns:
        Whether there is such a span.
    """
    values = {
        "span_id": span_id,
        "at": to_micros(ended_at),
        "new_status": status,
        "new_attributes": to_json(attributes),
    }
    return c.execute(_FINISH, values).rowcount == 1


def for_trace(c: Connection, workspace_id: str, trace_id: str) -> list[Span]:
    """Return the spans of a trace in the order they began."""
    values = {"workspace_id": workspace_id, "trace_id": trace_id}
    return [_to_span(row) for row in c.execute(_FOR_TRACE, values)]


def for_generation(c: Connection, workspace_id: str, generation_id: str) -> list[Span]:
    """Return the spans of a generation in the order they began."""
    values = {"workspace_id": workspace_id, "generation_id": generation_id}
    return [_to_span(row) for row in c.execute(_FOR_GENERATION, values)]


def whole_trace(c: Connection, generation_id: str) -> list[Span]:
    """Return the spans of a generation of any workspace; for the engine's exporters."""
    return [_to_span(row) for row in c.execute(_WHOLE_TRACE, {"generation_id": generation_id})]


def _to_values(span: Span) -> dict[str, Any]:
    return {
        "id": span.id,
        "workspace_id": span.workspace_id,
        "trace_id": span.trace_id,
        "parent_id": span.parent_id,
        "generation_id": span.generation_id,
        "name": span.name,
        "kind": span.kind,
        "status": span.status,
        "attributes": to_json(span.attributes),
        "started_at": to_micros(span.started_at),
        "ended_at": to_micros_or_none(span.ended_at),
    }


def _to_span(row: Row[Any]) -> Span:
    return Span(
        id=row.id,
        trace_id=row.trace_id,
        workspace_id=row.workspace_id,
        name=row.name,
        kind=row.kind,
        started_at=from_micros(row.started_at),
        parent_id=row.parent_id,
        generation_id=row.generation_id,
        ended_at=from_micros_or_none(row.ended_at),
        status=row.status,
        attributes=_attributes.decode(row.attributes),
    )
