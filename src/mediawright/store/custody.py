"""Which process answers for which generation, and how that passes to another.

A generation that has left the queue and has not ended is in the hands of its executor. Every
query here reads an index of those alone, so that neither the queue nor the history counts.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection, Select, bindparam, func, select, text, update

from mediawright.core.states import AttemptState, GenerationState
from mediawright.store.conditions import QUEUED, UNBOOKED_CANCELLATION, UNFINISHED
from mediawright.store.tables import attempts, generations

GIVEN_BACK = "given-back"
"""The executor of what a process that stops has let go of: nobody, and never alive."""

# Spelt out and not bound, beside the condition of the index, so that both databases use it.
_UNDER_WAY = text(
    "state IN ({})".format(
        ", ".join(
            f"'{state.value}'"
            for state in (
                GenerationState.SUBMITTING,
                GenerationState.RUNNING,
                GenerationState.STORING,
            )
        )
    )
)
_CONDITIONS = (sa.and_(UNFINISHED, _UNDER_WAY), UNBOOKED_CANCELLATION)
"""What has an executor: it is under way, or cancelled and its money not settled."""


def _next_executor(condition: Any) -> Select[Any]:
    return select(func.min(generations.c.executor)).where(
        condition, generations.c.executor > bindparam("after")
    )


def _count(condition: Any) -> Select[str, int]:
    return (
        select(generations.c.executor, func.count())
        .where(condition, generations.c.executor.is_not(None))
        .group_by(generations.c.executor)
    )


def _of(condition: Any) -> Select[Any]:
    return (
        select(generations.c.id)
        .where(condition, generations.c.executor == bindparam("holder"))
        .order_by(generations.c.id)
    )


def _pass_on(condition: Any) -> Any:
    # Another process may be taking the same ones: of two, the comparison lets one win.
    some = _of(condition).limit(bindparam("most")).scalar_subquery()
    return (
        update(generations)
        .where(generations.c.id.in_(some), generations.c.executor == bindparam("holder"))
        .values(executor=bindparam("taker"))
        .returning(generations.c.id)
    )


_NEXT_EXECUTOR = tuple(_next_executor(condition) for condition in _CONDITIONS)
_COUNT = tuple(_count(condition) for condition in _CONDITIONS)
_IN_DOUBT = sa.exists(
    select(attempts.c.generation_id).where(
        attempts.c.generation_id == generations.c.id,
        attempts.c.state == AttemptState.UNKNOWN.value,
    )
)
# What was cancelled while nobody knows about its submit is the sweep's business, not a task's.
_HELD = (_of(_CONDITIONS[0]), _of(sa.and_(UNBOOKED_CANCELLATION, ~_IN_DOUBT)))
_PASS_ON = tuple(_pass_on(condition) for condition in _CONDITIONS)
_GIVE_BACK = tuple(
    update(generations)
    .where(
        condition,
        generations.c.executor == bindparam("holder"),
        generations.c.id.not_in(bindparam("kept", expanding=True)),
    )
    .values(executor=GIVEN_BACK)
    for condition in _CONDITIONS
)
_COUNT_QUEUED = select(func.count()).select_from(generations).where(QUEUED)
_ANY_QUEUED = select(sa.exists(select(generations.c.id).where(QUEUED)))


def executors(c: Connection) -> set[str]:
    """Return everyone who holds a generation, dead or alive.

    It hops from one name to the next in the index, so that it costs no more with many rows.
    """
    found: set[str] = set()
    for statement in _NEXT_EXECUTOR:
        name = ""
        while (name := c.execute(statement, {"after": name}).scalar() or "") != "":
            found.add(name)
    return found


def counts(c: Connection) -> dict[str, int]:
    """Return how many generations each executor holds."""
    found: dict[str, int] = {}
    for statement in _COUNT:
        for executor, count in c.execute(statement):
            found[executor] = found.get(executor, 0) + count
    return found


def held(c: Connection, executor: str) -> list[str]:
    """Return the ids of the generations that an executor holds and should work on."""
    return [
        generation_id
        for statement in _HELD
        for generation_id in c.execute(statement, {"holder": executor}).scalars()
    ]


def pass_on(c: Connection, holder: str, taker: str, most: int) -> list[str]:
    """Put at most so many of a holder's generations into another's hands.

    Returns:
        The ids of those that the taker holds now.
    """
    taken: list[str] = []
    for statement in _PASS_ON:
        if len(taken) < most:
            values = {"holder": holder, "taker": taker, "most": most - len(taken)}
            taken += c.execute(statement, values).scalars()
    return taken


def give_back(c: Connection, holder: str, kept: Collection[str]) -> int:
    """Let go of a holder's generations but for those that are kept; return how many."""
    values = {"holder": holder, "kept": sorted(kept)}
    return sum(c.execute(statement, values).rowcount for statement in _GIVE_BACK)


def any_queued(c: Connection) -> bool:
    """Tell whether anything waits in the queue."""
    return bool(c.execute(_ANY_QUEUED).scalar())


def count_queued(c: Connection) -> int:
    """Return how many generations wait in the queue."""
    return c.execute(_COUNT_QUEUED).scalar() or 0
