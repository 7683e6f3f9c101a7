"""Providers: what is set up, and how they fare."""

from __future__ import annotations

from fastapi import APIRouter, Response

from mediawright.api.context import (
    ALL_SCOPES,
    OPERATOR,
    Caller,
    CallerOf,
    RuntimeOf,
    require_scope,
)
from mediawright.api.documentation import described_errors
from mediawright.api.provider_bodies import ProviderBody, ProviderPage
from mediawright.api.replies import json_reply
from mediawright.app.providers import (
    get_provider,
    list_providers,
    provider_view,
    reset_provider,
)

router = APIRouter(prefix="/v1", tags=["providers"])


@router.get(
    "/providers",
    operation_id="list_providers",
    summary="List the providers",
    response_model=ProviderPage,
    responses=described_errors(401),
)
async def index(runtime: RuntimeOf, caller: CallerOf) -> Response:
    """Return every provider: whether it can be used, and how it fares."""
    now, in_full = runtime.clock.now(), _is_operator(caller)
    found = await list_providers(runtime)
    return json_reply({"data": [provider_view(item, in_full=in_full, now=now) for item in found]})


@router.get(
    "/providers/{name}",
    operation_id="get_provider",
    summary="Show a provider",
    response_model=ProviderBody,
    responses=described_errors(401, 404),
)
async def show(name: str, runtime: RuntimeOf, caller: CallerOf) -> Response:
    """Return one provider."""
    found = await get_provider(runtime, name)
    now = runtime.clock.now()
    return json_reply(provider_view(found, in_full=_is_operator(caller), now=now))


@router.post(
    "/providers/{name}/reset",
    operation_id="reset_provider",
    summary="Have a provider used again",
    response_model=ProviderBody,
    responses=described_errors(401, 403, 404),
)
async def reset(name: str, runtime: RuntimeOf, caller: CallerOf) -> Response:
    """Have a provider that is left alone used again at once; needs the scope `operator`."""
    require_scope(caller, OPERATOR)
    found = await reset_provider(runtime, name)
    return json_reply(provider_view(found, in_full=True, now=runtime.clock.now()))


def _is_operator(caller: Caller) -> bool:
    return OPERATOR in caller.scopes or ALL_SCOPES in caller.scopes
