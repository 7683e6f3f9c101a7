"""Nothing is left lying: what a dead process held passes to those that live.

Both looks are level-triggered: they compare what the rows say with who is there, each time
anew, so that no lost message and no crash in between can strand a generation.
"""

from __future__ import annotations

from collections.abc import Callable
from math import ceil
from typing import TYPE_CHECKING

import structlog

from mediawright.store import custody

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from mediawright.jobs.context import JobContext
    from mediawright.jobs.membership import Membership

log = structlog.get_logger(__name__)

_LEAST_SHARE = 32
"""So few are not worth sharing out."""


class TakeOver:
    """Finds the generations that this process should run and does not."""

    def __init__(
        self, context: JobContext, membership: Membership, works_on: Callable[[str], bool]
    ) -> None:
        """Prepare.

        Args:
            context: The parts to work with.
            membership: Who lives.
            works_on: Tells whether this process runs a generation.
        """
        self._context = context
        self._membership = membership
        self._works_on = works_on
        self._suspects: set[str] = set()

    async def claim(self) -> list[str]:
        """Take a fair share of what the dead held into this process's hands.

        Returns:
            The ids of the generations that are this process's now.
        """
        if not await self._context.database.read(self._is_due):
            return []
        taken = await self._context.database.write(self._claim)
        if taken:
            log.warning("generations were taken over", count=len(taken))
        return taken

    async def neglected(self, *, at_once: bool = False) -> list[str]:
        """Return the generations that are this process's and that nobody here works on.

        Args:
            at_once: Return those found at the first look; otherwise only those found at two
                looks in a row, because a task may be about to begin.
        """
        executor = self._context.executor
        found = await self._context.database.read(
            lambda connection: custody.held(connection, executor)
        )
        idle = {generation_id for generation_id in found if not self._works_on(generation_id)}
        neglected = idle if at_once else idle & self._suspects
        self._suspects = idle - neglected
        return sorted(neglected)

    def _is_due(self, connection: Connection) -> bool:
        return self._membership.is_due(connection, custody.executors(connection))

    def _claim(self, connection: Connection) -> list[str]:
        live = self._membership.bury(connection)
        if live is None:
            return []
        held = custody.counts(connection)
        orphaned = {holder: count for holder, count in held.items() if holder not in live}
        helpers = max(1, len(self._membership.living(connection)))
        share = max(_LEAST_SHARE, ceil(sum(orphaned.values()) / helpers))
        taken: list[str] = []
        for holder in sorted(orphaned):
            if len(taken) < share:
                most = share - len(taken)
                taken += custody.pass_on(connection, holder, self._context.executor, most)
        return taken
