"""The shapes of replies about providers, as the OpenAPI document shows them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from mediawright.core.provider import Feature
from mediawright.store.kinds import HealthState


class _Reply(BaseModel):
    # A later release may say more; whoever reads a reply should not fall over it.
    model_config = ConfigDict(extra="allow")


class CircuitBody(_Reply):
    """Whether a provider is left alone because it failed."""

    state: HealthState = Field(
        description="`closed`: it is used; `open`: it is left alone until `retry_at`; "
        "`half_open`: one request is trying it."
    )
    failures: int = Field(description="Outages in a row.")
    since: datetime | None = Field(description="Since when it is left alone.")
    retry_at: datetime | None
    retry_after: float | None = Field(description="Seconds after which to come back.")


class ProviderErrorBody(_Reply):
    """What went wrong at a provider."""

    code: str
    message: str | None = Field(default=None, description="For operators.")
    hint: str | None = Field(default=None, description="For operators.")
    details: dict[str, Any] | None = Field(default=None, description="For operators.")


class ProviderBody(_Reply):
    """A provider."""

    name: str
    title: str
    ready: bool = Field(description="Whether it is switched on and has its key here.")
    enabled: bool
    sandboxed: bool = Field(description="Whether it is imitated.")
    missing_variable: str | None = Field(
        description="The environment variable that would hold its key, where that is missing."
    )
    features: list[Feature]
    models: int = Field(description="How many models it serves.")
    queued: int = Field(description="Generations that wait for a place at it.")
    running: int = Field(description="Generations that are at it.")
    circuit: CircuitBody
    last_success_at: datetime | None
    last_failure_at: datetime | None
    last_error: ProviderErrorBody | None


class ProviderPage(_Reply):
    """All providers."""

    data: list[ProviderBody]
