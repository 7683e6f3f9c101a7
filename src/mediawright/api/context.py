"""What a route needs of the server it runs in, and who is calling."""

from __future__ import annotations

from typing import Annotated

import msgspec
from fastapi import Depends, Request

from mediawright.app.api_keys import verify_key
from mediawright.app.runtime import Runtime
from mediawright.app.workspaces import DEFAULT_WORKSPACE
from mediawright.core.errors import ForbiddenError, UnauthenticatedError

_LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})


class Caller(msgspec.Struct, frozen=True, kw_only=True):
    """Who is calling."""

    workspace_id: str
    key_id: str | None = None
    """`None` for somebody on this machine who needs no key."""


def runtime_of(request: Request) -> Runtime:
    """Return the installation that the server serves."""
    return request.app.state.runtime


async def caller_of(request: Request) -> Caller:
    """Return who is calling, by the key they sent.

    Raises:
        UnauthenticatedError: No key, or a wrong one.
    """
    runtime = runtime_of(request)
    secret = _secret(request)
    if secret is not None:
        key = await verify_key(runtime, secret)
        return Caller(workspace_id=key.workspace_id, key_id=key.id)
    if runtime.settings.server.loopback_without_key and _is_local(request):
        return Caller(workspace_id=DEFAULT_WORKSPACE)
    raise UnauthenticatedError(
        "api_key_required",
        "This server needs an API key.",
        hint="Send `Authorization: Bearer KEY`. The first key was printed at the first start.",
    )


RuntimeOf = Annotated[Runtime, Depends(runtime_of)]
CallerOf = Annotated[Caller, Depends(caller_of)]


def _secret(request: Request) -> str | None:
    scheme, _, value = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer" and value.strip():
        return value.strip()
    return request.headers.get("x-api-key")


def _is_local(request: Request) -> bool:
    """Tell whether the caller is a program on this machine, and not a web page in its browser.

    A page could reach a loopback server by a name of its own that resolves here, or by a
    request across origins; both announce themselves in headers that a page cannot forge.
    """
    client = request.client.host if request.client else ""
    host = request.url.hostname or ""
    if client not in _LOOPBACK or host not in _LOOPBACK:
        return False
    if request.headers.get("sec-fetch-site", "none") not in {"none", "same-origin"}:
        raise ForbiddenError(
            "cross_site_request",
            "Another site's page may not use this server without a key.",
        )
    return True
