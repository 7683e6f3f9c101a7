"""Signals: Ctrl-C that detaches, and servers that stop when they are told to."""

from __future__ import annotations

import asyncio
import signal
from contextlib import contextmanager
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from collections.abc import Generator

_ENOUGH = 3
"""So many times Ctrl-C end the process on the spot; what it was doing goes on at its next start."""


class Interruption:
    """Ctrl-C, noticed instead of raised, from `arm` to the end of the block."""

    def __init__(self) -> None:
        """Notice nothing yet."""
        self.pressed = asyncio.Event()
        self._times = 0
        self._armed = False

    def arm(self) -> None:
        """Notice Ctrl-C from here on."""
        asyncio.get_running_loop().add_signal_handler(signal.SIGINT, self._press)
        self._armed = True

    async def pressed_within(self, seconds: float) -> bool:
        """Forget what was pressed and tell whether it is pressed again in time."""
        self.pressed.clear()
        try:
            async with asyncio.timeout(seconds):
                await self.pressed.wait()
        except TimeoutError:
            return False
        return True

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._armed:
            asyncio.get_running_loop().remove_signal_handler(signal.SIGINT)

    def _press(self) -> None:
        self._times += 1
        if self._times >= _ENOUGH:
            signal.signal(signal.SIGINT, signal.SIG_DFL)
            signal.raise_signal(signal.SIGINT)
        self.pressed.set()


@contextmanager
def told_to_stop() -> Generator[asyncio.Event]:
    """Yield an event that is set by SIGTERM or SIGINT."""
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stopped.set)
    try:
        yield stopped
    finally:
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.remove_signal_handler(number)
