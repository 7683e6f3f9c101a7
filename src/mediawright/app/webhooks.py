"""Webhook endpoints of a workspace: made, changed, tried out, and what was delivered to them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import msgspec
from msgspec import UNSET, UnsetType

from mediawright.app.webhook_signing import new_secret
from mediawright.core.errors import (
    ConflictError,
    ForbiddenError,
    InvalidRequestError,
    NotFoundError,
)
from mediawright.core.events import EventType
from mediawright.core.ids import IdPrefix, new_id
from mediawright.providerkit.guard import UrlGuard
from mediawright.providerkit.urls import canonical_origins, origin_of
from mediawright.store import events, webhook_deliveries, webhook_endpoints
from mediawright.store.codec import to_micros
from mediawright.store.webhook_endpoints import ALL_EVENTS, SealedSecret, WebhookEndpoint

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from mediawright.app.runtime import Runtime
    from mediawright.store.kinds import DeliveryState
    from mediawright.store.webhook_deliveries import Delivery

_LONGEST_URL = 2_048
_LONGEST_DESCRIPTION = 500
OVERLAP = timedelta(hours=24)
"""How long a replaced secret still signs beside the new one."""


class EndpointChange(msgspec.Struct, frozen=True, kw_only=True):
    """What is to change of an endpoint; what is not given stays."""

    url: str | UnsetType = UNSET
    event_types: tuple[str, ...] | UnsetType = UNSET
    description: str | UnsetType | None = UNSET
    enabled: bool | UnsetType = UNSET


async def create_endpoint(
    runtime: Runtime,
    workspace_id: str,
    url: str,
    event_types: Sequence[str] = (ALL_EVENTS,),
    description: str | None = None,
) -> tuple[WebhookEndpoint, str]:
    """Add an endpoint.

    Args:
        runtime: The installation.
        workspace_id: Whose events.
        url: Where to post them: https, or an origin the operator allows.
        event_types: Names of events, or `*` for all but progress.
        description: The owner's note.

    Returns:
        The endpoint, and the secret to verify its webhooks with, which is not shown again.

    Raises:
        InvalidRequestError: `invalid_url`, `unknown_event_type` or `description_too_long`.
        ForbiddenError: `url_not_allowed`: it leads into a private network.
        ConflictError: `too_many_endpoints`.
    """
    _check_url(runtime, url)
    secret = new_secret()
    now = runtime.clock.now()
    endpoint = WebhookEndpoint(
        id=new_id(IdPrefix.WEBHOOK_ENDPOINT),
        workspace_id=workspace_id,
        url=url,
        secrets=(SealedSecret(sealed=runtime.secret_box.seal(secret)),),
        event_types=_checked_types(event_types),
        description=_checked_description(description),
        created_at=now,
        updated_at=now,
    )
    most = runtime.settings.webhooks.most_endpoints

    def work(connection: Connection) -> None:
        if len(webhook_endpoints.for_workspace(connection, workspace_id)) >= most:
            raise ConflictError(
                "too_many_endpoints",
                f"A workspace can have {most} webhook endpoints.",
                hint="Remove one that is not needed any more.",
            )
        webhook_endpoints.insert(connection, endpoint)

    await runtime.database.write(work)
    return endpoint, secret


async def list_endpoints(runtime: Runtime, workspace_id: str) -> list[WebhookEndpoint]:
    """Return a workspace's endpoints, oldest first."""
    return await runtime.database.read(
        lambda connection: webhook_endpoints.for_workspace(connection, workspace_id)
    )


async def get_endpoint(runtime: Runtime, workspace_id: str, endpoint_id: str) -> WebhookEndpoint:
    """Return an endpoint.

    Raises:
        NotFoundError: `webhook_endpoint_not_found`.
    """
    return await runtime.database.read(
        lambda connection: _require(connection, workspace_id, endpoint_id)
    )


