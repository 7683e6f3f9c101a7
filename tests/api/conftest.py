from __future__ import annotations

from collections.abc import Iterator

import pytest
from tests.api.running import Member, RunningServer


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    with RunningServer(tmp_path_factory.mktemp("api")) as running:
        yield running


@pytest.fixture
def member(server: RunningServer) -> Member:
    """A caller with a workspace in which nothing has happened yet."""
    return server.new_member()
