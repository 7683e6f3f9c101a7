"""Assets: which files there are, whose, and what they are."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from functools import cache
from typing import Any

import msgspec
from sqlalchemy import Connection, Row, Select, Text, bindparam, delete, select, update

from mediawright.core.generation import Asset
from mediawright.core.media import MediaFacts
from mediawright.core.operations import MediaKind
from mediawright.store.codec import from_micros, storable, to_json, to_micros
from mediawright.store.conditions import RENDITIONS_DUE
from mediawright.store.insertion import insert_once
from mediawright.store.tables import assets

_facts = msgspec.json.Decoder(MediaFacts)

_OWN = assets.c.workspace_id == bindparam("workspace_id")
_GET = select(assets).where(assets.c.id == bindparam("asset_id"), _OWN)
_FOR_GENERATIONS = (
    select(assets)
    .where(_OWN, assets.c.generation_id.in_(bindparam("generation_ids", expanding=True)))
    .order_by(assets.c.generation_id, assets.c.output_index)
)
_DUE = (
    select(assets)
    .where(RENDITIONS_DUE, assets.c.created_at < bindparam("before"))
    .order_by(assets.c.id)
    .limit(bindparam("most"))
)
_SET_RENDITIONS = (
    update(assets)
    .where(assets.c.id == bindparam("asset_id"))
    .values(
        thumbnail_key=bindparam("new_thumbnail", type_=Text),
        optimized_key=bindparam("new_optimized", type_=Text),
        renditions_due=False,
    )
)
_DELETE = delete(assets).where(assets.c.id == bindparam("asset_id"), _OWN).returning(*assets.c)


def insert(c: Connection, asset: Asset) -> bool:
    """Add an asset. One that a generation made is marked if its smaller versions are missing.

    Returns:
        Whether it was added; `False` if its generation has an output with that index already.
    """
    values = {
        "id": asset.id,
        "workspace_id": asset.workspace_id,
        "generation_id": asset.generation_id,
        "output_index": asset.index,
        "kind": asset.facts.kind.value,
        "key": asset.key,
        "facts": to_json(asset.facts),
        "sha256": asset.sha256,
        "thumbnail_key": asset.thumbnail_key,
        "optimized_key": asset.optimized_key,
        "text": storable(asset.text),
        "seed": None if asset.seed is None else str(asset.seed),
        "revised_prompt": storable(asset.revised_prompt),
        "created_at": to_micros(asset.created_at),
        "renditions_due": (
            asset.generation_id is not None
            and asset.facts.kind is not MediaKind.TEXT
            and asset.thumbnail_key is None
        ),
    }
    return insert_once(c, assets, values, ("generation_id", "output_index"))


def get(c: Connection, workspace_id: str, asset_id: str) -> Asset | None:
    """Return a workspace's asset."""
    row = c.execute(_GET, {"workspace_id": workspace_id, "asset_id": asset_id}).first()
    return None if row is None else _to_asset(row)


def page(
    c: Connection,
    workspace_id: str,
    *,
    limit: int,
    before: str | None = None,
    kind: MediaKind | None = None,
) -> list[Asset]:
    """Return a workspace's assets, newest first.

    Args:
        c: The connection.
        workspace_id: Whose.
        limit: At most so many.
        before: The id of the last one already seen.
        kind: Only files of this kind.
    """
    values: dict[str, Any] = {"workspace_id": workspace_id, "most": limit}
    if before is not None:
        values["before"] = before
    if kind is not None:
        values["kind"] = kind.value
    rows = c.execute(_page(before=before is not None, kind=kind is not None), values)
    return [_to_asset(row) for row in rows]


def for_generation(c: Connection, workspace_id: str, generation_id: str) -> list[Asset]:
    """Return the outputs of a generation in their order."""
    return for_generations(c, workspace_id, [generation_id])[generation_id]


def for_generations(
    c: Connection, workspace_id: str, generation_ids: Collection[str]
) -> dict[str, list[Asset]]:
    """Return the outputs of many generations, in their order, by the generation's id.

    Every id asked for is in the answer, those without outputs with an empty list.
    """
    found: dict[str, list[Asset]] = {generation_id: [] for generation_id in generation_ids}
    if found:
        values = {"workspace_id": workspace_id, "generation_ids": list(found)}
        for row in c.execute(_FOR_GENERATIONS, values):
            found[row.generation_id].append(_to_asset(row))
    return found


def due_for_renditions(c: Connection, before: datetime, *, limit: int) -> list[Asset]:
    """Return assets whose smaller versions are still to be made, oldest first; for the engine.

    Args:
        c: The connection.
        before: Only those that were made earlier.
        limit: At most so many.
    """
    return [_to_asset(row) for row in c.execute(_DUE, {"before": to_micros(before), "most": limit})]


def set_renditions(c: Connection, asset: Asset) -> bool:
    """Write down the smaller versions of an asset, or that there can be none; for the engine.

    Returns:
        Whether the asset is still there.
    """
    values = {
        "asset_id": asset.id,
        "new_thumbnail": asset.thumbnail_key,
        "new_optimized": asset.optimized_key,
    }
    return c.execute(_SET_RENDITIONS, values).rowcount > 0


def remove(c: Connection, workspace_id: str, asset_id: str) -> Asset | None:
    """Forget an asset.

    Returns:
        The asset that was, so that its files can be deleted; `None` if there was no such.
    """
    row = c.execute(_DELETE, {"workspace_id": workspace_id, "asset_id": asset_id}).first()
    return None if row is None else _to_asset(row)


@cache
def _page(*, before: bool, kind: bool) -> Select[Any]:
    statement = select(assets).where(_OWN).order_by(assets.c.id.desc()).limit(bindparam("most"))
    if before:
        statement = statement.where(assets.c.id < bindparam("before"))
    if kind:
        statement = statement.where(assets.c.kind == bindparam("kind"))
    return statement


def _to_asset(row: Row[Any]) -> Asset:
    return Asset(
        id=row.id,
        workspace_id=row.workspace_id,
        key=row.key,
        facts=_facts.decode(row.facts),
        sha256=row.sha256,
        created_at=from_micros(row.created_at),
        generation_id=row.generation_id,
        index=row.output_index,
        thumbnail_key=row.thumbnail_key,
        optimized_key=row.optimized_key,
        text=row.text,
        seed=None if row.seed is None else int(row.seed),
        revised_prompt=row.revised_prompt,
    )
