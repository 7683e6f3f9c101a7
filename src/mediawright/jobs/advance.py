"""The steps of one generation by its id, each safe to repeat, driven by our own rows."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, TypeVar

import structlog
from sqlalchemy.exc import OperationalError

from mediawright.core.errors import Problem
from mediawright.core.provider import Broken, Done, Fault, FaultKind
from mediawright.core.states import AttemptState, GenerationState
from mediawright.jobs.abandoning import settle_abandoned
from mediawright.jobs.faults import problem_of
from mediawright.jobs.fencing import claim, is_fenced
from mediawright.jobs.polling import poll
from mediawright.jobs.records import is_repeatable, latest_attempt, load
from mediawright.jobs.settling import settle_without_media
from mediawright.jobs.storing import store
from mediawright.jobs.submitting import Delivered, Outcome, submit
from mediawright.jobs.unknowns import settle_unknown
from mediawright.jobs.waiting import wait
from mediawright.store import generations

if TYPE_CHECKING:
    from mediawright.core.generation import Attempt, Generation
    from mediawright.jobs.context import JobContext

log = structlog.get_logger(__name__)

_T = TypeVar("_T")
_STEP_TRIES = 3
_DATABASE_PAUSE = 2.0
"""Seconds."""
_BEFORE_ACCEPTANCE = (GenerationState.QUEUED, GenerationState.SUBMITTING)
_UNDER_WAY = (GenerationState.RUNNING, GenerationState.STORING)


class Steps:
    """Submit, wait and store, as the engine calls them.

    Between wait and store the result lies in memory; after a crash it is asked for again,
    which costs nothing.
    """

    def __init__(self, context: JobContext) -> None:
        """Work with these parts."""
        self._context = context
        self._delivered: dict[str, Delivered] = {}
        self._active: Counter[str] = Counter()
        self._leavable: set[str] = set()

    def is_active(self, generation_id: str) -> bool:
        """Tell whether a step of that generation runs in this process now."""
        return self._active[generation_id] > 0

    def may_leave(self, generation_id: str) -> bool:
        """Tell whether its step may be broken off now, because any process can do it again.

        Not so while a submit that may cost money is under way, nor before a reply is stored
        that the provider gives only once.
        """
        under_way = self._context.under_way
        return generation_id in self._leavable or under_way.is_searched_for(generation_id)

    def has_result(self, generation_id: str) -> bool:
        """Tell whether its media are at hand, and only wait to be stored."""
        return generation_id in self._delivered

    async def run_at_once(self, generation: Generation, fresh: Attempt) -> Generation:
        """Run a new generation whose first provider answers at once, up to its end.

        Should a later route turn out to be asynchronous, it comes back running.
        """
        context = self._context
        unsent = [fresh]

        def send() -> Awaitable[Outcome]:
            # Only the first try may take the attempt for unsent: a second one finds its intent.
            return submit(context, generation, unsent.pop() if unsent else None)

        async with self._working(generation.id):
            outcome = await _patiently(context, generation.id, "submit", send)
            if isinstance(outcome, Delivered):
                return await self._store(outcome)
            return outcome

    async def submit(self, generation_id: str) -> str:
        """Get it accepted by a provider. Returns the state it is then in.

        This step and the others raise an `UnavailableError` with `worker_fenced`, and change
        nothing, when another living process is in charge of the generation.
        """
        context = self._context
        generation = await load(context, generation_id)
        if generation.state not in _BEFORE_ACCEPTANCE:
            return generation.state.value
        generation = await claim(context, generation_id)
        is_free = is_repeatable(context, generation.provider or "")
        async with self._working(generation_id, may_leave=is_free):
            outcome = await _patiently(
                context, generation_id, "submit", lambda: submit(context, generation)
            )
        return self._keep(outcome)

    async def wait(self, generation_id: str) -> str:
        """Wait for the provider's answer. Returns the state it is then in."""
        if generation_id in self._delivered:
            return GenerationState.STORING.value
        await self._claim_under_way(generation_id)
        async with self._working(generation_id, may_leave=True):
            outcome = await _patiently(
                self._context, generation_id, "wait", lambda: self._until_delivered(generation_id)
            )
        return self._keep(outcome)

    async def waiting(self, generation_ids: Sequence[str]) -> set[str]:
        """Return which of these generations a provider is working on."""
        return await self._context.database.read(
            lambda connection: generations.in_state(
                connection, generation_ids, GenerationState.RUNNING
            )
        )

    async def _claim_under_way(self, generation_id: str) -> None:
        """Claim a generation that is under way; what is known of it is not held on to."""
        generation = await load(self._context, generation_id)
        if generation.state in _UNDER_WAY:
            await claim(self._context, generation_id)

    async def store(self, generation_id: str) -> str:
        """Store the media and settle. Returns the state it ended in."""
        delivered = self._delivered.pop(generation_id, None)
        again = delivered is None or bool(delivered.attempt.handle)
        async with self._working(generation_id, may_leave=again):
            if delivered is None:
                outcome = await self._until_delivered(generation_id)
                if not isinstance(outcome, Delivered):
                    return outcome.state.value
                delivered = outcome
            return (await self._store(delivered)).state.value

    async def _store(self, delivered: Delivered) -> Generation:
        return await _patiently(
            self._context,
            delivered.generation.id,
            "store",
            lambda: store(self._context, delivered),
        )

    @asynccontextmanager
    async def _working(
        self, generation_id: str, *, may_leave: bool = False
    ) -> AsyncGenerator[None]:
        self._active[generation_id] += 1
        if may_leave:
            self._leavable.add(generation_id)
        try:
            yield
            await self._context.tracer.flush(generation_id)
        finally:
            self._leavable.discard(generation_id)
            self._active[generation_id] -= 1
            if not self._active[generation_id]:
                del self._active[generation_id]

    def _keep(self, outcome: Outcome) -> str:
        if isinstance(outcome, Delivered):
            self._delivered[outcome.generation.id] = outcome
            return GenerationState.STORING.value
        return outcome.state.value

    async def _until_delivered(self, generation_id: str) -> Outcome:
        generation = await load(self._context, generation_id)
        if generation.state is GenerationState.RUNNING:
            # Thousands may wait for hours, and each would hold on to all of its generation.
            del generation
            return await wait(self._context, generation_id)
        if generation.state is GenerationState.STORING:
            attempt = await latest_attempt(self._context, generation_id)
            return generation if attempt is None else await self._result_again(generation, attempt)
        if generation.state.is_terminal and generation.charge_micros is None:
            return await settle_abandoned(self._context, generation)
        return generation

    async def _result_again(self, generation: Generation, attempt: Attempt) -> Outcome:
        """Get a result that was delivered before a crash and not stored."""
        context = self._context
        kept = await context.replies.load(generation.id, attempt.number)
        if kept is not None:
            return Delivered(generation=generation, attempt=attempt, done=kept)
        while True:
            generation = await claim(context, generation.id)
            if generation.state is not GenerationState.STORING:
                return await settle_abandoned(context, generation, attempt)
            polled = await poll(context, attempt)
            if isinstance(polled, Done):
                return Delivered(generation=generation, attempt=attempt, done=polled)
            if isinstance(polled, Broken):
                problem = problem_of(polled.fault, attempt.provider)
                failed = GenerationState.FAILED
                return await settle_without_media(
                    context, generation, failed, problem, polled.usage, taken=attempt
                )
            pause = context.settings.cadence.of(generation.operation).longest
            await context.clock.sleep(pause)


