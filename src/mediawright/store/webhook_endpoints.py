"""Webhook endpoints: where a workspace wants to hear of its events."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec
import sqlalchemy as sa
from sqlalchemy import Connection, Row, bindparam, delete, select, update

from mediawright.core.events import EventType
from mediawright.store.codec import from_micros, storable, to_json, to_micros
from mediawright.store.tables import webhook_endpoints

ALL_EVENTS = "*"
"""Every event but progress, of which there is too much to be posted unasked."""


_UNASKED = frozenset({EventType.GENERATION_PROGRESSED, EventType.WEBHOOK_PING})


class SealedSecret(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A signing secret, sealed with the installation's master key."""

    sealed: str
    expires_at: int | None = None
    """Microseconds since 1970 until which a replaced secret still signs."""


class WebhookEndpoint(msgspec.Struct, frozen=True, kw_only=True):
    """One address that events are posted to."""

    id: str
    workspace_id: str
    url: str
    secrets: tuple[SealedSecret, ...]
    """The newest first."""
    event_types: tuple[str, ...]
    """Names of events, or `*`."""
    created_at: datetime
    updated_at: datetime
    description: str | None = None
    enabled: bool = True
    disabled_reason: str | None = None
    """Why it was switched off, if not by its owner."""

    def wants(self, event: EventType) -> bool:
        """Tell whether an event is to be posted here."""
        if event.value in self.event_types:
            return True
        return ALL_EVENTS in self.event_types and event not in _UNASKED


_secrets = msgspec.json.Decoder(tuple[SealedSecret, ...])
_types = msgspec.json.Decoder(tuple[str, ...])

_T = webhook_endpoints
_OWN = _T.c.workspace_id == bindparam("workspace_id")
_INSERT = sa.insert(_T)
_GET = select(_T).where(_OWN, _T.c.id == bindparam("endpoint_id"))
_BY_ID = select(_T).where(_T.c.id == bindparam("endpoint_id"))
_FOR_WORKSPACE = select(_T).where(_OWN).order_by(_T.c.id)
_LISTENING = _FOR_WORKSPACE.where(_T.c.enabled)
_UPDATE = (
    update(_T)
    .where(_T.c.workspace_id == bindparam("of_workspace"), _T.c.id == bindparam("of_endpoint"))
    .values(
        url=bindparam("new_url"),
        description=bindparam("new_description"),
        secret=bindparam("new_secret"),
        event_types=bindparam("new_event_types"),
        enabled=bindparam("new_enabled"),
        disabled_reason=bindparam("new_disabled_reason"),
        updated_at=bindparam("new_updated_at"),
    )
)
_DISABLE = (
    update(_T)
    .where(_T.c.id == bindparam("of_endpoint"), _T.c.enabled)
    .values(enabled=False, disabled_reason=bindparam("reason"), updated_at=bindparam("now"))
)
_DELETE = delete(_T).where(_OWN, _T.c.id == bindparam("endpoint_id"))


def insert(c: Connection, endpoint: WebhookEndpoint) -> None:
    """Add an endpoint."""
    values = _to_values(endpoint)
    c.execute(
        _INSERT,
        {
            **values,
            "id": endpoint.id,
            "workspace_id": endpoint.workspace_id,
            "created_at": to_micros(endpoint.created_at),
        },
    )


def get(c: Connection, workspace_id: str | None, endpoint_id: str) -> WebhookEndpoint | None:
    """Return an endpoint.

    Args:
        c: The connection.
        workspace_id: Whose; `None` for the sender, which serves all.
        endpoint_id: Which.
    """
    if workspace_id is None:
        row = c.execute(_BY_ID, {"endpoint_id": endpoint_id}).first()
    else:
        values = {"workspace_id": workspace_id, "endpoint_id": endpoint_id}
        row = c.execute(_GET, values).first()
    return None if row is None else _to_endpoint(row)


def for_workspace(c: Connection, workspace_id: str) -> list[WebhookEndpoint]:
    """Return a workspace's endpoints, oldest first."""
    rows = c.execute(_FOR_WORKSPACE, {"workspace_id": workspace_id})
    return [_to_endpoint(row) for row in rows]


def listening(c: Connection, workspace_id: str, event: EventType) -> list[str]:
    """Return the ids of a workspace's endpoints that want to hear of an event."""
    rows = c.execute(_LISTENING, {"workspace_id": workspace_id})
    return [endpoint.id for endpoint in map(_to_endpoint, rows) if endpoint.wants(event)]


def replace(c: Connection, endpoint: WebhookEndpoint) -> bool:
    """Write everything about an endpoint that can change; tell whether it is there."""
    values = {f"new_{name}": value for name, value in _to_values(endpoint).items()}
    values |= {"of_workspace": endpoint.workspace_id, "of_endpoint": endpoint.id}
    return c.execute(_UPDATE, values).rowcount == 1


def disable(c: Connection, endpoint_id: str, reason: str, now: datetime) -> bool:
    """Switch an endpoint off, of whatever workspace; tell whether it was on."""
    values = {"of_endpoint": endpoint_id, "reason": reason, "now": to_micros(now)}
    return c.execute(_DISABLE, values).rowcount == 1


def remove(c: Connection, workspace_id: str, endpoint_id: str) -> bool:
    """Remove an endpoint with all that is to be delivered to it; tell whether it was there."""
    values = {"workspace_id": workspace_id, "endpoint_id": endpoint_id}
    return c.execute(_DELETE, values).rowcount == 1


def _to_values(endpoint: WebhookEndpoint) -> dict[str, Any]:
    event_types: Sequence[str] = endpoint.event_types
    return {
        "url": endpoint.url,
        "description": storable(endpoint.description),
        "secret": to_json(endpoint.secrets),
        "event_types": to_json(event_types),
        "enabled": endpoint.enabled,
        "disabled_reason": storable(endpoint.disabled_reason),
        "updated_at": to_micros(endpoint.updated_at),
    }


def _to_endpoint(row: Row[Any]) -> WebhookEndpoint:
    return WebhookEndpoint(
        id=row.id,
        workspace_id=row.workspace_id,
        url=row.url,
        description=row.description,
        secrets=_secrets.decode(row.secret),
        event_types=_types.decode(row.event_types),
        enabled=row.enabled,
        disabled_reason=row.disabled_reason,
        created_at=from_micros(row.created_at),
        updated_at=from_micros(row.updated_at),
    )
