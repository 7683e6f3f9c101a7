"""Removing what served its purpose: reports of providers, and what was sent to endpoints.

Generations, their attempts, files and money are never touched here.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import Connection, bindparam, delete, select, update

from mediawright.core.states import TERMINAL_STATES
from mediawright.store.codec import to_micros
from mediawright.store.kinds import DeliveryState
from mediawright.store.tables import generations, provider_events, webhook_deliveries

_OLD_EVENTS = (
    select(provider_events.c.sequence)
    .where(provider_events.c.handled_at < bindparam("before"))
    .order_by(provider_events.c.sequence)
    .limit(bindparam("most"))
)
_DROP_EVENTS = delete(provider_events).where(
    provider_events.c.sequence.in_(_OLD_EVENTS.scalar_subquery())
)
_OLD_PAYLOADS = (
    select(webhook_deliveries.c.id)
    .where(
        webhook_deliveries.c.payload.is_not(None),
        webhook_deliveries.c.created_at < bindparam("before"),
        webhook_deliveries.c.state != DeliveryState.PENDING.value,
    )
    .order_by(webhook_deliveries.c.id)
    .limit(bindparam("most"))
)
_DROP_PAYLOADS = (
    update(webhook_deliveries)
    .where(webhook_deliveries.c.id.in_(_OLD_PAYLOADS.scalar_subquery()))
    .values(payload=None)
)
_SETTLED = select(generations.c.id).where(
    generations.c.id.in_(bindparam("ids", expanding=True)),
    generations.c.state.in_(sorted(TERMINAL_STATES)),
    generations.c.charge_micros.is_not(None),
)


def drop_provider_events(c: Connection, before: datetime, most: int) -> int:
    """Remove at most so many reports that were acted on before then; return how many."""
    return c.execute(_DROP_EVENTS, {"before": to_micros(before), "most": most}).rowcount


def drop_payloads(c: Connection, before: datetime, most: int) -> int:
    """Empty at most so many deliveries that were made before then and are done with.

    What became of them stays known, and to send one again its payload is made anew.

    Returns:
        How many were emptied.
    """
    return c.execute(_DROP_PAYLOADS, {"before": to_micros(before), "most": most}).rowcount


def settled(c: Connection, generation_ids: Collection[str]) -> set[str]:
    """Return those of these generations that have ended and whose money is settled."""
    return set(c.execute(_SETTLED, {"ids": sorted(generation_ids)}).scalars())
