"""What workspaces and keys may do by their own rows, and what they have begun.

Counts stop at the limit they are compared with, so that a caller far over it costs no more.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator
from datetime import datetime
from enum import StrEnum
from functools import cache
from typing import Any, NamedTuple

from sqlalchemy import (
    Connection,
    Executable,
    Select,
    and_,
    bindparam,
    func,
    or_,
    select,
    text,
    update,
)

from mediawright.core.states import GenerationState
from mediawright.store.codec import to_micros
from mediawright.store.conditions import AT_PROVIDER, BEGUN, UNFINISHED
from mediawright.store.tables import api_keys, generations, workspaces

_MOST_NAMES = 1_000
"""Names in one statement; databases take no endless number of them."""

_S = GenerationState
_UNDER_WAY = (_S.QUEUED, _S.SUBMITTING, _S.RUNNING, _S.STORING)
_AT_WORK = (_S.SUBMITTING, _S.RUNNING)


class Scope(StrEnum):
    """Whose limit it is."""

    WORKSPACE = "workspace"
    KEY = "key"


class Moment(StrEnum):
    """Which moment of a generation falls into a window."""

    CREATED = "created_at"
    """It was asked for."""
    STARTED = "started_at"
    """It was begun, maybe long after it was asked for."""


class OwnLimits(NamedTuple):
    """The limits in a row; `None` where the row has none."""

    requests_per_minute: int | None = None
    concurrent_generations: int | None = None


def _own(table: Any) -> tuple[Any, Any]:
    return table.c.requests_per_minute, table.c.concurrent_generations


_OF_CALLER = (
    select(*_own(workspaces), *_own(api_keys))
    .select_from(workspaces)
    .outerjoin(
        api_keys,
        and_(api_keys.c.id == bindparam("api_key_id"), api_keys.c.workspace_id == workspaces.c.id),
    )
    .where(workspaces.c.id == bindparam("workspace_id"))
)
_OF_WORKSPACES = select(workspaces.c.id, *_own(workspaces)).where(
    workspaces.c.id.in_(bindparam("names", expanding=True)),
    or_(*(column.is_not(None) for column in _own(workspaces))),
)
_OF_KEYS = select(api_keys.c.id, *_own(api_keys)).where(
    api_keys.c.workspace_id.in_(bindparam("names", expanding=True)),
    or_(*(column.is_not(None) for column in _own(api_keys))),
)
# In the order of the index, which is then read and not the whole table's.
_AT_PROVIDERS = (
    select(generations.c.provider, generations.c.workspace_id, func.count())
    .where(AT_PROVIDER)
    .group_by(generations.c.provider, generations.c.workspace_id)
)
_LIMIT_WORKSPACE = (
    update(workspaces)
    .where(workspaces.c.id == bindparam("workspace_id"))
    .values(
        requests_per_minute=bindparam("new_requests_per_minute"),
        concurrent_generations=bindparam("new_concurrent_generations"),
    )
)
_LIMIT_KEY = (
    update(api_keys)
    .where(
        api_keys.c.id == bindparam("key_id"),
        api_keys.c.workspace_id == bindparam("of_workspace"),
    )
    .values(
        requests_per_minute=bindparam("new_requests_per_minute"),
        concurrent_generations=bindparam("new_concurrent_generations"),
    )
)


def of_caller(
    c: Connection, workspace_id: str, api_key_id: str | None
) -> tuple[OwnLimits, OwnLimits]:
    """Return the limits in the rows of a workspace and of a key of it."""
    row = c.execute(_OF_CALLER, {"workspace_id": workspace_id, "api_key_id": api_key_id}).first()
    if row is None:
        return OwnLimits(), OwnLimits()
    return OwnLimits(row[0], row[1]), OwnLimits(row[2], row[3])


def of_workspaces(c: Connection, names: Collection[str]) -> dict[str, OwnLimits]:
    """Return the limits in the rows of workspaces; those without any are left out."""
    return {row[0]: OwnLimits(row[1], row[2]) for row in _each(c, _OF_WORKSPACES, names)}


def of_keys(c: Connection, names: Collection[str]) -> dict[str, OwnLimits]:
    """Return the limits in the rows of these workspaces' keys, as `of_workspaces`."""
    return {row[0]: OwnLimits(row[1], row[2]) for row in _each(c, _OF_KEYS, names)}


