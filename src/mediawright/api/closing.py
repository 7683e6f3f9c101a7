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
        self._begun: asyncio.Future[None] | None = None

    def begin(self) -> None:
        """End all streams and waits, those to come too."""
        begun = self.begun()
        if not begun.done():
            begun.set_result(None)

    def begun(self) -> asyncio.Future[None]:
        """Return what is done when the server is about to stop; not to be cancelled."""
        if self._begun is None:
            self._begun = asyncio.get_running_loop().create_future()
        return self._begun


async def until_closing(items: AsyncIterator[T], closing: Closing) -> AsyncGenerator[T]:
    """Yield the items until there are no more or the server stops."""
    stop = closing.begun()
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


async def while_wanted(
    request: Request, closing: Closing, work: Coroutine[Any, Any, T]
) -> T | None:
    """Return what the work brings; `None` if the client went away or the server stops before.

    Args:
        request: Whose body has been read.
        closing: The server's.
        work: Is given up when nobody waits for it any more.
    """
    task, gone = asyncio.ensure_future(work), asyncio.ensure_future(_until_gone(request))
    try:
        ends = (task, gone, closing.begun())
        done, _ = await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
        for item in done:
            item.result()
        return task.result() if task.done() else None
    finally:
        await _give_up(task)
        await _give_up(gone)


async def _until_gone(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass


async def _give_up(task: asyncio.Future[Any]) -> None:
    """Cancel a task and wait until it has let go of everything; its result is not looked at."""
    if not task.done():
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
