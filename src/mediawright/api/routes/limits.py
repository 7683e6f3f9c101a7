"""Limits: all that hold for the caller, with what is used of them."""

from __future__ import annotations

from fastapi import APIRouter, Response

from mediawright.api.context import (
    OPERATOR,
    Caller,
    CallerOf,
    RuntimeOf,
    has_scope,
    require_scope,
)
from mediawright.api.documentation import described_errors
from mediawright.api.limit_bodies import LimitsBody, SetLimitsBody
from mediawright.api.replies import json_reply
from mediawright.app.limits import limit_workspace, limits_of, limits_view
from mediawright.app.runtime import Runtime

router = APIRouter(prefix="/v1", tags=["limits"])


@router.get(
    "/limits",
    operation_id="get_limits",
    summary="See all limits, rates and credits",
    response_model=LimitsBody,
    responses=described_errors(401),
)
async def show(runtime: RuntimeOf, caller: CallerOf) -> Response:
    """Return every limit that holds for the caller, and what is used of it right now."""
    return await _shown(runtime, caller)


@router.put(
    "/limits/workspace",
    operation_id="limit_workspace",
    summary="Give the workspace limits of its own",
    response_model=LimitsBody,
    responses=described_errors(400, 401, 403, 413, 415),
)
async def put(body: SetLimitsBody, runtime: RuntimeOf, caller: CallerOf) -> Response:
    """Replace the workspace's own limits; needs a key with the scope `operator`."""
    require_scope(caller, OPERATOR)
    await limit_workspace(
        runtime,
        caller.workspace_id,
        requests_per_minute=body.requests_per_minute,
        concurrent_generations=body.concurrent_generations,
    )
    return await _shown(runtime, caller)


async def _shown(runtime: Runtime, caller: Caller) -> Response:
    found = await limits_of(
        runtime, caller.workspace_id, caller.key_id, in_full=has_scope(caller, OPERATOR)
    )
    return json_reply(limits_view(found, runtime.settings))
