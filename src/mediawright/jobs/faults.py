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

FALLBACK_KINDS = frozenset(
    {
        FaultKind.BAD_CREDENTIAL,
        FaultKind.OUT_OF_CREDIT,
        FaultKind.RATE_LIMITED,
        FaultKind.UNAVAILABLE,
        FaultKind.UNREACHABLE,
    }
)
"""Faults after which another route may serve: outages and accounts, never refusals."""

RETRY_KINDS = frozenset({FaultKind.RATE_LIMITED, FaultKind.UNREACHABLE})
"""Faults of a submit that surely took nothing, worth a second try on the same route."""


def problem_of(fault: Fault, provider: str) -> Problem:
    """Return what to tell about a fault."""
    code, hint = _CODES[fault.kind]
    details: dict[str, object] = {"provider": provider}
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
