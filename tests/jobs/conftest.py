from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests.jobs.bench import CREDITS, WORKSPACE, Bench

from mediawright.core.clock import ManualClock
from mediawright.store import workspaces
from mediawright.store.workspaces import Workspace


@pytest.fixture
async def bench(tmp_path: Path) -> Any:
    clock = ManualClock()
    made = Bench(tmp_path, clock)

    def work(connection: Any) -> None:
        workspace = Workspace(id=WORKSPACE, name="test", created_at=clock.now())
        workspaces.insert(connection, workspace)
        made.ledger.grant(connection, WORKSPACE, CREDITS, now=clock.now())

    await made.database.write(work)
    yield made
    await made.jobs.close()
    made.database.close()
