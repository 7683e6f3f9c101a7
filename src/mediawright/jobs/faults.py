"""From a provider's fault to what the generation's owner is told."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mediawright.core.errors import Problem
from mediawright.core.provider import Fault, FaultKind
from mediawright.core.states import GenerationState

if TYPE_CHECKING:
    from collections.abc import Mapping

_CODES: Mapping[FaultKind, tuple[str, str]] = {
    FaultKind.BAD_CREDENTIAL: (
        "provider_key_rejected",
        "Check the provider's API key; `mediawright doctor` shows which one is in use.",
    ),
    FaultKind.OUT_OF_CREDIT: (
        "provider_out_of_credit",
        "Top up the account at the provider, or choose another provider.",
    ),
    FaultKind.RATE_LIMITED: ("rate_limited", "Try again a little later."),
    FaultKind.INVALID_REQUEST: (
        "provider_rejected_request",
        "Change the request as the provider's message says.",
    ),
    FaultKind.REFUSED: ("content_refused", "Change the prompt or the inputs and try again."),
    FaultKind.NOT_FOUND: (
        "provider_job_not_found",
        "The provider no longer knows this job or model; start it again.",
    ),
    FaultKind.UNAVAILABLE: ("provider_unavailable", "Try again later or choose another provider."),
    FaultKind.UNREACHABLE: (
        "provider_unreachable",
        "Check the network; nothing was sent and nothing was charged.",
    ),
    FaultKind.LOST_REPLY: (
        "submit_unknown",
        "The provider may have taken the job. It is not sent again and the hold is kept.",
    ),
    FaultKind.GARBAGE: (
        "provider_reply_unreadable",
        "The provider's answer made no sense; see the trace for what it was.",
    ),
    FaultKind.CANCELLED: ("cancelled_by_provider", "Start it again if it is still wanted."),
    FaultKind.FAILED: ("generation_failed", "Try again, perhaps with another seed or prompt."),
}

OUTAGE_KINDS = frozenset(
    {
        FaultKind.UNAVAILABLE,
        FaultKind.UNREACHABLE,
        FaultKind.LOST_REPLY,
        FaultKind.GARBAGE,
    }
)
"""Faults that say that the provider does not work at present."""

ACCOUNT_KINDS = frozenset({FaultKind.BAD_CREDENTIAL, FaultKind.OUT_OF_CREDIT})
"""Faults of our account at the provider, which only the operator can mend."""

FALLBACK_KINDS = OUTAGE_KINDS | ACCOUNT_KINDS | {FaultKind.RATE_LIMITED}
"""Faults after which another route may serve, if the provider surely took nothing."""

REFUSAL_KINDS = frozenset({FaultKind.REFUSED, FaultKind.INVALID_REQUEST})
"""Faults of what is asked; another route is tried only if the caller's policy allows that."""

RETRY_KINDS = frozenset({FaultKind.RATE_LIMITED, FaultKind.UNREACHABLE})
"""Faults of a submit that surely took nothing, worth a second try on the same route."""

LAST_RESORT_KINDS = RETRY_KINDS | {FaultKind.UNAVAILABLE}
"""The same where there is no other route to go to."""

ACCOUNT_CODES = frozenset(_CODES[kind][0] for kind in ACCOUNT_KINDS)
"""The codes of those faults."""

_NOTHING_TAKEN = {
    FaultKind.LOST_REPLY: (
        "provider_unavailable",
        "Nothing was taken on and nothing is charged; try again later.",
    ),
}
"""What is told instead where the provider surely took nothing, as when a file was sent ahead."""

MAYBE_TAKEN = "maybe_taken"
"""Key in a problem's details: nobody knows whether the provider holds a job for that submit."""


def problem_of(fault: Fault, provider: str) -> Problem:
    """Return what to tell about a fault."""
    code, hint = _CODES[fault.kind]
    if fault.accepted is False:
        code, hint = _NOTHING_TAKEN.get(fault.kind, (code, hint))
    details: dict[str, object] = {"provider": provider}
    if fault.accepted is None:
        details[MAYBE_TAKEN] = True
    if fault.vendor_code:
        details["vendor_code"] = fault.vendor_code
    if fault.http_status:
        details["http_status"] = fault.http_status
    if fault.retry_after is not None:
        details["retry_after"] = fault.retry_after
    return Problem(code=code, message=f"{provider}: {fault.message}", hint=hint, details=details)


def final_state(fault: Fault) -> GenerationState:
    """Return the state in which a job with this fault ends."""
    if fault.kind is FaultKind.REFUSED:
        return GenerationState.REFUSED
    if fault.kind is FaultKind.CANCELLED:
        return GenerationState.CANCELLED
    return GenerationState.FAILED
