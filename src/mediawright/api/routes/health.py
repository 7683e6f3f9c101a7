"""Whether the server works."""

from __future__ import annotations

from fastapi import APIRouter, Response
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from mediawright._version import __version__
from mediawright.api.context import RuntimeOf
from mediawright.api.documentation import described_errors
from mediawright.api.replies import json_reply
from mediawright.api.reply_bodies import HealthBody
from mediawright.core.errors import UnavailableError

router = APIRouter(tags=["server"])
_QUESTION = text("SELECT 1")


@router.head("/healthz", include_in_schema=False)
@router.get(
    "/healthz",
    operation_id="health",
    summary="Look after the server",
    response_model=HealthBody,
    responses=described_errors(503),
)
async def health(runtime: RuntimeOf) -> Response:
    """Tell that the server and its database work; needs no key."""
    try:
        await runtime.database.read(lambda connection: connection.execute(_QUESTION).scalar())
    except SQLAlchemyError as error:
        raise UnavailableError(
            "database_unavailable",
            "The database does not answer.",
            hint="The server's log has the details.",
        ) from error
    return json_reply(
        {"status": "ok", "version": __version__, "sandbox": runtime.settings.sandbox.enabled}
    )
