"""Who may start: limits of accounts, workspaces and keys, counted in our own rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Connection

    from mediawright.core.generation import Generation
    from mediawright.jobs.limits import LimitSettings


class Admission:
    """Decides which generations start, within every limit and fairly among workspaces."""

    def __init__(self, limits: LimitSettings) -> None:
        """Hold generations to these limits."""
        self._limits = limits

    def admit(self, connection: Connection, *, executor: str, now: datetime, most: int) -> list[str]:
        """Give queued generations their places: they move from queued to submitting.

        Returns:
            The ids of those that this executor starts now, in that order.
        """
        raise NotImplementedError

    def at_once(self, connection: Connection, generation: Generation, now: datetime) -> bool:
        """Tell whether a new synchronous generation may start in its own transaction."""
        raise NotImplementedError

    def check_caller(self, connection: Connection, generation: Generation, now: datetime) -> None:
        """Refuse a new generation that is over the limits of its workspace or key.

        Raises:
            RateLimitedError: `rate_limited`.
        """
        raise NotImplementedError

    def earliest(self, connection: Connection, now: datetime) -> float | None:
        """Return the seconds until a rate frees for something queued, or `None`."""
        raise NotImplementedError
