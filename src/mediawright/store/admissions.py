"""Places at providers' accounts: who waits for one, who has one, who is given one.

Every question walks along an index and reads no more rows than it answers with, however long
the queue of one workspace is. Answers are exact only under the locks below, which on SQLite the
one writer makes unnecessary.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Connection, and_, bindparam, exists, func, or_, select, text, tuple_, update

from mediawright.core.states import GenerationState
from mediawright.store.codec import to_micros
from mediawright.store.conditions import AT_PROVIDER, QUEUED, UNBOOKED_CANCELLATION
from mediawright.store.tables import attempts, generations

# The first number keeps apart from other uses of such locks.
_LOCK_QUEUE = text("SELECT pg_advisory_xact_lock(730609, 0)")
_LOCK_ACCOUNT = text("SELECT pg_advisory_xact_lock(730610, hashtext(:account))")
# Each step of these seeks the next name in the index, over however many rows of the last one.
# They and the ones below ask for the order of the index, although what is equal needs none:
# otherwise PostgreSQL, when it expects most rows to fit, looks for them in another index, and
# for the one row of a small workspace it passes all those of a large one.
_ACCOUNTS = text(
    f"""
    WITH RECURSIVE waiting (provider) AS (
        SELECT min(provider) FROM generations WHERE {QUEUED}
        UNION ALL
        SELECT (
            SELECT min(generations.provider) FROM generations
            WHERE {QUEUED} AND generations.provider > waiting.provider
        ) FROM waiting WHERE waiting.provider IS NOT NULL
    )
    SELECT provider FROM waiting WHERE provider IS NOT NULL
    """  # noqa: S608 - only the literals of a condition
)
_OF_WAITING = f"""
    FROM generations WHERE {QUEUED}
    AND generations.provider = :account AND generations.workspace_id >= waiting.workspace_id
    ORDER BY generations.workspace_id, generations.id LIMIT 1
