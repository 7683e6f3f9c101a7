"""How much of everything there is now, over all workspaces: for the operator's metrics.

Every query here reads partial indexes or small tables, so that asking each few seconds
costs nothing that grows with the history.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import Connection, Select, func, select

from mediawright.core.states import GenerationState
from mediawright.store.codec import from_micros
from mediawright.store.conditions import (
    PENDING_DELIVERY,
    UNBOOKED_CANCELLATION,
    UNFINISHED,
    UNHANDLED,
)
from mediawright.store.tables import generations, provider_events, webhook_deliveries, workspaces


class Unfinished(msgspec.Struct, frozen=True, kw_only=True):
    """Generations in one state at one provider."""

    state: GenerationState
    provider: str
    count: int
    overdue: int
    oldest: datetime
    """When the one that waits longest was asked for."""


class Backlog(msgspec.Struct, frozen=True, kw_only=True):
    """What waits to be done."""

    count: int
    oldest: datetime | None = None


_UNFINISHED_BY_STATE = (
    select(
        generations.c.state,
        func.coalesce(generations.c.provider, ""),
        func.count(),
        func.count().filter(generations.c.overdue),
        func.min(generations.c.created_at),
    )
    .where(UNFINISHED)
    .group_by(generations.c.state, generations.c.provider)
)
_UNBOOKED = select(func.count(), func.min(generations.c.updated_at)).where(UNBOOKED_CANCELLATION)
_HELD = select(func.coalesce(func.sum(workspaces.c.held_micros), 0))
_DELIVERIES = select(func.count(), func.min(webhook_deliveries.c.created_at)).where(
    PENDING_DELIVERY
)
_HOOKS = select(func.count(), func.min(provider_events.c.received_at)).where(UNHANDLED)


def unfinished(c: Connection) -> list[Unfinished]:
    """Return how many generations are in each unfinished state at each provider."""
    return [
        Unfinished(
            state=GenerationState(state),
            provider=provider,
            count=count,
            overdue=overdue,
            oldest=from_micros(oldest),
        )
        for state, provider, count, overdue, oldest in c.execute(_UNFINISHED_BY_STATE)
    ]


def unbooked_cancellations(c: Connection) -> Backlog:
    """Return the cancelled generations whose money is not settled."""
    return _backlog(c, _UNBOOKED)


def held_micros(c: Connection) -> int:
    """Return what is held in all workspaces, in millionths of a credit."""
    return int(c.execute(_HELD).scalar_one())


def pending_deliveries(c: Connection) -> Backlog:
    """Return the webhook deliveries that are not made yet."""
    return _backlog(c, _DELIVERIES)


def unhandled_hooks(c: Connection) -> Backlog:
    """Return the providers' webhooks that nobody has looked at."""
    return _backlog(c, _HOOKS)


def _backlog(c: Connection, statement: Select[int, Any]) -> Backlog:
    count, oldest = c.execute(statement).one()
    return Backlog(count=count, oldest=None if oldest is None else from_micros(oldest))
