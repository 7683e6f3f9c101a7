"""Webhooks: endpoints that events are posted to, and what was delivered."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Response
from msgspec import UNSET

from mediawright.api.context import CallerOf, RuntimeOf
from mediawright.api.documentation import described_errors
from mediawright.api.replies import json_reply
from mediawright.api.webhook_bodies import (
    ChangedEndpointBody,
    DeliveryBody,
    DeliveryPage,
    EndpointBody,
    EndpointList,
    NewEndpointBody,
    NewEndpointReply,
    SecretBody,
)
from mediawright.app import webhooks
from mediawright.app.webhook_views import delivery_view, endpoint_view
from mediawright.app.webhooks import EndpointChange
from mediawright.store.kinds import DeliveryState

router = APIRouter(prefix="/v1/webhooks", tags=["webhooks"])


@router.post(
    "/endpoints",
    operation_id="create_webhook_endpoint",
    summary="Add an endpoint",
    response_model=NewEndpointReply,
    status_code=201,
    responses=described_errors(400, 401, 403, 409, 413, 415),
)
async def create(body: NewEndpointBody, runtime: RuntimeOf, caller: CallerOf) -> Response:
    """Post events to this address from now on; the secret in the reply is shown this once."""
    endpoint, secret = await webhooks.create_endpoint(
        runtime, caller.workspace_id, body.url, body.event_types, body.description
    )
    return json_reply({**endpoint_view(endpoint), "secret": secret}, 201)


@router.get(
    "/endpoints",
    operation_id="list_webhook_endpoints",
    summary="List endpoints",
    response_model=EndpointList,
    responses=described_errors(401),
)
async def endpoints(runtime: RuntimeOf, caller: CallerOf) -> Response:
    """Return every endpoint of the workspace."""
    found = await webhooks.list_endpoints(runtime, caller.workspace_id)
    return json_reply({"endpoints": [endpoint_view(endpoint) for endpoint in found]})


@router.get(
    "/endpoints/{endpoint_id}",
    operation_id="get_webhook_endpoint",
    summary="Show an endpoint",
    response_model=EndpointBody,
    responses=described_errors(401, 404),
)
async def show(endpoint_id: str, runtime: RuntimeOf, caller: CallerOf) -> Response:
    """Return an endpoint."""
    found = await webhooks.get_endpoint(runtime, caller.workspace_id, endpoint_id)
    return json_reply(endpoint_view(found))


@router.patch(
    "/endpoints/{endpoint_id}",
    operation_id="change_webhook_endpoint",
    summary="Change an endpoint",
    response_model=EndpointBody,
    responses=described_errors(400, 401, 403, 404, 413, 415),
)
async def change(
    endpoint_id: str, body: ChangedEndpointBody, runtime: RuntimeOf, caller: CallerOf
) -> Response:
    """Change what is given."""
    types = body.event_types
    given = EndpointChange(
        url=UNSET if body.url is None else body.url,
        event_types=UNSET if types is None else tuple(types),
        description=body.description if "description" in body.model_fields_set else UNSET,
        enabled=UNSET if body.enabled is None else body.enabled,
    )
    changed = await webhooks.change_endpoint(runtime, caller.workspace_id, endpoint_id, given)
    return json_reply(endpoint_view(changed))


@router.delete(
    "/endpoints/{endpoint_id}",
    operation_id="remove_webhook_endpoint",
    summary="Remove an endpoint",
    status_code=204,
    response_class=Response,
    responses=described_errors(401, 404),
)
async def remove(endpoint_id: str, runtime: RuntimeOf, caller: CallerOf) -> Response:
    """Post nothing more to it, and forget its deliveries."""
    await webhooks.remove_endpoint(runtime, caller.workspace_id, endpoint_id)
    return Response(status_code=204)


@router.post(
    "/endpoints/{endpoint_id}/rotate-secret",
    operation_id="rotate_webhook_secret",
    summary="Give an endpoint a new secret",
    response_model=SecretBody,
    responses=described_errors(401, 404),
)
async def rotate(endpoint_id: str, runtime: RuntimeOf, caller: CallerOf) -> Response:
    """Return a new secret; for 24 hours webhooks are signed with the one before as well."""
    secret = await webhooks.rotate_secret(runtime, caller.workspace_id, endpoint_id)
    return json_reply({"endpoint_id": endpoint_id, "secret": secret})


@router.post(
    "/endpoints/{endpoint_id}/ping",
    operation_id="ping_webhook_endpoint",
    summary="Try an endpoint",
    response_model=DeliveryBody,
    status_code=202,
    responses=described_errors(401, 404, 409),
)
async def ping(endpoint_id: str, runtime: RuntimeOf, caller: CallerOf) -> Response:
    """Send the event `webhook.ping` to this endpoint; look at the delivery for what came of it."""
    delivery = await webhooks.ping(runtime, caller.workspace_id, endpoint_id)
    return json_reply(delivery_view(delivery), 202)


@router.get(
    "/deliveries",
    operation_id="list_webhook_deliveries",
    summary="List deliveries",
    response_model=DeliveryPage,
    responses=described_errors(400, 401),
)
async def deliveries(
    runtime: RuntimeOf,
    caller: CallerOf,
    endpoint_id: Annotated[str | None, Query(description="Only those to this endpoint.")] = None,
    state: Annotated[DeliveryState | None, Query(description="Only those that stand so.")] = None,
    before: Annotated[str | None, Query(description="Older than this delivery.")] = None,
    limit: Annotated[int, Query(ge=1, le=100)] = 20,
) -> Response:
    """Return the workspace's deliveries, newest first."""
    found = await webhooks.list_deliveries(
        runtime,
        caller.workspace_id,
        limit=limit + 1,
        before=before,
        endpoint_id=endpoint_id,
        state=state,
    )
    shown = found[:limit]
    following = shown[-1].id if len(found) > limit else None
    return json_reply(
        {"deliveries": [delivery_view(item) for item in shown], "next_before": following}
    )


@router.get(
    "/deliveries/{delivery_id}",
    operation_id="get_webhook_delivery",
    summary="Show a delivery",
    response_model=DeliveryBody,
    responses=described_errors(401, 404),
)
async def delivery(delivery_id: str, runtime: RuntimeOf, caller: CallerOf) -> Response:
    """Return a delivery with the log of its tries."""
    found = await webhooks.get_delivery(runtime, caller.workspace_id, delivery_id)
    return json_reply(delivery_view(found))


@router.post(
    "/deliveries/{delivery_id}/resend",
    operation_id="resend_webhook_delivery",
    summary="Send a delivery again",
    response_model=DeliveryBody,
    status_code=202,
    responses=described_errors(401, 404, 409),
)
async def resend(delivery_id: str, runtime: RuntimeOf, caller: CallerOf) -> Response:
    """Send it at once, with the same id and body, whatever became of it."""
    found = await webhooks.resend(runtime, caller.workspace_id, delivery_id)
    return json_reply(delivery_view(found), 202)
