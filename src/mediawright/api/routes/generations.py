"""Generations: start, look at, list, cancel."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Header, Query, Request, Response

from mediawright.api.context import CallerOf, RuntimeOf
from mediawright.api.locations import asset_urls
from mediawright.api.replies import json_reply
from mediawright.api.schemas import ErrorBody, GenerateBody, GenerationBody, GenerationPage
from mediawright.app.follow import get_generation, list_generations, wait_for
from mediawright.app.generate import generate
from mediawright.app.intake import Draft, InputSource, parse_source
from mediawright.app.parameters import parameters_from
from mediawright.app.runtime import Runtime
from mediawright.app.views import generation_view, outputs_of
from mediawright.core.errors import InvalidRequestError
from mediawright.core.generation import Generation
from mediawright.core.ids import IdPrefix, has_prefix
from mediawright.core.operations import Operation
from mediawright.core.states import GenerationState, PublicStatus, public_status

router = APIRouter(prefix="/v1", tags=["generations"])

_OUTSIDE_PARAMETERS = frozenset(
    {
        "prompt",
        "model",
        "generation_type",
        "source_media_urls",
        "inputs",
        "provider",
        "file_path",
        "metadata",
    }
)
_ERRORS: dict[int | str, dict[str, Any]] = {
    status: {"model": ErrorBody} for status in (400, 401, 402, 403, 404, 409, 429)
}
_LONGEST_KEY = 255
Wait = Annotated[
    str | None, Header(alias="Prefer", description="`wait=N`: wait up to N seconds for the end.")
]


@router.post(
    "/generate/media",
    operation_id="generate_media",
    summary="Start a generation",
    response_model=GenerationBody,
    status_code=202,
    responses={200: {"model": GenerationBody, "description": "It has already ended."}, **_ERRORS},
)
async def generate_media(
    body: GenerateBody,
    request: Request,
    runtime: RuntimeOf,
    caller: CallerOf,
    prefer: Wait = None,
    idempotency_key: Annotated[
        str | None,
        Header(description="Sending the same request again under this key makes nothing new."),
    ] = None,
) -> Response:
    """Check, price and start a generation; poll it until it is completed or failed."""
    if idempotency_key is not None and not 0 < len(idempotency_key) <= _LONGEST_KEY:
        raise InvalidRequestError(
            "invalid_idempotency_key", f"An Idempotency-Key has 1 to {_LONGEST_KEY} characters."
        )
    generation = await generate(
        runtime, caller.workspace_id, _draft(body), idempotency_key=idempotency_key
    )
    return await _reply_after_wait(runtime, request, generation, prefer)


@router.get(
    "/generations",
    operation_id="list_generations",
    summary="List generations, newest first",
    response_model=GenerationPage,
    responses=_ERRORS,
)
async def list_page(
    request: Request,
    runtime: RuntimeOf,
    caller: CallerOf,
    limit: Annotated[int, Query(ge=1, le=100)] = 20,
    cursor: Annotated[str | None, Query(description="`next_cursor` of the page before.")] = None,
    status: Annotated[PublicStatus | None, Query()] = None,
    model: Annotated[str | None, Query()] = None,
    generation_type: Annotated[Operation | None, Query()] = None,
    conversation_id: Annotated[
        str | None, Query(description="Only those with this label in their metadata.")
    ] = None,
    persona: Annotated[
        str | None, Query(description="Only those with this label in their metadata.")
    ] = None,
) -> Response:
    """Return a page of the workspace's generations with their outputs."""
    if cursor is not None and not has_prefix(cursor, IdPrefix.GENERATION):
        raise InvalidRequestError("invalid_cursor", "This is no cursor.", pointer="/cursor")
    labels = {"conversation_id": conversation_id, "persona": persona}
    found = await list_generations(
        runtime,
        caller.workspace_id,
        limit=limit + 1,
        before=cursor,
        states=_states_of(status),
        model=model,
        operation=generation_type,
        metadata={name: value for name, value in labels.items() if value is not None},
    )
    page = found[:limit]
    urls = asset_urls(request)
    has_more = len(found) > limit
    return json_reply(
        {
            "data": [generation_view(item, outputs, urls) for item, outputs in page],
            "has_more": has_more,
            "next_cursor": page[-1][0].id if has_more else None,
        }
    )


