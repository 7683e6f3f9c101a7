"""Webhook endpoints and deliveries as every surface shows them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from mediawright.store.kinds import DeliveryState

if TYPE_CHECKING:
    from mediawright.store.webhook_deliveries import Delivery
    from mediawright.store.webhook_endpoints import WebhookEndpoint


def endpoint_view(endpoint: WebhookEndpoint) -> dict[str, Any]:
    """Return the public form of an endpoint, without its secrets."""
    return {
        "endpoint_id": endpoint.id,
        "url": endpoint.url,
        "event_types": list(endpoint.event_types),
        "description": endpoint.description,
        "enabled": endpoint.enabled,
        "disabled_reason": endpoint.disabled_reason,
        "created_at": endpoint.created_at.isoformat(),
        "updated_at": endpoint.updated_at.isoformat(),
    }


def delivery_view(delivery: Delivery) -> dict[str, Any]:
    """Return the public form of a delivery."""
    pending = delivery.state is DeliveryState.PENDING
    return {
        "delivery_id": delivery.id,
        "endpoint_id": delivery.endpoint_id,
        "event_type": delivery.event_type,
        "event_sequence": delivery.event_sequence,
        "generation_id": delivery.generation_id,
        "state": delivery.state.value,
        "tries": delivery.tries,
        "next_try_at": delivery.next_at.isoformat() if pending else None,
        "delivered_at": delivery.delivered_at.isoformat() if delivery.delivered_at else None,
        "created_at": delivery.created_at.isoformat(),
        "log": [msgspec.to_builtins(attempt) for attempt in delivery.log],
    }
