"""The catalogue: what can be asked for, within which limits, at which price."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated

from fastapi import APIRouter, Query, Response
from pydantic import Field

from mediawright.api.context import CallerOf, RuntimeOf
from mediawright.api.documentation import described_errors
from mediawright.api.replies import json_reply
from mediawright.api.reply_bodies import ModelPage, ShownModelBody
from mediawright.api.texts import Text
from mediawright.app.models import describe_model, list_families, list_models
from mediawright.core.operations import MediaKind, Operation

MostCredits = Annotated[Decimal, Field(ge=0, allow_inf_nan=False)]

router = APIRouter(prefix="/v1", tags=["models"])


@router.get(
    "/models",
    operation_id="get_models",
    summary="List the models",
    response_model=ModelPage,
    responses=described_errors(400, 401),
)
async def index(
    runtime: RuntimeOf,
    caller: CallerOf,
    kind: Annotated[MediaKind | None, Query(description="What they make.")] = None,
    generation_type: Annotated[
        Operation | None, Query(description="What they must be able to do.")
    ] = None,
    provider: Annotated[Text | None, Query(description="Who must serve them.")] = None,
    live: Annotated[bool | None, Query(description="Only those that can be used today.")] = None,
    max_credits: Annotated[
        MostCredits | None,
        Query(description="Only those whose `usual_price` is known and at most so many credits."),
    ] = None,
    q: Annotated[
        Text | None, Query(description="Words that their names and descriptions must have.")
    ] = None,
) -> Response:
    """Return every model with its limits and the workspace's prices, in one document."""
    found = await list_models(
        runtime,
        caller.workspace_id,
        kind=kind,
        operation=generation_type,
        provider=provider,
        live=live,
        max_credits=max_credits,
        words=q,
    )
    return json_reply({"data": found, "families": list_families(runtime)})


@router.get(
    "/models/{model_id:path}",
    operation_id="get_model",
    summary="Show a model",
    response_model=ShownModelBody,
    responses=described_errors(400, 401, 404),
)
async def show(model_id: str, runtime: RuntimeOf, caller: CallerOf) -> Response:
    """Return a model with the JSON Schema of its parameters; its id may hold slashes."""
    return json_reply(await describe_model(runtime, caller.workspace_id, model_id))
