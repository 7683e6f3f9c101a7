"""The words that columns hold, where no other layer has them."""

from __future__ import annotations

from enum import StrEnum


class LedgerKind(StrEnum):
    """Why a workspace's credits changed."""

    HOLD = "hold"
    CAPTURE = "capture"
    RELEASE = "release"
    REFUND = "refund"
    TOP_UP = "top_up"
    ADJUSTMENT = "adjustment"


class HealthState(StrEnum):
    """Whether a provider's account is used: the states of a circuit breaker."""

    CLOSED = "closed"
    """It is used."""
    OPEN = "open"
    """It failed too often and is left alone until `retry_at`."""
    HALF_OPEN = "half_open"
    """One request is trying it."""


class BudgetPeriod(StrEnum):
    """Over which time a budget counts, in UTC."""

    DAY = "day"
    MONTH = "month"


class BudgetAction(StrEnum):
    """What happens to a request that would exceed a budget."""

    REFUSE = "refuse"
    WARN = "warn"


class DeliveryState(StrEnum):
    """Where the delivery of an event to a webhook endpoint stands."""

    PENDING = "pending"
    DELIVERED = "delivered"
    FAILED = "failed"
    """Given up after the last try; it can be sent again."""


class WorkerRole(StrEnum):
    """What a process does."""

    SERVER = "server"
    WORKER = "worker"
    EMBEDDED = "embedded"


class SpanStatus(StrEnum):
    """How a span ended."""

    UNSET = "unset"
    OK = "ok"
    ERROR = "error"
