"""A whole installation that keeps to limits."""

from __future__ import annotations

import asyncio
from itertools import pairwise

import msgspec
import pytest

from mediawright import AsyncMediawright, Settings
from mediawright.app.settings import LimitsSettings, MediaSettings, ProviderSettings
from mediawright.core.errors import RateLimitedError
from mediawright.core.generation import Generation
from mediawright.jobs.limits import AccountLimits, CallerLimits, WhenExceeded


def limited(settings: Settings, limits: LimitsSettings, **accounts: AccountLimits) -> Settings:
    providers = {name: ProviderSettings(limits=account) for name, account in accounts.items()}
    return msgspec.structs.replace(
        settings, limits=limits, media=MediaSettings(providers=providers)
    )


async def make(settings: Settings, count: int) -> list[Generation]:
    """Have so many pictures made at the same time; return them as they ended."""
    async with AsyncMediawright(settings=settings) as installation:
        handles = await asyncio.gather(
            *(installation.image(f"a fox {number}", size="64x64") for number in range(count))
        )
        results = await asyncio.gather(*(handle.wait() for handle in handles))
    return [result.generation for result in results]


def overlap(made: list[Generation]) -> bool:
    spans = sorted((item.started_at, item.finished_at) for item in made)
    return any(second[0] < first[1] for first, second in pairwise(spans))


async def test_an_account_for_one_at_a_time_makes_all_one_after_the_other(settings):
    made = await make(limited(settings, LimitsSettings(), local=AccountLimits(concurrent=1)), 5)

    assert {item.state.value for item in made} == {"succeeded"}
    assert not overlap(made)


async def test_a_workspace_for_one_at_a_time_waits_for_itself(settings):
    limits = LimitsSettings(
        workspace=CallerLimits(concurrent_generations=1), when_exceeded=WhenExceeded.QUEUE
    )
    made = await make(limited(settings, limits), 4)

    assert {item.state.value for item in made} == {"succeeded"}
    assert not overlap(made)


async def test_beyond_the_rate_of_its_account_a_generation_waits(settings):
    limits = limited(settings, LimitsSettings(), local=AccountLimits(requests_per_minute=2))
    async with AsyncMediawright(settings=limits) as installation:
        for number in range(2):
            await (await installation.image(f"a fox {number}", size="64x64")).wait()
        late = await installation.image("one too many", size="64x64")

        assert (await late.describe())["status"] == "pending"
        await late.cancel()
        assert (await late.describe())["status"] == "cancelled"


async def test_beyond_the_limit_of_its_workspace_a_generation_is_refused(settings):
    limits = limited(settings, LimitsSettings(workspace=CallerLimits(requests_per_minute=1)))
    async with AsyncMediawright(settings=limits) as installation:
        await (await installation.image("a fox", size="64x64")).wait()
        with pytest.raises(RateLimitedError) as caught:
            await installation.image("a fox", size="64x64")
        assert caught.value.details["retry_after"] <= 60

    # The next process counts the same rows.
    async with AsyncMediawright(settings=limits) as installation:
        with pytest.raises(RateLimitedError):
            await installation.image("a fox", size="64x64")


async def test_without_limits_they_are_made_side_by_side(settings):
    assert overlap(await make(settings, 3))
