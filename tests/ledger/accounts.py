"""Workspaces, generations and what the tests look at in a ledger."""

from __future__ import annotations

from collections import defaultdict
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import select

from mediawright.core.generation import Generation, RoutePlan
from mediawright.core.ids import IdPrefix, new_id
from mediawright.core.money import Money, Price
from mediawright.core.operations import Operation
from mediawright.core.request import GenerationRequest
from mediawright.core.states import GenerationState
from mediawright.store import budgets, events, generations, ledger_entries, workspaces
from mediawright.store.budgets import Budget
from mediawright.store.database import Database
from mediawright.store.kinds import BudgetAction, BudgetPeriod
from mediawright.store.ledger_entries import LedgerEntry
from mediawright.store.spending import period_start
from mediawright.store.tables import spending
from mediawright.store.workspaces import Workspace

NOW = datetime(2026, 11, 20, 12, 30, tzinfo=UTC)


def micros(amount: Decimal | int | str) -> int:
    return Money.credits(Decimal(amount)).micros


def add_workspace(database: Database) -> str:
    workspace = Workspace(id=new_id(IdPrefix.WORKSPACE), name="test", created_at=NOW)
    database.write_now(lambda c: workspaces.insert(c, workspace))
    return workspace.id


def generation_of(
    workspace_id: str,
    price: Decimal | int | str | None,
    *,
    key: str | None = None,
    at: datetime = NOW,
) -> Generation:
    return Generation(
        id=new_id(IdPrefix.GENERATION),
        workspace_id=workspace_id,
        api_key_id=key,
        trace_id=new_id(IdPrefix.TRACE),
        state=GenerationState.QUEUED,
        operation=Operation.TEXT_TO_IMAGE,
        model="test-model",
        request=GenerationRequest(model="test-model", prompt="a fox"),
        routes=(RoutePlan(provider="test", upstream_id="1"),),
        price=Price(credits=None if price is None else Decimal(price)),
        created_at=at,
        updated_at=at,
    )


def begin(ledger: Any, database: Database, generation: Generation) -> Generation:
    """Write a generation with its hold, or neither."""

    def work(c: Any) -> None:
        generations.insert(c, generation)
        ledger.hold(c, generation)

    database.write_now(work)
    return generation


def set_budget(
    database: Database,
    workspace_id: str,
    limit: Decimal | int | str,
    *,
    key: str | None = None,
    period: BudgetPeriod = BudgetPeriod.DAY,
    action: BudgetAction = BudgetAction.REFUSE,
    allow_unknown: bool = False,
) -> Budget:
    budget = Budget(
        id=new_id(IdPrefix.BUDGET),
        workspace_id=workspace_id,
        api_key_id=key,
        period=period,
        action=action,
        limit_micros=micros(limit),
        allow_unknown_price=allow_unknown,
        created_at=NOW,
        updated_at=NOW,
    )
    return database.write_now(lambda c: budgets.put(c, budget))


def entries_of(database: Database, workspace_id: str) -> list[LedgerEntry]:
    return database.read_now(lambda c: ledger_entries.page(c, workspace_id, limit=100_000))


def available(database: Database, workspace_id: str) -> int:
    return database.read_now(lambda c: ledger_entries.balance_micros(c, workspace_id))


def events_of(database: Database, workspace_id: str, kind: str) -> list[dict[str, Any]]:
    found = database.read_now(lambda c: events.after(c, workspace_id, 0, 100_000))
    return [event.data for event in found if event.type == kind]


def spending_kept(database: Database, workspace_id: str) -> dict[tuple[str, str, int], int]:
    """Return what the table says, without rows that came back to nothing."""
    rows = database.read_now(
        lambda c: c.execute(
            select(spending).where(spending.c.workspace_id == workspace_id)
        ).fetchall()
    )
    return {
        (row.api_key_id, row.period, row.period_start): row.spent_micros
        for row in rows
        if row.spent_micros
    }


def spending_recomputed(
    entries: list[LedgerEntry], made: dict[str, Generation]
) -> dict[tuple[str, str, int], int]:
    """Return what the table should say, from the entries alone."""
    sums: dict[tuple[str, str, int], int] = defaultdict(int)
    for entry in entries:
        if entry.generation_id is None:
            continue
        generation = made[entry.generation_id]
        for key in {"", generation.api_key_id or ""}:
            for period in BudgetPeriod:
                start = period_start(period, generation.created_at)
                place = (key, period.value, int(start.timestamp()) * 1_000_000)
                sums[place] -= entry.amount_micros
    return {place: amount for place, amount in sums.items() if amount}