async def _patiently(
    context: JobContext, generation_id: str, step: str, work: Callable[[], Awaitable[_T]]
) -> _T | Generation:
    """Run a step again after a defect of ours; after the last try end the generation.

    What a provider does wrong never arrives here; this is for a full disk or a bug. While the
    database does not answer the step is tried for as long as this process may act at all.
    """
    reason = ""
    tries = 0
    while tries < _STEP_TRIES:
        try:
            return await work()
        except OperationalError:
            log.exception("the database does not answer", step=step, generation_id=generation_id)
            await context.clock.sleep(_DATABASE_PAUSE)
            context.lease.require()
        except Exception as error:
            if is_fenced(error):
                raise
            tries += 1
            log.exception("step failed", step=step, generation_id=generation_id, tries=tries)
            reason = type(error).__name__
            await context.clock.sleep(float(tries))
    return await _give_up(context, generation_id, step, reason)


async def _give_up(context: JobContext, generation_id: str, step: str, reason: str) -> Generation:
    """End a generation over a defect of ours; a submit that may have left stays open."""
    current = await load(context, generation_id)
    attempt = await latest_attempt(context, generation_id)
    is_open = attempt is not None and attempt.state is AttemptState.INTENT
    if attempt is not None and is_open and not is_repeatable(context, attempt.provider):
        fault = Fault(kind=FaultKind.LOST_REPLY, message=f"the step failed ({reason})")
        return await settle_unknown(context, current, attempt, fault)
    problem = Problem(
        code="internal_error",
        message=f"The {step} step failed {_STEP_TRIES} times ({reason}).",
        hint="This is a defect of mediawright; the log has the details.",
    )
    was_taken = attempt is not None and attempt.state is AttemptState.ACKNOWLEDGED
    return await settle_without_media(
        context,
        current,
        GenerationState.FAILED,
        problem,
        taken=attempt if was_taken else None,
        may_deliver=was_taken,
    )
