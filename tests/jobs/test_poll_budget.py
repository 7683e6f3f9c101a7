"""Providers are asked no more often than their accounts allow."""

from __future__ import annotations

import asyncio

from hypothesis import given, settings
from hypothesis import strategies as st

from mediawright.core.clock import ManualClock
from mediawright.jobs.poll_budget import PollBudget


async def asked(rate: int, starts: list[float]) -> list[float]:
    """Return when questions were asked that wanted to be asked at these times."""
    clock = ManualClock()
    budget = PollBudget({"fal": rate}, clock)
    times: list[float] = []

    async def ask(start: float) -> None:
        await clock.sleep(start)
        await budget.take("fal")
        times.append(clock.monotonic())

    tasks = [asyncio.create_task(ask(start)) for start in starts]
    for _ in range(5):
        await asyncio.sleep(0)
    while len(times) < len(starts):
        await clock.advance(1.0)
    await asyncio.gather(*tasks)
    return times


@settings(max_examples=40, deadline=None)
@given(
    rate=st.integers(1, 30),
    starts=st.lists(st.floats(0, 90), min_size=1, max_size=40),
)
def test_no_minute_has_more_than_allowed(rate, starts):
    times = asyncio.run(asked(rate, starts))

    assert len(times) == len(starts)
    for start in times:
        within = [time for time in times if start <= time < start + 60.0 - 1e-6]
        assert len(within) <= rate


async def test_who_comes_first_is_asked_at_once():
    assert await asked(1, [0.0, 0.0]) == [0.0, 60.0]


async def test_a_provider_without_a_limit_never_waits():
    clock = ManualClock()
    budget = PollBudget({"fal": 1}, clock)
    for _ in range(1_000):
        await budget.take("runway")

    assert clock.monotonic() == 0.0