def limit_workspace(c: Connection, workspace_id: str, limits: OwnLimits) -> bool:
    """Give a workspace limits of its own; tell whether there is such a workspace."""
    values = {"workspace_id": workspace_id, **_new(limits)}
    return c.execute(_LIMIT_WORKSPACE, values).rowcount == 1


def limit_key(c: Connection, workspace_id: str, key_id: str, limits: OwnLimits) -> bool:
    """Give a key limits of its own; tell whether the workspace has such a key."""
    values = {"of_workspace": workspace_id, "key_id": key_id, **_new(limits)}
    return c.execute(_LIMIT_KEY, values).rowcount == 1


def at_providers(c: Connection) -> dict[str, int]:
    """Return how many generations of each workspace are at any provider."""
    counts: Counter[str] = Counter()
    for _, workspace_id, count in c.execute(_AT_PROVIDERS):
        counts[workspace_id] += count
    return counts


def under_way(c: Connection, scope: Scope, owner: str, *, at_most: int, with_queued: bool) -> int:
    """Return how many generations of a workspace or key are under way, `at_most` or fewer.

    Args:
        c: The connection.
        scope: Whether `owner` names a workspace or a key.
        owner: Whose.
        at_most: Count no further.
        with_queued: Whether those count that wait for a place.
    """
    return c.execute(
        _under_way(scope, with_queued), {"owner": owner, "at_most": at_most}
    ).scalar_one()


def count_since(c: Connection, scope: Scope, owner: str, moment: Moment, since: datetime) -> int:
    """Return how many generations of a workspace or key had their moment after a time."""
    values = {"owner": owner, "since": to_micros(since)}
    return c.execute(_count_since(scope, moment), values).scalar_one()


def moment_before(
    c: Connection, scope: Scope, owner: str, moment: Moment, since: datetime, *, newer: int
) -> int | None:
    """Return the moment of the generation that so many newer ones follow, in microseconds.

    Args:
        c: The connection.
        scope: Whether `owner` names a workspace or a key.
        owner: Whose.
        moment: Which moment.
        since: Look no further back than this.
        newer: How many have a newer one.

    Returns:
        The moment, or `None` if not so many had theirs after `since`.
    """
    values = {"owner": owner, "since": to_micros(since), "newer": newer}
    return c.execute(_moment_before(scope, moment), values).scalar_one_or_none()


def _each(c: Connection, statement: Executable, names: Collection[str]) -> Iterator[Any]:
    listed = sorted(names)
    for start in range(0, len(listed), _MOST_NAMES):
        yield from c.execute(statement, {"names": listed[start : start + _MOST_NAMES]})


def _new(limits: OwnLimits) -> dict[str, int | None]:
    return {f"new_{name}": value for name, value in limits._asdict().items()}


def _owner(scope: Scope) -> Any:
    return generations.c.workspace_id if scope is Scope.WORKSPACE else generations.c.api_key_id


@cache
def _under_way(scope: Scope, with_queued: bool) -> Select[Any]:  # noqa: FBT001 - a cache's key
    states = _UNDER_WAY if with_queued else _AT_WORK
    listed = ", ".join(f"'{state.value}'" for state in states)
    rows = (
        select(text("1"))
        .select_from(generations)
        .where(_owner(scope) == bindparam("owner"), text(f"state IN ({listed})"))
        .limit(bindparam("at_most"))
    )
    if scope is Scope.KEY:
        # Spelt out, because only then is the partial index used.
        rows = rows.where(UNFINISHED)
    return select(func.count()).select_from(rows.subquery())


def _in_window(scope: Scope, moment: Moment) -> Any:
    condition = and_(
        _owner(scope) == bindparam("owner"), generations.c[moment.value] > bindparam("since")
    )
    return and_(BEGUN, condition) if moment is Moment.STARTED else condition


@cache
def _count_since(scope: Scope, moment: Moment) -> Select[Any]:
    return select(func.count()).where(_in_window(scope, moment))


@cache
def _moment_before(scope: Scope, moment: Moment) -> Select[Any]:
    column = generations.c[moment.value]
    return (
        select(column)
        .where(_in_window(scope, moment))
        .order_by(column.desc())
        .limit(1)
        .offset(bindparam("newer"))
    )
