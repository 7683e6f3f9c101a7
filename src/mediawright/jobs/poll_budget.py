"""How often a provider's account is asked how its jobs stand."""

from __future__ import annotations

from collections.abc import Mapping

from mediawright.core.clock import Clock, SystemClock

_MINUTE = 60.0


class PollBudget:
    """Spreads the questions of this process evenly, so that no minute has more than allowed.

    A question whose turn is later simply waits: the answer comes a little later, where a
    provider that is asked too often would answer none.
    """

    def __init__(
        self, per_minute: Mapping[str, int] | None = None, clock: Clock | None = None
    ) -> None:
        """Take the rates.

        Args:
            per_minute: Questions allowed in a minute, by provider; others are not limited.
            clock: Time; the machine's by default.
        """
        self._clock = clock or SystemClock()
        self._intervals = {name: _MINUTE / rate for name, rate in (per_minute or {}).items()}
        self._next: dict[str, float] = {}

    async def take(self, provider: str) -> None:
        """Return when it is this question's turn."""
        interval = self._intervals.get(provider)
        if interval is None:
            return
        now = self._clock.monotonic()
        turn = max(now, self._next.get(provider, now))
        self._next[provider] = turn + interval
        if turn > now:
            await self._clock.sleep(turn - now)