async def change_endpoint(
    runtime: Runtime, workspace_id: str, endpoint_id: str, change: EndpointChange
) -> WebhookEndpoint:
    """Change an endpoint; switching it on again also forgets why it was off.

    Raises:
        NotFoundError: `webhook_endpoint_not_found`.
        InvalidRequestError: As for `create_endpoint`.
        ForbiddenError: As for `create_endpoint`.
    """
    changes: dict[str, Any] = {}
    if change.url is not UNSET:
        _check_url(runtime, change.url)
        changes["url"] = change.url
    if change.event_types is not UNSET:
        changes["event_types"] = _checked_types(change.event_types)
    if change.description is not UNSET:
        changes["description"] = _checked_description(change.description)
    if change.enabled is not UNSET:
        changes["enabled"] = change.enabled
        changes["disabled_reason"] = None
    now = runtime.clock.now()

    def work(connection: Connection) -> WebhookEndpoint:
        before = _require(connection, workspace_id, endpoint_id)
        after = msgspec.structs.replace(before, **changes, updated_at=now)
        webhook_endpoints.replace(connection, after)
        return after

    return await runtime.database.write(work)


async def rotate_secret(runtime: Runtime, workspace_id: str, endpoint_id: str) -> str:
    """Give an endpoint a new secret; the one before signs too for another 24 hours.

    Returns:
        The new secret, which is not shown again.

    Raises:
        NotFoundError: `webhook_endpoint_not_found`.
    """
    secret = new_secret()
    now = runtime.clock.now()
    until = to_micros(now + OVERLAP)

    def work(connection: Connection) -> None:
        before = _require(connection, workspace_id, endpoint_id)
        replaced = msgspec.structs.replace(before.secrets[0], expires_at=until)
        new = SealedSecret(sealed=runtime.secret_box.seal(secret))
        webhook_endpoints.replace(
            connection,
            msgspec.structs.replace(before, secrets=(new, replaced), updated_at=now),
        )

    await runtime.database.write(work)
    return secret


async def remove_endpoint(runtime: Runtime, workspace_id: str, endpoint_id: str) -> None:
    """Remove an endpoint with its deliveries.

    Raises:
        NotFoundError: `webhook_endpoint_not_found`.
    """

    def work(connection: Connection) -> None:
        if not webhook_endpoints.remove(connection, workspace_id, endpoint_id):
            raise _no_endpoint(endpoint_id)

    await runtime.database.write(work)


async def ping(runtime: Runtime, workspace_id: str, endpoint_id: str) -> Delivery:
    """Send an endpoint an event that says nothing, to see whether it is reached.

    Raises:
        NotFoundError: `webhook_endpoint_not_found`.
        ConflictError: `webhook_endpoint_disabled`.
    """
    now = runtime.clock.now()

    def work(connection: Connection) -> Delivery:
        endpoint = _require(connection, workspace_id, endpoint_id)
        _require_enabled(endpoint)
        sequence = events.append(
            connection,
            workspace_id=workspace_id,
            type=EventType.WEBHOOK_PING,
            data={"endpoint_id": endpoint_id},
            now=now,
        )
        delivery_id = webhook_deliveries.insert(
            connection,
            workspace_id=workspace_id,
            endpoint_id=endpoint_id,
            sequence=sequence,
            event_type=EventType.WEBHOOK_PING.value,
            generation_id=None,
            now=now,
        )
        return _require_delivery(connection, workspace_id, delivery_id)

    delivery = await runtime.database.write(work)
    runtime.webhook_sender.poke()
    return delivery


async def list_deliveries(
    runtime: Runtime,
    workspace_id: str,
    *,
    limit: int,
    before: str | None = None,
    endpoint_id: str | None = None,
    state: DeliveryState | None = None,
) -> list[Delivery]:
    """Return a workspace's deliveries, newest first."""
    return await runtime.database.read(
        lambda connection: webhook_deliveries.page(
            connection,
            workspace_id,
            limit=limit,
            before=before,
            endpoint_id=endpoint_id,
            state=state,
        )
    )


async def get_delivery(runtime: Runtime, workspace_id: str, delivery_id: str) -> Delivery:
    """Return a delivery with the log of its tries.

    Raises:
        NotFoundError: `webhook_delivery_not_found`.
    """
    return await runtime.database.read(
        lambda connection: _require_delivery(connection, workspace_id, delivery_id)
    )


