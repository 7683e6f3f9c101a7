"""Fixtures of the contract suite; the cases are a table in `cases.py`."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest
import pytest_asyncio

from mediawright.core.provider import Feature
from mediawright.providers.registry import provider_names
from mediawright.sandbox.background import BackgroundSandbox
from mediawright.sandbox.kit.settings import SandboxSettings

from .bench import Bench
from .cases import CASES, Case, Delivery

SELECTIONS: dict[str, Callable[[Case], bool]] = {
    "anyone": lambda case: True,
    "case": lambda case: case.is_vendor,
    "job": lambda case: case.is_job,
    "direct": lambda case: not case.is_job,
    "cancellable": lambda case: Feature.CANCEL in case.features,
    "inlined": lambda case: case.is_vendor and case.delivery is Delivery.INLINE,
    "embedded": lambda case: not case.is_vendor,
    "linked": lambda case: case.delivery is Delivery.URL,
    "streamed": lambda case: case.is_vendor and case.delivery is Delivery.BODY,
    "moderated": lambda case: case.moderates,
    "uploading": lambda case: case.large_input is not None,
    "fetched": lambda case: case.has_result_call,
}
"""Names of test arguments, and which cases each stands for."""


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    for name, belongs in SELECTIONS.items():
        if name in metafunc.fixturenames:
            metafunc.parametrize(name, [case for case in CASES if belongs(case)], ids=str)


@pytest.fixture(scope="session")
def vendors() -> Iterator[BackgroundSandbox]:
    settings = SandboxSettings(vendors=provider_names(), media="tiny", seed=11)
    with BackgroundSandbox(settings) as sandbox:
        yield sandbox


@pytest_asyncio.fixture
async def bench(
    request: pytest.FixtureRequest, vendors: BackgroundSandbox, tmp_path: Path
) -> AsyncIterator[Bench]:
    """The case that the test is given under any of its names."""
    name = next(name for name in SELECTIONS if name in request.fixturenames)
    vendors.reset()
    bench = Bench(request.getfixturevalue(name), vendors, tmp_path / "staging")
    yield bench
    await bench.close()
