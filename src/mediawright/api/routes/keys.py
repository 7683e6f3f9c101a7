"""API keys: make, list, limit, revoke."""

from __future__ import annotations

from fastapi import APIRouter, Response

from mediawright.api.context import OPERATOR, CallerOf, RuntimeOf, require_scope
from mediawright.api.documentation import described_errors
from mediawright.api.limit_bodies import (
    CreatedKeyBody,
    CreateKeyBody,
    KeyBody,
    KeyPage,
    SetLimitsBody,
)
from mediawright.api.replies import json_reply
from mediawright.app.api_keys import (
    create_key,
    key_view,
    limit_key,
    list_keys,
    own_limits,
    revoke_key,
)

router = APIRouter(prefix="/v1/keys", tags=["keys"])


@router.get(
    "",
    operation_id="list_keys",
    summary="List the keys",
    response_model=KeyPage,
    responses=described_errors(401, 403),
)
async def index(runtime: RuntimeOf, caller: CallerOf) -> Response:
    """Return the workspace's keys, revoked ones too; needs the scope `operator`."""
    require_scope(caller, OPERATOR)
    found = await list_keys(runtime, caller.workspace_id)
    return json_reply({"data": [key_view(key) for key in found]})


@router.post(
    "",
    operation_id="create_key",
    summary="Make a key",
    response_model=CreatedKeyBody,
    status_code=201,
    responses=described_errors(400, 401, 403, 413, 415),
)
async def create(body: CreateKeyBody, runtime: RuntimeOf, caller: CallerOf) -> Response:
    """Make a key for the workspace; needs a key with the scope `operator`."""
    require_scope(caller, OPERATOR)
    key, secret = await create_key(
        runtime,
        caller.workspace_id,
        body.name,
        tuple(body.scopes),
        limits=own_limits(body.requests_per_minute, body.concurrent_generations),
    )
    return json_reply({**key_view(key), "key": secret}, 201)


@router.put(
    "/{key_id}/limits",
    operation_id="limit_key",
    summary="Give a key limits of its own",
    response_model=KeyBody,
    responses=described_errors(400, 401, 403, 404, 413, 415),
)
async def limit(key_id: str, body: SetLimitsBody, runtime: RuntimeOf, caller: CallerOf) -> Response:
    """Replace a key's own limits; needs a key with the scope `operator`."""
    require_scope(caller, OPERATOR)
    limits = own_limits(body.requests_per_minute, body.concurrent_generations)
    return json_reply(key_view(await limit_key(runtime, caller.workspace_id, key_id, limits)))


@router.post(
    "/{key_id}/revoke",
    operation_id="revoke_key",
    summary="Revoke a key",
    response_model=KeyBody,
    responses=described_errors(401, 403, 404),
)
async def revoke(key_id: str, runtime: RuntimeOf, caller: CallerOf) -> Response:
    """Revoke a key for good; needs a key with the scope `operator`."""
    require_scope(caller, OPERATOR)
    return json_reply(key_view(await revoke_key(runtime, caller.workspace_id, key_id)))
