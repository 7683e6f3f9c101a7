"""Ends what could wait for ever: when the server stops, or the client has gone."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Coroutine
from contextlib import suppress
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from fastapi import Request

T = TypeVar("T")


class Closing:
    """Tells open streams and waits that the server is about to stop."""

    def __init__(self) -> None:
        self._begun = asyncio.Event()

    def begin(self) -> None:
        """End all streams and waits, those to come too."""
        self._begun.set()

    async def wait(self) -> None:
        """Return when the server is about to stop."""
        await self._begun.wait()


async def until_closing(items: AsyncIterator[T], closing: Closing) -> AsyncGenerator[T]:
    """Yield the items until there are no more or the server stops."""
    stop = asyncio.create_task(closing.wait())
    try:
        while not stop.done():
            item = asyncio.ensure_future(anext(items))
            try:
                await asyncio.wait((item, stop), return_when=asyncio.FIRST_COMPLETED)
                if not item.done():
                    return
            finally:
                await _give_up(item)
            try:
                yield item.result()
            except StopAsyncIteration:
                return
    finally:
        await _give_up(stop)


async def while_wanted(
    request: Request, closing: Closing, work: Coroutine[Any, Any, T]
) -> T | None:
    """Return what the work brings; `None` if the client went away or the server stops before.

    Args:
        request: Whose body has been read.
        closing: The server's.
        work: Is given up when nobody waits for it any more.
    """
    task = asyncio.ensure_future(work)
    others = (asyncio.ensure_future(closing.wait()), asyncio.ensure_future(_until_gone(request)))
    try:
        done, _ = await asyncio.wait((task, *others), return_when=asyncio.FIRST_COMPLETED)
        for item in done:
            item.result()
        return task.result() if task.done() else None
    finally:
        for item in (task, *others):
            await _give_up(item)


async def _until_gone(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass


async def _give_up(task: asyncio.Future[Any]) -> None:
    """Cancel a task and wait until it has let go of everything; its result is not looked at."""
    if not task.done():
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
