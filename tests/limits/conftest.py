"""Migrated databases of both kinds, of each test's own."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from tests.postgres import PostgresServer

from mediawright.store.database import Database

BACKENDS = ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)]


@pytest.fixture(params=BACKENDS)
def database_url(request: pytest.FixtureRequest) -> str:
    backend: str = request.param
    return request.getfixturevalue(f"{backend}_url")()


@pytest.fixture
def sqlite_url(sqlite_template: Path, tmp_path: Path) -> Callable[[], str]:
    """A function that makes a database and returns its URL."""

    def make() -> str:
        path = tmp_path / f"{len(list(tmp_path.iterdir()))}.db"
        shutil.copyfile(sqlite_template, path)
        return f"sqlite:///{path}"

    return make


@pytest.fixture
def postgresql_url(postgres_server: PostgresServer, postgres_template: str) -> Callable[[], str]:
    return lambda: postgres_server.url(postgres_server.create_database(postgres_template))


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    opened = Database(database_url)
    yield opened
    opened.close()


@pytest.fixture
def engine(postgresql_url: Callable[[], str]) -> Iterator[sa.Engine]:
    """Transactions that are not repeated, and give up where they would wait for long."""
    made = sa.create_engine(
        postgresql_url(), connect_args={"options": "-c lock_timeout=2000"}, pool_size=8
    )
    yield made
    made.dispose()
