"""An installation that is closed while it begins leaves nothing behind that hinders the next."""

from __future__ import annotations

import asyncio

import pytest

from mediawright.app.embedded import AsyncMediawright
from mediawright.core.states import GenerationState


@pytest.mark.parametrize("seconds", [0.0, 0.05, 0.3])
async def test_the_next_instance_of_the_process_runs_its_generations(settings, seconds):
    async with AsyncMediawright(settings=settings, sandbox=True) as first:
        await first.image("waves", model="flux-schnell")
        await asyncio.sleep(seconds)

    async with AsyncMediawright(settings=settings, sandbox=True) as second:
        begun = await second.image("dunes", model="flux-schnell")
        finished = await begun.wait(timeout=60)

    assert finished.generation.state is GenerationState.SUCCEEDED
