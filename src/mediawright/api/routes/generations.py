"""Generations: start, look at, list, cancel."""

from __future__ import annotations

import re
from functools import partial
from typing import Annotated

from fastapi import APIRouter, Header, Query, Request, Response

from mediawright.api.closing import Closing, while_wanted
from mediawright.api.context import CallerOf, ClosingOf, RuntimeOf
from mediawright.api.documentation import described_errors
from mediawright.api.generation_requests import draft_of
from mediawright.api.locations import asset_urls, own_asset_id
from mediawright.api.pointers import flat_pointer, point_into
from mediawright.api.replies import json_reply
from mediawright.api.reply_bodies import GenerationBody, GenerationPage
from mediawright.api.request_bodies import GenerateBody
from mediawright.api.texts import Text
from mediawright.app.follow import get_generation, list_generations
from mediawright.app.generate import generate
from mediawright.app.route_views import attempts_of, outputs_and_attempts
from mediawright.app.runtime import Runtime
from mediawright.app.views import generation_view
from mediawright.core.errors import InvalidRequestError, MediawrightError
from mediawright.core.generation import Asset, Attempt, Generation
from mediawright.core.ids import IdPrefix, has_prefix
from mediawright.core.operations import Operation
from mediawright.core.states import PublicStatus
from mediawright.jobs.signals import Ended

router = APIRouter(prefix="/v1", tags=["generations"])

_WAIT = re.compile(r'wait[ \t]*=[ \t]*"?([0-9]{1,9}(?:\.[0-9]{1,9})?)"?', re.IGNORECASE | re.ASCII)
Wait = Annotated[
    str | None,
    Header(alias="Prefer", description="`wait=N`: answer when it has ended, or after N seconds."),
]


@router.post(
    "/generate/media",
    operation_id="generate_media",
    summary="Start a generation",
    response_model=GenerationBody,
    status_code=202,
    response_description="It is under way.",
    responses={
        200: {"model": GenerationBody, "description": "It has already ended."},
        **described_errors(400, 401, 402, 403, 404, 409, 413, 415, 422, 429, 503),
    },
)
async def generate_media(
    body: GenerateBody,
    request: Request,
    runtime: RuntimeOf,
    closing: ClosingOf,
    caller: CallerOf,
    prefer: Wait = None,
    idempotency_key: Annotated[
        str | None,
        Header(description="Sending the same request again under this key makes nothing new."),
    ] = None,
) -> Response:
    """Check, price and start a generation; poll it until it is completed or failed."""
    try:
        generation = await generate(
            runtime,
            caller.workspace_id,
            draft_of(body, partial(own_asset_id, request)),
            quote_id=body.quote,
            idempotency_key=idempotency_key,
            api_key_id=caller.key_id,
        )
    except MediawrightError as error:
        point_into(body, error)
        raise
    outcome, headers = await _waited(runtime, closing, request, generation, prefer)
    headers["Location"] = f"/v1/generations/{generation.id}"
    status = 200 if outcome.generation.state.is_terminal else 202
    return await shown(runtime, request, outcome, status, headers)


