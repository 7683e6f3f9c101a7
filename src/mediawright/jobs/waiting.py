"""The wait step: asks the provider until it has an answer, however long that takes."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import msgspec

from mediawright.core.errors import Problem
from mediawright.core.measures import Measure
from mediawright.core.provider import Broken, Done, Waiting
from mediawright.core.states import AttemptState, GenerationState
from mediawright.jobs.abandoning import Spent, settle_abandoned
from mediawright.jobs.pauses import sleep_or_change
from mediawright.jobs.polling import cancel, poll
from mediawright.jobs.progress import record_progress
from mediawright.jobs.records import hook_url_of, latest_attempt, load
from mediawright.jobs.settling import require_own, settle_fault, settle_without_media
from mediawright.jobs.submitting import Delivered, Outcome
from mediawright.store import attempts, bookings, generations

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from mediawright.core.generation import Attempt, Generation
    from mediawright.jobs.cadence import Cadence
    from mediawright.jobs.context import JobContext


async def wait(context: JobContext, generation_id: str) -> Outcome:
    """Return the finished media of an acknowledged generation, or the state it ended in.

    A failed question never fails the job; only the provider's verdict, a cancellation or the
    hard limit ends the wait.
    """
    attempt = await latest_attempt(context, generation_id)
    if attempt is None or attempt.state is not AttemptState.ACKNOWLEDGED or not attempt.handle:
        return await load(context, generation_id)
    with context.signals.waiting(generation_id) as changed:
        generation = await require_own(context, generation_id)
        async with context.tracer.step(generation, "wait", provider=attempt.provider) as span:
            poller = _Poller(context, generation, attempt, changed)
            del generation
            outcome = await poller.run()
            span["polls"] = poller.polls
            if not isinstance(outcome, Delivered):
                span["status"] = "error"
    return outcome


class _Poller:
    """Asks about one generation; of thousands that wait, each has to be small."""

    __slots__ = (
        "_attempt",
        "_cadence",
        "_changed",
        "_context",
        "_ended",
        "_generation_id",
        "_is_overdue",
        "_is_reported",
        "_seen",
        "_unstirred",
        "_workspace_id",
        "polls",
    )

    def __init__(
        self,
        context: JobContext,
        generation: Generation,
        attempt: Attempt,
        changed: asyncio.Event,
    ) -> None:
        self._context = context
        self._generation_id = generation.id
        self._workspace_id = generation.workspace_id
        self._take_in(generation)
        self._attempt = attempt
        self._changed = changed
        self._cadence: Cadence = context.settings.cadence.of(generation.operation)
        self._seen: tuple[float | None, str | None] = (generation.progress, generation.stage)
        self._is_reported = hook_url_of(context, attempt) is not None
        # Questions since something last happened.
        self._unstirred = 0
        self.polls = 0

    async def run(self) -> Outcome:
        while True:
            if self._ended is not None:
                return await settle_abandoned(self._context, self._ended, self._attempt)
            ended = await self._out_of_time()
            if ended is not None:
                return ended
            # A process that was taken over from must not go on asking beside the other.
            self._context.lease.require()
            polled = await poll(self._context, self._attempt)
            self.polls += 1
            self._unstirred += 1
            if not isinstance(polled, Waiting):
                return await self._answer(polled)
            await self._note(polled)
            pause = polled.retry_after
            if pause is None:
                pause = self._interval()
            if await self._pause(pause):
                # Whatever it is, the provider is likely to have more to say soon.
                self._unstirred, self._is_reported = 0, False
                await self._look()

    async def _pause(self, seconds: float) -> bool:
        """Wait for the next question, or for news; tell which it was, and measure the delay."""
        clock = self._context.clock
        due = clock.monotonic() + seconds
        if await sleep_or_change(clock, self._changed, seconds):
            return True
        lag = clock.monotonic() - due
        self._context.measures.observe(
            Measure.POLL_LAG, max(0.0, lag), provider=self._attempt.provider
        )
        return False

    def _interval(self) -> float:
        """Return how long to wait before the next question.

        A provider that will report itself is asked less often, because reports get lost.
        """
        interval = self._cadence.interval(self._unstirred - 1)
        return interval * (self._context.settings.reported_poll_factor if self._is_reported else 1)

    async def _look(self) -> Generation:
        current = await require_own(self._context, self._generation_id)
        self._take_in(current)
        return current

    def _take_in(self, current: Generation) -> None:
        """Remember what matters while its provider works; all of it only when it has ended."""
        self._is_overdue = current.overdue
        self._ended = current if current.state.is_terminal else None

    async def _answer(self, polled: Done | Broken) -> Outcome:
        if isinstance(polled, Broken):
            return await settle_fault(
                self._context,
                await self._look(),
                polled.fault,
                self._attempt.provider,
                usage=polled.usage,
                taken=self._attempt,
            )
        delivered = msgspec.structs.replace(self._attempt, closed_at=self._context.clock.now())
        storing = await self._context.database.write(self._begin_storing)
        if storing is None:
            current = await self._look()
            is_wanted = current.state is GenerationState.STORING or (
                current.state is GenerationState.CANCELLED
                and self._context.settings.keep_cancelled_results
            )
            if not is_wanted:
                spent = Spent(is_billed=True, usage=polled.usage)
                return await settle_abandoned(self._context, current, delivered, spent)
            storing = current
        self._context.signals.changed(storing.id)
        return Delivered(generation=storing, attempt=delivered, done=polled)

    def _begin_storing(self, connection: Connection) -> Generation | None:
        """Write down that the media are there, and that the provider has done its part."""
        now = self._context.clock.now()
        storing = generations.transition(
            connection,
            self._generation_id,
            GenerationState.STORING,
            now=now,
            expected=(GenerationState.RUNNING,),
            of_executor=self._context.executor,
            stage="storing",
        )
        if storing is not None:
            attempts.close(connection, storing.id, self._attempt.number, now=now)
        return storing

    async def _note(self, waiting: Waiting) -> None:
        seen = (waiting.progress, waiting.stage)
        if seen != self._seen and waiting.stage != "unreachable":
            self._seen = seen
            await record_progress(self._context, self._workspace_id, self._generation_id, *seen)

    async def _out_of_time(self) -> Outcome | None:
        # Counted from the answer to the submit, which may have been found out much later.
        taken_at = max(self._attempt.created_at, self._attempt.updated_at)
        age = (self._context.clock.now() - taken_at).total_seconds()
        if age > self._cadence.limit:
            stopped = await cancel(self._context, self._attempt)
            problem = Problem(
                code="expired",
                message=f"No result after {self._cadence.limit:.0f} seconds.",
                hint="Start it again; whatever the provider bills later is not charged.",
            )
            return await settle_without_media(
                self._context,
                await self._look(),
                GenerationState.EXPIRED,
                problem,
                taken=self._attempt,
                may_deliver=not stopped,
            )
        if age > self._cadence.window and not self._is_overdue:
            await self._mark_overdue()
        return None

    async def _mark_overdue(self) -> None:
        now = self._context.clock.now()
        marked = await self._context.database.write(
            lambda connection: bookings.mark_overdue(connection, self._generation_id, now=now)
        )
        self._context.signals.changed(self._generation_id)
        # If it has ended meanwhile, that is news here too.
        if marked is not None:
            self._is_overdue = True
            self._changed.clear()
