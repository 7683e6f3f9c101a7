"""The gate that further submits of a generation pass: retries and fallbacks."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mediawright.core.clock import Clock
    from mediawright.core.generation import Generation
    from mediawright.jobs.admission import Admission
    from mediawright.store.database import Database

_LOOK_AGAIN = 1.0
"""Seconds between two looks, at most: the generation may be cancelled while it waits."""


class AccountGate:
    """Keeps further submits within the limits of the provider's account (a `SubmitGate`)."""

    def __init__(self, database: Database, admission: Admission, clock: Clock) -> None:
        """Ask `admission`, as often as it takes."""
        self._database = database
        self._admission = admission
        self._clock = clock

    async def pass_through(self, generation: Generation, provider: str) -> None:
        """Return when one more submit to the provider is within its account's limits.

        The place is the generation's until it has written its attempt or ended. Also returns
        when it is not wanted any more: writing the attempt will show that.
        """
        if not self._admission.is_limited(provider):
            return
        with self._admission.waiting_at_gate(provider):
            while (seconds := await self._reserve(generation.id, provider)) is not None:
                await self._clock.sleep(min(seconds, _LOOK_AGAIN))

    async def _reserve(self, generation_id: str, provider: str) -> float | None:
        now = self._clock.now()
        return await self._database.write(
            lambda connection: self._admission.reserve(connection, generation_id, provider, now)
        )
