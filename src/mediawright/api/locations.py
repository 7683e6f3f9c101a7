"""The addresses of files, as seen by whoever asked."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from mediawright.api.context import runtime_of
from mediawright.app.views import AssetUrl, asset_key

if TYPE_CHECKING:
    from fastapi import Request

    from mediawright.core.generation import Asset


_CONTENT = re.compile(r"/v1/assets/(ast_[0-9a-f]{32})/content(?:\?variant=content)?")


def own_asset_id(request: Request, url: str) -> str | None:
    """Return the id of the asset that an address of this server names (rule 8).

    Args:
        request: Whose sender knows this server by the address it used.
        url: Any URL; `None` is returned for those that lead elsewhere.
    """
    match = _CONTENT.fullmatch(url.removeprefix(_base(request)))
    return match.group(1) if match else None


def asset_urls(request: Request) -> AssetUrl:
    """Return absolute addresses, on the host that the caller used or as the operator set it."""
    base = _base(request)

    def locate(asset: Asset, variant: str) -> str | None:
        if asset_key(asset, variant) is None:
            return None
        suffix = "" if variant == "content" else f"?variant={variant}"
        return f"{base}/v1/assets/{asset.id}/content{suffix}"

    return locate


def _base(request: Request) -> str:
    public = runtime_of(request).settings.server.public_url
    return (public or str(request.base_url)).rstrip("/")
