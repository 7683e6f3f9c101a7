"""The durable engine, imported only when the first job needs it: it is heavy."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mediawright.jobs.advance import Steps
    from mediawright.jobs.ports import Engine


class LazyEngine:
    """An engine that is made when it is first asked to run something."""

    def __init__(self, database_url: str, executor: str, steps: Steps) -> None:
        """Prepare.

        Args:
            database_url: Where the engine keeps its own tables.
            executor: The name of this process.
            steps: What is done with a generation.
        """
        self._database_url = database_url
        self._executor = executor
        self._steps = steps
        self._made: Engine | None = None
        self._making = asyncio.Lock()

    async def start(self) -> None:
        """Make it, and let it begin to work."""
        await (await self._engine()).start()

    async def enqueue(self, generation_id: str) -> None:
        """Run the generation."""
        await (await self._engine()).enqueue(generation_id)

    async def adopt(self, generation_ids: Sequence[str]) -> None:
        """Run these generations."""
        await (await self._engine()).adopt(generation_ids)

    def works_on(self, generation_id: str) -> bool:
        """Tell whether the generation runs in this process."""
        return self._made is not None and self._made.works_on(generation_id)

    def count(self) -> int:
        """Return how many generations run in this process."""
        return 0 if self._made is None else self._made.count()

    async def forget(self, generation_id: str) -> None:
        """Drop the records of a generation."""
        if self._made is not None:
            await self._made.forget(generation_id)

    async def forget_old(self, before: datetime, living: Collection[str]) -> int:
        """Drop old records, if it runs; return how many."""
        return 0 if self._made is None else await self._made.forget_old(before, living)

    async def counts(self) -> dict[str, int]:
        """Return how many records are in which state."""
        return {} if self._made is None else await self._made.counts()

    async def let_go(self) -> set[str]:
        """Break off every wait; return what goes on."""
        return set() if self._made is None else await self._made.let_go()

    async def close(self) -> None:
        """Stop it, if it was made."""
        async with self._making:
            if self._made is not None:
                await self._made.close()

    async def _engine(self) -> Engine:
        async with self._making:
            if self._made is None:
                self._made = await asyncio.to_thread(
                    _make_engine, self._database_url, self._executor, self._steps
                )
        return self._made


def _make_engine(database_url: str, executor: str, steps: Steps) -> Engine:
    from mediawright.jobs.durable import DurableEngine  # noqa: PLC0415 - imports DBOS

    return DurableEngine(database_url, executor, steps)
