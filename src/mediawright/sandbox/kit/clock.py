"""The sandbox's time: the machine's, plus as much as somebody moved it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta


class VirtualClock:
    """Runs with the machine's clock and can be moved ahead of it."""

    def __init__(self) -> None:
        self._ahead = timedelta()

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

    def reset(self) -> None:
        """Go back to the machine's time."""
        self._ahead = timedelta()
