"""How long generations took that were delivered."""

from __future__ import annotations

from typing import Any

import msgspec
from sqlalchemy import Connection, bindparam, select

from mediawright.store.conditions import FINISHED_WELL
from mediawright.store.tables import generations


class Duration(msgspec.Struct, frozen=True, kw_only=True):
    """One generation that was delivered."""

    seconds: float
    """From its begin, not from its request, to its end."""
    expected_seconds: float | None
    """What the catalogue expected."""
    provider: str | None
    parameters: dict[str, Any]
    """Its parameters, defaults filled in."""


class _Request(msgspec.Struct):
    parameters: dict[str, Any] = {}


_request = msgspec.json.Decoder(_Request)
_LATEST = (
    select(
        generations.c.started_at,
        generations.c.finished_at,
        generations.c.estimated_seconds,
        generations.c.provider,
        generations.c.request,
    )
    .where(
        FINISHED_WELL,
        generations.c.model == bindparam("model"),
        generations.c.operation == bindparam("operation"),
    )
    .order_by(generations.c.id.desc())
    .limit(bindparam("most"))
)


def latest(c: Connection, model: str, operation: str, *, most: int) -> list[Duration]:
    """Return how long the latest generations of a model took; of all workspaces.

    Args:
        c: The connection.
        model: Its id.
        operation: What they did.
        most: At most so many; no more rows are read, however many there are.
    """
    rows = c.execute(_LATEST, {"model": model, "operation": operation, "most": most})
    return [
        Duration(
            seconds=(row.finished_at - row.started_at) / 1_000_000,
            expected_seconds=row.estimated_seconds,
            provider=row.provider,
            parameters=_request.decode(row.request).parameters,
        )
        for row in rows
        if row.finished_at is not None
    ]
