"""Quotes and estimates: what a request would cost, and how long it would take."""

from __future__ import annotations

from functools import partial
from typing import Any

from fastapi import APIRouter, Request, Response

from mediawright.api.context import CallerOf, RuntimeOf
from mediawright.api.documentation import described_errors
from mediawright.api.generation_requests import draft_of
from mediawright.api.locations import own_asset_id
from mediawright.api.pointers import flat_pointer, point_into
from mediawright.api.quote_bodies import EstimateBody, ShownEstimateBody, ShownQuoteBody
from mediawright.api.replies import json_reply
from mediawright.api.request_bodies import QuoteBody
from mediawright.app.complaints import Complaints
from mediawright.app.estimates import estimate, estimate_view
from mediawright.app.parameters import parameters_from
from mediawright.app.quotes import get_quote, quote, quote_view
from mediawright.catalog.values import parse_generation_type
from mediawright.core.errors import MediawrightError
from mediawright.core.quote import Quote
from mediawright.core.request import GenerationRequest, Parameters

router = APIRouter(prefix="/v1", tags=["quotes"])


@router.post(
    "/quotes",
    operation_id="create_quote",
    summary="Check and price a request",
    response_model=ShownQuoteBody,
    status_code=201,
    response_description="The price is promised until the quote expires.",
    responses=described_errors(400, 401, 402, 403, 404, 413, 415, 503),
)
async def create(
    body: QuoteBody, request: Request, runtime: RuntimeOf, caller: CallerOf
) -> Response:
    """Check a request against every rule and promise its price; nothing is held, kept or sent."""
    try:
        made = await quote(
            runtime, caller.workspace_id, draft_of(body, partial(own_asset_id, request))
        )
    except MediawrightError as error:
        point_into(body, error)
        raise
    return json_reply(_view(made), 201, {"Location": f"/v1/quotes/{made.id}"})


@router.get(
    "/quotes/{quote_id}",
    operation_id="get_quote",
    summary="Look at a quote",
    response_model=ShownQuoteBody,
    responses=described_errors(401, 404),
)
async def show(quote_id: str, runtime: RuntimeOf, caller: CallerOf) -> Response:
    """Return a quote of the workspace, also when it was used or has expired."""
    return json_reply(_view(await get_quote(runtime, caller.workspace_id, quote_id)))


@router.post(
    "/estimates",
    operation_id="get_generation_estimate",
    summary="Tell how long a request would take",
    response_model=ShownEstimateBody,
    responses=described_errors(400, 401, 404, 413, 415),
)
async def tell(body: EstimateBody, runtime: RuntimeOf, caller: CallerOf) -> Response:
    """Return the time to expect, by the catalogue and by what was made here (rule 46)."""
    del caller
    try:
        found = await estimate(runtime, _request(body))
    except MediawrightError as error:
        if error.pointer == "/operation":
            error.pointer = "/generation_type"
        raise
    view = estimate_view(found)
    for adjustment in view["adjustments"]:
        if adjustment["pointer"] == "/operation":
            adjustment["pointer"] = "/generation_type"
    return json_reply(view)


def _request(body: EstimateBody) -> GenerationRequest:
    complaints = Complaints()
    given: dict[str, Any] = dict(body.parameters)
    if body.negative_prompt is not None:
        given.setdefault("negative_prompt", body.negative_prompt)
    name = body.generation_type
    request = GenerationRequest(
        model=body.model,
        operation=complaints.read(
            lambda: (
                None if name is None else parse_generation_type(name, pointer="/generation_type")
            ),
            None,
        ),
        prompt=body.prompt,
        provider=body.provider,
        parameters=complaints.read(lambda: parameters_from(given), Parameters()),
    )
    complaints.settle()
    return request


def _view(found: Quote) -> dict[str, Any]:
    view = quote_view(found)
    for adjustment in view["adjustments"]:
        adjustment["pointer"] = flat_pointer(adjustment["pointer"])
    return view