"""
_HEADS = text(
    f"""
    WITH RECURSIVE waiting (workspace_id) AS (
        SELECT min(workspace_id) FROM generations WHERE {QUEUED} AND provider = :account
        UNION ALL
        SELECT (
            SELECT min(generations.workspace_id) FROM generations
            WHERE {QUEUED} AND generations.provider = :account
            AND generations.workspace_id > waiting.workspace_id
        ) FROM waiting WHERE waiting.workspace_id IS NOT NULL
    )
    SELECT
        workspace_id,
        (SELECT generations.id {_OF_WAITING}) AS id,
        (SELECT generations.api_key_id {_OF_WAITING}) AS api_key_id
    FROM waiting WHERE workspace_id IS NOT NULL
    """  # noqa: S608 - only the literals of a condition
)
_QUEUED_AT = (
    select(generations.c.id, generations.c.api_key_id)
    .where(
        QUEUED,
        generations.c.provider == bindparam("account"),
        generations.c.workspace_id <= bindparam("workspace_id"),
        tuple_(generations.c.workspace_id, generations.c.id)
        > tuple_(bindparam("workspace_id"), bindparam("after")),
    )
    .order_by(generations.c.workspace_id, generations.c.id)
    .limit(bindparam("most"))
)
_QUEUED_AT_OF_OTHERS = _QUEUED_AT.where(
    or_(
        generations.c.api_key_id.is_(None),
        generations.c.api_key_id.not_in(bindparam("held_keys", expanding=True)),
    )
)
_SOME_QUEUED = select(func.count()).select_from(
    select(generations.c.id)
    .where(QUEUED, generations.c.provider == bindparam("account"))
    .order_by(generations.c.workspace_id, generations.c.id)
    .limit(bindparam("at_most"))
    .subquery()
)
_COUNT_QUEUED = select(func.count()).where(QUEUED, generations.c.provider == bindparam("account"))
_PLACES = (
    select(generations.c.workspace_id, func.count())
    .where(AT_PROVIDER, generations.c.provider == bindparam("account"))
    .group_by(generations.c.workspace_id)
)
_COUNT_PLACES = select(func.count()).where(
    AT_PROVIDER, generations.c.provider == bindparam("account")
)
_COUNT_ABANDONED = select(func.count()).where(
    UNBOOKED_CANCELLATION, generations.c.provider == bindparam("account")
)
_IN_WINDOW = and_(
    attempts.c.provider == bindparam("account"), attempts.c.created_at > bindparam("since")
)
_COUNT_SUBMITS = select(func.count()).where(_IN_WINDOW)
_SUBMITTED_AT = (
    select(attempts.c.created_at)
    .where(_IN_WINDOW)
    .order_by(attempts.c.created_at.desc())
    .limit(1)
    .offset(bindparam("newer"))
)
_NEXT_NUMBER = (
    select(func.coalesce(func.max(attempts.c.number), 0) + 1)
    .where(attempts.c.generation_id == generations.c.id)
    .scalar_subquery()
)
_STILL_QUEUED = (
    select(generations.c.id)
    .where(
        generations.c.id.in_(bindparam("ids", expanding=True)),
        generations.c.state == GenerationState.QUEUED.value,
    )
    # Whoever cancels one just now may wait for somebody who waits for the lock held here.
    .with_for_update(skip_locked=True)
)
_ADMIT = (
    update(generations)
    .where(generations.c.id.in_(_STILL_QUEUED))
    .values(
        state=GenerationState.SUBMITTING.value,
        executor=bindparam("new_executor"),
        started_at=func.coalesce(generations.c.started_at, bindparam("now")),
        updated_at=bindparam("now"),
        admitted_attempt=_NEXT_NUMBER,
    )
    .returning(generations.c.id)
)
_UNSENT = and_(
    generations.c.admitted_attempt.is_not(None),
    ~exists().where(
        attempts.c.generation_id == generations.c.id,
        attempts.c.number == generations.c.admitted_attempt,
    ),
)
_COUNT_UNSENT = select(func.count()).where(
    AT_PROVIDER,
    generations.c.provider == bindparam("account"),
    generations.c.state == GenerationState.SUBMITTING.value,
    _UNSENT,
)
_WORKSPACE_WAITS = select(
    exists().where(
        generations.c.workspace_id == bindparam("workspace_id"),
        generations.c.state == GenerationState.QUEUED.value,
    )
)
_PLACE = (
    select(generations.c.state, generations.c.provider, _UNSENT.label("unsent"))
    .where(generations.c.id == bindparam("generation_id"))
    .with_for_update()
)
_GIVE_PLACE = (
    update(generations)
    .where(
        generations.c.id == bindparam("generation_id"),
        generations.c.state == GenerationState.SUBMITTING.value,
    )
    .values(provider=bindparam("account"), admitted_attempt=_NEXT_NUMBER)
)


class Head(NamedTuple):
    """The first generation of a workspace's queue at an account."""

    workspace_id: str
    id: str
    api_key_id: str | None


class Waiting(NamedTuple):
    """A generation in a queue."""

    id: str
    api_key_id: str | None


class Place(NamedTuple):
    """Where a generation has its place."""

    state: GenerationState
    account: str | None
    unsent: bool
    """Whether it was given for an attempt that is not written yet."""


def lock_queue(c: Connection) -> None:
    """Let no other transaction pick from the queues, until this one ends."""
    if c.dialect.name == "postgresql":
        c.execute(_LOCK_QUEUE)


def lock_accounts(c: Connection, accounts: Collection[str]) -> None:
    """Let no other transaction give places at these accounts, until this one ends."""
    if c.dialect.name == "postgresql":
        for account in sorted(accounts):
            c.execute(_LOCK_ACCOUNT, {"account": account})


def waiting_accounts(c: Connection) -> list[str]:
    """Return the accounts for which anything is queued."""
    return list(c.execute(_ACCOUNTS).scalars())


def heads(c: Connection, account: str) -> list[Head]:
    """Return the first of each workspace's queue at an account."""
    return [Head(*row) for row in c.execute(_HEADS, {"account": account})]


