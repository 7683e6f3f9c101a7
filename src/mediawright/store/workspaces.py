"""Workspaces: to whom everything belongs."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec
import sqlalchemy as sa
from sqlalchemy import Connection, Row, bindparam, select, update

from mediawright.store.codec import from_micros, to_micros
from mediawright.store.insertion import insert_once
from mediawright.store.tables import workspaces


class Workspace(msgspec.Struct, frozen=True, kw_only=True):
    """A tenant: its generations, files, keys and credits are nobody else's."""

    id: str
    name: str
    created_at: datetime


_INSERT = sa.insert(workspaces)
_GET = select(workspaces).where(workspaces.c.id == bindparam("workspace_id"))
_PAGE = (
    select(workspaces)
    .where(workspaces.c.id > bindparam("after"))
    .order_by(workspaces.c.id)
    .limit(bindparam("most"))
)
_RENAME = (
    update(workspaces)
    .where(workspaces.c.id == bindparam("workspace_id"))
    .values(name=bindparam("new_name"))
)
_MARKUP = select(workspaces.c.markup_micros).where(workspaces.c.id == bindparam("workspace_id"))
_SET_MARKUP = (
    update(workspaces)
    .where(workspaces.c.id == bindparam("workspace_id"))
    .values(markup_micros=bindparam("new_markup"))
)


def insert(c: Connection, workspace: Workspace) -> None:
    """Add a workspace, with no credits."""
    c.execute(_INSERT, _to_values(workspace))


def ensure(c: Connection, workspace: Workspace) -> bool:
    """Add a workspace unless its id is taken; tell whether it is new."""
    return insert_once(c, workspaces, _to_values(workspace), ("id",))


def get(c: Connection, workspace_id: str) -> Workspace | None:
    """Return a workspace, or `None` if there is no such."""
    row = c.execute(_GET, {"workspace_id": workspace_id}).first()
    return None if row is None else _to_workspace(row)


def page(c: Connection, *, limit: int, after: str = "") -> list[Workspace]:
    """Return workspaces in the order they were made; of all tenants, for the operator.

    Args:
        c: The connection.
        limit: At most so many.
        after: The id of the last one already seen.
    """
    rows = c.execute(_PAGE, {"after": after, "most": limit})
    return [_to_workspace(row) for row in rows]


def rename(c: Connection, workspace_id: str, name: str) -> bool:
    """Give a workspace another name; tell whether there is such a workspace."""
    values = {"workspace_id": workspace_id, "new_name": name}
    return c.execute(_RENAME, values).rowcount == 1


def markup_micros(c: Connection, workspace_id: str) -> int | None:
    """Return a workspace's own markup in millionths, or `None` if it has none of its own."""
    return c.execute(_MARKUP, {"workspace_id": workspace_id}).scalar_one_or_none()


def set_markup(c: Connection, workspace_id: str, micros: int | None) -> bool:
    """Give a workspace a markup of its own, or none; tell whether there is such a workspace."""
    values = {"workspace_id": workspace_id, "new_markup": micros}
    return c.execute(_SET_MARKUP, values).rowcount == 1


def _to_values(workspace: Workspace) -> dict[str, Any]:
    return {
        "id": workspace.id,
        "name": workspace.name,
        "created_at": to_micros(workspace.created_at),
        "balance_micros": 0,
        "held_micros": 0,
    }


def _to_workspace(row: Row[Any]) -> Workspace:
    return Workspace(id=row.id, name=row.name, created_at=from_micros(row.created_at))
