"""The wait step: asks the provider until it has an answer, however long that takes."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING

from mediawright.core.errors import Problem
from mediawright.core.provider import Broken, Done, MediaProvider, Waiting
from mediawright.core.states import AttemptState, GenerationState
from mediawright.jobs.progress import record_progress
from mediawright.jobs.settling import (
    latest_attempt,
    reload,
    settle_abandoned,
    settle_fault,
    settle_without_media,
)
from mediawright.jobs.submitting import Delivered, Outcome
from mediawright.store import bookings, generations

if TYPE_CHECKING:
    from mediawright.core.clock import Clock
    from mediawright.core.generation import Attempt, Generation
    from mediawright.jobs.cadence import Cadence
    from mediawright.jobs.context import JobContext


async def wait(context: JobContext, generation: Generation) -> Outcome:
    """Return the finished media of an acknowledged generation, or the state it ended in.

    A failed question never fails the job; only the provider's verdict, a cancellation or the
    hard limit ends the wait.
    """
    attempt = await latest_attempt(context, generation.id)
    if attempt is None or attempt.state is not AttemptState.ACKNOWLEDGED or not attempt.handle:
        return await reload(context, generation)
    async with context.tracer.step(generation, "wait", provider=attempt.provider) as span:
        with context.signals.waiting(generation.id) as changed:
            poller = _Poller(context, generation, attempt, changed)
            outcome = await poller.run()
        span["polls"] = poller.polls
        if not isinstance(outcome, Delivered):
            span["status"] = "error"
    return outcome


class _Poller:
    def __init__(
        self,
        context: JobContext,
        generation: Generation,
        attempt: Attempt,
        changed: asyncio.Event,
    ) -> None:
        self._context = context
        self._generation = generation
        self._attempt = attempt
        self._changed = changed
        self._cadence: Cadence = context.settings.cadence.of(generation.operation)
        self._seen: tuple[float | None, str | None] = (generation.progress, generation.stage)
        self.polls = 0

    async def run(self) -> Outcome:
        provider = self._context.providers.get(self._attempt.provider)
        current = await reload(self._context, self._generation)
        while True:
            if current.state.is_terminal:
                return await settle_abandoned(self._context, current, self._attempt)
            ended = await self._out_of_time(provider)
            if ended is not None:
                return ended
            polled = await provider.poll(self._attempt.handle or {}, self._attempt.upstream_id)
            self.polls += 1
            if not isinstance(polled, Waiting):
                return await self._answer(polled)
            await self._note(polled)
            pause = polled.retry_after
            if pause is None:
                pause = self._cadence.interval(self.polls - 1)
            if await sleep_or_change(self._context.clock, self._changed, pause):
                current = await reload(self._context, self._generation)

    async def _answer(self, polled: Done | Broken) -> Outcome:
        if isinstance(polled, Broken):
            return await settle_fault(
                self._context,
                self._generation,
                polled.fault,
                self._attempt.provider,
                polled.usage,
            )
        now = self._context.clock.now()
        storing = await self._context.database.write(
            lambda connection: generations.transition(
                connection, self._generation.id, GenerationState.STORING, now=now, stage="storing"
            )
        )
        if storing is None:
            current = await reload(self._context, self._generation)
            if current.state is not GenerationState.STORING:
                return await settle_abandoned(self._context, current, self._attempt)
            storing = current
        self._context.signals.changed(storing.id)
        return Delivered(generation=storing, attempt=self._attempt, done=polled)

    async def _note(self, waiting: Waiting) -> None:
        seen = (waiting.progress, waiting.stage)
        if seen != self._seen and waiting.stage != "unreachable":
            self._seen = seen
            await record_progress(self._context, self._generation, *seen)

    async def _out_of_time(self, provider: MediaProvider) -> Outcome | None:
        age = (self._context.clock.now() - self._attempt.created_at).total_seconds()
        if age > self._cadence.limit:
            if self._attempt.handle is not None:
                await provider.cancel(self._attempt.handle, self._attempt.upstream_id)
            problem = Problem(
                code="expired",
                message=f"No result after {self._cadence.limit:.0f} seconds.",
                hint="Start it again; whatever the provider bills later is not charged.",
            )
            return await settle_without_media(
                self._context, self._generation, GenerationState.EXPIRED, problem
            )
        if age > self._cadence.window and not self._generation.overdue:
            self._generation = await self._mark_overdue()
        return None

    async def _mark_overdue(self) -> Generation:
        now = self._context.clock.now()
        marked = await self._context.database.write(
            lambda connection: bookings.mark_overdue(connection, self._generation.id, now=now)
        )
        self._context.signals.changed(self._generation.id)
        self._changed.clear()
        return marked or await reload(self._context, self._generation)


async def sleep_or_change(clock: Clock, changed: asyncio.Event, seconds: float) -> bool:
    """Sleep by `clock`, or less if `changed` is set first (and clear it); tell which it was."""
    sleeping = asyncio.ensure_future(clock.sleep(seconds))
    change = asyncio.ensure_future(changed.wait())
    try:
        await asyncio.wait({sleeping, change}, return_when=asyncio.FIRST_COMPLETED)
        return changed.is_set()
    finally:
        changed.clear()
        for task in (sleeping, change):
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
