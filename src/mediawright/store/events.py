"""Events: what happened, in an order that listeners can resume from."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import msgspec
import sqlalchemy as sa
from sqlalchemy import Connection, Row, bindparam, func, select

from mediawright.core.events import Event, EventType
from mediawright.store import webhook_deliveries
from mediawright.store.codec import from_micros, to_json, to_micros
from mediawright.store.ledger_entries import lock_account
from mediawright.store.tables import events

_data = msgspec.json.Decoder(dict[str, Any])

_OWN = events.c.workspace_id == bindparam("workspace_id")
# In words of the database's, because SQLAlchemy leaves out the table's name in an INSERT.
_LISTENED_TO = sa.literal_column(
    "EXISTS (SELECT 1 FROM webhook_endpoints AS hooks "
    "WHERE hooks.workspace_id = events.workspace_id AND hooks.enabled)",
    sa.Boolean,
)
_INSERT = sa.insert(events).returning(events.c.sequence, _LISTENED_TO.label("listened_to"))
_AFTER = (
    select(events)
    .where(_OWN, events.c.sequence > bindparam("sequence"))
    .order_by(events.c.sequence)
    .limit(bindparam("most"))
)
_GET = select(events).where(_OWN, events.c.sequence == bindparam("sequence"))
_LATEST = select(func.max(events.c.sequence)).where(_OWN)


def append(
    c: Connection,
    *,
    workspace_id: str,
    type: EventType,  # noqa: A002 - the field's name
    now: datetime,
    generation_id: str | None = None,
    data: Mapping[str, Any] | None = None,
) -> int:
    """Add an event, and what webhooks are to be sent of it; return its sequence.

    Within a workspace, events become visible in the order of their sequences, so that whoever
    has seen one has seen all before it. PostgreSQL hands out numbers before it commits them;
    there, a transaction that adds events makes the workspace's others wait until it ends. It
    takes the same lock as a change of credits does: of two locks, a transaction that needs
    both could take the second while another, which has that one, waits for the first.

    Args:
        c: The connection.
        workspace_id: Whose.
        type: What happened.
        now: When.
        generation_id: To which generation.
        data: More facts; plain JSON.
    """
    lock_account(c, workspace_id)
    values = {
        "workspace_id": workspace_id,
        "type": type.value,
        "generation_id": generation_id,
        "data": to_json(data or {}),
        "created_at": to_micros(now),
    }
    added = c.execute(_INSERT, values).one()
    if added.listened_to:
        webhook_deliveries.fan_out(
            c,
            workspace_id=workspace_id,
            sequence=added.sequence,
            event=type,
            generation_id=generation_id,
            now=now,
        )
    return added.sequence


def after(c: Connection, workspace_id: str, sequence: int, limit: int) -> list[Event]:
    """Return a workspace's events with a greater sequence, oldest first, at most `limit`."""
    values = {"workspace_id": workspace_id, "sequence": sequence, "most": limit}
    return [_to_event(row) for row in c.execute(_AFTER, values)]


def get(c: Connection, workspace_id: str, sequence: int) -> Event | None:
    """Return a workspace's event."""
    row = c.execute(_GET, {"workspace_id": workspace_id, "sequence": sequence}).first()
    return None if row is None else _to_event(row)


def latest_sequence(c: Connection, workspace_id: str) -> int:
    """Return the sequence of a workspace's last event; 0 if it has none."""
    return c.execute(_LATEST, {"workspace_id": workspace_id}).scalar() or 0


def _to_event(row: Row[Any]) -> Event:
    return Event(
        sequence=row.sequence,
        workspace_id=row.workspace_id,
        type=EventType(row.type),
        created_at=from_micros(row.created_at),
        generation_id=row.generation_id,
        data=_data.decode(row.data),
    )
