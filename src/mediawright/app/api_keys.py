"""API keys of the server: made, shown once, kept as digests."""

from __future__ import annotations

import hashlib
import secrets
from datetime import timedelta
from typing import TYPE_CHECKING

from mediawright.core.errors import UnauthenticatedError
from mediawright.core.ids import IdPrefix, new_id
from mediawright.store import api_keys
from mediawright.store.api_keys import ApiKey

if TYPE_CHECKING:
    from mediawright.app.runtime import Runtime

_SHOWN = 12
"""Characters of a key by which its owner recognises it."""
_USE_INTERVAL = timedelta(minutes=1)
"""How exactly it is known when a key was last used; more would be a write for every request."""


async def create_key(
    runtime: Runtime, workspace_id: str, name: str, scopes: tuple[str, ...] = ("*",)
) -> tuple[ApiKey, str]:
    """Make a key.

    Returns:
        What is kept of it, and the key itself, which is never seen again.
    """
    mode = "test" if runtime.settings.sandbox.enabled else "live"
    secret = f"mw_{mode}_{secrets.token_urlsafe(32)}"
    key = ApiKey(
        id=new_id(IdPrefix.API_KEY),
        workspace_id=workspace_id,
        name=name,
        prefix=secret[:_SHOWN],
        scopes=scopes,
        created_at=runtime.clock.now(),
    )
    await runtime.database.write(
        lambda connection: api_keys.insert(connection, key, digest(secret))
    )
    return key, secret


async def first_key(runtime: Runtime, workspace_id: str) -> str | None:
    """Return a new key when the workspace has none yet, to be shown once."""
    known = await runtime.database.read(
        lambda connection: api_keys.for_workspace(connection, workspace_id)
    )
    if known:
        return None
    _, secret = await create_key(runtime, workspace_id, "first key")
    return secret


async def verify_key(runtime: Runtime, secret: str) -> ApiKey:
    """Return what is known about a key.

    Raises:
        UnauthenticatedError: It is not one of ours, or was revoked.
    """
    found = await runtime.database.read(
        lambda connection: api_keys.by_hash(connection, digest(secret))
    )
    if found is None or found.revoked_at is not None:
        raise UnauthenticatedError(
            "invalid_api_key",
            "This API key is not valid.",
            hint="Send a valid key as `Authorization: Bearer KEY`.",
        )
    now = runtime.clock.now()
    if found.last_used_at is None or now - found.last_used_at >= _USE_INTERVAL:
        await runtime.database.write(lambda connection: api_keys.touch(connection, found.id, now))
    return found


def digest(secret: str) -> bytes:
    """Return what is stored of a key. A plain digest is enough: a key is 256 random bits."""
    return hashlib.sha256(secret.encode()).digest()
