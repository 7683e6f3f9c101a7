"""What is noted on a generation beside its state: its charge, that it is overdue."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, Connection, bindparam, func, select, update

from mediawright.core.errors import Problem
from mediawright.core.generation import Generation
from mediawright.core.money import PriceBasis
from mediawright.store.codec import to_json_or_none, to_micros
from mediawright.store.conditions import UNBOOKED_CANCELLATION, UNFINISHED
from mediawright.store.generation_rows import to_generation
from mediawright.store.tables import generations

_BOOK = (
    update(generations)
    .where(
        generations.c.id == bindparam("generation_id"),
        generations.c.charge_micros.is_not_distinct_from(bindparam("before", type_=BigInteger)),
    )
    .values(charge_micros=bindparam("charge"), updated_at=bindparam("now"))
    .returning(*generations.c)
)
_ADD_COST = (
    update(generations)
    .where(generations.c.id == bindparam("generation_id"))
    .values(
        cost_micros=func.coalesce(generations.c.cost_micros, 0) + bindparam("cost"),
        cost_basis=bindparam("basis"),
        updated_at=bindparam("now"),
    )
)
_NOTE_PROBLEM = (
    update(generations)
    .where(generations.c.id == bindparam("generation_id"), UNBOOKED_CANCELLATION)
    .values(problem=bindparam("new_problem"), updated_at=bindparam("now"))
    .returning(*generations.c)
)
_MARK_OVERDUE = (
    update(generations)
    .where(generations.c.id == bindparam("generation_id"), UNFINISHED)
    .values(overdue=True, updated_at=bindparam("now"))
    .returning(*generations.c)
)
_CANCELLED_AND_OPEN = (
    select(generations.c.id).where(UNBOOKED_CANCELLATION).order_by(generations.c.id)
)
_CANCELLED_AND_OPEN_OF = _CANCELLED_AND_OPEN.where(generations.c.executor == bindparam("executor"))


def book(
    c: Connection,
    generation_id: str,
    *,
    charge_micros: int,
    now: datetime,
    before: int | None = None,
) -> Generation | None:
    """Note what a finished generation is charged, once; for the engine.

    Args:
        c: The connection.
        generation_id: Which.
        charge_micros: Millionths of a credit.
        now: When.
        before: What the same transaction has noted before, to be corrected.

    Returns:
        The generation as it is now, or `None` if another charge was noted before.
    """
    values = {
        "generation_id": generation_id,
        "charge": charge_micros,
        "before": before,
        "now": to_micros(now),
    }
    row = c.execute(_BOOK, values).first()
    return None if row is None else to_generation(row)


def add_cost(
    c: Connection, generation_id: str, *, cost_micros: int, basis: PriceBasis, now: datetime
) -> None:
    """Add to what the provider bills for a generation, whether or not it has ended.

    For the engine. What is charged for it does not change.

    Args:
        c: The connection.
        generation_id: Which.
        cost_micros: Millionths of a US dollar.
        basis: How the amount is known.
        now: When.
    """
    values = {
        "generation_id": generation_id,
        "cost": cost_micros,
        "basis": basis.value,
        "now": to_micros(now),
    }
    c.execute(_ADD_COST, values)


def note_problem(
    c: Connection, generation_id: str, problem: Problem | None, *, now: datetime
) -> Generation | None:
    """Say what is wrong with a generation that was cancelled, or no longer; for the engine.

    Returns:
        The generation as it is now, or `None` if its money is settled.
    """
    values = {
        "generation_id": generation_id,
        "new_problem": to_json_or_none(problem),
        "now": to_micros(now),
    }
    row = c.execute(_NOTE_PROBLEM, values).first()
    return None if row is None else to_generation(row)


def mark_overdue(c: Connection, generation_id: str, *, now: datetime) -> Generation | None:
    """Note that a generation takes longer than it should; for the engine.

    Returns:
        The generation as it is now, or `None` if it has ended.
    """
    values = {"generation_id": generation_id, "now": to_micros(now)}
    row = c.execute(_MARK_OVERDUE, values).first()
    return None if row is None else to_generation(row)


def cancelled_and_open(c: Connection, executor: str | None) -> list[str]:
    """Return the ids of generations that were cancelled and whose money is not settled.

    Args:
        c: The connection.
        executor: Only those that this executor ran; `None` for all, of all workspaces.
    """
    if executor is None:
        return list(c.execute(_CANCELLED_AND_OPEN).scalars())
    return list(c.execute(_CANCELLED_AND_OPEN_OF, {"executor": executor}).scalars())
