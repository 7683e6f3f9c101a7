"""What a route needs of the server it runs in, and who is calling."""

from __future__ import annotations

from typing import Annotated

import msgspec
from fastapi import Depends, Request
from fastapi.security import APIKeyHeader, HTTPAuthorizationCredentials, HTTPBearer

from mediawright.api.closing import Closing
from mediawright.api.local_callers import is_local
from mediawright.app.api_keys import verify_key
from mediawright.app.runtime import Runtime
from mediawright.app.workspaces import DEFAULT_WORKSPACE
from mediawright.core.errors import ForbiddenError, UnauthenticatedError

OPERATOR = "operator"
"""The scope of whoever runs the installation."""
ALL_SCOPES = "*"
"""The scope that includes every other."""

_bearer = HTTPBearer(auto_error=False, scheme_name="bearer", description="An API key.")
_header = APIKeyHeader(
    name="X-API-Key", auto_error=False, scheme_name="header", description="An API key."
)


class Caller(msgspec.Struct, frozen=True, kw_only=True):
    """Who is calling."""

    workspace_id: str
    key_id: str | None = None
    """`None` for somebody on this machine who needs no key."""
    scopes: tuple[str, ...] = ()
    """What the caller may do beyond its own generations; `*` stands for everything."""


def has_scope(caller: Caller, scope: str) -> bool:
    """Tell whether a caller has a scope."""
    return scope in caller.scopes or ALL_SCOPES in caller.scopes


def require_scope(caller: Caller, scope: str) -> None:
    """Let a caller pass who has a scope; `operator` is needed for credits, limits and keys.

    Raises:
        ForbiddenError: `scope_required`: the caller's key has not this scope.
    """
    if has_scope(caller, scope):
        return
    raise ForbiddenError(
        "scope_required",
        f"This needs a key with the scope `{scope}`.",
        hint="Use an operator's key, or do it on the command line of the server's machine.",
        details={"scope": scope},
    )


def runtime_of(request: Request) -> Runtime:
    """Return the installation that the server serves."""
    return request.app.state.runtime


# A plain function would be called in a thread of its own, at every request.
async def _runtime(request: Request) -> Runtime:
    return runtime_of(request)


async def _closing(request: Request) -> Closing:
    """Return what says that the server is about to stop."""
    return request.app.state.closing


async def caller_of(
    request: Request,
    bearer: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)],
    header: Annotated[str | None, Depends(_header)],
) -> Caller:
    """Return who is calling, by the key they sent.

    Raises:
        UnauthenticatedError: No key, or a wrong one.
        ForbiddenError: No key is needed on this machine, but a web page is asking.
    """
    runtime = runtime_of(request)
    secret = header if bearer is None else bearer.credentials
    if secret:
        key = await verify_key(runtime, secret)
        return Caller(workspace_id=key.workspace_id, key_id=key.id, scopes=key.scopes)
    if runtime.settings.server.loopback_without_key and is_local(request):
        return Caller(workspace_id=DEFAULT_WORKSPACE, scopes=(ALL_SCOPES,))
    raise UnauthenticatedError(
        "api_key_required",
        "This server needs an API key.",
        hint="Send `Authorization: Bearer KEY`. The first key was printed at the first start.",
    )


RuntimeOf = Annotated[Runtime, Depends(_runtime)]
ClosingOf = Annotated[Closing, Depends(_closing)]
CallerOf = Annotated[Caller, Depends(caller_of)]
