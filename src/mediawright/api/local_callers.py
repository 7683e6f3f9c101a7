"""Whether a caller without a key is a program on this machine."""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from mediawright.core.errors import ForbiddenError

if TYPE_CHECKING:
    from fastapi import Request

_FORWARDING = ("forwarded", "x-forwarded-for", "x-forwarded-host", "x-real-ip", "via")


def is_local(request: Request) -> bool:
    """Tell whether the caller is a program on this machine, and not a web page in its browser.

    A page can reach a loopback server by a name of its own that resolves here, or by a request
    across origins; both show in headers that a page cannot forge. What comes through a proxy
    comes from somewhere else.

    Raises:
        ForbiddenError: It is a page of another site.
    """
    host = _one(request, "host")
    if request.client is None or not _is_loopback(request.client.host):
        return False
    if host is None or not _is_loopback(_host_in(f"//{host}")):
        return False
    if any(name in request.headers for name in _FORWARDING):
        return False
    origin = request.headers.get("origin")
    site = request.headers.get("sec-fetch-site", "none")
    same_origin = origin is None or origin.lower() == f"{request.url.scheme}://{host}".lower()
    if not same_origin or site not in {"none", "same-origin"}:
        raise ForbiddenError(
            "cross_site_request",
            "A page of another site may not use this server without a key.",
            hint="Send `Authorization: Bearer KEY`.",
        )
    return True


def _one(request: Request, name: str) -> str | None:
    values = request.headers.getlist(name)
    return values[0] if len(values) == 1 else None


def _host_in(url: str) -> str:
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
