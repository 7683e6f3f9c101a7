"""Attempts: the journal of what was sent to whom."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import Connection, Row, Text, bindparam, func, select, update

from mediawright.core.errors import Problem
from mediawright.core.generation import Attempt
from mediawright.core.states import AttemptState
from mediawright.store.codec import (
    from_micros,
    from_micros_or_none,
    storable,
    to_json_or_none,
    to_micros,
    to_micros_or_none,
)
from mediawright.store.insertion import insert_once
from mediawright.store.tables import attempts, generations

_handle = msgspec.json.Decoder(dict[str, Any])
_problem = msgspec.json.Decoder(Problem)

_WORKSPACE_OF = select(generations.c.workspace_id).where(
    generations.c.id == bindparam("generation_id")
)
_FOR_GENERATION = (
    select(attempts)
    .where(attempts.c.generation_id == bindparam("generation_id"))
    .order_by(attempts.c.number)
)
_FOR_OWN_GENERATION = _FOR_GENERATION.where(attempts.c.workspace_id == bindparam("workspace_id"))
_LATEST = (
    select(attempts)
    .where(attempts.c.generation_id == bindparam("generation_id"))
    .order_by(attempts.c.number.desc())
    .limit(1)
)
_SETTLE = (
    update(attempts)
    .where(
        attempts.c.generation_id == bindparam("of_generation"),
        attempts.c.number == bindparam("of_number"),
        attempts.c.state.in_(bindparam("sources", expanding=True)),
    )
    .values(
        state=bindparam("new_state"),
        # What is known already stays known.
        handle=func.coalesce(bindparam("new_handle", type_=Text), attempts.c.handle),
        problem=func.coalesce(bindparam("new_problem", type_=Text), attempts.c.problem),
        vendor_id=func.coalesce(bindparam("new_vendor_id", type_=Text), attempts.c.vendor_id),
        updated_at=bindparam("now"),
    )
    .returning(*attempts.c)
)


def begin(c: Connection, attempt: Attempt) -> bool:
    """Write down an attempt before it is made; for the engine.

    Returns:
        Whether it is new. `False` means that somebody wrote it before: what it says may have
        been sent already, so it must not be sent blindly.
    """
    owner = c.execute(_WORKSPACE_OF, {"generation_id": attempt.generation_id}).scalar_one()
    values = {
        "generation_id": attempt.generation_id,
        "number": attempt.number,
        "workspace_id": owner,
        "state": attempt.state.value,
        "provider": attempt.provider,
        "upstream_id": attempt.upstream_id,
        "client_reference": attempt.client_reference,
        "request_hash": attempt.request_hash,
        "executor": attempt.executor,
        "handle": to_json_or_none(attempt.handle),
        "problem": to_json_or_none(attempt.problem),
        "vendor_id": attempt.vendor_id,
        "checked_at": to_micros_or_none(attempt.checked_at),
        "created_at": to_micros(attempt.created_at),
        "updated_at": to_micros(attempt.updated_at),
    }
    return insert_once(c, attempts, values, ("generation_id", "number"))


def settle(
    c: Connection,
    generation_id: str,
    number: int,
    state: AttemptState,
    *,
    now: datetime,
    expected: Collection[AttemptState] = (AttemptState.INTENT,),
    handle: dict[str, Any] | None = None,
    problem: Problem | None = None,
    vendor_id: str | None = None,
) -> Attempt | None:
    """Write down what became of an attempt; for the engine.

    Args:
        c: The connection.
        generation_id: Of which generation.
        number: Which attempt.
        state: What is known now.
        now: When.
        expected: The states it may be in until now.
        handle: How the provider is asked about the job; what is known already stays if `None`.
        problem: What went wrong; what is known already stays if `None`.
        vendor_id: The provider's own name for the job; what is known already stays if `None`.

    Returns:
        The attempt as it is now, or `None` if it was in none of the expected states.
    """
    values = {
        "of_generation": generation_id,
        "of_number": number,
        "new_state": state.value,
        "new_handle": to_json_or_none(handle),
        "new_problem": to_json_or_none(problem),
        "new_vendor_id": storable(vendor_id),
        "now": to_micros(now),
        "sources": sorted(source.value for source in expected),
    }
    row = c.execute(_SETTLE, values).first()
    return None if row is None else _to_attempt(row)


def latest(c: Connection, generation_id: str) -> Attempt | None:
    """Return a generation's last attempt; for the engine."""
    row = c.execute(_LATEST, {"generation_id": generation_id}).first()
    return None if row is None else _to_attempt(row)


def for_generation(c: Connection, workspace_id: str | None, generation_id: str) -> list[Attempt]:
    """Return a generation's attempts, first to last.

    Args:
        c: The connection.
        workspace_id: Whose; `None` for the engine, which serves all.
        generation_id: Of which generation.
    """
    values = {"generation_id": generation_id}
    if workspace_id is None:
        return [_to_attempt(row) for row in c.execute(_FOR_GENERATION, values)]
    values["workspace_id"] = workspace_id
    return [_to_attempt(row) for row in c.execute(_FOR_OWN_GENERATION, values)]


def _to_attempt(row: Row[Any]) -> Attempt:
    return Attempt(
        generation_id=row.generation_id,
        number=row.number,
        state=AttemptState(row.state),
        provider=row.provider,
        upstream_id=row.upstream_id,
        client_reference=row.client_reference,
        request_hash=row.request_hash,
        executor=row.executor,
        handle=None if row.handle is None else _handle.decode(row.handle),
        problem=None if row.problem is None else _problem.decode(row.problem),
        created_at=from_micros(row.created_at),
        updated_at=from_micros(row.updated_at),
        vendor_id=row.vendor_id,
        checked_at=from_micros_or_none(row.checked_at),
    )
