"""A short run of `scripts/chaos.py`: all faults, and a server that is killed all the time."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.crash.chaos import ChaosSettings, run_chaos

pytestmark = [pytest.mark.crash, pytest.mark.timeout(300)]


async def test_every_line_balances_after_many_kills(tmp_path: Path) -> None:
    settings = ChaosSettings(generations=100, clients=8, seed=7, storm_every=10.0)
    outcome = await run_chaos(tmp_path, settings)
    assert outcome.report.balances, f"{outcome.summary}\n\n{outcome.report.text()}"
    assert outcome.kills >= 2
