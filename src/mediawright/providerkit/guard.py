"""The guard through which every URL goes that does not come from configuration.

What can be judged from the URL is judged here; what a host name resolves to is judged when
the connection is made (`resolver`), so that an answer that changes in between gains nothing.
"""

from __future__ import annotations

from typing import NamedTuple

from mediawright.providerkit.addresses import refusal_of_address
from mediawright.providerkit.refusals import Refusal, refused
from mediawright.providerkit.urls import Authority, WebUrl, canonical_origins, join_url, parse_url

_WEB_PORTS = frozenset({80, 443})
_FIRST_UNPRIVILEGED_PORT = 1024
_INTERNAL_NAMES = frozenset({"localhost", "metadata", "instance-data", "broadcasthost"})
_INTERNAL_SUFFIXES = (
    ".localhost",
    ".localdomain",
    ".local",
    ".internal",
    ".intranet",
    ".private",
    ".corp",
    ".home",
    ".lan",
    ".home.arpa",
    ".in-addr.arpa",
    ".ip6.arpa",
    ".onion",
)
_METADATA_NAMES = frozenset(
    {"metadata", "metadata.google.internal", "instance-data", "instance-data.ec2.internal"}
)


class AdmittedUrl(NamedTuple):
    """A URL that may be requested."""

    url: WebUrl
    vouched: bool
    """The operator configured or allowed this origin: its addresses are not checked.
    Every other URL must be requested through a connector that checks addresses."""


class UrlGuard:
    """Decides which URLs are requested, and how."""

    def __init__(
        self,
        allowed_origins: frozenset[str] = frozenset(),
        *,
        privileged_ports: frozenset[int] = _WEB_PORTS,
    ) -> None:
        """Take what the operator allows.

        Args:
            allowed_origins: Exact origins (scheme, host, port) that may lie in private
                networks, such as `http://127.0.0.1:8080` for the sandbox.
            privileged_ports: Ports below 1024 that may be connected to.
        """
        self._allowed = canonical_origins(allowed_origins)
        self._privileged_ports = privileged_ports

    def admit(self, url: str, trusted_origins: frozenset[str] = frozenset()) -> AdmittedUrl:
        """Return a URL from a reply or a user, checked as far as its text can be.

        Args:
            url: The URL.
            trusted_origins: More origins that need no check: a provider's configured ones.

        Raises:
            ForbiddenError: `url_not_allowed`, with `details["reason"]`.
        """
        return self._judge(parse_url(url), trusted_origins)

    def admit_configured(self, url: str, trusted_origins: frozenset[str]) -> AdmittedUrl:
        """Return a URL that was built from a configured base URL.

        Raises:
            ForbiddenError: Its origin is neither trusted nor allowed, so it cannot have been.
        """
        parsed = parse_url(url)
        if parsed.origin not in trusted_origins and parsed.origin not in self._allowed:
            raise refused(Refusal.NOT_CONFIGURED, parsed.authority.host)
        return AdmittedUrl(parsed, vouched=True)

    def follow(
        self, current: WebUrl, location: str, trusted_origins: frozenset[str] = frozenset()
    ) -> AdmittedUrl:
        """Return where a redirect leads, checked like any URL from a reply.

        Raises:
            ForbiddenError: The target is not allowed, or the redirect leaves https.
        """
        target = join_url(current, location)
        if current.authority.scheme == "https" and target.authority.scheme != "https":
            raise refused(Refusal.REDIRECT_DOWNGRADE, target.authority.host)
        return self._judge(target, trusted_origins)

    def _judge(self, url: WebUrl, trusted_origins: frozenset[str]) -> AdmittedUrl:
        if url.origin in self._allowed or url.origin in trusted_origins:
            return AdmittedUrl(url, vouched=True)
        refusal = self._refusal(url.authority)
        if refusal is not None:
            raise refused(refusal, url.authority.host)
        return AdmittedUrl(url, vouched=False)

    def _refusal(self, authority: Authority) -> Refusal | None:
        if authority.address is not None:
            refusal = refusal_of_address(authority.address)
        else:
            refusal = _refusal_of_name(authority.host)
        if refusal is None and (
            authority.port < _FIRST_UNPRIVILEGED_PORT
            and authority.port not in self._privileged_ports
        ):
            return Refusal.PORT
        return refusal


def _refusal_of_name(host: str) -> Refusal | None:
    if host in _METADATA_NAMES:
        return Refusal.METADATA_ADDRESS
    if host in _INTERNAL_NAMES or host.endswith(_INTERNAL_SUFFIXES) or "." not in host:
        # A name without a dot is looked up in the machine's own search domains.
        return Refusal.INTERNAL_NAME
    return None
