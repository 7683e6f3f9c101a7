"""Attempts: the journal of what was sent to whom."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import (
    BigInteger,
    Connection,
    Integer,
    Row,
    Select,
    Text,
    bindparam,
    exists,
    func,
    select,
    tuple_,
    update,
)

from mediawright.core.errors import Problem
from mediawright.core.generation import Attempt
from mediawright.core.states import TERMINAL_STATES, AttemptState
from mediawright.store.codec import (
    from_micros,
    from_micros_or_none,
    storable,
    to_json_or_none,
    to_micros,
    to_micros_or_none,
)
from mediawright.store.conditions import OPEN_AT_PROVIDER, UNRESOLVED
from mediawright.store.insertion import insert_once
from mediawright.store.tables import attempts, generations

_handle = msgspec.json.Decoder(dict[str, Any])
_problem = msgspec.json.Decoder(Problem)

_FOR_GENERATION = (
    select(attempts)
    .where(attempts.c.generation_id == bindparam("generation_id"))
    .order_by(attempts.c.number)
)
_FOR_OWN_GENERATIONS = (
    select(attempts)
    .where(
        attempts.c.generation_id.in_(bindparam("generation_ids", expanding=True)),
        attempts.c.workspace_id == bindparam("workspace_id"),
    )
    .order_by(attempts.c.generation_id, attempts.c.number)
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
        closed_at=func.coalesce(attempts.c.closed_at, bindparam("closing", type_=BigInteger)),
        updated_at=bindparam("now"),
    )
    .returning(*attempts.c)
)
_ONE = (
    attempts.c.generation_id == bindparam("of_generation"),
    attempts.c.number == bindparam("of_number"),
)
_CLOSE = (
    update(attempts)
    .where(*_ONE, attempts.c.closed_at.is_(None))
    .values(closed_at=bindparam("now"), updated_at=bindparam("now"))
)
_REOPEN = (
    update(attempts)
    .where(*_ONE, attempts.c.state == AttemptState.ACKNOWLEDGED.value)
    .values(
        handle=func.coalesce(bindparam("new_handle", type_=Text), attempts.c.handle),
        vendor_id=func.coalesce(bindparam("new_vendor_id", type_=Text), attempts.c.vendor_id),
        closed_at=None,
        updated_at=bindparam("now"),
    )
)
_GET = select(attempts).where(*_ONE)
_MARK_CHECKED = update(attempts).where(*_ONE).values(checked_at=bindparam("now"))
_AFTER = tuple_(attempts.c.generation_id, attempts.c.number) > tuple_(
    bindparam("after_generation", type_=Text), bindparam("after_number", type_=Integer)
)
_IN_ORDER = (attempts.c.generation_id, attempts.c.number)
_UNRESOLVED = (
    select(attempts).where(UNRESOLVED, _AFTER).order_by(*_IN_ORDER).limit(bindparam("most"))
)
# The state is named in both tables, so the condition of the partial index is spelt for one.
_OPEN_OF_ENDED = (
    select(attempts)
    .where(
        OPEN_AT_PROVIDER,
        _AFTER,
        exists().where(
            generations.c.id == attempts.c.generation_id,
            generations.c.state.in_(sorted(state.value for state in TERMINAL_STATES)),
        ),
    )
    .order_by(*_IN_ORDER)
    .limit(bindparam("most"))
)


def begin(c: Connection, workspace_id: str, attempt: Attempt) -> bool:
    """Write down an attempt before it is made; for the engine.

    Args:
        c: The connection.
        workspace_id: Whose generation it is for.
        attempt: The attempt.

    Returns:
        Whether it is new. `False` means that somebody wrote it before: what it says may have
        been sent already, so it must not be sent blindly.
    """
    values = {
        "generation_id": attempt.generation_id,
        "number": attempt.number,
        "workspace_id": workspace_id,
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
        "closed_at": to_micros_or_none(attempt.closed_at),
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
    is_closed: bool = False,
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
        is_closed: Whether the provider does nothing more for it.

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
        "closing": to_micros(now) if is_closed else None,
        "now": to_micros(now),
        "sources": sorted(source.value for source in expected),
    }
    row = c.execute(_SETTLE, values).first()
    return None if row is None else _to_attempt(row)


def close(c: Connection, generation_id: str, number: int, *, now: datetime) -> bool:
    """Note that a provider does nothing more for an attempt; for the engine.

    Returns:
        Whether it was noted now: of several that try, exactly one hears `True`.
    """
    values = {"of_generation": generation_id, "of_number": number, "now": to_micros(now)}
    return c.execute(_CLOSE, values).rowcount == 1


def reopen(
    c: Connection,
    generation_id: str,
    number: int,
    *,
    now: datetime,
    handle: dict[str, Any] | None = None,
    vendor_id: str | None = None,
) -> None:
    """Note that something may still come of an attempt that a provider took; for the engine."""
    values = {
        "of_generation": generation_id,
        "of_number": number,
        "new_handle": to_json_or_none(handle),
        "new_vendor_id": storable(vendor_id),
        "now": to_micros(now),
    }
    c.execute(_REOPEN, values)


def mark_checked(c: Connection, generation_id: str, number: int, *, now: datetime) -> None:
    """Note that it was tried just now to find out what became of an attempt; for the engine."""
    values = {"of_generation": generation_id, "of_number": number, "now": to_micros(now)}
    c.execute(_MARK_CHECKED, values)


def unresolved(c: Connection, *, limit: int, after: tuple[str, int] | None = None) -> list[Attempt]:
    """Return attempts of which nobody knows whether they were taken; for the engine.

    Those that are just being made are among them.

    Args:
        c: The connection.
        limit: At most so many.
        after: Generation and number of the last one already seen.
    """
    return _page(c, _UNRESOLVED, limit, after)


def open_of_ended(
    c: Connection, *, limit: int, after: tuple[str, int] | None = None
) -> list[Attempt]:
    """Return attempts that a provider took and whose generations ended before it did.

    For the engine, of all workspaces.

    Args:
        c: The connection.
        limit: At most so many.
        after: Generation and number of the last one already seen.
    """
    return _page(c, _OPEN_OF_ENDED, limit, after)


def _page(
    c: Connection, statement: Select[Any], limit: int, after: tuple[str, int] | None
) -> list[Attempt]:
    generation_id, number = after or ("", 0)
    values = {"after_generation": generation_id, "after_number": number, "most": limit}
    return [_to_attempt(row) for row in c.execute(statement, values)]


def get(c: Connection, generation_id: str, number: int) -> Attempt | None:
    """Return one attempt of a generation; for the engine."""
    row = c.execute(_GET, {"of_generation": generation_id, "of_number": number}).first()
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


def for_generations(
    c: Connection, workspace_id: str, generation_ids: Collection[str]
) -> dict[str, list[Attempt]]:
    """Return the attempts of many generations, first to last, by the generation's id.

    Every id asked for is in the answer, those never submitted with an empty list.
    """
    found: dict[str, list[Attempt]] = {generation_id: [] for generation_id in generation_ids}
    if found:
        values = {"workspace_id": workspace_id, "generation_ids": list(found)}
        for row in c.execute(_FOR_OWN_GENERATIONS, values):
            found[row.generation_id].append(_to_attempt(row))
    return found


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
        closed_at=from_micros_or_none(row.closed_at),
    )
