"""What budgets say to a hold: whether it may be made, and whether somebody should know.

Everything here happens in the transaction of the hold, while the account is locked: no two
holds can both take what is left of a budget.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from mediawright.core.errors import InsufficientCreditError
from mediawright.core.events import EventType
from mediawright.ledger.amounts import credit_words
from mediawright.store import budgets, events
from mediawright.store.kinds import BudgetAction, BudgetPeriod
from mediawright.store.spending import period_start

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from mediawright.core.generation import Generation
    from mediawright.store.budgets import Standing

WARNING_STEPS = (100, 80)
"""Per cent of a budget at which a warning is given, once each in a period."""
_THIS_PERIOD = {BudgetPeriod.DAY: "today", BudgetPeriod.MONTH: "this month"}


def exceeded_by(standings: Sequence[Standing], needed: int) -> InsufficientCreditError | None:
    """Return the error of the budget that refuses to spend so much, if one does.

    Args:
        standings: The budgets that the request is subject to.
        needed: Its price in millionths of a credit; what costs nothing exceeds nothing.

    Returns:
        `budget_exceeded`, of the budget whose period ends last: before that, trying again
        is of no use.
    """
    refusing = [
        standing
        for standing in standings
        if standing.budget.action is BudgetAction.REFUSE
        and needed > 0
        and standing.spent_micros + needed > standing.budget.limit_micros
    ]
    if not refusing:
        return None
    standing = max(refusing, key=lambda one: one.resets_at)
    budget = standing.budget
    whose = "key" if budget.api_key_id else "workspace"
    until = standing.resets_at.strftime("%Y-%m-%d %H:%M UTC")
    return InsufficientCreditError(
        "budget_exceeded",
        f"It costs {credit_words(needed)} credits and {credit_words(standing.left_micros)} are "
        f"left {_THIS_PERIOD[budget.period]} of the {whose}'s budget of "
        f"{credit_words(budget.limit_micros)}.",
        hint=f"It begins anew at {until}; until then choose what costs less, or have an "
        "operator raise the budget.",
        details={**facts_of(standing), "price_credits": credit_words(needed)},
    )


def unknown_price_refused_by(standings: Sequence[Standing]) -> InsufficientCreditError | None:
    """Return the error of a budget that lets nothing pass whose price nobody knows."""
    for standing in standings:
        budget = standing.budget
        if budget.action is BudgetAction.REFUSE and not budget.allow_unknown_price:
            return InsufficientCreditError(
                "price_unknown",
                "Nobody knows what it costs, and there is a budget to keep.",
                hint="Choose a model with a price, or have an operator let the budget allow "
                "unknown prices.",
                details=facts_of(standing),
            )
    return None


def warn(
    connection: Connection, generation: Generation, standings: Sequence[Standing], added: int
) -> None:
    """Announce the budgets of which a hold has used up 80 or 100 per cent, once each.

    Args:
        connection: The open transaction.
        generation: What the hold is for.
        standings: The budgets it is subject to, as they stood before it.
        added: What was held, in millionths of a credit.
    """
    for standing in standings:
        budget = standing.budget
        spent = standing.spent_micros + added
        step = _step(spent, budget.limit_micros) if added else 0
        period = period_start(budget.period, generation.created_at)
        warned = budget.warned_percent if budget.warned_period == period else None
        if step <= (warned or 0):
            continue
        budgets.note_warning(connection, budget.id, period, step)
        events.append(
            connection,
            workspace_id=generation.workspace_id,
            type=EventType.BUDGET_WARNING,
            generation_id=generation.id,
            data={**facts_of(standing), "spent_credits": credit_words(spent), "percent": step},
            now=generation.created_at,
        )


def _step(spent: int, limit: int) -> int:
    """Return the highest step that is reached; 0 if none is."""
    return next((step for step in WARNING_STEPS if spent * 100 >= limit * step), 0)


def facts_of(standing: Standing) -> dict[str, Any]:
    """Return what a budget is and where it stands; amounts are exact numbers as text."""
    budget = standing.budget
    return {
        "budget_id": budget.id,
        "key_id": budget.api_key_id,
        "period": budget.period.value,
        "action": budget.action.value,
        "limit_credits": credit_words(budget.limit_micros),
        "spent_credits": credit_words(standing.spent_micros),
        "resets_at": standing.resets_at.isoformat(),
    }
