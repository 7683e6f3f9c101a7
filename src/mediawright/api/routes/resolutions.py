"""Resolutions: an operator's word on submits of which nobody knows what became."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from mediawright.api.context import OPERATOR, CallerOf, RuntimeOf, require_scope
from mediawright.api.documentation import described_errors
from mediawright.api.reply_bodies import GenerationBody
from mediawright.api.routes.generations import shown
from mediawright.api.texts import Text
from mediawright.app.resolve import resolve_generation
from mediawright.jobs.resolving import Resolution
from mediawright.jobs.signals import Ended

router = APIRouter(prefix="/v1", tags=["generations"])


class ResolutionBody(BaseModel):
    """What became of a submit."""

    model_config = ConfigDict(extra="forbid")

    as_: Annotated[
        Resolution,
        Field(
            alias="as",
            description="`charged`: the provider billed it and nothing came of it; the hold is "
            "captured. `not_charged`: the provider never had it; the hold is released. "
            "`attach`: the provider has it under `vendor_id`; it is waited for.",
        ),
    ]
    vendor_id: Annotated[
        Text | None,
        Field(max_length=500, description="The provider's own name for the job, to attach it."),
    ] = None


@router.post(
    "/generations/{generation_id}/resolve",
    operation_id="resolve_generation",
    summary="Say what became of an unknown submit",
    response_model=GenerationBody,
    responses=described_errors(400, 401, 403, 404, 409),
)
async def resolve(
    generation_id: str,
    body: ResolutionBody,
    request: Request,
    runtime: RuntimeOf,
    caller: CallerOf,
) -> Response:
    """Settle a generation of any workspace whose `attention` is `submit_unknown`.

    Needs a key with the scope `operator`. Of several who resolve it, one is heard.
    """
    require_scope(caller, OPERATOR)
    resolved = await resolve_generation(runtime, generation_id, body.as_, vendor_id=body.vendor_id)
    return await shown(runtime, request, Ended(resolved), 200, {})
