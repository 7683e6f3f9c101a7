"""The states of a generation and of its attempts, and which changes are legal."""

from __future__ import annotations

from enum import StrEnum


class GenerationState(StrEnum):
    """Where a generation stands."""

    AWAITING_APPROVAL = "awaiting_approval"
    QUEUED = "queued"
    SUBMITTING = "submitting"
    RUNNING = "running"
    STORING = "storing"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    REFUSED = "refused"
    CANCELLED = "cancelled"
    EXPIRED = "expired"
    UNKNOWN = "unknown"
    """Nobody can tell whether the provider took the request; it is never sent again by itself."""

    @property
    def is_terminal(self) -> bool:
        """Whether nothing more can happen to the generation."""
        return self in TERMINAL_STATES


class AttemptState(StrEnum):
    """What is known about one submit to one provider."""

    INTENT = "intent"
    """Written before the request leaves; found again, it must not be sent again blindly."""
    ACKNOWLEDGED = "acknowledged"
    REJECTED = "rejected"
    UNKNOWN = "unknown"


class PublicStatus(StrEnum):
    """The status words of the public API (rule 45, with `cancelled` added)."""

    PENDING = "pending"
    QUEUED = "queued"
    PROCESSING = "processing"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"


TERMINAL_STATES = frozenset(
    {
        GenerationState.SUCCEEDED,
        GenerationState.FAILED,
        GenerationState.REFUSED,
        GenerationState.CANCELLED,
        GenerationState.EXPIRED,
    }
)

_S = GenerationState

TRANSITIONS: dict[GenerationState, frozenset[GenerationState]] = {
    _S.AWAITING_APPROVAL: frozenset({_S.QUEUED, _S.REFUSED, _S.CANCELLED, _S.EXPIRED}),
    _S.QUEUED: frozenset({_S.SUBMITTING, _S.FAILED, _S.CANCELLED, _S.EXPIRED}),
    # Back to queued when nothing left this machine and the submit may be tried again; straight
    # to succeeded when a provider answers at once and its files are stored in one commit.
    _S.SUBMITTING: frozenset(
        {
            _S.QUEUED,
            _S.RUNNING,
            _S.STORING,
            _S.SUCCEEDED,
            _S.FAILED,
            _S.REFUSED,
            _S.CANCELLED,
            _S.UNKNOWN,
        }
    ),
    _S.RUNNING: frozenset({_S.STORING, _S.FAILED, _S.REFUSED, _S.CANCELLED, _S.EXPIRED}),
    _S.STORING: frozenset({_S.SUCCEEDED, _S.FAILED, _S.CANCELLED, _S.EXPIRED}),
    # Reconciliation can find out either way, and a reply may turn up with the media in it.
    _S.UNKNOWN: frozenset(
        {_S.RUNNING, _S.STORING, _S.SUCCEEDED, _S.FAILED, _S.REFUSED, _S.CANCELLED, _S.EXPIRED}
    ),
    **{state: frozenset[GenerationState]() for state in TERMINAL_STATES},
}

_PUBLIC = {
    _S.AWAITING_APPROVAL: PublicStatus.PENDING,
    _S.QUEUED: PublicStatus.PENDING,
    _S.SUBMITTING: PublicStatus.QUEUED,
    _S.RUNNING: PublicStatus.PROCESSING,
    _S.STORING: PublicStatus.PROCESSING,
    _S.UNKNOWN: PublicStatus.PROCESSING,
    _S.SUCCEEDED: PublicStatus.COMPLETED,
    _S.FAILED: PublicStatus.FAILED,
    _S.REFUSED: PublicStatus.FAILED,
    _S.EXPIRED: PublicStatus.FAILED,
    _S.CANCELLED: PublicStatus.CANCELLED,
}


def can_become(state: GenerationState, following: GenerationState) -> bool:
    """Tell whether a generation in `state` may change to `following`."""
    return following in TRANSITIONS[state]


def sources_of(following: GenerationState) -> frozenset[GenerationState]:
    """Return every state from which `following` may be reached in one change."""
    return frozenset(state for state, targets in TRANSITIONS.items() if following in targets)


def public_status(
    state: GenerationState, *, waiting_at_provider: bool = False, has_progress: bool = False
) -> PublicStatus:
    """Return the public word for a state.

    Args:
        state: The generation's state.
        waiting_at_provider: Whether the provider said that the job still waits there.
        has_progress: Whether work on it was seen, also before the submit was answered.
    """
    if state is GenerationState.SUBMITTING and has_progress:
        return PublicStatus.PROCESSING
    if state is GenerationState.RUNNING and waiting_at_provider:
        return PublicStatus.QUEUED
    return _PUBLIC[state]
