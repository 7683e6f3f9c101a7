"""What a reply that is not 2xx means when the vendor's own words do not say better."""

from __future__ import annotations

from mediawright.core.provider import Fault, FaultKind
from mediawright.providerkit.http import HttpReply

_KINDS = {
    401: FaultKind.BAD_CREDENTIAL,
    402: FaultKind.OUT_OF_CREDIT,
    403: FaultKind.BAD_CREDENTIAL,
    404: FaultKind.NOT_FOUND,
    408: FaultKind.UNAVAILABLE,
    410: FaultKind.NOT_FOUND,
    425: FaultKind.UNAVAILABLE,
    429: FaultKind.RATE_LIMITED,
    451: FaultKind.REFUSED,
}
_CLIENT_ERRORS = range(400, 500)
_SERVER_ERRORS = range(500, 600)
_UNDECIDED = frozenset({408, 500, 502, 504})
"""Without a word of the vendor these can come from a gateway in front of a job that runs."""


def reply_fault(
    reply: HttpReply,
    message: str | None,
    *,
    vendor_code: str | None = None,
    kind: FaultKind | None = None,
) -> Fault:
    """Return the fault that a reply means.

    Args:
        reply: The reply; its status decides what the vendor's words leave open.
        message: The vendor's own words, or `None` if its error body could not be read; then
            it is unknown after some statuses whether a submit was taken.
        vendor_code: The vendor's own code.
        kind: What the vendor's code means, where that is known.
    """
    return Fault(
        kind=kind or _kind_of(reply.status),
        message=message or f"The provider answered with HTTP status {reply.status}.",
        vendor_code=vendor_code,
        retry_after=reply.retry_after(),
        http_status=reply.status,
        accepted=None if message is None and reply.status in _UNDECIDED else False,
    )


def _kind_of(status: int) -> FaultKind:
    if status in _SERVER_ERRORS:
        return FaultKind.UNAVAILABLE
    if status in _CLIENT_ERRORS:
        return _KINDS.get(status, FaultKind.INVALID_REQUEST)
    return FaultKind.GARBAGE
