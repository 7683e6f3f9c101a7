"""The sweep: looks after submits and jobs that no generation under way answers for.

Such are submits of which nobody knows what became, jobs that a provider goes on with although
their generation has ended, and replies that were received and not stored.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import msgspec
import structlog

from mediawright.core.errors import ConflictError
from mediawright.core.provider import Absent, Accepted, Broken, Done, Feature
from mediawright.core.states import AttemptState, GenerationState
from mediawright.jobs.abandoning import settle_abandoned, stop_at_provider
from mediawright.jobs.chores import Chore
from mediawright.jobs.costs import cost_of
from mediawright.jobs.fencing import is_own, is_run_elsewhere
from mediawright.jobs.polling import cancel, poll
from mediawright.jobs.reconciling import adopt, look_up
from mediawright.jobs.records import has_feature, load
from mediawright.jobs.resolving import resolve_absent
from mediawright.jobs.storing import close_attempt, store, store_late
from mediawright.jobs.submitting import Delivered
from mediawright.store import attempts, bookings, generations

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable
    from datetime import datetime

    from sqlalchemy import Connection

    from mediawright.core.generation import Attempt, Generation
    from mediawright.jobs.context import JobContext
    from mediawright.jobs.ports import Resume

log = structlog.get_logger(__name__)

_EVERY = 60.0
"""Seconds."""
_PAGE = 200
_SHORTEST_PAUSE = timedelta(seconds=55)
"""Between two looks at the same attempt; each pause is as long as all before it together."""
_LONGEST_PAUSE = timedelta(hours=1)
_SETTLING = timedelta(seconds=60)
"""A generation that has just changed is left to whoever changed it."""


class Unresolved(msgspec.Struct, frozen=True, kw_only=True):
    """A submit of which nobody knows what became; its hold is kept."""

    generation_id: str
    attempt: int
    provider: str
    since: datetime


class SweepReport(msgspec.Struct, kw_only=True):
    """What one sweep found and did; the lists name generations."""

    unresolved: list[Unresolved] = []
    """Still open: the provider cannot tell, so a report or an operator has to."""
    adopted: list[str] = []
    """A provider turned out to have the job, or a reply to be there."""
    absent: list[str] = []
    """A provider turned out never to have had the job."""
    resumed: list[str] = []
    """Left behind in the middle of a submit, and run again."""
    late_results: list[str] = []
    """Results that came after the end, and were kept."""
    open: list[str] = []
    """Ended generations whose provider is still at work."""


async def sweep(context: JobContext, resume: Resume) -> SweepReport:
    """Look once after everything that no generation under way answers for.

    Each thing is looked at again after growing pauses, however often this is called. What goes
    wrong with one is logged and leaves the others alone.

    Args:
        context: The parts to work with.
        resume: Has a generation run again that turned out to be under way.
    """
    round_ = _Round(context, resume)
    # First what is here already: asking providers, and downloading from them, takes its time.
    await round_.take_in_replies()
    await round_.each(attempts.unresolved, round_.look_into)
    await round_.each(attempts.open_of_ended, round_.look_after)
    return round_.report


def sweeping(context: JobContext, resume: Resume) -> Chore:
    """Return the sweep as work that comes round; each process does it, for its own replies."""
    return Chore("looking after orphans", _EVERY, lambda: sweep(context, resume))


class _Round:
    def __init__(self, context: JobContext, resume: Resume) -> None:
        self._context = context
        self._resume = resume
        self.report = SweepReport()

    async def each(
        self,
        query: Callable[..., list[Attempt]],
        work: Callable[[Generation, Attempt], Awaitable[None]],
    ) -> None:
        async for attempt in self._pages(query):
            try:
                await work(await load(self._context, attempt.generation_id), attempt)
            except Exception:
                log.exception("looking after a submit failed", generation_id=attempt.generation_id)

    async def _pages(self, query: Callable[..., list[Attempt]]) -> AsyncIterator[Attempt]:
        after: tuple[str, int] | None = None
        while True:
            last = after
            page = await self._context.database.read(
                lambda connection, last=last: query(connection, limit=_PAGE, after=last)
            )
            for attempt in page:
                yield attempt
            if len(page) < _PAGE:
                return
            after = (page[-1].generation_id, page[-1].number)

    async def look_into(self, generation: Generation, attempt: Attempt) -> None:
        """Find out about a submit that nobody knows about, if it is anybody's turn but theirs."""
        if generation.id in self._context.under_way:
            return
        if await is_run_elsewhere(self._context, generation):
            return
        if generation.charge_micros is not None:
            await self._forget(attempt)
        elif attempt.state is AttemptState.UNKNOWN:
            await self._ask_again(generation, attempt)
        elif generation.state.is_terminal:
            await settle_abandoned(self._context, generation)
        elif not is_own(self._context, generation):
            await self._run(self.report.resumed, generation)

    async def _ask_again(self, generation: Generation, attempt: Attempt) -> None:
        context = self._context
        now = context.clock.now()
        if has_feature(context, attempt.provider, Feature.LOOKUP) and _is_due(attempt, now):
            await self._mark_checked(attempt, now)
            found = await look_up(context, attempt)
            if isinstance(found, Accepted):
                number = attempt.number
                adopted = await adopt(context, generation.id, number, found, found_by="lookup")
                await self._run(self.report.adopted, adopted)
                return
            age = (now - attempt.updated_at).total_seconds()
            if isinstance(found, Absent) and age >= context.settings.submit_timeout:
                await self._settle_absent(generation, attempt)
                return
        self.report.unresolved.append(
            Unresolved(
                generation_id=generation.id,
                attempt=attempt.number,
                provider=attempt.provider,
                since=attempt.created_at,
            )
        )

    async def _settle_absent(self, generation: Generation, attempt: Attempt) -> None:
        try:
            await resolve_absent(self._context, generation, attempt)
        except ConflictError:
            return
        self.report.absent.append(generation.id)

    async def _run(self, list_: list[str], generation: Generation) -> None:
        list_.append(generation.id)
        if not generation.state.is_terminal:
            await self._resume(generation.id)

    async def look_after(self, generation: Generation, attempt: Attempt) -> None:
        """Look after a job whose provider goes on although its generation has ended."""
        context = self._context
        now = context.clock.now()
        if generation.charge_micros is None:
            await settle_abandoned(context, generation)
            return
        if generation.state is GenerationState.SUCCEEDED:
            await self._stop_superfluous(generation, attempt)
            return
        ended = generation.finished_at or attempt.updated_at
        if now - ended > timedelta(seconds=context.settings.late_result_window):
            await self._close(attempt)
            return
        self.report.open.append(generation.id)
        if _is_due(attempt, now):
            await self._mark_checked(attempt, now)
            await self._look_for_result(generation, attempt)

    async def _look_for_result(self, generation: Generation, attempt: Attempt) -> None:
        context = self._context
        answer = await context.replies.load(generation.id, attempt.number)
        if answer is None and attempt.handle is not None:
            polled = await poll(context, attempt)
            if isinstance(polled, Broken):
                await close_attempt(context, generation, attempt, polled.usage)
            elif isinstance(polled, Done):
                answer = polled
            elif _is_useless(generation) and await cancel(context, attempt):
                await self._close(attempt)
        if answer is None:
            return
        delivered = Delivered(generation=generation, attempt=attempt, done=answer)
        if await store_late(context, delivered):
            self.report.late_results.append(generation.id)

    async def _stop_superfluous(self, generation: Generation, attempt: Attempt) -> None:
        """Stop a second job of a generation that has its result from another one."""
        context = self._context
        spent = await stop_at_provider(context, attempt)
        cost = cost_of(context, generation, attempt, spent.usage) if spent.is_billed else None
        now = context.clock.now()

        def work(connection: Connection) -> None:
            closed = attempts.close(connection, generation.id, attempt.number, now=now)
            if closed and cost is not None:
                bookings.add_cost(
                    connection, generation.id, cost_micros=cost.micros, basis=cost.basis, now=now
                )

        await context.database.write(work)

    async def take_in_replies(self) -> None:
        """Store replies that were received for generations which nobody runs any more."""
        for generation_id, number in await self._context.replies.kept():
            try:
                await self._take_in(generation_id, number)
            except Exception:
                log.exception("taking in a reply failed", generation_id=generation_id)

    async def _take_in(self, generation_id: str, number: int) -> None:
        context = self._context
        generation, attempt = await context.database.read(
            lambda connection: (
                generations.get(connection, None, generation_id),
                attempts.get(connection, generation_id, number),
            )
        )
        if generation is None or attempt is None:
            await context.replies.discard(generation_id, number)
            return
        is_settling = context.clock.now() - generation.updated_at < _SETTLING
        if is_settling or generation_id in context.under_way:
            return
        if generation.state is GenerationState.UNKNOWN:
            reply = await context.replies.load(generation_id, number)
            if reply is not None:
                await store(context, Delivered(generation=generation, attempt=attempt, done=reply))
                self.report.adopted.append(generation_id)
        elif generation.state.is_terminal and attempt.closed_at is not None:
            await context.replies.discard(generation_id, number)
        elif generation.state.is_terminal and attempt.state is not AttemptState.ACKNOWLEDGED:
            # Acknowledged ones are looked after with the other open jobs.
            await self._look_for_result(generation, attempt)

    async def _forget(self, attempt: Attempt) -> None:
        """Let go of a submit whose generation is settled, so that nothing depends on it."""
        now = self._context.clock.now()
        await self._context.database.write(
            lambda connection: attempts.settle(
                connection,
                attempt.generation_id,
                attempt.number,
                AttemptState.REJECTED,
                expected=(AttemptState.INTENT, AttemptState.UNKNOWN),
                now=now,
            )
        )

    async def _mark_checked(self, attempt: Attempt, now: datetime) -> None:
        await self._context.database.write(
            lambda connection: attempts.mark_checked(
                connection, attempt.generation_id, attempt.number, now=now
            )
        )

    async def _close(self, attempt: Attempt) -> None:
        now = self._context.clock.now()
        await self._context.database.write(
            lambda connection: attempts.close(
                connection, attempt.generation_id, attempt.number, now=now
            )
        )


def _is_useless(generation: Generation) -> bool:
    """Tell whether nobody paid for a result any more, so that it may as well be stopped."""
    return generation.state is GenerationState.FAILED and not generation.charge_micros


def _is_due(attempt: Attempt, now: datetime) -> bool:
    if attempt.checked_at is None:
        return True
    so_far = attempt.checked_at - attempt.updated_at
    return now - attempt.checked_at >= min(max(so_far, _SHORTEST_PAUSE), _LONGEST_PAUSE)
