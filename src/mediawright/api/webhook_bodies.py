"""The shapes of webhook endpoints and deliveries, as the OpenAPI document shows them."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from mediawright.api.texts import Text
from mediawright.store.kinds import DeliveryState

_MOST_TYPES = 64
EventTypes = Annotated[list[Text], Field(max_length=_MOST_TYPES)]


class _Request(BaseModel):
    model_config = ConfigDict(extra="forbid")


class NewEndpointBody(_Request):
    """An address that events are to be posted to."""

    url: Text = Field(description="https, or an origin that the operator allows.")
    event_types: EventTypes = Field(
        default=["*"], description="Names of events; `*` for all but progress."
    )
    description: Text | None = None


class ChangedEndpointBody(_Request):
    """What is to change; what is not given stays."""

    url: Text | None = None
    event_types: EventTypes | None = None
    description: Text | None = None
    enabled: bool | None = None


class _Reply(BaseModel):
    model_config = ConfigDict(extra="allow")


class EndpointBody(_Reply):
    """An address that events are posted to."""

    endpoint_id: str
    url: str
    event_types: list[str]
    description: str | None
    enabled: bool
    disabled_reason: str | None = Field(description="Why it was switched off by itself.")
    created_at: datetime
    updated_at: datetime


class NewEndpointReply(EndpointBody):
    """A new endpoint, with the secret that is shown this once."""

    secret: str = Field(description="Enter it into your Standard Webhooks library.")


class SecretBody(_Reply):
    """A new secret, shown this once."""

    endpoint_id: str
    secret: str


class EndpointList(_Reply):
    """Every endpoint of the workspace."""

    endpoints: list[EndpointBody]


class TryBody(_Reply):
    """One request to an endpoint."""

    at: datetime
    milliseconds: int
    status: int | None = None
    error: str | None = None


class DeliveryBody(_Reply):
    """One event for one endpoint."""

    delivery_id: str = Field(description="The `webhook-id` header of every try.")
    endpoint_id: str
    event_type: str
    event_sequence: int
    generation_id: str | None
    state: DeliveryState
    tries: int
    next_try_at: datetime | None
    delivered_at: datetime | None
    created_at: datetime
    log: list[TryBody] = Field(description="The latest tries.")


class DeliveryPage(_Reply):
    """Deliveries, newest first."""

    deliveries: list[DeliveryBody]
    next_before: str | None = Field(description="Ask with `before` set to this for older ones.")
