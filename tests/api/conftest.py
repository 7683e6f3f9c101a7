from __future__ import annotations

from collections.abc import Iterator

import pytest
import structlog
from tests.api.running import Member, RunningServer


@pytest.fixture(scope="session", autouse=True)
def quick_log() -> Iterator[None]:
    """Tracebacks as the program writes them; those of the default take seconds to draw."""
    before = structlog.get_config()
    renderer = structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)
    structlog.configure(processors=[structlog.contextvars.merge_contextvars, renderer])
    yield
    structlog.configure(**before)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    with RunningServer(tmp_path_factory.mktemp("api")) as running:
        yield running


@pytest.fixture
def member(server: RunningServer) -> Member:
    """A caller with a workspace in which nothing has happened yet."""
    return server.new_member()
