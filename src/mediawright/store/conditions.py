"""Conditions that partial indexes are for, as indexes and queries both have to spell them.

They are spelt out and not bound, because only then do both databases use the indexes.
"""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import text

from mediawright.core.states import TERMINAL_STATES, AttemptState, GenerationState
from mediawright.store.kinds import DeliveryState, LedgerKind


def listed(words: Iterable[str]) -> str:
    """Return words as a list in SQL; they are ours, and hold no quotes."""
    return ", ".join(f"'{word}'" for word in words)


UNFINISHED = text(
    f"state IN ({listed(state for state in GenerationState if state not in TERMINAL_STATES)})"
)
"""Not ended yet."""

QUEUED = text(f"state = '{GenerationState.QUEUED.value}'")
"""Waiting for a place at its provider."""

AT_PROVIDER = text(f"state IN ({listed((GenerationState.SUBMITTING, GenerationState.RUNNING))})")
"""Taking a place at its provider."""

BEGUN = text("started_at IS NOT NULL")
"""Admitted at some time."""

UNRESOLVED = text(f"state IN ({listed((AttemptState.INTENT, AttemptState.UNKNOWN))})")
"""Attempts of which it is not known whether the provider took them."""

OPEN_AT_PROVIDER = text(f"state = '{AttemptState.ACKNOWLEDGED.value}' AND closed_at IS NULL")
"""Attempts that the provider took and may still be at work on, or have a result of."""

UNHANDLED = text("handled_at IS NULL")
"""Provider events that nobody has looked at."""

PENDING_DELIVERY = text(f"state = '{DeliveryState.PENDING.value}'")

REFUND = text(f"kind = '{LedgerKind.REFUND.value}'")

UNBOOKED_CANCELLATION = text(
    f"state = '{GenerationState.CANCELLED.value}' AND charge_micros IS NULL"
)
"""Cancelled for its owner, while the provider has still to be told and the hold settled."""

FINISHED_WELL = text(f"state = '{GenerationState.SUCCEEDED.value}' AND started_at IS NOT NULL")
"""Delivered, with a time that says how long it took."""

RENDITIONS_DUE = text("renditions_due")
