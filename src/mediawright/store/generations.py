"""Generations: adding, finding and changing them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from functools import cache
from typing import Any, TypedDict, Unpack

import sqlalchemy as sa
from sqlalchemy import Connection, Executable, Row, bindparam, func, select, update

from mediawright.core.errors import Problem
from mediawright.core.generation import Generation
from mediawright.core.money import PriceBasis
from mediawright.core.operations import Operation
from mediawright.core.states import GenerationState, sources_of
from mediawright.store.codec import storable, to_json_or_none, to_micros, to_micros_or_none
from mediawright.store.conditions import UNFINISHED
from mediawright.store.generation_pages import Filters, label_digests, page_statement
from mediawright.store.generation_rows import to_generation, to_values
from mediawright.store.insertion import insert_once
from mediawright.store.tables import generation_labels, generations


class Changes(TypedDict, total=False):
    """What may change together with the state; what is not given stays as it is."""

    provider: str | None
    progress: float | None
    stage: str | None
    problem: Problem | None
    charge_micros: int | None
    cost_micros: int | None
    cost_basis: PriceBasis
    executor: str | None
    started_at: datetime | None
    finished_at: datetime | None
    overdue: bool
    cancel_requested: bool


_INSERT_LABEL = sa.insert(generation_labels)
_GET = select(generations).where(generations.c.id == bindparam("generation_id"))
_LOCK = _GET.with_for_update(key_share=True)
_CLAIM = (
    update(generations)
    .where(
        generations.c.id == bindparam("generation_id"),
        func.coalesce(generations.c.executor, "") == bindparam("before"),
    )
    .values(executor=bindparam("following"))
    .returning(*generations.c)
)
_GET_OWN = _GET.where(generations.c.workspace_id == bindparam("workspace_id"))
_MOST_NAMED = 500
"""Generations named in one statement."""
_IN_STATE = select(generations.c.id).where(
    generations.c.id.in_(bindparam("ids", expanding=True)),
    generations.c.state == bindparam("state"),
)
_BY_IDEMPOTENCY_KEY = select(generations).where(
    generations.c.workspace_id == bindparam("workspace_id"),
    generations.c.idempotency_key == bindparam("key"),
)
_UPDATE_PROGRESS = (
    update(generations)
    .where(generations.c.id == bindparam("generation_id"), UNFINISHED)
    .values(
        progress=bindparam("new_progress"),
        stage=bindparam("new_stage"),
        updated_at=bindparam("now"),
    )
)
_UNFINISHED = (
    select(generations)
    .where(UNFINISHED, generations.c.id > bindparam("after"))
    .order_by(generations.c.id)
    .limit(bindparam("most"))
)
_UNFINISHED_OF_OTHERS = _UNFINISHED.where(
    sa.or_(generations.c.executor.is_(None), generations.c.executor != bindparam("executor_not"))
)
_COUNTS = select(generations.c.state, func.count()).group_by(generations.c.state)
_COUNTS_OF_WORKSPACE = _COUNTS.where(generations.c.workspace_id == bindparam("workspace_id"))


def insert(c: Connection, generation: Generation) -> bool:
    """Add a generation, together with the labels it can be found by.

    Returns:
        Whether it was added; `False` if its workspace has one with its idempotency key.
    """
    unique = ("workspace_id", "idempotency_key")
    if not insert_once(c, generations, to_values(generation), unique):
        return False
    labels = [
        {
            "workspace_id": generation.workspace_id,
            "digest": digest,
            "generation_id": generation.id,
        }
        for digest in label_digests(generation.request.metadata)
    ]
    if labels:
        c.execute(_INSERT_LABEL, labels)
    return True


def get(c: Connection, workspace_id: str | None, generation_id: str) -> Generation | None:
    """Return a generation.

    Args:
        c: The connection.
        workspace_id: Whose; `None` for the engine, which serves all.
        generation_id: Which.
    """
    if workspace_id is None:
        return _one(c.execute(_GET, {"generation_id": generation_id}).first())
    values = {"generation_id": generation_id, "workspace_id": workspace_id}
    return _one(c.execute(_GET_OWN, values).first())


def lock(c: Connection, generation_id: str) -> Generation | None:
    """Return a generation that no other transaction changes until this one ends; for the engine.

    On SQLite every transaction that writes is the only one.
    """
    return _one(c.execute(_LOCK, {"generation_id": generation_id}).first())


def claim(
    c: Connection, generation_id: str, executor: str, *, before: str | None
) -> Generation | None:
    """Put an executor in charge of a generation in place of another; for the engine.

    Returns:
        The generation as it is now, or `None` if `before` is not in charge of it any more.
    """
    values = {"generation_id": generation_id, "following": executor, "before": before or ""}
    return _one(c.execute(_CLAIM, values).first())


def in_state(c: Connection, generation_ids: Sequence[str], state: GenerationState) -> set[str]:
    """Return which of these generations are in that state; for the engine."""
    found: set[str] = set()
    for start in range(0, len(generation_ids), _MOST_NAMED):
        some = list(generation_ids[start : start + _MOST_NAMED])
        found |= set(c.execute(_IN_STATE, {"ids": some, "state": state.value}).scalars())
    return found


def by_idempotency_key(c: Connection, workspace_id: str, key: str) -> Generation | None:
    """Return the generation a workspace made with that idempotency key."""
    values = {"workspace_id": workspace_id, "key": key}
    return _one(c.execute(_BY_IDEMPOTENCY_KEY, values).first())


def page(
    c: Connection,
    workspace_id: str,
    *,
    limit: int,
    before: str | None = None,
    states: Collection[GenerationState] | None = None,
    model: str | None = None,
    operation: Operation | None = None,
    metadata: Mapping[str, str] | None = None,
) -> list[Generation]:
    """Return a workspace's generations, newest first.

    Args:
        c: The connection.
        workspace_id: Whose.
        limit: At most so many.
        before: The id of the last one already seen.
        states: Only those in one of these states.
        model: Only those of this model.
        operation: Only those that do this.
        metadata: Only those whose request has all of these labels.
    """
    filters = Filters(
        before=before,
        states=None if states is None else tuple(sorted(states)),
        model=model,
        operation=operation,
        labels=tuple(label_digests(metadata or {})),
    )
    if filters.states == ():
        return []
    rows = c.execute(page_statement(filters.shape), filters.values(workspace_id, limit))
    return [to_generation(row) for row in rows]


def transition(
    c: Connection,
    generation_id: str,
    following: GenerationState,
    *,
    now: datetime,
    expected: Collection[GenerationState] | None = None,
    of_executor: str | None = None,
    **changes: Unpack[Changes],
) -> Generation | None:
    """Change a generation's state if it is in a state that allows it; for the engine.

    One statement compares and sets, so of several that try, exactly one wins.

    Args:
        c: The connection.
        generation_id: Which.
        following: The new state. A terminal one sets `finished_at` to `now` unless given.
        now: When.
        expected: The states to change from; by default all that may become `following`.
        of_executor: Only if no other executor is in charge of it.
        **changes: What else changes.

    Returns:
        The generation as it is now, or `None` if it was in none of the expected states or
        another executor is in charge of it.
    """
    sources = sources_of(following) if expected is None else expected
    if following.is_terminal:
        changes.setdefault("finished_at", now)
    values = _to_columns(changes)
    statement = _transition(tuple(sorted(values)), fenced=of_executor is not None)
    parameters = {f"new_{name}": value for name, value in values.items()}
    parameters |= {
        "generation_id": generation_id,
        "following": following.value,
        "now": to_micros(now),
        "sources": sorted(state.value for state in sources),
    }
    if of_executor is not None:
        parameters["of_executor"] = of_executor
    return _one(c.execute(statement, parameters).first())


def update_progress(
    c: Connection, generation_id: str, progress: float | None, stage: str | None, now: datetime
) -> bool:
    """Note how far a generation is; for the engine.

    Returns:
        Whether it was noted: `False` once the generation has ended.
    """
    values = {
        "generation_id": generation_id,
        "new_progress": progress,
        "new_stage": storable(stage),
        "now": to_micros(now),
    }
    return c.execute(_UPDATE_PROGRESS, values).rowcount == 1


def unfinished(
    c: Connection, *, executor_not: str | None = None, limit: int, after: str | None = None
) -> list[Generation]:
    """Return generations that have not ended, oldest first; of all workspaces, for the engine.

    Args:
        c: The connection.
        executor_not: Leave out those that this executor runs.
        limit: At most so many.
        after: The id of the last one already seen.
    """
    values: dict[str, Any] = {"after": after or "", "most": limit}
    if executor_not is None:
        return [to_generation(row) for row in c.execute(_UNFINISHED, values)]
    values["executor_not"] = executor_not
    return [to_generation(row) for row in c.execute(_UNFINISHED_OF_OTHERS, values)]


def counts_by_state(
    c: Connection, *, workspace_id: str | None = None
) -> dict[GenerationState, int]:
    """Return how many generations are in each state; states without any are left out.

    Args:
        c: The connection.
        workspace_id: Whose; `None` for the engine and its metrics, which count all.
    """
    if workspace_id is None:
        rows = c.execute(_COUNTS)
    else:
        rows = c.execute(_COUNTS_OF_WORKSPACE, {"workspace_id": workspace_id})
    return {GenerationState(state): count for state, count in rows}


def _one(row: Row[Any] | None) -> Generation | None:
    return None if row is None else to_generation(row)


def _to_columns(changes: Changes) -> dict[str, Any]:
    columns: dict[str, Any] = dict(changes)
    if "problem" in changes:
        columns["problem"] = to_json_or_none(changes["problem"])
    if "stage" in changes:
        columns["stage"] = storable(changes["stage"])
    if "cost_basis" in changes:
        columns["cost_basis"] = changes["cost_basis"].value
    if "started_at" in changes:
        columns["started_at"] = to_micros_or_none(changes["started_at"])
    if "finished_at" in changes:
        columns["finished_at"] = to_micros_or_none(changes["finished_at"])
    return columns


@cache
def _transition(changed: tuple[str, ...], *, fenced: bool) -> Executable:
    in_charge = func.coalesce(generations.c.executor, bindparam("of_executor"))
    return (
        update(generations)
        .where(
            generations.c.id == bindparam("generation_id"),
            # With its type, because looking for one meets the engine's half-done import when
            # a thread builds a statement during it.
            generations.c.state.in_(bindparam("sources", type_=sa.Text(), expanding=True)),
            *([in_charge == bindparam("of_executor")] if fenced else []),
        )
        .values(
            {
                "state": bindparam("following"),
                "updated_at": bindparam("now"),
                **{name: bindparam(f"new_{name}") for name in changed},
            }
        )
        .returning(*generations.c)
    )
