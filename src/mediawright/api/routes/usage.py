"""Usage: what was asked for, charged and spent at providers."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal

from fastapi import APIRouter, Query, Response

from mediawright.api.account_bodies import UsageBody
from mediawright.api.context import CallerOf, RuntimeOf
from mediawright.api.documentation import described_errors
from mediawright.api.replies import json_reply
from mediawright.app.usage import dimensions, usage_csv, usage_of, usage_view

router = APIRouter(prefix="/v1", tags=["usage"])


@router.get(
    "/usage",
    operation_id="get_usage",
    summary="See what was used, charged and spent",
    response_model=UsageBody,
    responses={
        200: {"content": {"text/csv": {"schema": {"type": "string"}}}},
        **described_errors(400, 401),
    },
)
async def show(
    runtime: RuntimeOf,
    caller: CallerOf,
    first: Annotated[
        date | None,
        Query(alias="from", description="The first day; by default the first of the month."),
    ] = None,
    last: Annotated[
        date | None, Query(alias="to", description="The last day, included; by default today.")
    ] = None,
    by: Annotated[
        str,
        Query(description="Any of `day`, `model`, `provider`, `key`, `operation`, with commas."),
    ] = "day",
    form: Annotated[
        Literal["json", "csv"], Query(alias="format", description="`csv` has the rows alone.")
    ] = "json",
) -> Response:
    """Return the workspace's usage of some days of UTC, told apart as asked."""
    report = await usage_of(runtime, caller.workspace_id, first=first, last=last, by=dimensions(by))
    if form == "csv":
        name = f"usage-{report.first}-{report.last}.csv"
        headers = {
            "Cache-Control": "no-store",
            "Content-Disposition": f'attachment; filename="{name}"',
        }
        return Response(usage_csv(report), media_type="text/csv", headers=headers)
    return json_reply(usage_view(report))
