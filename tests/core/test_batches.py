"""Small things are done together, and each ends on its own."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Sequence

import pytest

from mediawright.core.batches import Batches


class Worker:
    """Doubles numbers, refuses odd ones, and can be held up."""

    def __init__(self) -> None:
        self.goes: list[list[int]] = []
        self.free = threading.Event()
        self.free.set()

    def __call__(self, things: Sequence[int]) -> list[int | Exception]:
        self.goes.append(list(things))
        self.free.wait(30)
        return [ValueError(thing) if thing % 2 else thing * 2 for thing in things]


async def held_up(
    batches: Batches[int, int], worker: Worker, count: int
) -> list[asyncio.Task[int]]:
    """Let as many goes begin as may, then hand over more."""
    worker.free.clear()
    tasks = [asyncio.create_task(batches.do(2 * number)) for number in range(count)]
    async with asyncio.timeout(30):
        while len(worker.goes) < 2:
            await asyncio.sleep(0)
    return tasks


async def test_each_gets_what_came_of_it() -> None:
    batches = Batches(Worker())
    assert await asyncio.gather(*(batches.do(2 * number) for number in range(200))) == [
        4 * number for number in range(200)
    ]


async def test_one_that_fails_takes_no_other_with_it() -> None:
    batches = Batches(Worker())
    results = await asyncio.gather(*map(batches.do, (2, 3, 4)), return_exceptions=True)
    assert [type(result) for result in results] == [int, ValueError, int]


async def test_what_comes_meanwhile_is_done_in_one_go() -> None:
    worker = Worker()
    batches = Batches(worker)
    tasks = await held_up(batches, worker, 12)
    worker.free.set()
    await asyncio.gather(*tasks)
    assert [len(go) for go in worker.goes] == [1, 1, 10]


async def test_an_error_of_the_work_itself_is_told_to_all() -> None:
    def refuse(things: Sequence[int]) -> list[int | Exception]:
        raise OSError(28, "No space left on device")

    batches: Batches[int, int] = Batches(refuse)
    results = await asyncio.gather(*map(batches.do, range(5)), return_exceptions=True)
    assert [type(result) for result in results] == [OSError] * 5


async def test_who_waits_no_more_takes_no_other_with_him() -> None:
    worker = Worker()
    batches = Batches(worker)
    tasks = await held_up(batches, worker, 6)
    tasks[3].cancel()
    with pytest.raises(asyncio.CancelledError):
        await tasks[3]
    worker.free.set()
    assert await asyncio.gather(*tasks[:3], *tasks[4:]) == [0, 4, 8, 16, 20]
    assert sorted(number for go in worker.goes for number in go) == [0, 2, 4, 6, 8, 10]


def test_another_event_loop_finds_it_ready() -> None:
    worker = Worker()
    batches = Batches(worker)

    async def leave_behind() -> None:
        await held_up(batches, worker, 4)
        worker.free.set()

    asyncio.run(leave_behind())
    assert asyncio.run(batches.do(8)) == 16
