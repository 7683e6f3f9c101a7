"""Workspaces: to whom generations, files and credits belong."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mediawright.core.errors import NotFoundError
from mediawright.store import workspaces
from mediawright.store.workspaces import Workspace

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from mediawright.app.runtime import Runtime

DEFAULT_WORKSPACE = "wsp_00000000000000000000000000000000"
"""The workspace of whoever uses an installation without saying whose it is."""


async def ensure_workspace(runtime: Runtime, workspace_id: str, name: str = "default") -> None:
    """Make a workspace with its first credits, unless it exists."""
    now = runtime.clock.now()
    found = await runtime.database.read(lambda connection: workspaces.get(connection, workspace_id))
    if found is not None:
        return

    def work(connection: Connection) -> None:
        if workspaces.ensure(connection, Workspace(id=workspace_id, name=name, created_at=now)):
            runtime.ledger.grant(
                connection, workspace_id, runtime.settings.account.initial_credits, now=now
            )

    await runtime.database.write(work)


def require_workspace(connection: Connection, workspace_id: str) -> None:
    """Refuse to go on for a workspace that does not exist.

    Raises:
        NotFoundError: `workspace_not_found`.
    """
    if workspaces.get(connection, workspace_id) is None:
        raise NotFoundError("workspace_not_found", f"There is no workspace {workspace_id}.")
