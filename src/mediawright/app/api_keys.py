"""API keys of the server: made, shown once, kept as digests."""

from __future__ import annotations

import hashlib
import secrets
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from mediawright.app.workspaces import require_workspace
from mediawright.catalog.values import is_text
from mediawright.core.errors import InvalidRequestError, NotFoundError, UnauthenticatedError
from mediawright.core.ids import IdPrefix, new_id
from mediawright.store import api_keys, caller_limits
from mediawright.store.api_keys import ApiKey
from mediawright.store.caller_limits import OwnLimits

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from mediawright.app.runtime import Runtime

_NO_LIMITS = OwnLimits()
_SHOWN = 12
"""Characters of a key by which its owner recognises it."""
_USE_INTERVAL = timedelta(minutes=1)
"""How exactly it is known when a key was last used; more would be a write for every request."""


HIGHEST_LIMIT = 1_000_000
"""The highest that a limit may be set to; more is none."""
LONGEST_NAME = 100
"""Characters of a key's name."""
SCOPES = ("operator", "metrics", "*")
"""What a key may allow beside its workspace's generations: credits, limits
and keys; figures for monitoring; all."""


async def create_key(
    runtime: Runtime,
    workspace_id: str,
    name: str,
    scopes: tuple[str, ...] = ("*",),
    *,
    limits: OwnLimits = _NO_LIMITS,
) -> tuple[ApiKey, str]:
    """Make a key.

    Args:
        runtime: The installation.
        workspace_id: Whose generations it makes.
        name: What its owner calls it.
        scopes: What it allows beside that, out of `SCOPES`.
        limits: Limits of its own, in place of the settings'.

    Returns:
        What is kept of it, and the key itself, which is never seen again.

    Raises:
        InvalidRequestError: `invalid_name`, `invalid_scope`.
        NotFoundError: `workspace_not_found`.
    """
    if not (0 < len(name) <= LONGEST_NAME and is_text(name)):
        raise InvalidRequestError(
            "invalid_name", f"A name has 1 to {LONGEST_NAME} characters.", pointer="/name"
        )
    for scope in scopes:
        _check_scope(scope)
    mode = "test" if runtime.settings.sandbox.enabled else "live"
    secret = f"mw_{mode}_{secrets.token_urlsafe(32)}"
    key = ApiKey(
        id=new_id(IdPrefix.API_KEY),
        workspace_id=workspace_id,
        name=name,
        prefix=secret[:_SHOWN],
        scopes=scopes,
        created_at=runtime.clock.now(),
        requests_per_minute=limits.requests_per_minute,
        concurrent_generations=limits.concurrent_generations,
    )

    def work(connection: Connection) -> None:
        require_workspace(connection, workspace_id)
        api_keys.insert(connection, key, digest(secret))

    await runtime.database.write(work)
    return key, secret


async def list_keys(runtime: Runtime, workspace_id: str) -> list[ApiKey]:
    """Return a workspace's keys, oldest first, revoked ones too.

    Raises:
        NotFoundError: `workspace_not_found`.
    """

    def work(connection: Connection) -> list[ApiKey]:
        require_workspace(connection, workspace_id)
        return api_keys.for_workspace(connection, workspace_id)

    return await runtime.database.read(work)


async def get_key(runtime: Runtime, workspace_id: str, key_id: str) -> ApiKey:
    """Return a workspace's key.

    Raises:
        NotFoundError: `key_not_found`.
    """
    return await runtime.database.read(
        lambda connection: require_key(connection, workspace_id, key_id)
    )


async def limit_key(runtime: Runtime, workspace_id: str, key_id: str, limits: OwnLimits) -> ApiKey:
    """Give a key limits of its own, and return it.

    Raises:
        NotFoundError: `key_not_found`.
    """

    def work(connection: Connection) -> ApiKey:
        caller_limits.limit_key(connection, workspace_id, key_id, limits)
        return require_key(connection, workspace_id, key_id)

    return await runtime.database.write(work)


async def revoke_key(runtime: Runtime, workspace_id: str, key_id: str) -> ApiKey:
    """Revoke a key for good, and return it; revoking it again changes nothing.

    Raises:
        NotFoundError: `key_not_found`.
    """
    now = runtime.clock.now()

    def work(connection: Connection) -> ApiKey:
        api_keys.revoke(connection, workspace_id, key_id, now)
        return require_key(connection, workspace_id, key_id)

    return await runtime.database.write(work)


def require_key(connection: Connection, workspace_id: str, key_id: str) -> ApiKey:
    """Return a workspace's key.

    Raises:
        NotFoundError: `key_not_found`.
    """
    found = api_keys.get(connection, workspace_id, key_id)
    if found is None:
        raise NotFoundError(
            "key_not_found",
            f"There is no key {key_id} in the workspace.",
            hint="List them: mediawright keys list",
        )
    return found


def own_limits(requests_per_minute: int | None, concurrent_generations: int | None) -> OwnLimits:
    """Return limits for a row.

    Raises:
        InvalidRequestError: `invalid_limit`: one is below 1 or far too high.
    """
    own = OwnLimits(requests_per_minute, concurrent_generations)
    for name, value in own._asdict().items():
        if value is not None and not 1 <= value <= HIGHEST_LIMIT:
            raise InvalidRequestError(
                "invalid_limit",
                f"A limit is a whole number from 1 to {HIGHEST_LIMIT:,}.",
                pointer=f"/{name}",
                hint="Revoke a key to stop it; leave a limit out to have none.",
            )
    return own


def key_view(key: ApiKey) -> dict[str, Any]:
    """Return the public form of a key, without the key itself."""
    return {
        "key_id": key.id,
        "name": key.name,
        "prefix": key.prefix,
        "scopes": list(key.scopes),
        "requests_per_minute": key.requests_per_minute,
        "concurrent_generations": key.concurrent_generations,
        "created_at": key.created_at.isoformat(),
        "last_used_at": None if key.last_used_at is None else key.last_used_at.isoformat(),
        "revoked_at": None if key.revoked_at is None else key.revoked_at.isoformat(),
    }


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


def _check_scope(scope: str) -> None:
    if scope not in SCOPES:
        raise InvalidRequestError(
            "invalid_scope",
            f"There is no scope {scope!r}.",
            pointer="/scopes",
            details={"allowed": list(SCOPES)},
        )


def digest(secret: str) -> bytes:
    """Return what is stored of a key. A plain digest is enough: a key is 256 random bits."""
    return hashlib.sha256(secret.encode()).digest()
