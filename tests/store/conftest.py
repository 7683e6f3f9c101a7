"""Databases of both kinds, and records to put into them."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.postgres import PostgresServer

from mediawright.core.generation import Attempt, Generation, RoutePlan
from mediawright.core.ids import IdPrefix, new_id
from mediawright.core.money import Price
from mediawright.core.operations import Operation
from mediawright.core.request import GenerationRequest
from mediawright.core.states import AttemptState, GenerationState
from mediawright.store import generations, workspaces
from mediawright.store.database import Database
from mediawright.store.workspaces import Workspace

NOW = datetime(2026, 11, 20, 10, 15, 0, 123456, tzinfo=UTC)
BACKENDS = ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)]


@pytest.fixture(params=BACKENDS)
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of a database without tables."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'empty.db'}"
    server: PostgresServer = request.getfixturevalue("postgres_server")
    return server.url(server.create_database())


@pytest.fixture
def sqlite_url(sqlite_template: Path, tmp_path: Path) -> str:
    """The URL of a migrated SQLite database of the test's own."""
    path = tmp_path / "mediawright.db"
    shutil.copyfile(sqlite_template, path)
    return f"sqlite:///{path}"


@pytest.fixture
def postgresql_url(postgres_server: PostgresServer, postgres_template: str) -> str:
    """The URL of a migrated PostgreSQL database of the test's own."""
    return postgres_server.url(postgres_server.create_database(postgres_template))


@pytest.fixture(params=BACKENDS)
def database_url(request: pytest.FixtureRequest) -> str:
    """The URL of a migrated database of the test's own, of each kind in turn."""
    return request.getfixturevalue(f"{request.param}_url")


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    opened = Database(database_url)
    yield opened
    opened.close()


@pytest.fixture
def sqlite_database(sqlite_url: str) -> Iterator[Database]:
    opened = Database(sqlite_url)
    yield opened
    opened.close()


@pytest.fixture
def postgresql_database(postgresql_url: str) -> Iterator[Database]:
    opened = Database(postgresql_url)
    yield opened
    opened.close()


@pytest.fixture
def now() -> datetime:
    return NOW


@pytest.fixture
def workspace_id(database: Database) -> str:
    """A workspace that exists."""
    return add_workspace(database)


@pytest.fixture
def other_workspace_id(database: Database) -> str:
    return add_workspace(database)


@pytest.fixture
def make_generation() -> Callable[..., Generation]:
    return build_generation


@pytest.fixture
def add_generation(database: Database, workspace_id: str) -> Callable[..., Generation]:
    """A function that stores a generation of the workspace and returns it."""

    def add(**fields: Any) -> Generation:
        generation = build_generation(**{"workspace_id": workspace_id, **fields})
        assert database.write_now(lambda c: generations.insert(c, generation))
        return generation

    return add


@pytest.fixture
def make_attempt() -> Callable[..., Attempt]:
    return build_attempt


def add_workspace(database: Database) -> str:
    workspace = Workspace(id=new_id(IdPrefix.WORKSPACE), name="Test", created_at=NOW)
    database.write_now(lambda c: workspaces.insert(c, workspace))
    return workspace.id


def build_generation(**fields: Any) -> Generation:
    values: dict[str, Any] = {
        "id": new_id(IdPrefix.GENERATION),
        "trace_id": new_id(IdPrefix.TRACE),
        "state": GenerationState.QUEUED,
        "operation": Operation.TEXT_TO_IMAGE,
        "model": "local-sketch-image",
        "request": GenerationRequest(model="local-sketch-image", prompt="a lighthouse"),
        "routes": (RoutePlan(provider="local", upstream_id="sketch"),),
        "price": Price(),
        "created_at": NOW,
        "updated_at": NOW,
    }
    return Generation(**{**values, **fields})


def build_attempt(generation_id: str, number: int = 1, **fields: Any) -> Attempt:
    values: dict[str, Any] = {
        "generation_id": generation_id,
        "number": number,
        "state": AttemptState.INTENT,
        "provider": "fal",
        "upstream_id": "fal-ai/flux/schnell",
        "client_reference": f"{generation_id}:{number}",
        "request_hash": "0" * 64,
        "executor": "local",
        "created_at": NOW,
        "updated_at": NOW + timedelta(seconds=1),
    }
    return Attempt(**{**values, **fields})
