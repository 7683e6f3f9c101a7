"""URLs taken apart strictly and put together again in one canonical form.

The text that is checked is the text that is requested: the authority is rebuilt from its
parsed parts, so that no second parser can read another host out of it.
"""

from __future__ import annotations

import ipaddress
import re
import socket
from collections.abc import Mapping
from functools import lru_cache
from typing import NamedTuple
from urllib.parse import quote, urlencode, urljoin

from yarl import URL

from mediawright.providerkit.addresses import Address, refusal_of_address
from mediawright.providerkit.refusals import Refusal, refused

_LONGEST_URL = 16_384
_LONGEST_NAME = 253
_LAST_PORT = 65_535
_DEFAULT_PORTS = {"http": 80, "https": 443}
_SHAPE = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*):(?://([^/?#]*)([^#]*))?")
_AUTHORITY = re.compile(r"(\[[^\]]*\]|[^:\[\]]*)(?::([0-9]{0,5}))?")
_LABEL = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)")
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")
_FORBIDDEN_CHARACTERS = re.compile(r"[\x00-\x20\x7f]")
_PLAIN_TARGET = re.compile(r"[!$%&'()*+,./0-9:;=?@A-Z\[\]_a-z~|^{}`-]*")
_TARGET_SAFE = "!$%&'()*+,/:;=?@[]~|^{}`"


class Authority(NamedTuple):
    """The checked scheme, host and port of a URL."""

    scheme: str
    host: str
    """In lower case and ASCII, without a trailing dot; IPv6 without brackets."""
    port: int
    address: Address | None
    """The address, if the host is one."""
    origin: str
    """`scheme://host`, with `:port` unless it is the scheme's own."""


class WebUrl(NamedTuple):
    """An http or https URL in canonical form, without a fragment."""

    authority: Authority
    target: str
    """Path and query as they are to be sent."""

    @property
    def origin(self) -> str:
        """Scheme, host and port."""
        return self.authority.origin

    @property
    def text(self) -> str:
        """The whole URL."""
        return self.authority.origin + self.target

    def with_query(self, query: Mapping[str, str]) -> WebUrl:
        """Return the URL with more query parameters at its end."""
        if not query:
            return self
        joint = "&" if "?" in self.target else "?"
        return self._replace(target=f"{self.target}{joint}{urlencode(query)}")


def parse_url(text: str) -> WebUrl:
    """Return a URL in canonical form.

    Raises:
        ForbiddenError: `url_not_allowed`: it is malformed, not http(s), carries a user name,
            or its host is an address in disguise.
    """
    shape = None if len(text) > _LONGEST_URL else _SHAPE.match(text)
    if shape is None or _FORBIDDEN_CHARACTERS.search(text):
        raise refused(Refusal.MALFORMED)
    scheme, authority, target = shape.groups()
    if scheme.lower() not in _DEFAULT_PORTS:
        raise refused(Refusal.SCHEME)
    if not authority:
        raise refused(Refusal.MALFORMED)
    return WebUrl(_parse_authority(scheme.lower(), authority), _canonical_target(target))


def join_url(base: WebUrl, location: str) -> WebUrl:
    """Return where a `Location` header points to from `base`.

    Raises:
        ForbiddenError: As `parse_url`.
    """
    if len(location) > _LONGEST_URL or _FORBIDDEN_CHARACTERS.search(location):
        raise refused(Refusal.MALFORMED)
    try:
        joined = urljoin(base.text, location)
    except ValueError:
        raise refused(Refusal.MALFORMED) from None
    return parse_url(joined)


def origin_of(url: str) -> str:
    """Return the canonical origin of a URL: `https://api.example.com`, `http://127.0.0.1:8080`.

    Raises:
        ForbiddenError: As `parse_url`.
    """
    return parse_url(url).origin


@lru_cache(maxsize=256)
def canonical_origins(origins: frozenset[str]) -> frozenset[str]:
    """Return origins or URLs, given in any notation, as canonical origins.

    Raises:
        ForbiddenError: As `parse_url`.
    """
    return frozenset(origin_of(origin) for origin in origins)


@lru_cache(maxsize=1024)
def _parse_authority(scheme: str, text: str) -> Authority:
    if "@" in text:
        raise refused(Refusal.USERINFO)
    shape = _AUTHORITY.fullmatch(text)
    if shape is None:
        raise refused(Refusal.MALFORMED)
    raw_host, raw_port = shape.groups()
    host, address = _parse_host(raw_host)
    port = int(raw_port) if raw_port else _DEFAULT_PORTS[scheme]
    if not 0 < port <= _LAST_PORT:
        raise refused(Refusal.PORT, host)
    shown = f"[{host}]" if ":" in host else host
    suffix = "" if port == _DEFAULT_PORTS[scheme] else f":{port}"
    return Authority(scheme, host, port, address, f"{scheme}://{shown}{suffix}")


def _parse_host(text: str) -> tuple[str, Address | None]:
    if text.startswith("["):
        return _parse_ipv6(text[1:-1])
    host = _ascii_name(text)
    labels = host.split(".")
    if len(host) > _LONGEST_NAME or not all(_LABEL.fullmatch(label) for label in labels):
        raise refused(Refusal.MALFORMED)
    if not _NUMBER.fullmatch(labels[-1]):
        return host, None
    return _parse_ipv4(host)


def _ascii_name(text: str) -> str:
    """Return a name in lower-case ASCII (IDNA, UTS 46), without one trailing dot."""
    if not text.isascii():
        try:
            text = URL.build(scheme="http", host=text).raw_host or ""
        except ValueError:
            raise refused(Refusal.MALFORMED) from None
    return text.lower().removesuffix(".")


def _parse_ipv4(host: str) -> tuple[str, Address]:
    """Parse a host that ends in a number, which only an IPv4 address can.

    Octal, hexadecimal, short and one-number notations mean different addresses to different
    programs and are always refused; the reason names what the address would be.
    """
    try:
        return host, ipaddress.IPv4Address(host)
    except ValueError:
        pass
    try:
        meant = ipaddress.IPv4Address(socket.inet_aton(host))
    except OSError:
        raise refused(Refusal.MALFORMED) from None
    raise refused(refusal_of_address(meant) or Refusal.AMBIGUOUS_ADDRESS, host)


def _parse_ipv6(text: str) -> tuple[str, Address]:
    if "%" in text:
        raise refused(Refusal.ZONE_ID)
    try:
        address = ipaddress.IPv6Address(text)
    except ValueError:
        raise refused(Refusal.MALFORMED) from None
    return address.compressed, address


def _canonical_target(text: str) -> str:
    """Return path and query as sent: signed URLs must not change by a character."""
    if not _PLAIN_TARGET.fullmatch(text):
        text = quote(text, safe=_TARGET_SAFE, errors="surrogateescape")
    return text if text.startswith("/") else f"/{text}"