@router.get(
    "/generations",
    operation_id="list_generations",
    summary="List generations, newest first",
    response_model=GenerationPage,
    responses=described_errors(400, 401),
)
async def index(
    request: Request,
    runtime: RuntimeOf,
    caller: CallerOf,
    limit: Annotated[int, Query(ge=1, le=100)] = 20,
    cursor: Annotated[str | None, Query(description="`next_cursor` of the page before.")] = None,
    status: Annotated[PublicStatus | None, Query()] = None,
    model: Annotated[Text | None, Query()] = None,
    generation_type: Annotated[Operation | None, Query()] = None,
    conversation_id: Annotated[
        Text | None, Query(description="Only those with this label in their metadata.")
    ] = None,
    persona: Annotated[
        Text | None, Query(description="Only those with this label in their metadata.")
    ] = None,
) -> Response:
    """Return a page of the workspace's generations with their outputs."""
    if cursor is not None and not has_prefix(cursor, IdPrefix.GENERATION):
        raise InvalidRequestError(
            "invalid_cursor",
            "This is no cursor.",
            pointer="/cursor",
            hint="Use `next_cursor` of the page before.",
        )
    labels = {"conversation_id": conversation_id, "persona": persona}
    found = await list_generations(
        runtime,
        caller.workspace_id,
        limit=limit + 1,
        before=cursor,
        status=status,
        model=model,
        operation=generation_type,
        metadata={name: value for name, value in labels.items() if value is not None},
    )
    page = found[:limit]
    has_more = len(found) > limit
    attempts = await attempts_of(runtime, caller.workspace_id, [item.id for item, _ in page])
    return json_reply(
        {
            "data": [_view(request, item, outputs, attempts[item.id]) for item, outputs in page],
            "has_more": has_more,
            "next_cursor": page[-1][0].id if has_more else None,
        }
    )


@router.get(
    "/generations/{generation_id}",
    operation_id="get_generation_status",
    summary="Look at a generation",
    response_model=GenerationBody,
    responses=described_errors(401, 404),
)
async def show(
    generation_id: str,
    request: Request,
    runtime: RuntimeOf,
    closing: ClosingOf,
    caller: CallerOf,
    prefer: Wait = None,
) -> Response:
    """Return the generation, with its outputs once it is completed."""
    generation = await get_generation(runtime, caller.workspace_id, generation_id)
    outcome, headers = await _waited(runtime, closing, request, generation, prefer)
    return await shown(runtime, request, outcome, 200, headers)


@router.post(
    "/generations/{generation_id}/cancel",
    operation_id="cancel_generation",
    summary="Cancel a generation",
    response_model=GenerationBody,
    responses=described_errors(401, 404, 409),
)
async def cancel(
    generation_id: str, request: Request, runtime: RuntimeOf, caller: CallerOf
) -> Response:
    """Cancel the generation; its status is `cancelled` at once, and again when asked again."""
    cancelled = await runtime.jobs.cancel(caller.workspace_id, generation_id)
    return await shown(runtime, request, Ended(cancelled), 200, {})


async def _waited(
    runtime: Runtime,
    closing: Closing,
    request: Request,
    generation: Generation,
    prefer: str | None,
) -> tuple[Ended, dict[str, str]]:
    """Wait as the caller prefers (RFC 7240), and say so in the headers."""
    seconds = _wait_seconds(prefer, runtime.settings.server.longest_wait)
    if seconds is None:
        return Ended(generation), {}
    outcome = await while_wanted(request, closing, runtime.jobs.outcome(generation, seconds))
    if outcome is None:
        current = await get_generation(runtime, generation.workspace_id, generation.id)
        outcome = Ended(current)
    return outcome, {"Preference-Applied": f"wait={seconds:g}"}


def _wait_seconds(prefer: str | None, longest: float) -> float | None:
    """Return the seconds of the first `wait=N`, at most `longest`."""
    for preference in (prefer or "").split(","):
        match = _WAIT.fullmatch(preference.partition(";")[0].strip())
        if match is not None:
            return min(float(match.group(1)), longest)
    return None


async def shown(
    runtime: Runtime,
    request: Request,
    outcome: Ended,
    status: int,
    headers: dict[str, str],
) -> Response:
    """Answer with a generation, and with what it has made once it has ended."""
    generation, outputs, attempts = outcome
    if outputs is None or attempts is None:
        outputs, attempts = await outputs_and_attempts(runtime, generation)
    return json_reply(_view(request, generation, outputs, attempts), status, headers)


def _view(
    request: Request,
    generation: Generation,
    outputs: list[Asset],
    attempts: list[Attempt],
) -> dict[str, object]:
    view = generation_view(generation, outputs, asset_urls(request), attempts)
    for adjustment in view["adjustments"]:
        adjustment["pointer"] = flat_pointer(adjustment["pointer"])
    return view
