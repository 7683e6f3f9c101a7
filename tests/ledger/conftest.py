from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.ledger.accounts import add_workspace
from tests.postgres import PostgresServer

from mediawright.ledger.ledger import Ledger
from mediawright.store.database import Database

BACKENDS = ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)]


@pytest.fixture(scope="session")
def sqlite_ledger_database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    path: Path = tmp_path_factory.mktemp("ledger") / "ledger.db"
    database = Database(f"sqlite:///{path}")
    database.migrate()
    yield database
    database.close()


@pytest.fixture(scope="session")
def postgresql_ledger_database(postgres_server: PostgresServer) -> Iterator[Database]:
    database = Database(postgres_server.url(postgres_server.create_database()))
    database.migrate()
    yield database
    database.close()


@pytest.fixture(params=BACKENDS)
def database(request: pytest.FixtureRequest) -> Database:
    """A migrated database of each kind in turn; every test has a workspace of its own in it."""
    return request.getfixturevalue(f"{request.param}_ledger_database")


@pytest.fixture
def ledger(database: Database) -> Ledger:
    return Ledger(database)


@pytest.fixture
def workspace_id(database: Database) -> str:
    """A workspace without credits."""
    return add_workspace(database)
