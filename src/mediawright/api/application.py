"""The ASGI application."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fastapi import FastAPI

from mediawright._version import __version__
from mediawright.api.body_limit import BodyLimit
from mediawright.api.boundary import Boundary
from mediawright.api.closing import Closing
from mediawright.api.replies import install_error_handlers
from mediawright.api.routes import (
    account,
    assets,
    budgets,
    events,
    generations,
    health,
    hooks,
    keys,
    limits,
    metrics,
    models,
    providers,
    quotes,
    resolutions,
    uploads,
    usage,
    webhooks,
    workers,
)

if TYPE_CHECKING:
    from mediawright.app.runtime import Runtime

_DESCRIPTION = """\
One request for images, video, music, speech and transcripts from many providers.

Every request is checked against its model's rules and priced before a provider hears of it.
A generation goes on whether or not anybody waits for it; look at it with
`GET /v1/generations/{id}`, or follow `GET /v1/events`.

Send an API key as `Authorization: Bearer KEY`. Every reply has an `X-Request-Id`, and every
error the same shape.
"""


def create_application(runtime: Runtime, closing: Closing | None = None) -> FastAPI:
    """Return the application that serves a started installation.

    Args:
        runtime: The installation; whoever started it closes it.
        closing: Ends open streams and waits when the server stops.
    """
    app = FastAPI(
        title="mediawright",
        version=__version__,
        description=_DESCRIPTION,
        docs_url=None,
        redoc_url=None,
        openapi_url="/v1/openapi.json",
        redirect_slashes=False,
    )
    app.state.runtime = runtime
    app.state.closing = closing or Closing()
    # The one added last is the outermost.
    app.add_middleware(BodyLimit, unlimited=frozenset({uploads.PATH}))
    app.add_middleware(Boundary)
    install_error_handlers(app)
    for module in (
        generations,
        quotes,
        resolutions,
        models,
        providers,
        assets,
        uploads,
        events,
        health,
        hooks,
        metrics,
        webhooks,
        account,
        budgets,
        usage,
        limits,
        keys,
        workers,
    ):
        app.include_router(module.router)
    return app
