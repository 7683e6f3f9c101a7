"""The pooled HTTP sessions of a process, and the settings of all HTTP traffic."""

from __future__ import annotations

import ssl

import aiohttp
import msgspec
from aiohttp.abc import AbstractResolver

from mediawright._version import __version__
from mediawright.providerkit.exchange import PhasedConnector
from mediawright.providerkit.guard import AdmittedUrl
from mediawright.providerkit.resolver import GuardedResolver, open_checked_socket

_MEBIBYTE = 1_048_576
_READ_BUFFER = 131_072


class DriverSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Limits of all HTTP traffic: seconds, bytes and counts."""

    connect_seconds: float = 15.0
    """Waiting for a free connection, name lookup, TCP and TLS together."""
    send_stall_seconds: float = 60.0
    """Between two blocks of a request that the server takes."""
    first_byte_seconds: float = 60.0
    """Until the reply begins, unless the call names its own `read_timeout`."""
    chunk_seconds: float = 60.0
    """Between two blocks of a reply."""
    total_seconds: float = 900.0
    """A whole call, on top of its own `read_timeout` if it names one."""
    download_seconds: float = 3600.0
    """A whole download."""
    json_bytes: int = 64 * _MEBIBYTE
    """Largest reply kept in memory."""
    error_bytes: int = _MEBIBYTE
    """How much of an error's body is read; the rest is cut off."""
    media_bytes: int = 2048 * _MEBIBYTE
    """Largest media reply to a call."""
    max_redirects: int = 5
    max_connections: int = 256
    keep_alive_seconds: float = 15.0


class Sessions:
    """Two pools that share no connection.

    URLs the operator vouches for go through one; all others through one that checks every
    address it connects to. So a connection that was opened to a private address on the
    operator's word is never reused for a URL that somebody else wrote.
    """

    def __init__(
        self,
        settings: DriverSettings,
        *,
        resolver: AbstractResolver | None,
        tls: ssl.SSLContext | None,
    ) -> None:
        """Prepare the pools; they open when they are first used."""
        self._settings = settings
        self._resolver = resolver
        self._own_resolver: AbstractResolver | None = None
        self._tls: ssl.SSLContext | bool = tls or True
        self._vouched: aiohttp.ClientSession | None = None
        self._guarded: aiohttp.ClientSession | None = None
        self._closed = False

    def session_for(self, admitted: AdmittedUrl) -> aiohttp.ClientSession:
        """Return the session a URL must be requested through.

        Raises:
            RuntimeError: The pools are closed.
        """
        if admitted.vouched:
            if self._vouched is None:
                self._vouched = self._open(guarded=False)
            return self._vouched
        if self._guarded is None:
            self._guarded = self._open(guarded=True)
        return self._guarded

    async def close(self) -> None:
        """Close all connections."""
        self._closed = True
        for session in (self._vouched, self._guarded):
            if session is not None:
                await session.close()
        if self._own_resolver is not None:
            await self._own_resolver.close()
        self._vouched = self._guarded = self._own_resolver = None

    def _open(self, *, guarded: bool) -> aiohttp.ClientSession:
        if self._closed:
            raise RuntimeError("the driver is closed")
        resolver = self._resolver
        if resolver is None:
            resolver = self._own_resolver = self._own_resolver or aiohttp.DefaultResolver()
        connector = PhasedConnector(
            resolver=GuardedResolver(resolver) if guarded else resolver,
            socket_factory=open_checked_socket if guarded else None,
            ssl=self._tls,
            limit=self._settings.max_connections,
            keepalive_timeout=self._settings.keep_alive_seconds,
        )
        return aiohttp.ClientSession(
            connector=connector,
            cookie_jar=aiohttp.DummyCookieJar(),
            headers={"User-Agent": f"mediawright/{__version__}"},
            skip_auto_headers=("Content-Type",),
            # Every phase is timed by the exchange, which knows what was sent when time ran out.
            timeout=aiohttp.ClientTimeout(
                total=None, connect=None, sock_connect=None, sock_read=None
            ),
            read_bufsize=_READ_BUFFER,
        )
