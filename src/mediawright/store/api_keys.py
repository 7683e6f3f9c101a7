"""API keys: only their digests are kept, so that the table opens no door."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec
import sqlalchemy as sa
from sqlalchemy import Connection, Row, bindparam, select, update

from mediawright.store.codec import from_micros, from_micros_or_none, to_json, to_micros
from mediawright.store.tables import api_keys


class ApiKey(msgspec.Struct, frozen=True, kw_only=True):
    """What is known about a key, without the key."""

    id: str
    workspace_id: str
    name: str
    prefix: str
    """The key's first characters, by which its owner recognises it."""
    scopes: tuple[str, ...]
    created_at: datetime
    last_used_at: datetime | None = None
    revoked_at: datetime | None = None
    requests_per_minute: int | None = None
    """A limit of its own, in place of the settings'."""
    concurrent_generations: int | None = None
    """The same."""


_scopes = msgspec.json.Decoder(tuple[str, ...])

_INSERT = sa.insert(api_keys)
_BY_HASH = select(api_keys).where(api_keys.c.key_hash == bindparam("key_hash"))
_GET = select(api_keys).where(
    api_keys.c.id == bindparam("key_id"), api_keys.c.workspace_id == bindparam("workspace_id")
)
_FOR_WORKSPACE = (
    select(api_keys)
    .where(api_keys.c.workspace_id == bindparam("workspace_id"))
    .order_by(api_keys.c.id)
)
_TOUCH = (
    update(api_keys)
    .where(api_keys.c.id == bindparam("key_id"))
    .values(last_used_at=bindparam("at"))
)
_REVOKE = (
    update(api_keys)
    .where(
        api_keys.c.id == bindparam("key_id"),
        api_keys.c.workspace_id == bindparam("of_workspace"),
        api_keys.c.revoked_at.is_(None),
    )
    .values(revoked_at=bindparam("at"))
)


def insert(c: Connection, key: ApiKey, key_hash: bytes) -> None:
    """Add a key.

    Args:
        c: The connection.
        key: What to show about it.
        key_hash: The digest of the key itself; no two keys may share one.
    """
    c.execute(
        _INSERT,
        {
            "id": key.id,
            "workspace_id": key.workspace_id,
            "name": key.name,
            "prefix": key.prefix,
            "key_hash": key_hash,
            "scopes": to_json(key.scopes),
            "created_at": to_micros(key.created_at),
            "requests_per_minute": key.requests_per_minute,
            "concurrent_generations": key.concurrent_generations,
        },
    )


def by_hash(c: Connection, key_hash: bytes) -> ApiKey | None:
    """Return the key with that digest, of whatever workspace, revoked or not."""
    row = c.execute(_BY_HASH, {"key_hash": key_hash}).first()
    return None if row is None else _to_key(row)


def get(c: Connection, workspace_id: str, key_id: str) -> ApiKey | None:
    """Return a workspace's key."""
    row = c.execute(_GET, {"workspace_id": workspace_id, "key_id": key_id}).first()
    return None if row is None else _to_key(row)


def for_workspace(c: Connection, workspace_id: str) -> list[ApiKey]:
    """Return all keys of a workspace, oldest first, revoked ones too."""
    rows = c.execute(_FOR_WORKSPACE, {"workspace_id": workspace_id})
    return [_to_key(row) for row in rows]


def touch(c: Connection, key_id: str, now: datetime) -> bool:
    """Note that a key was used; tell whether there is such a key."""
    return c.execute(_TOUCH, {"key_id": key_id, "at": to_micros(now)}).rowcount == 1


def revoke(c: Connection, workspace_id: str, key_id: str, now: datetime) -> bool:
    """Revoke a key for good; tell whether it was there and valid until now."""
    values = {"of_workspace": workspace_id, "key_id": key_id, "at": to_micros(now)}
    return c.execute(_REVOKE, values).rowcount == 1


def _to_key(row: Row[Any]) -> ApiKey:
    return ApiKey(
        id=row.id,
        workspace_id=row.workspace_id,
        name=row.name,
        prefix=row.prefix,
        scopes=_scopes.decode(row.scopes),
        created_at=from_micros(row.created_at),
        last_used_at=from_micros_or_none(row.last_used_at),
        revoked_at=from_micros_or_none(row.revoked_at),
        requests_per_minute=row.requests_per_minute,
        concurrent_generations=row.concurrent_generations,
    )
