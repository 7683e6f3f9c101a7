"""Budgets: how much the workspace or a key may spend in a day or a month."""

from __future__ import annotations

from fastapi import APIRouter, Response

from mediawright.api.account_bodies import BudgetBody, BudgetPage, SetBudgetBody
from mediawright.api.context import OPERATOR, CallerOf, RuntimeOf, require_scope
from mediawright.api.documentation import described_errors
from mediawright.api.replies import json_reply
from mediawright.app.budgets import budget_view, list_budgets, remove_budget, set_budget

router = APIRouter(prefix="/v1/budgets", tags=["budgets"])


@router.get(
    "",
    operation_id="list_budgets",
    summary="List the budgets",
    response_model=BudgetPage,
    responses=described_errors(401),
)
async def index(runtime: RuntimeOf, caller: CallerOf) -> Response:
    """Return the workspace's budgets with what is spent of them and when they begin anew."""
    found = await list_budgets(runtime, caller.workspace_id)
    return json_reply({"data": [budget_view(standing) for standing in found]})


@router.put(
    "",
    operation_id="set_budget",
    summary="Set a budget",
    response_model=BudgetBody,
    responses=described_errors(400, 401, 403, 404, 413, 415),
)
async def put(body: SetBudgetBody, runtime: RuntimeOf, caller: CallerOf) -> Response:
    """Set the budget of this key, period and action, or change it; needs the scope `operator`."""
    require_scope(caller, OPERATOR)
    standing = await set_budget(
        runtime,
        caller.workspace_id,
        body.limit_credits,
        period=body.period,
        action=body.action,
        key_id=body.key_id,
        allow_unknown_price=body.allow_unknown_price,
    )
    return json_reply(budget_view(standing))


@router.delete(
    "/{budget_id}",
    operation_id="remove_budget",
    summary="Remove a budget",
    status_code=204,
    response_class=Response,
    responses=described_errors(401, 403, 404),
)
async def remove(budget_id: str, runtime: RuntimeOf, caller: CallerOf) -> Response:
    """Remove a budget; needs a key with the scope `operator`."""
    require_scope(caller, OPERATOR)
    await remove_budget(runtime, caller.workspace_id, budget_id)
    return Response(status_code=204)