def queued(
    c: Connection,
    account: str,
    workspace_id: str,
    *,
    after: str,
    most: int,
    held_keys: Collection[str] = (),
) -> list[Waiting]:
    """Return the next of a workspace's queue at an account, oldest first.

    Args:
        c: The connection.
        account: Where they are to run.
        workspace_id: Whose.
        after: The id of the last one already seen.
        most: At most so many.
        held_keys: Leave out those that came with one of these keys.
    """
    values: dict[str, Any] = {
        "account": account,
        "workspace_id": workspace_id,
        "after": after,
        "most": most,
    }
    if not held_keys:
        return [Waiting(*row) for row in c.execute(_QUEUED_AT, values)]
    values["held_keys"] = sorted(held_keys)
    return [Waiting(*row) for row in c.execute(_QUEUED_AT_OF_OTHERS, values)]


def workspace_waits(c: Connection, workspace_id: str) -> bool:
    """Tell whether anything of a workspace is queued, for whatever account."""
    return bool(c.execute(_WORKSPACE_WAITS, {"workspace_id": workspace_id}).scalar_one())


def count_queued(c: Connection, account: str, *, at_most: int | None = None) -> int:
    """Return how many are queued for an account, counting no further than `at_most`."""
    if at_most is None:
        return c.execute(_COUNT_QUEUED, {"account": account}).scalar_one()
    return c.execute(_SOME_QUEUED, {"account": account, "at_most": at_most}).scalar_one()


def places_by_workspace(c: Connection, account: str) -> dict[str, int]:
    """Return how many places at an account each workspace has; those without are left out."""
    rows = c.execute(_PLACES, {"account": account})
    return {row.workspace_id: row[1] for row in rows}


def places_taken(c: Connection, account: str) -> int:
    """Return how many generations are at an account.

    Among them those that were cancelled while the provider has still to be told.
    """
    values = {"account": account}
    running = c.execute(_COUNT_PLACES, values).scalar_one()
    return running + c.execute(_COUNT_ABANDONED, values).scalar_one()


def submits_since(c: Connection, account: str, since: datetime) -> int:
    """Return how many attempts were made at an account after a time, whatever became of them."""
    values = {"account": account, "since": to_micros(since)}
    return c.execute(_COUNT_SUBMITS, values).scalar_one()


def submitted_at(c: Connection, account: str, since: datetime, *, newer: int) -> int | None:
    """Return when the attempt was made that so many newer ones follow, in microseconds.

    Args:
        c: The connection.
        account: Where.
        since: Look no further back than this.
        newer: How many attempts are newer than the one that is meant.

    Returns:
        Its time, or `None` if not so many were made after `since`.
    """
    values = {"account": account, "since": to_micros(since), "newer": newer}
    return c.execute(_SUBMITTED_AT, values).scalar_one_or_none()


def count_unsent(c: Connection, account: str) -> int:
    """Return how many were given a place for an attempt that they have not written yet."""
    return c.execute(_COUNT_UNSENT, {"account": account}).scalar_one()


def admit(c: Connection, ids: Collection[str], *, executor: str, now: datetime) -> set[str]:
    """Move queued generations to submitting; return the ids of those that were still queued."""
    if not ids:
        return set()
    values = {"ids": sorted(ids), "new_executor": executor, "now": to_micros(now)}
    return set(c.execute(_ADMIT, values).scalars())


def place_of(c: Connection, generation_id: str) -> Place | None:
    """Return where a generation has its place, or `None` if there is no such generation.

    Its row is locked; as accounts are locked after that, nobody who has one waits for a row.
    """
    row = c.execute(_PLACE, {"generation_id": generation_id}).first()
    if row is None:
        return None
    return Place(GenerationState(row.state), row.provider, bool(row.unsent))


def give_place(c: Connection, generation_id: str, account: str) -> bool:
    """Give a submitting generation a place for its next attempt, here or at another account.

    Returns:
        Whether it was given one; `False` if it is no longer submitting.
    """
    values = {"generation_id": generation_id, "account": account}
    return c.execute(_GIVE_PLACE, values).rowcount == 1
