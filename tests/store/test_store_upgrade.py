"""A database of the first release keeps its money when it is brought up to date."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, insert, select
from tests.ledger.accounts import micros

import mediawright.store
from mediawright.store.database import Database
from mediawright.store.generation_rows import to_values
from mediawright.store.tables import generations, ledger_entries, spending, workspaces

DAY = 86_400 * 1_000_000
NOVEMBER = 1_793_491_200 * 1_000_000
"""2026-11-01 in UTC, in microseconds."""
SECOND_RELEASE = {"skipped_routes", "vendor_id", "checked_at", "reference"}


def at_first_release(c: Connection) -> None:
    config = Config()
    config.set_main_option(
        "script_location", str(Path(mediawright.store.__file__).parent / "migrations")
    )
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = c
    command.upgrade(config, "0001")


@pytest.fixture
def opened(empty_url: str) -> Any:
    database = Database(empty_url)
    database.write_now(at_first_release)
    yield database
    database.close()


def test_what_was_spent_is_counted_when_migrating(opened, make_generation) -> None:
    def old_row(values: dict[str, Any]) -> dict[str, Any]:
        return {name: value for name, value in values.items() if name not in SECOND_RELEASE}

    def add(c: Connection, number: int, key: str | None, at: int, entries: dict[str, int]) -> None:
        generation = make_generation(workspace_id="wsp_1", id=f"gen_{number}", api_key_id=key)
        row = old_row(to_values(generation) | {"created_at": at})
        c.execute(insert(generations), row)
        for kind, amount in entries.items():
            c.execute(
                insert(ledger_entries),
                {
                    "workspace_id": "wsp_1",
                    "generation_id": generation.id,
                    "kind": kind,
                    "amount_micros": micros(amount),
                    # Settled in another month than asked for.
                    "created_at": at + 40 * DAY,
                },
            )

    def fill(c: Connection) -> None:
        workspace = {"id": "wsp_1", "name": "x", "created_at": 0}
        c.execute(insert(workspaces), workspace | {"balance_micros": 0, "held_micros": 0})
        add(c, 1, "key_1", NOVEMBER, {"hold": -8, "capture": 3})
        add(c, 2, None, NOVEMBER + DAY - 1, {"hold": -2})
        add(c, 3, "key_1", NOVEMBER + 29 * DAY, {"hold": -4, "release": 4})
        add(c, 4, "key_1", NOVEMBER + 30 * DAY, {"hold": -1, "capture": 0})
        c.execute(
            insert(ledger_entries),
            {"workspace_id": "wsp_1", "kind": "top_up", "amount_micros": 9, "created_at": 0},
        )

    opened.write_now(fill)
    opened.migrate()

    rows = opened.read_now(lambda c: c.execute(select(spending)).fetchall())
    found = {
        (row.api_key_id, row.period, (row.period_start - NOVEMBER) // DAY): row.spent_micros
        for row in rows
        if row.spent_micros
    }
    assert found == {
        ("", "day", 0): micros(7),
        ("key_1", "day", 0): micros(5),
        ("", "day", 30): micros(1),
        ("key_1", "day", 30): micros(1),
        ("", "month", 0): micros(7),
        ("key_1", "month", 0): micros(5),
        ("", "month", 30): micros(1),
        ("key_1", "month", 30): micros(1),
    }
