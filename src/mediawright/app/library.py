"""Finished files, by id."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mediawright.app.views import asset_key
from mediawright.core.errors import NotFoundError
from mediawright.store import assets

if TYPE_CHECKING:
    from pathlib import Path

    from mediawright.app.runtime import Runtime
    from mediawright.core.generation import Asset
    from mediawright.core.operations import MediaKind


async def find_asset(runtime: Runtime, workspace_id: str, asset_id: str) -> Asset:
    """Return an asset.

    Raises:
        NotFoundError: There is none of that id in the workspace.
    """
    found = await runtime.database.read(
        lambda connection: assets.get(connection, workspace_id, asset_id)
    )
    if found is None:
        raise NotFoundError(
            "asset_not_found",
            f"There is no asset {asset_id}.",
            hint="List them: mediawright assets list",
        )
    return found


async def copy_variant(runtime: Runtime, asset: Asset, variant: str) -> Path:
    """Return a path on this machine to an asset's file or to one of its renditions.

    Raises:
        NotFoundError: It has no such rendition.
    """
    key = asset_key(asset, variant)
    if key is None:
        raise NotFoundError(
            "rendition_not_found", f"The asset {asset.id} has no {variant} rendition."
        )
    return await runtime.library.local_copy_of(key)


async def list_assets(
    runtime: Runtime,
    workspace_id: str,
    *,
    limit: int = 20,
    before: str | None = None,
    kind: MediaKind | None = None,
) -> list[Asset]:
    """Return a workspace's assets, newest first."""
    return await runtime.database.read(
        lambda connection: assets.page(
            connection, workspace_id, limit=limit, before=before, kind=kind
        )
    )
