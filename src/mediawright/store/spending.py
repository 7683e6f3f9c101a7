"""What is held and charged in each day and month, for a workspace and for each of its keys."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import cache
from typing import Any

from sqlalchemy import Connection, Insert, bindparam, select
from sqlalchemy.dialects import postgresql, sqlite

from mediawright.store.codec import to_micros
from mediawright.store.kinds import BudgetPeriod
from mediawright.store.tables import spending

WHOLE_WORKSPACE = ""
"""Stands for the workspace where otherwise the id of a key stands."""

_SPENT = select(spending.c.spent_micros).where(
    spending.c.workspace_id == bindparam("workspace_id"),
    spending.c.api_key_id == bindparam("api_key_id"),
    spending.c.period == bindparam("period"),
    spending.c.period_start == bindparam("period_start"),
)


def period_start(period: BudgetPeriod, moment: datetime) -> datetime:
    """Return when the day or month of a moment (in UTC) began."""
    day = moment.replace(hour=0, minute=0, second=0, microsecond=0)
    return day if period is BudgetPeriod.DAY else day.replace(day=1)


def period_end(period: BudgetPeriod, moment: datetime) -> datetime:
    """Return when the day or month of a moment (in UTC) ends, which is when the next begins."""
    start = period_start(period, moment)
    if period is BudgetPeriod.DAY:
        return start + timedelta(days=1)
    # No month has 32 days, and none is so short that this lands in the one after the next.
    return (start + timedelta(days=32)).replace(day=1)


def add(
    c: Connection, workspace_id: str, api_key_id: str | None, moment: datetime, micros: int
) -> None:
    """Change what was spent in the day and the month of a moment.

    Done while the account is locked, in the transaction of the entry that it goes with.

    Args:
        c: The connection.
        workspace_id: Whose.
        api_key_id: The key the request came with; it and the workspace are booked.
        moment: When the credits were set aside; corrections go to the same moment.
        micros: Millionths of a credit; negative where something was given back.
    """
    if micros == 0:
        return
    keys = [WHOLE_WORKSPACE] if api_key_id is None else [WHOLE_WORKSPACE, api_key_id]
    values: dict[str, Any] = {"workspace_id": workspace_id, "micros": micros}
    values |= {f"key_{number}": key for number, key in enumerate(keys)}
    values |= {str(period): to_micros(period_start(period, moment)) for period in BudgetPeriod}
    c.execute(_addition(c.dialect.name, len(keys)), values)


def spent_micros(
    c: Connection,
    workspace_id: str,
    period: BudgetPeriod,
    moment: datetime,
    *,
    api_key_id: str | None = None,
) -> int:
    """Return what was spent in the day or month of a moment, in millionths of a credit.

    Args:
        c: The connection.
        workspace_id: Whose.
        period: The day or the month.
        moment: A time in it.
        api_key_id: Of which key; `None` for the whole workspace.
    """
    values = {
        "workspace_id": workspace_id,
        "api_key_id": api_key_id or WHOLE_WORKSPACE,
        "period": period.value,
        "period_start": to_micros(period_start(period, moment)),
    }
    return c.execute(_SPENT, values).scalar() or 0


@cache
def _addition(dialect: str, keys: int) -> Insert:
    """Return one statement that books all periods of so many keys."""
    insert = postgresql.insert if dialect == "postgresql" else sqlite.insert
    rows: list[dict[str, Any]] = [
        {
            "workspace_id": bindparam("workspace_id"),
            "api_key_id": bindparam(f"key_{number}"),
            "period": period.value,
            "period_start": bindparam(str(period)),
            "spent_micros": bindparam("micros"),
        }
        for number in range(keys)
        for period in BudgetPeriod
    ]
    statement = insert(spending).values(rows)
    return statement.on_conflict_do_update(
        index_elements=("workspace_id", "api_key_id", "period", "period_start"),
        set_={"spent_micros": spending.c.spent_micros + statement.excluded.spent_micros},
    )
