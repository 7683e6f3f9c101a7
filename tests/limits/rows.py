"""Rows of generations and attempts, made in bulk, and what is counted among them."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from mediawright.core.generation import Attempt, Generation, RoutePlan
from mediawright.core.ids import IdPrefix, new_id
from mediawright.core.money import Price
from mediawright.core.operations import Operation
from mediawright.core.request import GenerationRequest
from mediawright.core.states import AttemptState, GenerationState
from mediawright.jobs.limits import AccountLimits
from mediawright.store import attempts, generations, tables, workspaces
from mediawright.store.codec import to_micros
from mediawright.store.generation_rows import to_values
from mediawright.store.workspaces import Workspace

START = datetime.fromisoformat("2026-11-20T10:00:00+00:00")
MINUTE = timedelta(seconds=60)


def generation(workspace_id: str, account: str = "vendor", **fields: Any) -> Generation:
    """Return a new generation on one route."""
    values: dict[str, Any] = {
        "id": new_id(IdPrefix.GENERATION),
        "workspace_id": workspace_id,
        "trace_id": new_id(IdPrefix.TRACE),
        "state": GenerationState.QUEUED,
        "operation": Operation.TEXT_TO_IMAGE,
        "model": "test-model",
        "provider": account,
        "request": GenerationRequest(model="test-model", prompt="a lighthouse"),
        "routes": (RoutePlan(provider=account, upstream_id="model-1"),),
        "price": Price(),
        "created_at": START,
        "updated_at": START,
    }
    return Generation(**{**values, **fields})


def add_workspaces(c: Connection, *names: str) -> None:
    for name in names:
        workspaces.ensure(c, Workspace(id=name, name=name, created_at=START))


def add(
    c: Connection, workspace_id: str, count: int = 1, account: str = "vendor", **fields: Any
) -> list[str]:
    """Add so many generations of a workspace; return their ids, oldest first."""
    add_workspaces(c, workspace_id)
    made = [generation(workspace_id, account, **fields) for _ in range(count)]
    for start in range(0, count, 5_000):
        rows = [to_values(item) for item in made[start : start + 5_000]]
        c.execute(sa.insert(tables.generations), rows)
    return [item.id for item in made]


def submit(c: Connection, generation_id: str, now: datetime, account: str = "vendor") -> None:
    """Write the next attempt of a generation, as the engine does before it sends it."""
    number = len(attempts.for_generation(c, None, generation_id)) + 1
    attempt = Attempt(
        generation_id=generation_id,
        number=number,
        state=AttemptState.INTENT,
        provider=account,
        upstream_id="model-1",
        client_reference=f"{generation_id}:{number}",
        request_hash="",
        executor="test",
        created_at=now,
        updated_at=now,
    )
    owner = generations.lock(c, generation_id)
    assert owner is not None
    assert attempts.begin(c, owner.workspace_id, attempt)


def set_state(c: Connection, generation_id: str, state: GenerationState) -> None:
    rows = tables.generations
    c.execute(rows.update().where(rows.c.id == generation_id).values(state=state.value))


def at_provider(c: Connection, account: str = "vendor") -> dict[str, int]:
    """Return how many of each workspace are at an account."""
    rows = tables.generations
    found = c.execute(
        sa.select(rows.c.workspace_id, sa.func.count())
        .where(rows.c.provider == account, rows.c.state.in_(["submitting", "running"]))
        .group_by(rows.c.workspace_id)
    )
    return {row[0]: row[1] for row in found}


def most_in_any_minute(moments: list[datetime]) -> int:
    """Return how many of some moments fall into the fullest 60 seconds."""
    stamps = sorted(to_micros(moment) for moment in moments)
    width = MINUTE // timedelta(microseconds=1)
    fullest, first = 0, 0
    for last, stamp in enumerate(stamps):
        while stamp - stamps[first] >= width:
            first += 1
        fullest = max(fullest, last - first + 1)
    return fullest


def submit_times(c: Connection, account: str = "vendor") -> list[datetime]:
    rows = tables.attempts
    found = c.execute(sa.select(rows.c.created_at).where(rows.c.provider == account)).scalars()
    return [START + timedelta(microseconds=stamp - to_micros(START)) for stamp in found]


def limits(**fields: int) -> AccountLimits:
    return AccountLimits(**fields)


def clear(c: Connection) -> None:
    c.execute(tables.attempts.delete())
    c.execute(tables.generations.delete())


def count_queued(c: Connection) -> int:
    rows = tables.generations
    query = sa.select(sa.func.count()).where(rows.c.state == GenerationState.QUEUED.value)
    return c.execute(query).scalar_one()
