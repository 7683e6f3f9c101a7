"""The one place that talks HTTP to providers and fetches files from the internet."""

from __future__ import annotations

import re
import ssl
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import aiohttp
from aiohttp.abc import AbstractResolver
from multidict import CIMultiDict
from yarl import URL

from mediawright.core.clock import Clock
from mediawright.core.errors import InvalidRequestError
from mediawright.providerkit.bodies import EncodedBody, encode_body
from mediawright.providerkit.exchange import Exchange, Limits
from mediawright.providerkit.guard import AdmittedUrl, UrlGuard
from mediawright.providerkit.http import Expectation, HttpCall, HttpReply, Trust
from mediawright.providerkit.redaction import is_secret_name
from mediawright.providerkit.refusals import Refusal, refused
from mediawright.providerkit.replies import (
    content_type_of,
    is_json,
    read_beginning,
    read_body,
    stage_body,
)
from mediawright.providerkit.sessions import DriverSettings, Sessions
from mediawright.providerkit.transport import DownloadStatusError
from mediawright.providerkit.urls import canonical_origins

_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_HEADER_BREAK = re.compile(r"[\r\n\0]")


class Download(NamedTuple):
    """A file that was fetched."""

    path: Path
    """In the staging folder; whoever stores it moves it."""
    content_type: str | None
    """The media type the server named, without parameters, in lower case; not to be trusted."""
    byte_count: int


class _Outgoing(NamedTuple):
    method: str
    url: AdmittedUrl
    headers: CIMultiDict[str]
    credential: Mapping[str, str]
    trusted_origins: frozenset[str]
    body: EncodedBody | None


