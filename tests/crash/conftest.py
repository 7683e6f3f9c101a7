from __future__ import annotations

from collections.abc import Iterator

import pytest
from tests.remote_sandbox import RemoteSandbox


@pytest.fixture(scope="session")
def shared_sandbox() -> Iterator[RemoteSandbox]:
    running = RemoteSandbox()
    yield running
    running.stop()


@pytest.fixture
def fresh_sandbox(shared_sandbox: RemoteSandbox) -> RemoteSandbox:
    """A sandbox as it is at the start."""
    shared_sandbox.ask("reset", {})
    return shared_sandbox
