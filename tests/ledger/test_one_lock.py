"""Credits and events of a workspace are kept in order by one lock, so that none can deadlock."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import Connection, text
from sqlalchemy.exc import OperationalError
from tests.ledger.accounts import NOW, add_workspace

from mediawright.core.events import EventType
from mediawright.store import events
from mediawright.store.database import Database
from mediawright.store.ledger_entries import lock_account

LOCK_NOT_AVAILABLE = "55P03"


def append(c: Connection, workspace_id: str) -> None:
    events.append(c, workspace_id=workspace_id, type=EventType.ASSET_STORED, now=NOW)


@pytest.mark.postgres
@pytest.mark.parametrize("first", [append, lock_account])
@pytest.mark.parametrize("second", [append, lock_account])
def test_who_has_the_one_has_the_other(
    postgresql_ledger_database: Database,
    first: Callable[[Connection, str], None],
    second: Callable[[Connection, str], None],
) -> None:
    database = postgresql_ledger_database
    busy, idle = add_workspace(database), add_workspace(database)

    def impatient(c: Connection, workspace_id: str) -> None:
        c.execute(text("SET LOCAL lock_timeout = '50ms'"))
        second(c, workspace_id)

    def work(c: Connection) -> None:
        first(c, busy)
        with ThreadPoolExecutor(1) as rival:
            rival.submit(database.write_now, lambda c: impatient(c, idle)).result()
            blocked = rival.submit(database.write_now, lambda c: impatient(c, busy))
            with pytest.raises(OperationalError) as caught:
                blocked.result()
        assert getattr(caught.value.orig, "sqlstate", None) == LOCK_NOT_AVAILABLE

    database.write_now(work)
