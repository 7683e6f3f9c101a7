"""One exchange with a server: which phase it is in, and how long that phase may take."""

from __future__ import annotations

import asyncio
from contextvars import ContextVar, Token
from enum import Enum
from types import TracebackType
from typing import NamedTuple, Self

import aiohttp
from aiohttp.client_reqrep import ClientRequest
from aiohttp.connector import Connection
from aiohttp.tracing import Trace

from mediawright.core.errors import MediawrightError
from mediawright.providerkit.refusals import refused
from mediawright.providerkit.resolver import ForbiddenAddressError
from mediawright.providerkit.transport import TransportError, TransportFailure


class Limits(NamedTuple):
    """Seconds each phase may take."""

    connect: float
    """Waiting for a free connection, name lookup, TCP and TLS together."""
    send_stall: float
    """Between two blocks of the request that the server takes."""
    first_byte: float
    chunk: float
    """Between two blocks of the reply."""
    total: float


class Phase(Enum):
    """Where an exchange stands."""

    CONNECTING = TransportFailure.CONNECTION_TIMEOUT
    SENDING = TransportFailure.SEND_TIMEOUT
    AWAITING = TransportFailure.REPLY_TIMEOUT
    READING = TransportFailure.REPLY_STALLED


class Exchange:
    """A context that limits each phase and turns every failure into a `TransportError`.

    A guard's refusal leaves it as the `ForbiddenError` it is.
    """

    has_sent: bool
    """Whether a byte of a request can have left."""
    _token: Token[Exchange | None]

    def __init__(self, host: str, limits: Limits) -> None:
        """Prepare an exchange with `host`, which is only named in errors."""
        self._host = host
        self._limits = limits
        self._loop = asyncio.get_running_loop()
        self._deadline = self._loop.time() + limits.total
        self._timer = asyncio.timeout(None)
        self._phase = Phase.CONNECTING
        self._sends = False
        self.has_sent = False
        self._due = min(self._deadline, self._loop.time() + limits.connect)
        self._watch = self._loop.call_at(self._due, self._check)

    async def __aenter__(self) -> Self:
        """Start the clock of the first phase."""
        self._token = _current.set(self)
        await self._timer.__aenter__()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop the clock.

        Raises:
            TransportError: The exchange failed or took too long.
            ForbiddenError: An address was refused while connecting.
        """
        _current.reset(self._token)
        self._watch.cancel()
        try:
            await self._timer.__aexit__(kind, error, trace)
        except TimeoutError:
            raise self.failed(self._timeout_failure()) from None
        if error is None or isinstance(error, MediawrightError):
            return
        if isinstance(error, ForbiddenAddressError):
            raise refused(error.refusal, self._host) from None
        failure = _failure_of(error)
        if failure is not None:
            refusal = getattr(error, "os_error", None)
            if isinstance(refusal, ForbiddenAddressError):
                raise refused(refusal.refusal, self._host) from None
            # Not chained: aiohttp's messages quote URLs, and these may hold tokens.
            raise self.failed(failure, type(error).__name__) from None

    def start_hop(self, host: str, *, sends: bool) -> None:
        """Begin one request.

        Args:
            host: Who is asked, to be named in errors.
            sends: Whether the request has a body that reports its own progress.
        """
        self._host = host
        self._sends = sends
        self._enter(Phase.CONNECTING, self._limits.connect)

    def connected(self) -> None:
        """Note that a connection is there and the request begins to leave."""
        self.has_sent = True
        if self._sends:
            self._enter(Phase.SENDING, self._limits.send_stall)
        else:
            self._enter(Phase.AWAITING, self._limits.first_byte)

    def block_sent(self) -> None:
        """Note that the server took more of the request."""
        if self._phase is Phase.SENDING:
            self._enter(Phase.SENDING, self._limits.send_stall)

    def body_sent(self) -> None:
        """Note that the request has left completely."""
        if self._phase is Phase.SENDING:
            self._enter(Phase.AWAITING, self._limits.first_byte)

    def block_received(self) -> None:
        """Note that the reply began, or that more of it came."""
        self._enter(Phase.READING, self._limits.chunk)

    def failed(self, failure: TransportFailure, cause: str | None = None) -> TransportError:
        """Return the error for a failure at this point of the exchange.

        Args:
            failure: What failed.
            cause: The class of the exception behind it, if there is one.
        """
        return TransportError(failure, self._host, sent=self.has_sent, cause=cause)

    def _enter(self, phase: Phase, seconds: float) -> None:
        """Begin a phase.

        Phases change several times in a call and hardly ever run out, so the loop's timer is
        left where it is unless it would be late; `_check` moves it when it comes too early.
        """
        self._phase = phase
        self._due = min(self._deadline, self._loop.time() + seconds)
        if self._due < self._watch.when() and not self._watch.cancelled():
            self._watch.cancel()
            self._watch = self._loop.call_at(self._due, self._check)

    def _check(self) -> None:
        now = self._loop.time()
        if now >= self._due:
            self._timer.reschedule(now)
        else:
            self._watch = self._loop.call_at(self._due, self._check)

    def _timeout_failure(self) -> TransportFailure:
        if self._phase is not Phase.CONNECTING and self._loop.time() >= self._deadline:
            return TransportFailure.TOTAL_TIMEOUT
        return self._phase.value


_current: ContextVar[Exchange | None] = ContextVar("mediawright_exchange", default=None)


class PhasedConnector(aiohttp.TCPConnector):
    """A connection pool that tells the running exchange when its request begins to leave."""

    async def connect(
        self,
        req: ClientRequest,
        traces: list[Trace],
        timeout: aiohttp.ClientTimeout,  # noqa: ASYNC109 - the signature that is overridden
    ) -> Connection:
        """Return a pooled or new connection."""
        connection = await super().connect(req, traces, timeout)
        exchange = _current.get()
        if exchange is not None:
            exchange.connected()
        return connection


def _failure_of(error: BaseException) -> TransportFailure | None:
    """Return what an exception of aiohttp means, or `None` if it is none of the network's."""
    if isinstance(error, aiohttp.ClientConnectorDNSError):
        return TransportFailure.NAME_UNRESOLVED
    if isinstance(error, aiohttp.ClientSSLError):
        return TransportFailure.TLS_FAILED
    if isinstance(error, aiohttp.ClientConnectorError):
        return TransportFailure.CONNECTION_FAILED
    if isinstance(error, aiohttp.ClientPayloadError):
        return TransportFailure.TRUNCATED
    if isinstance(error, aiohttp.ClientConnectionError | OSError):
        return TransportFailure.DISCONNECTED
    if isinstance(error, aiohttp.ClientError):
        return TransportFailure.PROTOCOL
    return None
