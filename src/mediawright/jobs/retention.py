"""What served its purpose is removed after a time; files, generations and money never are."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import msgspec
import structlog

from mediawright.jobs.chores import Chore
from mediawright.store import quotes, retention

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from mediawright.jobs.context import JobContext
    from mediawright.jobs.membership import Membership
    from mediawright.jobs.ports import Engine

log = structlog.get_logger(__name__)

_EVERY = 3600.0
"""Seconds between two times."""
_SOON = 60.0
"""Seconds after the start, so that a process that never lives an hour does it too."""
_BATCH = 500
"""Rows that one transaction removes, so that it holds nobody up."""


class Removed(msgspec.Struct, frozen=True, kw_only=True):
    """How much was removed."""

    workflows: int = 0
    provider_events: int = 0
    payloads: int = 0
    quotes: int = 0
    staged_files: int = 0
    replies: int = 0


class Retention:
    """Removes what is older than the settings' `retention_hours`.

    The database is tidied by one process for all, and the data folder by each that has it;
    doing it twice is harmless.
    """

    def __init__(
        self,
        context: JobContext,
        engine: Engine,
        membership: Membership,
        clean_staging: Callable[[float], Awaitable[int]],
    ) -> None:
        """Prepare.

        Args:
            context: The parts to work with.
            engine: Whose records are removed.
            membership: Who lives; records of those are kept while they are at work.
            clean_staging: Removes staged files older than so many seconds; returns how many.
        """
        self._context = context
        self._engine = engine
        self._membership = membership
        self._clean_staging = clean_staging

    def chores(self) -> tuple[Chore, ...]:
        """Return the work that comes round."""
        return (
            Chore("tidying the database", _EVERY, self.tidy_database, alone=True, first=_SOON),
            Chore("tidying the data folder", _EVERY, self.tidy_folder, first=_SOON),
        )

    async def tidy_database(self) -> Removed:
        """Remove old records of the engine, reports of providers, payloads and quotes."""
        removed = Removed(
            workflows=await self.forget_workflows(),
            provider_events=await self._in_batches(retention.drop_provider_events),
            payloads=await self._in_batches(retention.drop_payloads),
            quotes=await self._in_batches(quotes.drop_expired),
        )
        log.info("the database was tidied", removed=msgspec.to_builtins(removed))
        return removed

    async def tidy_folder(self) -> Removed:
        """Remove old staged files, and replies whose generations are settled."""
        removed = Removed(
            staged_files=await self._clean_staging(self._age.total_seconds()),
            replies=await self.forget_replies(),
        )
        log.info("the data folder was tidied", removed=msgspec.to_builtins(removed))
        return removed

    async def forget_workflows(self) -> int:
        """Remove the engine's records of what has ended, and of what others go on with."""
        living = [worker.id for worker in await self._membership.all()]
        return await self._engine.forget_old(self._before(), living)

    async def forget_replies(self) -> int:
        """Remove replies that are old and whose generations have ended and are settled."""
        replies = self._context.replies
        kept = await replies.older_than(self._before())
        removed = 0
        for start in range(0, len(kept), _BATCH):
            some = kept[start : start + _BATCH]
            ids = {generation_id for generation_id, _ in some}
            settled = await self._context.database.read(
                lambda connection, ids=ids: retention.settled(connection, ids)
            )
            for generation_id, number in some:
                if generation_id in settled:
                    await replies.discard(generation_id, number)
                    removed += 1
        return removed

    @property
    def _age(self) -> timedelta:
        return timedelta(hours=self._context.settings.retention_hours)

    def _before(self) -> datetime:
        return self._context.clock.now() - self._age

    async def _in_batches(self, drop: Callable[[Connection, datetime, int], int]) -> int:
        before = self._before()
        removed = 0
        while True:
            count = await self._context.database.write(
                lambda connection: drop(connection, before, _BATCH)
            )
            removed += count
            if count < _BATCH:
                return removed
            # Others write between two batches.
            await asyncio.sleep(0)
