"""The gate that further submits of a generation pass: retries and fallbacks."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mediawright.core.clock import Clock
    from mediawright.core.generation import Generation
    from mediawright.jobs.admission import Admission
    from mediawright.store.database import Database


class AccountGate:
    """Keeps further submits within the limits of the provider's account (a `SubmitGate`)."""

    def __init__(self, database: Database, admission: Admission, clock: Clock) -> None:
        """Ask `admission`, as often as it takes."""
        self._database = database
        self._admission = admission
        self._clock = clock

    async def pass_through(self, generation: Generation, provider: str) -> None:
        """Return when one more submit to the provider is within its account's limits.

        Also when the generation is no longer wanted: writing its attempt will show that.
        """
        raise NotImplementedError
