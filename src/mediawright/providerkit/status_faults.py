"""What an HTTP status means for a job, unless a vendor's own words say more."""

from __future__ import annotations

from collections.abc import Mapping

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
_FIRST_CLIENT_ERROR = 400
_FIRST_SERVER_ERROR = 500
_TURNED_AWAY = frozenset({501, 503, 505, 529})
"""Server errors that say the request was not taken up."""
_GIVEN_UP_ON = frozenset({504, 524})
"""Answers of a gateway that waited too long: behind it the request may still be worked on."""
_SEE_OTHER = 303
"""The request was carried out, and its result is elsewhere (RFC 9110)."""


def fault_for_status(
    reply: HttpReply,
    message: str = "",
    *,
    synchronous: bool,
    vendor_code: str | None = None,
    kinds: Mapping[int, FaultKind] | None = None,
) -> Fault:
    """Return the fault an error reply stands for, with its status and retry time.

    Args:
        reply: A reply that is not 2xx.
        message: The vendor's words; without any, the status is named.
        synchronous: Whether the vendor answers a submit with the media itself. An explicit
            server error then means that nothing was made, unless a gateway gave up on it;
            from a vendor that makes jobs, 500, 502 and 504 leave open whether there is one
            (`accepted` is `None`).
        vendor_code: The vendor's own error code.
        kinds: Statuses that mean something else with this vendor.
    """
    status = reply.status
    kind = (kinds or {}).get(status) or _kind_of(status)
    is_failure = status >= _FIRST_SERVER_ERROR and status not in _TURNED_AWAY
    is_carried_out = status in _GIVEN_UP_ON or status == _SEE_OTHER
    open_question = is_carried_out or (is_failure and not synchronous)
    return Fault(
        kind=kind,
        message=message or _default_message(reply),
        vendor_code=vendor_code,
        retry_after=reply.retry_after(),
        http_status=status,
        accepted=None if open_question else False,
    )


def _kind_of(status: int) -> FaultKind:
    if status in _KINDS:
        return _KINDS[status]
    if _FIRST_CLIENT_ERROR <= status < _FIRST_SERVER_ERROR:
        return FaultKind.INVALID_REQUEST
    return FaultKind.UNAVAILABLE


def _default_message(reply: HttpReply) -> str:
    if reply.status < _FIRST_CLIENT_ERROR:
        return f"The provider answered HTTP {reply.status}; check its configured address."
    return f"The provider answered HTTP {reply.status}."
