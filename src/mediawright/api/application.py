"""The ASGI application."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fastapi import FastAPI, Response

from mediawright._version import __version__
from mediawright.api.replies import install_error_handlers, json_reply
from mediawright.api.routes import assets, events, generations, models
from mediawright.api.schemas import HealthBody

if TYPE_CHECKING:
    from mediawright.app.runtime import Runtime

_DESCRIPTION = """\
One request for images, video, music, speech and transcripts from many providers.

Every request is checked against its model's rules and priced before a provider hears of it.
A generation goes on whether or not anybody waits for it; look at it with
`GET /v1/generations/{id}`, or follow `GET /v1/events`.
"""


def create_application(runtime: Runtime) -> FastAPI:
    """Return the application that serves a started installation."""
    app = FastAPI(
        title="mediawright",
        version=__version__,
        description=_DESCRIPTION,
        docs_url=None,
        redoc_url=None,
        openapi_url="/v1/openapi.json",
    )
    app.state.runtime = runtime
    app.add_middleware(RequestIds)
    install_error_handlers(app)
    for module in (generations, models, assets, events):
        app.include_router(module.router)

    @app.get("/healthz", operation_id="health", tags=["server"], response_model=HealthBody)
    async def health() -> Response:
        """Tell that the server and its database work."""
        await runtime.database.read(lambda connection: connection.exec_driver_sql("SELECT 1"))
        return json_reply(
            {
                "status": "ok",
                "version": __version__,
                "sandbox": runtime.settings.sandbox.enabled,
            }
        )

    return app
