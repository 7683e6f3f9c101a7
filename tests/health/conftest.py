"""Databases of both kinds, and circuit breakers of several processes on one of them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.postgres import PostgresServer

from mediawright.core.clock import ManualClock
from mediawright.jobs.health import Circuits
from mediawright.jobs.trying_again import CircuitSettings
from mediawright.store.database import Database

BACKENDS = ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)]


@pytest.fixture(params=BACKENDS)
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    if request.param == "sqlite":
        opened = Database(f"sqlite:///{tmp_path / 'test.db'}")
        opened.migrate()
    else:
        server: PostgresServer = request.getfixturevalue("postgres_server")
        template = request.getfixturevalue("postgres_template")
        opened = Database(server.url(server.create_database(template)))
    yield opened
    opened.close()


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


Process = Callable[..., Circuits]


@pytest.fixture
async def process(database: Database, clock: ManualClock) -> AsyncIterator[Process]:
    """Begins another process that works with the database."""
    begun: list[Circuits] = []

    def begin(*, account_mark: Any = lambda _: None, **settings: Any) -> Circuits:
        circuits = Circuits(database, clock, CircuitSettings(**settings), account_mark=account_mark)
        begun.append(circuits)
        return circuits

    yield begin
    for circuits in begun:
        await circuits.close()
