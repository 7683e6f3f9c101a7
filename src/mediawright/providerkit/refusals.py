"""Why a URL is not fetched: one error with a stable code and a reason."""

from __future__ import annotations

from enum import StrEnum

from mediawright.core.errors import ForbiddenError


class Refusal(StrEnum):
    """The reason in `details["reason"]` of a `url_not_allowed` error."""

    MALFORMED = "malformed"
    SCHEME = "scheme"
    USERINFO = "userinfo"
    PORT = "port"
    INTERNAL_NAME = "internal_name"
    AMBIGUOUS_ADDRESS = "ambiguous_address"
    ZONE_ID = "zone_id"
    LOOPBACK_ADDRESS = "loopback_address"
    PRIVATE_ADDRESS = "private_address"
    LINK_LOCAL_ADDRESS = "link_local_address"
    METADATA_ADDRESS = "metadata_address"
    SHARED_ADDRESS = "shared_address"
    MULTICAST_ADDRESS = "multicast_address"
    UNSPECIFIED_ADDRESS = "unspecified_address"
    RESERVED_ADDRESS = "reserved_address"
    REDIRECT_LIMIT = "redirect_limit"
    REDIRECT_DOWNGRADE = "redirect_downgrade"
    NOT_CONFIGURED = "not_configured"


_SENTENCES = {
    Refusal.MALFORMED: "it is not a well-formed URL",
    Refusal.SCHEME: "only http and https URLs are fetched",
    Refusal.USERINFO: "it carries a user name or password",
    Refusal.PORT: "its port is not one that media is served from",
    Refusal.INTERNAL_NAME: "its host is a name of an internal network",
    Refusal.AMBIGUOUS_ADDRESS: "its host is an IP address in an unusual notation",
    Refusal.ZONE_ID: "its address carries a zone",
    Refusal.LOOPBACK_ADDRESS: "its host is this machine",
    Refusal.PRIVATE_ADDRESS: "its host is in a private network",
    Refusal.LINK_LOCAL_ADDRESS: "its host is a link-local address",
    Refusal.METADATA_ADDRESS: "its host is a cloud's metadata service",
    Refusal.SHARED_ADDRESS: "its host is in a carrier's shared address range",
    Refusal.MULTICAST_ADDRESS: "its host is a multicast address",
    Refusal.UNSPECIFIED_ADDRESS: "its host is the unspecified address",
    Refusal.RESERVED_ADDRESS: "its host is in a reserved address range",
    Refusal.REDIRECT_LIMIT: "it was redirected too often",
    Refusal.REDIRECT_DOWNGRADE: "it was redirected from https to http",
    Refusal.NOT_CONFIGURED: "its origin is none of the provider's configured ones",
}

_HINTS = {
    Refusal.MALFORMED: "Give a complete URL, such as https://example.com/picture.png.",
    Refusal.SCHEME: "Give an http or https URL, or upload the file.",
    Refusal.USERINFO: "Remove the part before the @.",
    Refusal.REDIRECT_LIMIT: "Give the URL of the file itself.",
    Refusal.REDIRECT_DOWNGRADE: "Give the URL of the file itself.",
}
_DEFAULT_HINT = (
    "Upload the file instead, or have the operator add the origin to the allowed origins."
)


def refused(refusal: Refusal, host: str | None = None) -> ForbiddenError:
    """Return the error for a URL that is not fetched.

    Args:
        refusal: Why.
        host: The host, if known. Paths and queries are never given: they may hold tokens.
    """
    where = f"The URL on {host}" if host else "The URL"
    details = {"reason": refusal.value}
    if host:
        details["host"] = host
    return ForbiddenError(
        "url_not_allowed",
        f"{where} is not fetched: {_SENTENCES[refusal]}.",
        hint=_HINTS.get(refusal, _DEFAULT_HINT),
        details=details,
    )
