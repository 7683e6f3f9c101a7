"""Signals: Ctrl-C that detaches, and servers that stop when they are told to."""

from __future__ import annotations

import asyncio
import signal
from contextlib import contextmanager
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from collections.abc import Generator


_ECHO = 0.15
"""Seconds in which a second signal counts as the same key."""


class Interruption:
    """Ctrl-C, noticed instead of raised, from `arm` to the end of the block."""

    def __init__(self) -> None:
        """Notice nothing yet."""
        self.pressed = asyncio.Event()
        self._armed = False

    def arm(self) -> None:
        """Notice Ctrl-C from here on."""
        asyncio.get_running_loop().add_signal_handler(signal.SIGINT, self.pressed.set)
        self._armed = True

    async def forget(self) -> None:
        """Forget that it was pressed; some programs send the signal twice for one key."""
        await asyncio.sleep(_ECHO)
        self.pressed.clear()

    async def pressed_within(self, seconds: float) -> bool:
        """Tell whether it is pressed in that time."""
        try:
            async with asyncio.timeout(seconds):
                await self.pressed.wait()
        except TimeoutError:
            return False
        return True

    def let_go(self) -> None:
        """Let the next Ctrl-C end the process on the spot; its work goes on at the next start."""
        self._disarm()
        signal.signal(signal.SIGINT, signal.SIG_DFL)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._disarm()
        if signal.getsignal(signal.SIGINT) is signal.SIG_DFL:
            signal.signal(signal.SIGINT, signal.default_int_handler)

    def _disarm(self) -> None:
        if self._armed:
            self._armed = False
            asyncio.get_running_loop().remove_signal_handler(signal.SIGINT)


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
