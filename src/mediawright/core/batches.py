"""Blocking work on many small things, done in few goes."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

T = TypeVar("T")
R = TypeVar("R")

_GOES_AT_ONCE = 2
"""Two, so that one thread computes while the other waits for the disk."""
_MOST_IN_A_GO = 64


class Batches(Generic[T, R]):
    """Has threads do blocking work; what comes while they are busy is done in the next go.

    A thread of its own for each small thing costs more than the thing, and what goes to the
    disk together is waited for together.

    Args:
        work: Does many things. Returns for each what came of it, or the error that it ended in;
            what it raises is the error of all.
    """

    def __init__(self, work: Callable[[Sequence[T]], Sequence[R | Exception]]) -> None:
        """Prepare; no thread is started."""
        self._work = work
        self._waiting: list[tuple[T, asyncio.Future[R]]] = []
        self._under_way: set[asyncio.Future[Sequence[R | Exception]]] = set()

    async def do(self, thing: T) -> R:
        """Have one thing done and return what came of it, or raise its error.

        If the awaiting task is cancelled, the thing is done all the same.
        """
        done: asyncio.Future[R] = asyncio.get_running_loop().create_future()
        self._waiting.append((thing, done))
        self._begin()
        return await done

    def _begin(self) -> None:
        loop = asyncio.get_running_loop()
        # What an event loop that is closed has left behind does not end any more.
        self._under_way = {go for go in self._under_way if go.get_loop() is loop}
        if not self._waiting or len(self._under_way) >= _GOES_AT_ONCE:
            return
        taken = self._waiting[:_MOST_IN_A_GO]
        del self._waiting[:_MOST_IN_A_GO]
        go = loop.run_in_executor(None, self._work, [thing for thing, _ in taken])
        self._under_way.add(go)

        def end(ended: asyncio.Future[Sequence[R | Exception]]) -> None:
            self._under_way.discard(ended)
            _tell([done for _, done in taken], ended)
            self._begin()

        go.add_done_callback(end)


def _tell(
    waiting: Sequence[asyncio.Future[R]], ended: asyncio.Future[Sequence[R | Exception]]
) -> None:
    """Tell those who wait what came of their things."""
    if ended.cancelled():
        for done in waiting:
            done.cancel()
        return
    error = ended.exception()
    results = [error] * len(waiting) if error is not None else ended.result()
    for done, result in zip(waiting, results, strict=True):
        if done.done():
            continue
        if isinstance(result, BaseException):
            done.set_exception(result)
        else:
            done.set_result(result)
