"""The addresses of files, as seen by whoever asked."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mediawright.app.views import AssetUrl, asset_key

if TYPE_CHECKING:
    from fastapi import Request

    from mediawright.core.generation import Asset


def asset_urls(request: Request) -> AssetUrl:
    """Return absolute addresses on the host that the caller used."""
    base = str(request.base_url).rstrip("/")

    def locate(asset: Asset, variant: str) -> str | None:
        if asset_key(asset, variant) is None:
            return None
        suffix = "" if variant == "content" else f"?variant={variant}"
        return f"{base}/v1/assets/{asset.id}/content{suffix}"

    return locate
