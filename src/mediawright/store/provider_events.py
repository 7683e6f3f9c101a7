"""Provider events: what providers reported by webhook, each report once."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import Connection, Row, bindparam, select, update

from mediawright.core.states import AttemptState, GenerationState
from mediawright.store.codec import from_micros, from_micros_or_none, storable, to_micros
from mediawright.store.conditions import UNHANDLED
from mediawright.store.insertion import insert_once
from mediawright.store.tables import attempts, generations, provider_events


class ProviderEvent(msgspec.Struct, frozen=True, kw_only=True):
    """A report of a provider about one attempt."""

    sequence: int
    generation_id: str
    attempt_number: int
    provider: str
    delivery_id: str
    """The provider's name for the delivery."""
    vendor_id: str | None
    """The provider's name for the job."""
    received_at: datetime
    handled_at: datetime | None = None


class OpenEvent(msgspec.Struct, frozen=True, kw_only=True):
    """A report that nobody has acted on, and how things stand."""

    event: ProviderEvent
    generation_state: GenerationState
    is_settled: bool
    """Whether the generation's charge is booked."""
    attempt_state: AttemptState
    upstream_id: str


# All but the body, which is kept for people and read by nobody here.
_EVENT = tuple(column for column in provider_events.c if column.name != "body")
_SELECT = (
    select(
        *_EVENT,
        generations.c.state.label("generation_state"),
        generations.c.charge_micros,
        attempts.c.state.label("attempt_state"),
        attempts.c.upstream_id,
    )
    .join(generations, generations.c.id == provider_events.c.generation_id)
    .join(
        attempts,
        (attempts.c.generation_id == provider_events.c.generation_id)
        & (attempts.c.number == provider_events.c.attempt_number),
    )
)
_UNHANDLED = (
    _SELECT.where(UNHANDLED, provider_events.c.sequence > bindparam("after"))
    .order_by(provider_events.c.sequence)
    .limit(bindparam("most"))
)
_BY_DELIVERY = _SELECT.where(
    provider_events.c.provider == bindparam("provider"),
    provider_events.c.delivery_id == bindparam("delivery_id"),
)
_MARK = (
    update(provider_events)
    .where(
        provider_events.c.sequence == bindparam("of_sequence"),
        provider_events.c.handled_at.is_(None),
    )
    .values(handled_at=bindparam("now"))
)
_FOR_GENERATION = (
    select(*_EVENT)
    .where(
        provider_events.c.workspace_id == bindparam("workspace_id"),
        provider_events.c.generation_id == bindparam("generation_id"),
    )
    .order_by(provider_events.c.sequence)
)


def insert(
    c: Connection,
    *,
    workspace_id: str,
    generation_id: str,
    attempt_number: int,
    provider: str,
    delivery_id: str,
    vendor_id: str | None,
    body: str,
    now: datetime,
) -> bool:
    """Write down a verified report; tell whether it is the first of that delivery."""
    values = {
        "workspace_id": workspace_id,
        "generation_id": generation_id,
        "attempt_number": attempt_number,
        "provider": provider,
        "delivery_id": storable(delivery_id),
        "vendor_id": storable(vendor_id),
        "body": storable(body),
        "received_at": to_micros(now),
        "handled_at": None,
    }
    return insert_once(c, provider_events, values, ("provider", "delivery_id"))


def of_delivery(c: Connection, provider: str, delivery_id: str) -> OpenEvent | None:
    """Return the report of a delivery, whether or not it was acted on; for the engine."""
    values = {"provider": provider, "delivery_id": storable(delivery_id)}
    row = c.execute(_BY_DELIVERY, values).first()
    return None if row is None else _to_open_event(row)


def unhandled(c: Connection, *, limit: int, after: int = 0) -> list[OpenEvent]:
    """Return reports that nobody has acted on, oldest first; for the engine.

    Args:
        c: The connection.
        limit: At most so many.
        after: The sequence of the last one already seen.
    """
    rows = c.execute(_UNHANDLED, {"after": after, "most": limit})
    return [_to_open_event(row) for row in rows]


def mark_handled(c: Connection, sequence: int, now: datetime) -> None:
    """Note that a report was acted on; a time that stands already stays."""
    c.execute(_MARK, {"of_sequence": sequence, "now": to_micros(now)})


def for_generation(c: Connection, workspace_id: str, generation_id: str) -> list[ProviderEvent]:
    """Return the reports about a workspace's generation, in the order they came."""
    values = {"workspace_id": workspace_id, "generation_id": generation_id}
    return [_to_event(row) for row in c.execute(_FOR_GENERATION, values)]


def _to_event(row: Row[Any]) -> ProviderEvent:
    return ProviderEvent(
        sequence=row.sequence,
        generation_id=row.generation_id,
        attempt_number=row.attempt_number,
        provider=row.provider,
        delivery_id=row.delivery_id,
        vendor_id=row.vendor_id,
        received_at=from_micros(row.received_at),
        handled_at=from_micros_or_none(row.handled_at),
    )


def _to_open_event(row: Row[Any]) -> OpenEvent:
    return OpenEvent(
        event=_to_event(row),
        generation_state=GenerationState(row.generation_state),
        is_settled=row.charge_micros is not None,
        attempt_state=AttemptState(row.attempt_state),
        upstream_id=row.upstream_id,
    )
