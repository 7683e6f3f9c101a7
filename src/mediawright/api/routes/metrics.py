"""Figures for the operator's monitoring."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Header, Response

from mediawright.api.context import OPERATOR, CallerOf, RuntimeOf, require_scope
from mediawright.api.documentation import described_errors
from mediawright.api.metrics_page import metrics_page
from mediawright.app.metrics import take_stock

router = APIRouter(tags=["server"])
_SCOPE = "metrics"
"""Lets a monitoring system read the figures and do nothing else."""


@router.get(
    "/metrics",
    operation_id="metrics",
    summary="Figures for Prometheus",
    response_class=Response,
    responses={
        200: {"content": {"text/plain": {}}, "description": "The text form of Prometheus."},
        **described_errors(401, 403),
    },
)
async def metrics(
    runtime: RuntimeOf,
    caller: CallerOf,
    accept: Annotated[str, Header()] = "text/plain",
) -> Response:
    """Return what this installation has and what this process has measured.

    It needs a key with the scope `metrics` or `operator`; Prometheus sends one with
    `authorization: {credentials: KEY}`.
    """
    if _SCOPE not in caller.scopes:
        require_scope(caller, OPERATOR)
    stock = await take_stock(runtime)
    body, content_type = metrics_page(stock, runtime.meter.snapshot(), runtime.clock.now(), accept)
    return Response(body, headers={"Content-Type": content_type, "Cache-Control": "no-store"})
