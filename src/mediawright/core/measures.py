"""What is measured while the program works: counters and distributions, by name and labels."""

from __future__ import annotations

from enum import StrEnum
from typing import Protocol


class Measure(StrEnum):
    """Everything that is measured. Seconds are real ones."""

    PROVIDER_CALL = "provider_call_seconds"
    """How long a call to a provider took; labels provider, call, outcome."""
    POLL_LAG = "poll_lag_seconds"
    """How much later than planned a provider was asked; label provider."""
    FINISHED = "generations_finished"
    """Generations that ended; labels state, operation, provider."""
    GENERATION_TIME = "generation_seconds"
    """From the request to the end of a generation that succeeded; labels operation, provider."""
    HTTP_REQUEST = "http_request_seconds"
    """How long a request to the server took; labels method, route, status."""
    HOOK_RECEIVED = "provider_hooks"
    """Webhooks that came in; labels provider, outcome."""
    WEBHOOK_SENT = "webhook_deliveries"
    """Tries to deliver an event to a caller's endpoint; label outcome."""
    CIRCUIT_CHANGED = "provider_circuit_changes"
    """Providers that were left alone or used again; labels provider, state."""
    LIMIT_REACHED = "limits_reached"
    """Requests that a limit refused; label scope: workspace or key."""


class Measures(Protocol):
    """Where measurements go. Callable from any thread, and never slow."""

    def count(self, measure: Measure, amount: int = 1, /, **labels: str) -> None:
        """Add to a counter."""
        ...

    def observe(self, measure: Measure, seconds: float, /, **labels: str) -> None:
        """Note one more duration."""
        ...


class NoMeasures:
    """Keeps nothing."""

    def count(self, measure: Measure, amount: int = 1, /, **labels: str) -> None:
        """Forget it."""
        del measure, amount, labels

    def observe(self, measure: Measure, seconds: float, /, **labels: str) -> None:
        """Forget it."""
        del measure, seconds, labels
