"""What can go wrong between us and a server, and whether it may have heard us."""

from __future__ import annotations

from enum import StrEnum

from mediawright.core.errors import ErrorKind, MediawrightError, ProviderError


class TransportFailure(StrEnum):
    """How an exchange failed; also the error's code with `transport_` before it."""

    NAME_UNRESOLVED = "name_unresolved"
    CONNECTION_FAILED = "connection_failed"
    CONNECTION_TIMEOUT = "connection_timeout"
    TLS_FAILED = "tls_failed"
    SEND_TIMEOUT = "send_timeout"
    REPLY_TIMEOUT = "reply_timeout"
    """The reply did not begin in time."""
    REPLY_STALLED = "reply_stalled"
    """The reply began and then paused for too long."""
    TOTAL_TIMEOUT = "total_timeout"
    DISCONNECTED = "disconnected"
    TRUNCATED = "truncated"
    TOO_LARGE = "too_large"
    PROTOCOL = "protocol"
    """The server does not speak proper HTTP."""


_SENTENCES = {
    TransportFailure.NAME_UNRESOLVED: "the host name has no address",
    TransportFailure.CONNECTION_FAILED: "no connection could be made",
    TransportFailure.CONNECTION_TIMEOUT: "no connection could be made in time",
    TransportFailure.TLS_FAILED: "the secure connection could not be set up",
    TransportFailure.SEND_TIMEOUT: "the server stopped taking the request",
    TransportFailure.REPLY_TIMEOUT: "no reply came in time",
    TransportFailure.REPLY_STALLED: "the reply stopped coming",
    TransportFailure.TOTAL_TIMEOUT: "the exchange took too long",
    TransportFailure.DISCONNECTED: "the connection broke",
    TransportFailure.TRUNCATED: "the reply ended too early",
    TransportFailure.TOO_LARGE: "the reply is too large",
    TransportFailure.PROTOCOL: "the reply is not proper HTTP",
}


class TransportError(MediawrightError):
    """An exchange that ended without a complete reply.

    Attributes:
        failure: How it failed.
        sent: `False` only if not a byte of the request can have left.
    """

    kind = ErrorKind.PROVIDER

    def __init__(
        self, failure: TransportFailure, host: str, *, sent: bool, cause: str | None = None
    ) -> None:
        """Say how the exchange with `host` failed."""
        details: dict[str, str | bool] = {"host": host, "sent": sent}
        if cause is not None:
            details["cause"] = cause
        super().__init__(
            f"transport_{failure.value}", f"{host}: {_SENTENCES[failure]}.", details=details
        )
        self.failure = failure
        self.sent = sent


class DownloadStatusError(ProviderError):
    """A file was asked for and the server answered with an error.

    Attributes:
        status: The HTTP status, such as 404 for an expired URL.
        retry_after: Seconds after which the server wants to be asked again, if it said so.
    """

    def __init__(self, host: str, status: int, retry_after: float | None) -> None:
        """Keep the status `host` answered with."""
        super().__init__(
            "download_failed",
            f"{host} answered a download with HTTP {status}.",
            details={"host": host, "http_status": status},
        )
        self.status = status
        self.retry_after = retry_after