async def resend(runtime: Runtime, workspace_id: str, delivery_id: str) -> Delivery:
    """Send a delivery again, with the same id and body, whatever became of it.

    Raises:
        NotFoundError: `webhook_delivery_not_found`.
        ConflictError: `webhook_endpoint_disabled`.
    """
    now = runtime.clock.now()

    def work(connection: Connection) -> Delivery:
        delivery = _require_delivery(connection, workspace_id, delivery_id)
        _require_enabled(_require(connection, workspace_id, delivery.endpoint_id))
        webhook_deliveries.send_again(connection, workspace_id, delivery_id, now)
        return _require_delivery(connection, workspace_id, delivery_id)

    delivery = await runtime.database.write(work)
    runtime.webhook_sender.poke()
    return delivery


def _require(connection: Connection, workspace_id: str, endpoint_id: str) -> WebhookEndpoint:
    endpoint = webhook_endpoints.get(connection, workspace_id, endpoint_id)
    if endpoint is None:
        raise _no_endpoint(endpoint_id)
    return endpoint


def _require_delivery(connection: Connection, workspace_id: str, delivery_id: str) -> Delivery:
    delivery = webhook_deliveries.get(connection, workspace_id, delivery_id)
    if delivery is None:
        raise NotFoundError(
            "webhook_delivery_not_found", f"There is no webhook delivery {delivery_id}."
        )
    return delivery


def _require_enabled(endpoint: WebhookEndpoint) -> None:
    if not endpoint.enabled:
        raise ConflictError(
            "webhook_endpoint_disabled",
            f"The endpoint is switched off. {endpoint.disabled_reason or ''}".rstrip(),
            hint="Switch it on first.",
        )


def _no_endpoint(endpoint_id: str) -> NotFoundError:
    return NotFoundError(
        "webhook_endpoint_not_found", f"There is no webhook endpoint {endpoint_id}."
    )


def _check_url(runtime: Runtime, url: str) -> None:
    allowed = canonical_origins(frozenset(runtime.settings.webhooks.allowed_origins))
    if len(url) > _LONGEST_URL:
        raise _invalid_url(f"It is longer than {_LONGEST_URL} characters.")
    try:
        UrlGuard(allowed).admit(url)
    except ForbiddenError as error:
        error.pointer = "/url"
        raise
    parts = urlsplit(url)
    if parts.scheme != "https" and origin_of(url) not in allowed:
        raise _invalid_url("It does not begin with https://.")
    if parts.username is not None or parts.fragment:
        raise _invalid_url("It holds a user name, a password or a fragment.")


def _invalid_url(reason: str) -> InvalidRequestError:
    return InvalidRequestError(
        "invalid_url",
        f"The endpoint's URL cannot be used. {reason}",
        pointer="/url",
        hint="Give a public https address; operators can allow others: webhooks.allowed_origins.",
    )


def _checked_types(event_types: Sequence[str]) -> tuple[str, ...]:
    known = [
        ALL_EVENTS,
        *(event.value for event in EventType if event is not EventType.WEBHOOK_PING),
    ]
    if not event_types:
        raise InvalidRequestError(
            "unknown_event_type",
            "An endpoint needs at least one event.",
            pointer="/event_types",
            hint="Give `*` for all events.",
            details={"allowed": known},
        )
    for index, name in enumerate(event_types):
        if name not in known:
            raise InvalidRequestError(
                "unknown_event_type",
                f"There is no event {name!r}.",
                pointer=f"/event_types/{index}",
                details={"allowed": known},
            )
    return tuple(dict.fromkeys(event_types))


def _checked_description(description: str | None) -> str | None:
    if description is not None and len(description) > _LONGEST_DESCRIPTION:
        raise InvalidRequestError(
            "description_too_long",
            f"A description has at most {_LONGEST_DESCRIPTION} characters.",
            pointer="/description",
        )
    return description
