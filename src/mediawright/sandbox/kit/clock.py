"""The sandbox's time: the machine's, plus as much as somebody moved it."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta


class VirtualClock:
    """Runs with the machine's clock and can be moved ahead of it."""

    def __init__(self) -> None:
        self._ahead = timedelta()
        self._moved = asyncio.Event()

    def now(self) -> datetime:
        """Return the virtual time, aware and in UTC."""
        return datetime.now(UTC) + self._ahead

    @property
    def ahead(self) -> float:
        """Seconds by which the clock was moved so far."""
        return self._ahead.total_seconds()

    def advance(self, seconds: float) -> None:
        """Move the clock forward.

        Args:
            seconds: How far, not negative.
        """
        if seconds < 0:
            raise ValueError("the clock only moves forward")
        self._ahead += timedelta(seconds=seconds)
        self._wake()

    def reset(self) -> None:
        """Go back to the machine's time."""
        self._ahead = timedelta()
        self._wake()

    async def sleep_until(self, moment: datetime, *, unless: asyncio.Event | None = None) -> None:
        """Return when a virtual time has come, by itself or because the clock was moved.

        Args:
            moment: The time.
            unless: Something that ends the sleep early.
        """
        ended = unless or asyncio.Event()
        while not ended.is_set() and (seconds := (moment - self.now()).total_seconds()) > 0:
            waits = [asyncio.ensure_future(event.wait()) for event in (self._moved, ended)]
            try:
                await asyncio.wait(waits, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for wait in waits:
                    wait.cancel()

    def _wake(self) -> None:
        self._moved.set()
        self._moved = asyncio.Event()
