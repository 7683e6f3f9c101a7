"""The processes that share the work."""

from __future__ import annotations

from fastapi import APIRouter, Response

from mediawright.api.context import OPERATOR, CallerOf, RuntimeOf, require_scope
from mediawright.api.documentation import described_errors
from mediawright.api.replies import json_reply
from mediawright.api.worker_bodies import WorkersBody
from mediawright.app.workers import list_workers, worker_view

router = APIRouter(prefix="/v1", tags=["server"])


@router.get(
    "/workers",
    operation_id="list_workers",
    summary="See the processes at work",
    response_model=WorkersBody,
    responses=described_errors(401, 403),
)
async def index(runtime: RuntimeOf, caller: CallerOf) -> Response:
    """Return the processes that run generations; needs a key with the scope `operator`."""
    require_scope(caller, OPERATOR)
    found = await list_workers(runtime)
    return json_reply({"workers": [worker_view(item) for item in found]})
