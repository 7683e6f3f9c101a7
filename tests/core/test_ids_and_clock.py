from __future__ import annotations

import asyncio
import threading
import time

from hypothesis import given
from hypothesis import strategies as st

from mediawright.core.clock import ManualClock, SystemClock
from mediawright.core.ids import IdPrefix, has_prefix, new_id, uuid7


def test_ids_sort_by_the_time_they_were_made() -> None:
    made = [new_id(IdPrefix.GENERATION) for _ in range(5_000)]
    assert made == sorted(made)
    assert len(set(made)) == len(made)


def test_ids_are_unique_across_threads() -> None:
    found: list[str] = []

    def make() -> None:
        found.extend(uuid7().hex for _ in range(2_000))

    threads = [threading.Thread(target=make) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(found)) == 8_000


def test_ids_are_version_7_and_carry_the_time() -> None:
    made = uuid7()
    assert made.version == 7
    assert abs((made.int >> 80) / 1000 - time.time()) < 5


@given(st.text())
def test_only_our_own_shape_passes(text: str) -> None:
    assert not has_prefix(text, IdPrefix.ASSET) or len(text) == 36
    assert has_prefix(new_id(IdPrefix.ASSET), IdPrefix.ASSET)
    assert not has_prefix(new_id(IdPrefix.ASSET), IdPrefix.GENERATION)


async def test_a_manual_clock_wakes_sleepers_in_order() -> None:
    clock = ManualClock()
    woken: list[str] = []

    async def sleeper(name: str, seconds: float) -> None:
        await clock.sleep(seconds)
        woken.append(f"{name}@{clock.monotonic():g}")

    tasks = [
        asyncio.create_task(sleeper(name, seconds))
        for name, seconds in (("late", 5.0), ("soon", 1.0))
    ]
    await asyncio.sleep(0)
    before = clock.now()
    await clock.advance(2.0)
    assert woken == ["soon@1"]
    await clock.advance(10.0)
    assert woken == ["soon@1", "late@5"]
    assert (clock.now() - before).total_seconds() == 12.0
    await asyncio.gather(*tasks)


def test_the_system_clock_is_aware() -> None:
    assert SystemClock().now().tzinfo is not None
