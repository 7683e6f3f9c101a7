"""The addresses of files, as seen by whoever asked."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from mediawright.api.context import runtime_of
from mediawright.app.views import AssetUrl, served_urls

if TYPE_CHECKING:
    from fastapi import Request


_CONTENT = re.compile(r"/v1/assets/(ast_[0-9a-f]{32})/content(?:\?variant=content)?")
_THIS_MACHINE = re.compile(r"//(?:localhost|\[::1\])(?=[:/]|$)")


def own_asset_id(request: Request, url: str) -> str | None:
    """Return the id of the asset that an address of this server names (rule 8).

    Args:
        request: Whose sender knows this server by the address it used.
        url: Any URL; `None` is returned for those that lead elsewhere.
    """
    match = _CONTENT.fullmatch(_spelled(url).removeprefix(_spelled(_base(request))))
    return match.group(1) if match else None


def asset_urls(request: Request) -> AssetUrl:
    """Return absolute addresses, on the host that the caller used or as the operator set it."""
    return served_urls(_base(request))


def _spelled(url: str) -> str:
    """Return a URL with this machine's own names spelled alike, as callers use any of them."""
    return _THIS_MACHINE.sub("//127.0.0.1", url, count=1)


def _base(request: Request) -> str:
    public = runtime_of(request).settings.server.public_url
    return (public or str(request.base_url)).rstrip("/")