class Driver:
    """All HTTP traffic of a process: pooled, timed by phase, guarded, never retried.

    Redirects are followed for GET and HEAD alone, hop by hop, each checked like any URL from
    a reply; a credential goes to no origin but those it is trusted with.
    """

    def __init__(
        self,
        *,
        staging: Path,
        allowed_origins: frozenset[str] = frozenset(),
        clock: Clock,
        settings: DriverSettings | None = None,
        resolver: AbstractResolver | None = None,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        """Prepare the driver; connections open when they are first needed.

        Args:
            staging: The folder media is streamed to.
            allowed_origins: Exact origins that URLs from users and replies may point to though
                they lie in private networks, such as the sandbox's `http://127.0.0.1:8080`.
            clock: Measures how long calls take.
            settings: Time and size limits.
            resolver: Looks up host names, instead of the system.
            tls: Which certificates to trust, instead of the system's.
        """
        self._staging = staging
        self._clock = clock
        self._settings = settings = settings or DriverSettings()
        self._guard = UrlGuard(allowed_origins)
        self._sessions = Sessions(settings, resolver=resolver, tls=tls)
        self._call_limits = Limits(
            settings.connect_seconds,
            settings.send_stall_seconds,
            settings.first_byte_seconds,
            settings.chunk_seconds,
            settings.total_seconds,
        )
        self._download_limits = self._call_limits._replace(total=settings.download_seconds)

    async def send(
        self,
        call: HttpCall,
        *,
        credential: Mapping[str, str],
        trusted_origins: frozenset[str],
    ) -> HttpReply:
        """Make one call and return its reply, whatever the status.

        Args:
            call: What to send. A URL with `Trust.CONFIGURATION` must be of a trusted origin;
                one with `Trust.REPLY` goes through the guard.
            credential: Headers that carry the key; they go to trusted origins only.
            trusted_origins: The provider's configured origins, such as
                `https://api.example.com`.

        Raises:
            TransportError: No complete reply; `sent` tells whether the server may have heard.
            ForbiddenError: The guard refused the URL, or where it was redirected to.
            InvalidRequestError: A header cannot be sent.
            UnavailableError: The staging file could not be written.
        """
        started = self._clock.monotonic()
        trusted = canonical_origins(trusted_origins)
        outgoing = self._outgoing(call, credential, trusted)
        limits = self._call_limits
        if call.read_timeout is not None:
            limits = limits._replace(
                first_byte=call.read_timeout, total=limits.total + call.read_timeout
            )
        async with Exchange(outgoing.url.url.authority.host, limits) as exchange:
            response = await self._request(outgoing, exchange)
            try:
                reply = await self._read(response, call.expects, exchange)
            finally:
                response.release()
        status, headers, body, spooled = reply
        return HttpReply(
            status=status,
            headers=headers,
            body=body,
            spooled=spooled,
            seconds=self._clock.monotonic() - started,
        )

    async def download(
        self,
        url: str,
        *,
        max_bytes: int,
        trusted_origins: frozenset[str] = frozenset(),
        durable: bool = False,
    ) -> Download:
        """Fetch a file into the staging folder, with constant memory and without a credential.

        Args:
            url: Where the file is; it goes through the guard.
            max_bytes: Largest size to accept.
            trusted_origins: Origins that need no guard: a provider's configured ones, if the
                URL comes from that provider.
            durable: Whether to return only when the bytes are on the disk itself.

        Raises:
            DownloadStatusError: The server answered with an error.
            TransportError: The file did not arrive whole, or is too large.
            ForbiddenError: The guard refused the URL, or where it was redirected to.
            UnavailableError: The staging file could not be written.
        """
        trusted = canonical_origins(trusted_origins)
        admitted = self._guard.admit(url, trusted)
        headers = CIMultiDict({"Accept": "*/*", "Accept-Encoding": "identity"})
        outgoing = _Outgoing("GET", admitted, headers, {}, trusted, None)
        async with Exchange(admitted.url.authority.host, self._download_limits) as exchange:
            response = await self._request(outgoing, exchange)
            try:
                if not _is_success(response):
                    raise _download_refused(response)
                staged = await stage_body(
                    response, self._staging, max_bytes, exchange, durable=durable
                )
                return Download(staged.path, content_type_of(response), staged.byte_count)
            finally:
                response.release()

    def require_allowed(self, url: str) -> None:
        """Return if a URL may be fetched, as far as its text tells.

        Raises:
            ForbiddenError: `url_not_allowed`, with `details["reason"]`.
        """
        self._guard.admit(url)

    async def close(self) -> None:
        """Close all connections. The driver cannot be used afterwards."""
        await self._sessions.close()

    def _outgoing(
        self, call: HttpCall, credential: Mapping[str, str], trusted: frozenset[str]
    ) -> _Outgoing:
        if call.trust is Trust.CONFIGURATION:
            admitted = self._guard.admit_configured(call.url, trusted)
        else:
            admitted = self._guard.admit(call.url, trusted)
        if call.query:
            admitted = admitted._replace(url=admitted.url.with_query(call.query))
        if not call.authenticated:
            credential = {}
        _check_headers(call.headers)
        _check_headers(credential)
        headers = CIMultiDict(call.headers)
        body = None
        if call.body is not None:
            body = encode_body(call.body)
            headers.setdefault("Content-Type", body.content_type)
        return _Outgoing(call.method.upper(), admitted, headers, credential, trusted, body)

    async def _request(self, outgoing: _Outgoing, exchange: Exchange) -> aiohttp.ClientResponse:
        """Return the final response, its body unread."""
        current = outgoing.url
        for _ in range(self._settings.max_redirects + 1):
            response = await self._hop(outgoing, current, exchange)
            location = response.headers.get("Location")
            if (
                location is None
                or response.status not in _REDIRECTS
                or outgoing.method not in ("GET", "HEAD")
            ):
                return response
            response.release()
            following = self._guard.follow(current.url, location, outgoing.trusted_origins)
            if following.url.origin != current.url.origin:
                outgoing = outgoing._replace(headers=_without_secrets(outgoing.headers))
            current = following
        raise refused(Refusal.REDIRECT_LIMIT, current.url.authority.host)

    async def _hop(
        self, outgoing: _Outgoing, admitted: AdmittedUrl, exchange: Exchange
    ) -> aiohttp.ClientResponse:
        headers = outgoing.headers
        if outgoing.credential and admitted.url.origin in outgoing.trusted_origins:
            headers = headers.copy()
            headers.update(outgoing.credential)
        body = outgoing.body
        exchange.start_hop(admitted.url.authority.host, sends=body is not None and body.is_large)
        response = await self._sessions.session_for(admitted).request(
            outgoing.method,
            URL(admitted.url.text, encoded=True),
            headers=headers,
            data=None if body is None else body.payload(exchange),
            allow_redirects=False,
        )
        exchange.block_received()
        return response

    async def _read(
        self, response: aiohttp.ClientResponse, expects: Expectation, exchange: Exchange
    ) -> tuple[int, dict[str, str], bytes, Path | None]:
        headers = {name.lower(): value for name, value in response.headers.items()}
        if not _is_success(response):
            body = await read_beginning(response, self._settings.error_bytes, exchange)
            return response.status, headers, body, None
        if expects is Expectation.MEDIA and not is_json(response):
            staged = await stage_body(response, self._staging, self._settings.media_bytes, exchange)
            return response.status, headers, b"", staged.path
        body = await read_body(response, self._settings.json_bytes, exchange)
        return response.status, headers, body, None


def _is_success(response: aiohttp.ClientResponse) -> bool:
    return 200 <= response.status < 300  # noqa: PLR2004 - the HTTP success range


def _download_refused(response: aiohttp.ClientResponse) -> DownloadStatusError:
    headers = {name.lower(): value for name, value in response.headers.items()}
    reply = HttpReply(status=response.status, headers=headers)
    return DownloadStatusError(response.url.host or "", response.status, reply.retry_after())


def _check_headers(headers: Mapping[str, str]) -> None:
    for name, value in headers.items():
        if _HEADER_BREAK.search(value) or _HEADER_BREAK.search(name):
            raise InvalidRequestError(
                "header_malformed",
                "A header of the request holds a line break.",
                hint="Check that the API key was copied without line breaks.",
            )


def _without_secrets(headers: CIMultiDict[str]) -> CIMultiDict[str]:
    return CIMultiDict((name, value) for name, value in headers.items() if not is_secret_name(name))
