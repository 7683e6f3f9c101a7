"""Budgets: set, listed with how they stand, removed."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from mediawright.app.workspaces import require_workspace
from mediawright.core.errors import InvalidRequestError, NotFoundError
from mediawright.core.ids import IdPrefix, new_id
from mediawright.ledger.amounts import credit_words, exact_micros
from mediawright.ledger.budgets import facts_of
from mediawright.store import api_keys, budgets
from mediawright.store.budgets import Budget, Standing

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from mediawright.app.runtime import Runtime
    from mediawright.store.kinds import BudgetAction, BudgetPeriod


async def set_budget(
    runtime: Runtime,
    workspace_id: str,
    limit: Decimal,
    *,
    period: BudgetPeriod,
    action: BudgetAction,
    key_id: str | None = None,
    allow_unknown_price: bool = False,
) -> Standing:
    """Set a budget; the caller must be an operator.

    A workspace, and each of its keys, has at most one budget for a period and an action;
    setting it again changes it.

    Args:
        runtime: The installation.
        workspace_id: Whose.
        limit: Credits that may be spent in the period; 0 lets only what is free pass.
        period: The UTC day or month.
        action: Whether what exceeds it is refused, or only warned of.
        key_id: The key it is for; `None` for the whole workspace.
        allow_unknown_price: Whether a refusing budget lets pass what has no price.

    Returns:
        The budget and how it stands.

    Raises:
        InvalidRequestError: `invalid_amount`.
        NotFoundError: There is no such workspace, or no such key in it.
    """
    micros = exact_micros(limit, "/limit_credits")
    if micros < 0:
        raise InvalidRequestError(
            "invalid_amount", "A budget is zero or more.", pointer="/limit_credits"
        )
    now = runtime.clock.now()
    wanted = Budget(
        id=new_id(IdPrefix.BUDGET),
        workspace_id=workspace_id,
        api_key_id=key_id,
        period=period,
        action=action,
        limit_micros=micros,
        allow_unknown_price=allow_unknown_price,
        created_at=now,
        updated_at=now,
    )

    def work(connection: Connection) -> Standing:
        require_workspace(connection, workspace_id)
        if key_id is not None and api_keys.get(connection, workspace_id, key_id) is None:
            raise NotFoundError(
                "key_not_found", f"There is no key {key_id} in the workspace.", pointer="/key_id"
            )
        kept = budgets.put(connection, wanted)
        standings = budgets.standings(connection, workspace_id, now)
        return next(standing for standing in standings if standing.budget.id == kept.id)

    return await runtime.database.write(work)


async def list_budgets(runtime: Runtime, workspace_id: str) -> list[Standing]:
    """Return a workspace's budgets and how they stand: its own first, then those of its keys.

    Raises:
        NotFoundError: There is no such workspace.
    """
    now = runtime.clock.now()

    def work(connection: Connection) -> list[Standing]:
        require_workspace(connection, workspace_id)
        return budgets.standings(connection, workspace_id, now)

    return await runtime.database.read(work)


async def remove_budget(runtime: Runtime, workspace_id: str, budget_id: str) -> None:
    """Remove a budget; the caller must be an operator.

    Raises:
        NotFoundError: There is no such budget in the workspace.
    """
    removed = await runtime.database.write(
        lambda connection: budgets.remove(connection, workspace_id, budget_id)
    )
    if not removed:
        raise NotFoundError("budget_not_found", f"There is no budget {budget_id}.")


def budget_view(standing: Standing) -> dict[str, Any]:
    """Return the public form of a budget; amounts are exact decimal numbers as text."""
    return {
        **facts_of(standing),
        "left_credits": credit_words(standing.left_micros),
        "allow_unknown_price": standing.budget.allow_unknown_price,
    }
