"""A sandbox in a thread of its own, emptied before each test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from mediawright.sandbox.background import BackgroundSandbox
from mediawright.sandbox.kit.settings import SandboxSettings


@pytest.fixture(scope="session")
def running_sandbox() -> Iterator[BackgroundSandbox]:
    with BackgroundSandbox(SandboxSettings(media="tiny", seed=7)) as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(running_sandbox: BackgroundSandbox) -> BackgroundSandbox:
    """The session's sandbox, as fresh as just started."""
    running_sandbox.reset()
    return running_sandbox