@router.get(
    "/generations/{generation_id}",
    operation_id="get_generation_status",
    summary="Look at a generation",
    response_model=GenerationBody,
    responses=_ERRORS,
)
async def show(
    generation_id: str,
    request: Request,
    runtime: RuntimeOf,
    caller: CallerOf,
    prefer: Wait = None,
) -> Response:
    """Return the generation, with its outputs once it is completed."""
    generation = await get_generation(runtime, caller.workspace_id, generation_id)
    reply = await _reply_after_wait(runtime, request, generation, prefer)
    reply.status_code = 200
    return reply


@router.post(
    "/generations/{generation_id}/cancel",
    operation_id="cancel_generation",
    summary="Cancel a generation",
    response_model=GenerationBody,
    responses=_ERRORS,
)
async def cancel(
    generation_id: str, request: Request, runtime: RuntimeOf, caller: CallerOf
) -> Response:
    """Cancel the generation; its status is `cancelled` at once."""
    cancelled = await runtime.jobs.cancel(caller.workspace_id, generation_id)
    return json_reply(generation_view(cancelled, [], asset_urls(request)))


async def _reply_after_wait(
    runtime: Runtime, request: Request, generation: Generation, prefer: str | None
) -> Response:
    seconds = _wait_seconds(prefer, runtime.settings.server.longest_wait)
    headers = {"Location": f"/v1/generations/{generation.id}"}
    if seconds is not None:
        generation = await wait_for(runtime, generation, seconds=seconds)
        headers["Preference-Applied"] = f"wait={seconds:g}"
    outputs = await outputs_of(runtime, generation) if generation.state.is_terminal else []
    return json_reply(
        generation_view(generation, outputs, asset_urls(request)),
        200 if generation.state.is_terminal else 202,
        headers,
    )


def _wait_seconds(prefer: str | None, longest: float) -> float | None:
    """Return the seconds of `wait=N` in a Prefer header (RFC 7240), at most `longest`."""
    for part in (prefer or "").split(","):
        name, _, value = part.strip().partition("=")
        if name.strip().lower() == "wait":
            try:
                return min(max(float(value.strip().strip('"')), 0.0), longest)
            except ValueError:
                return None
    return None


def _draft(body: GenerateBody) -> Draft:
    given = body.model_dump(exclude_none=True, exclude=set(_OUTSIDE_PARAMETERS))
    return Draft(
        model=body.model,
        operation=_operation(body.generation_type),
        prompt=body.prompt,
        inputs=_inputs(body),
        parameters=parameters_from(given),
        provider=body.provider,
        output_path=body.file_path,
        metadata=body.metadata or {},
    )


def _operation(name: str | None) -> Operation | None:
    if name is None:
        return None
    try:
        return Operation(name)
    except ValueError:
        raise InvalidRequestError(
            "invalid_generation_type",
            f"There is no generation type {name!r}.",
            pointer="/generation_type",
            details={"allowed": [item.value for item in Operation]},
        ) from None


def _inputs(body: GenerateBody) -> tuple[InputSource, ...]:
    """Return the inputs; a server reads no paths of its own machine for a caller (rule 5)."""
    urls = body.source_media_urls or []
    named = [urls] if isinstance(urls, str) else urls
    sources = [parse_source(item) for item in named]
    sources += [
        InputSource(role=item.role, url=item.url, asset_id=item.asset_id)
        for item in body.inputs or []
    ]
    for index, source in enumerate(sources):
        if source.path is not None or (source.url is None) == (source.asset_id is None):
            raise InvalidRequestError(
                "invalid_source_media",
                "An input is a URL or the id of an asset.",
                pointer=f"/inputs/{index}",
            )
    return tuple(sources)


def _states_of(status: PublicStatus | None) -> frozenset[GenerationState] | None:
    if status is None:
        return None
    return frozenset(state for state in GenerationState if public_status(state) is status)
