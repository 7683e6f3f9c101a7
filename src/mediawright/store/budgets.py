"""Budgets: how much a workspace or a key may spend in a day or a month."""

from __future__ import annotations

from datetime import datetime
from functools import cache
from typing import Any

import msgspec
from sqlalchemy import (
    BigInteger,
    BindParameter,
    ColumnElement,
    Connection,
    Insert,
    Row,
    bindparam,
    case,
    delete,
    func,
    select,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite

from mediawright.store.codec import from_micros, from_micros_or_none, to_micros
from mediawright.store.kinds import BudgetAction, BudgetPeriod
from mediawright.store.spending import WHOLE_WORKSPACE, period_end, period_start
from mediawright.store.tables import budgets, spending


class Budget(msgspec.Struct, frozen=True, kw_only=True):
    """A limit to what is spent in a period, by UTC."""

    id: str
    workspace_id: str
    period: BudgetPeriod
    action: BudgetAction
    limit_micros: int
    """Millionths of a credit."""
    created_at: datetime
    updated_at: datetime
    api_key_id: str | None = None
    """`None` for a budget of the whole workspace."""
    allow_unknown_price: bool = False
    """Whether a refusing budget lets requests pass whose price nobody knows."""
    warned_period: datetime | None = None
    """When the period began in which was last warned."""
    warned_percent: int | None = None
    """How many per cent were used when was last warned: a step, not an exact figure."""


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """A budget and what is spent of it in the period under way."""

    budget: Budget
    spent_micros: int
    """Millionths of a credit: held and charged, less what was given back."""
    resets_at: datetime
    """When the next period begins."""

    @property
    def left_micros(self) -> int:
        """What is left, in millionths of a credit; zero when more was spent."""
        return max(0, self.budget.limit_micros - self.spent_micros)


_UNIQUE = ("workspace_id", "api_key_id", "period", "action")
_OWN = budgets.c.workspace_id == bindparam("workspace_id")
_GET = select(budgets).where(_OWN, budgets.c.id == bindparam("budget_id"))
_NATURAL = select(budgets).where(
    _OWN, *(budgets.c[name] == bindparam(name) for name in _UNIQUE[1:])
)
_PERIOD_START: ColumnElement[int] = case(
    (budgets.c.period == BudgetPeriod.DAY.value, bindparam("day", type_=BigInteger)),
    else_=bindparam("month", type_=BigInteger),
)
_STANDINGS = (
    select(budgets, func.coalesce(spending.c.spent_micros, 0).label("spent"))
    .join_from(
        budgets,
        spending,
        (spending.c.workspace_id == budgets.c.workspace_id)
        & (spending.c.api_key_id == budgets.c.api_key_id)
        & (spending.c.period == budgets.c.period)
        & (spending.c.period_start == _PERIOD_START),
        isouter=True,
    )
    .where(_OWN)
    .order_by(budgets.c.api_key_id, budgets.c.period, budgets.c.action)
)
_KEYS: tuple[BindParameter[str], ...] = (bindparam("workspace"), bindparam("key"))
_APPLYING = _STANDINGS.where(budgets.c.api_key_id.in_(_KEYS))
_WARN = (
    update(budgets)
    .where(budgets.c.id == bindparam("budget_id"))
    .values(warned_period=bindparam("period_start"), warned_percent=bindparam("percent"))
)
_REMOVE = delete(budgets).where(_OWN, budgets.c.id == bindparam("budget_id"))


def put(c: Connection, budget: Budget) -> Budget:
    """Set a budget; one of the same key, period and action is changed and keeps its id.

    It warns anew, because what it warned of has changed.
    """
    values = {
        "id": budget.id,
        "workspace_id": budget.workspace_id,
        "api_key_id": budget.api_key_id or WHOLE_WORKSPACE,
        "period": budget.period.value,
        "action": budget.action.value,
        "limit_micros": budget.limit_micros,
        "allow_unknown_price": budget.allow_unknown_price,
        "created_at": to_micros(budget.created_at),
        "updated_at": to_micros(budget.updated_at),
    }
    c.execute(_put(c.dialect.name), values)
    return _to_budget(c.execute(_NATURAL, {name: values[name] for name in _UNIQUE}).one())


def get(c: Connection, workspace_id: str, budget_id: str) -> Budget | None:
    """Return a workspace's budget."""
    row = c.execute(_GET, {"workspace_id": workspace_id, "budget_id": budget_id}).first()
    return None if row is None else _to_budget(row)


def standings(c: Connection, workspace_id: str, now: datetime) -> list[Standing]:
    """Return all budgets of a workspace and how they stand: the workspace's, then the keys'."""
    values = {"workspace_id": workspace_id, **_periods(now)}
    return [_to_standing(row, now) for row in c.execute(_STANDINGS, values)]


def applying(
    c: Connection, workspace_id: str, api_key_id: str | None, now: datetime
) -> list[Standing]:
    """Return the budgets that a request with this key is subject to, and how they stand."""
    key = api_key_id or WHOLE_WORKSPACE
    values = {
        "workspace_id": workspace_id,
        "workspace": WHOLE_WORKSPACE,
        "key": key,
        **_periods(now),
    }
    return [_to_standing(row, now) for row in c.execute(_APPLYING, values)]


def note_warning(c: Connection, budget_id: str, period: datetime, percent: int) -> None:
    """Note that was warned, so that it is done once in a period."""
    values = {"budget_id": budget_id, "period_start": to_micros(period), "percent": percent}
    c.execute(_WARN, values)


def remove(c: Connection, workspace_id: str, budget_id: str) -> bool:
    """Remove a budget; tell whether it was there."""
    values = {"workspace_id": workspace_id, "budget_id": budget_id}
    return c.execute(_REMOVE, values).rowcount == 1


@cache
def _put(dialect: str) -> Insert:
    insert = postgresql.insert if dialect == "postgresql" else sqlite.insert
    statement = insert(budgets)
    new = statement.excluded
    return statement.on_conflict_do_update(
        index_elements=_UNIQUE,
        set_={
            "limit_micros": new.limit_micros,
            "allow_unknown_price": new.allow_unknown_price,
            "updated_at": new.updated_at,
            "warned_period": None,
            "warned_percent": None,
        },
    )


def _periods(now: datetime) -> dict[str, Any]:
    return {str(period): to_micros(period_start(period, now)) for period in BudgetPeriod}


def _to_standing(row: Row[Any], now: datetime) -> Standing:
    budget = _to_budget(row)
    return Standing(budget=budget, spent_micros=row.spent, resets_at=period_end(budget.period, now))


def _to_budget(row: Row[Any]) -> Budget:
    return Budget(
        id=row.id,
        workspace_id=row.workspace_id,
        api_key_id=row.api_key_id or None,
        period=BudgetPeriod(row.period),
        action=BudgetAction(row.action),
        limit_micros=row.limit_micros,
        allow_unknown_price=bool(row.allow_unknown_price),
        created_at=from_micros(row.created_at),
        updated_at=from_micros(row.updated_at),
        warned_period=from_micros_or_none(row.warned_period),
        warned_percent=row.warned_percent,
    )
