"""Usage: generations counted and their two books summed, grouped by the database.

The rows that are read are those of the days asked for, along one index; those that come back
are the groups.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from functools import lru_cache
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, Connection, Row, Select, bindparam, case, func, select

from mediawright.core.money import PriceBasis
from mediawright.core.states import GenerationState
from mediawright.store.codec import from_micros, to_micros
from mediawright.store.conditions import REFUND
from mediawright.store.tables import generations, ledger_entries

_DAY_MICROS = 86_400_000_000


class Dimension(StrEnum):
    """By what usage is told apart."""

    DAY = "day"
    """The UTC day on which it was asked for."""
    MODEL = "model"
    PROVIDER = "provider"
    KEY = "key"
    OPERATION = "operation"


class UsageRow(msgspec.Struct, frozen=True, kw_only=True):
    """What was used in one group; every generation is in exactly one of the four counts."""

    group: tuple[str | None, ...] = ()
    """A value for each dimension asked for, in that order; days are ISO dates."""
    generations: int = 0
    succeeded: int = 0
    failed: int = 0
    """Failed, refused or expired."""
    cancelled: int = 0
    unfinished: int = 0
    """Under way, or of unknown outcome."""
    charge_micros: int = 0
    """Millionths of a credit charged; what is only held is not in it."""
    refund_micros: int = 0
    """Millionths of a credit given back of that."""
    cost_micros: int = 0
    """Millionths of a US dollar at the providers, as far as it is known."""
    vendor_reported_micros: int = 0
    """How much of the cost providers said themselves."""
    computed_micros: int = 0
    """How much of the cost follows from usage and price book."""
    estimated_micros: int = 0
    """How much of the cost was estimated."""
    cost_unknown: int = 0
    """How many succeeded without anybody knowing their cost."""

    def __add__(self, other: UsageRow) -> UsageRow:
        """Return both groups in one, without a name."""
        return UsageRow(**{name: getattr(self, name) + getattr(other, name) for name in _COUNTED})


_COUNTED = tuple(name for name in UsageRow.__struct_fields__ if name != "group")
_DIMENSIONS: dict[Dimension, ColumnElement[Any]] = {
    Dimension.DAY: generations.c.created_at - generations.c.created_at % _DAY_MICROS,
    Dimension.MODEL: generations.c.model,
    Dimension.PROVIDER: generations.c.provider,
    Dimension.KEY: generations.c.api_key_id,
    Dimension.OPERATION: generations.c.operation,
}
_FAILED = (GenerationState.FAILED, GenerationState.REFUSED, GenerationState.EXPIRED)
_ENDED = (GenerationState.SUCCEEDED, GenerationState.CANCELLED, *_FAILED)
_IN_TIME = (
    generations.c.created_at >= bindparam("since"),
    generations.c.created_at < bindparam("until"),
)


def usage(
    c: Connection,
    workspace_id: str,
    *,
    since: datetime,
    until: datetime,
    by: Sequence[Dimension],
    limit: int,
) -> list[UsageRow]:
    """Return a workspace's usage, in the order of the groups.

    Args:
        c: The connection.
        workspace_id: Whose.
        since: Generations asked for from here on.
        until: Up to here, this moment not included.
        by: How to group; nothing for one sum.
        limit: At most so many groups.
    """
    shape = tuple(by)
    values = {
        "workspace_id": workspace_id,
        "since": to_micros(since),
        "until": to_micros(until),
        "most": limit,
    }
    refunds = {
        _group(row, shape): int(row.refund_micros) for row in c.execute(_refunds(shape), values)
    }
    rows: list[UsageRow] = []
    for row in c.execute(_usage(shape), values):
        group = _group(row, shape)
        counted = {name: int(getattr(row, name)) for name in _COUNTED if name != "refund_micros"}
        rows.append(UsageRow(group=group, refund_micros=refunds.get(group, 0), **counted))
    # The databases disagree about where missing values belong.
    rows.sort(key=lambda row: [value or "" for value in row.group])
    return [row for row in rows if row.generations]


@lru_cache(maxsize=64)
def _usage(by: tuple[Dimension, ...]) -> Select[Any]:
    state, basis, cost = generations.c.state, generations.c.cost_basis, generations.c.cost_micros
    counts = {
        "generations": func.count(),
        "succeeded": _count(state == GenerationState.SUCCEEDED.value),
        "failed": _count(state.in_([one.value for one in _FAILED])),
        "cancelled": _count(state == GenerationState.CANCELLED.value),
        "unfinished": _count(state.not_in([one.value for one in _ENDED])),
        "charge_micros": _sum(generations.c.charge_micros),
        "cost_micros": _sum(cost),
        "vendor_reported_micros": _sum(_where(basis == PriceBasis.VENDOR_REPORTED.value, cost)),
        "computed_micros": _sum(_where(basis == PriceBasis.COMPUTED.value, cost)),
        "estimated_micros": _sum(_where(basis == PriceBasis.ESTIMATED.value, cost)),
        "cost_unknown": _count((state == GenerationState.SUCCEEDED.value) & cost.is_(None)),
    }
    groups = [_DIMENSIONS[dimension] for dimension in by]
    columns = [group.label(f"group_{number}") for number, group in enumerate(groups)]
    return (
        select(*columns, *(count.label(name) for name, count in counts.items()))
        .where(generations.c.workspace_id == bindparam("workspace_id"), *_IN_TIME)
        .group_by(*groups)
        .limit(bindparam("most"))
    )


@lru_cache(maxsize=64)
def _refunds(by: tuple[Dimension, ...]) -> Select[Any]:
    """Refunds stand in the ledger alone; they are few, and never older than what they are for.

    The workspace is asked for in the ledger alone: were it asked for in the generations as
    well, SQLite would walk along all of these instead.
    """
    groups = [_DIMENSIONS[dimension] for dimension in by]
    columns = [group.label(f"group_{number}") for number, group in enumerate(groups)]
    return (
        select(*columns, _sum(ledger_entries.c.amount_micros).label("refund_micros"))
        .join_from(ledger_entries, generations, generations.c.id == ledger_entries.c.generation_id)
        .where(
            REFUND,
            ledger_entries.c.workspace_id == bindparam("workspace_id"),
            ledger_entries.c.created_at >= bindparam("since"),
            *_IN_TIME,
        )
        .group_by(*groups)
    )


def _count(condition: ColumnElement[bool]) -> ColumnElement[Any]:
    return _sum(case((condition, 1), else_=0))


def _where(condition: ColumnElement[bool], column: ColumnElement[Any]) -> ColumnElement[Any]:
    return case((condition, column), else_=None)


def _sum(column: ColumnElement[Any]) -> ColumnElement[Any]:
    return func.coalesce(func.sum(column), 0)


def _group(row: Row[Any], by: tuple[Dimension, ...]) -> tuple[str | None, ...]:
    return tuple(
        from_micros(value).date().isoformat() if dimension is Dimension.DAY else value
        for dimension, value in zip(by, row[: len(by)], strict=True)
    )
