"""What happens, as events that can be listened to and replayed."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

import msgspec


class EventType(StrEnum):
    """Names are noun, then verb."""

    GENERATION_CREATED = "generation.created"
    GENERATION_STARTED = "generation.started"
    GENERATION_PROGRESSED = "generation.progressed"
    GENERATION_SUCCEEDED = "generation.succeeded"
    GENERATION_FAILED = "generation.failed"
    GENERATION_REFUSED = "generation.refused"
    GENERATION_CANCELLED = "generation.cancelled"
    GENERATION_EXPIRED = "generation.expired"
    GENERATION_UNKNOWN = "generation.unknown"
    GENERATION_RECONCILED = "generation.reconciled"
    """It was found out that a provider has the job after all."""
    GENERATION_RESOLVED = "generation.resolved"
    """An operator said what became of an unknown submit."""
    GENERATION_LATE_RESULT = "generation.late_result"
    """A result came after the generation had ended; its file is kept and nothing charged."""
    ASSET_STORED = "asset.stored"
    CREDIT_CHANGED = "credit.changed"
    BUDGET_WARNING = "budget.warning"
    WEBHOOK_PING = "webhook.ping"
    """Somebody wants to see whether an endpoint is reached; it goes to that endpoint alone."""
    WEBHOOK_DISABLED = "webhook.disabled"
    """An endpoint was switched off because nothing reaches it."""


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that happened. `sequence` grows and is what a listener resumes from."""

    sequence: int
    workspace_id: str
    type: EventType
    created_at: datetime
    generation_id: str | None = None
    data: dict[str, Any] = {}
