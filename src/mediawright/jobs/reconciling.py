"""Finding out what became of a submit whose answer was lost, and taking up what is found.

A submit is never repeated blindly. It is looked up at the provider where that is possible, or
the provider's own report is awaited; what neither tells is unknown, until a later look-up, a
late report, a reply that turns up or an operator says more.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import structlog

from mediawright.core.errors import MediawrightError, Problem
from mediawright.core.events import EventType
from mediawright.core.generation import WAITING_STAGE
from mediawright.core.provider import Absent, Accepted, Feature, LookedUp, Unclear
from mediawright.core.states import AttemptState, GenerationState
from mediawright.jobs.abandoning import settle_abandoned, stop_at_provider
from mediawright.jobs.announcing import tell
from mediawright.jobs.fencing import fenced, is_own
from mediawright.jobs.pauses import sleep_or_change
from mediawright.jobs.records import (
    has_feature,
    hook_url_of,
    load,
    no_such_generation,
    reload,
)
from mediawright.jobs.unknowns import settle_unknown
from mediawright.store import attempts, generations
from mediawright.store.custody import GIVEN_BACK

if TYPE_CHECKING:
    import asyncio
    from datetime import datetime

    from sqlalchemy import Connection

    from mediawright.core.generation import Attempt, Generation
    from mediawright.core.provider import Fault
    from mediawright.jobs.context import JobContext

log = structlog.get_logger(__name__)

_FIRST_PAUSE = 2.0
"""Seconds before a provider that could not tell is asked again; then twice as long each time."""
_LONGEST_PAUSE = 30.0
_UNDECIDED = (AttemptState.INTENT, AttemptState.UNKNOWN, AttemptState.REJECTED)


async def adopt(
    context: JobContext,
    generation_id: str,
    attempt_number: int,
    accepted: Accepted,
    *,
    found_by: str = "webhook",
) -> Generation:
    """Take up a job that a provider turned out to have.

    The attempt counts as taken and the generation runs again, for whoever takes it up next.
    If the generation has ended meanwhile, the provider is asked to stop the job; what it bills
    is booked, and a result that comes all the same is kept. Adopting what is known changes
    nothing, so that reports may come twice, late and out of order.

    Args:
        context: The parts to work with.
        generation_id: Of which generation.
        attempt_number: Which of its attempts.
        accepted: How the provider is asked about the job.
        found_by: Who found it: `webhook`, `lookup`, `operator` or `reply`.

    Returns:
        The generation as it is now; one that is `running` has to be resumed by the caller.

    Raises:
        NotFoundError: There is no such generation.
    """

    def work(connection: Connection) -> bool:
        return adopt_now(
            context, connection, generation_id, attempt_number, accepted, found_by=found_by
        )

    adopted = await context.database.write(work)
    context.signals.changed(generation_id)
    generation = await load(context, generation_id)
    if adopted and generation.state.is_terminal:
        return await stop_unwanted(context, generation, attempt_number)
    return generation


def adopt_now(
    context: JobContext,
    connection: Connection,
    generation_id: str,
    attempt_number: int,
    accepted: Accepted,
    *,
    found_by: str,
) -> bool:
    """Do the part of `adopt` that lies in one transaction; tell whether it was news.

    Raises:
        NotFoundError: There is no such generation.
    """
    now = context.clock.now()
    generation = generations.lock(connection, generation_id)
    if generation is None:
        raise no_such_generation(generation_id)
    attempt = attempts.get(connection, generation_id, attempt_number)
    if attempt is None or not _write_taken(connection, attempt, accepted, now):
        return False
    newest = attempts.latest(connection, generation_id)
    if newest is not None and newest.number == attempt_number:
        _run_again(connection, generation, attempt, now)
    # A plain answer to one's own submit, which was cancelled meanwhile, is no discovery.
    is_expected = attempt.state is AttemptState.INTENT and is_own(context, generation)
    if found_by != "reply" or not is_expected:
        data: dict[str, Any] = {
            "found_by": found_by,
            "provider": attempt.provider,
            "attempt": attempt_number,
            "vendor_id": accepted.vendor_id,
        }
        tell(connection, generation, EventType.GENERATION_RECONCILED, now, data)
    return True


def _write_taken(
    connection: Connection, attempt: Attempt, accepted: Accepted, now: datetime
) -> bool:
    if attempt.state is AttemptState.ACKNOWLEDGED:
        if attempt.handle is not None:
            return False
        # An operator said that it was billed; now there is a way to ask for the result.
        attempts.reopen(
            connection,
            attempt.generation_id,
            attempt.number,
            handle=accepted.handle,
            vendor_id=accepted.vendor_id,
            now=now,
        )
        return True
    settled = attempts.settle(
        connection,
        attempt.generation_id,
        attempt.number,
        AttemptState.ACKNOWLEDGED,
        expected=_UNDECIDED,
        handle=accepted.handle,
        vendor_id=accepted.vendor_id,
        now=now,
    )
    return settled is not None


def _run_again(
    connection: Connection, generation: Generation, attempt: Attempt, now: datetime
) -> None:
    if generation.state not in (GenerationState.SUBMITTING, GenerationState.UNKNOWN):
        return
    # Of an unknown one nobody is in charge; whoever looks after such rows takes it up.
    is_unknown = generation.state is GenerationState.UNKNOWN
    generations.transition(
        connection,
        generation.id,
        GenerationState.RUNNING,
        now=now,
        expected=(generation.state,),
        provider=attempt.provider,
        stage=WAITING_STAGE,
        problem=None,
        executor=GIVEN_BACK if is_unknown else generation.executor,
    )


async def stop_unwanted(
    context: JobContext, generation: Generation, attempt_number: int
) -> Generation:
    """Stop a job that was found after its generation had ended, and return the generation.

    What cannot be stopped is looked after until its result has come or nothing is to be
    expected any more.
    """
    if generation.charge_micros is None:
        return await settle_abandoned(context, generation)
    attempt = await context.database.read(
        lambda connection: attempts.get(connection, generation.id, attempt_number)
    )
    if attempt is None:
        return generation
    spent = await stop_at_provider(context, attempt)
    if not spent.may_deliver:
        now = context.clock.now()
        await context.database.write(
            lambda connection: attempts.close(connection, generation.id, attempt_number, now=now)
        )
    return generation


async def find_out(
    context: JobContext, generation: Generation, attempt: Attempt, fault: Fault
) -> Generation | None:
    """Find out what became of a submit that may have reached its provider.

    Args:
        context: The parts to work with.
        generation: The generation, submitting.
        attempt: The attempt, of which nobody knows whether it was taken.
        fault: What went wrong with it.

    Returns:
        The generation as it has become, or `None` when the provider surely has no such job:
        then the attempt is rejected and another may be made.

    Raises:
        UnavailableError: `worker_fenced`: another process has taken over.
    """
    with (
        context.under_way.search(generation.id),
        context.signals.waiting(generation.id) as changed,
    ):
        search = _Search(context, generation, attempt, changed)
        found = await search.run()
    if isinstance(found, Accepted):
        return await adopt(context, generation.id, attempt.number, found, found_by="lookup")
    if isinstance(found, Absent) and await reject_absent(context, generation, attempt):
        return None
    current = await settle_unknown(context, generation, attempt, fault)
    if current.state is GenerationState.SUBMITTING:
        # The process that made the submit has written down that it was turned down.
        return None
    return await settle_abandoned(context, current)


class _Search:
    """Asks the provider, then awaits its report; ends early when somebody else found out."""

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
        self._since = context.clock.now()

    async def run(self) -> LookedUp:
        settings = self._context.settings
        provider = self._attempt.provider
        if has_feature(self._context, provider, Feature.LOOKUP):
            found = await self._ask(settings.lookup_patience)
            if not isinstance(found, Unclear):
                return found
        if hook_url_of(self._context, self._attempt) is not None:
            await self._pause(settings.hook_patience - self._elapsed())
        return Unclear(reason="nobody could tell")

    async def _ask(self, patience: float) -> LookedUp:
        pause = _FIRST_PAUSE
        while True:
            found = await look_up(self._context, self._attempt)
            rest = pause
            if isinstance(found, Absent):
                rest = self._until_believed()
                if rest <= 0:
                    return found
            elif isinstance(found, Accepted) or self._elapsed() >= patience:
                return found
            if not await self._pause(rest):
                return Unclear(reason="somebody else found out")
            pause = min(pause * 2, _LONGEST_PAUSE)

    def _until_believed(self) -> float:
        """Return for how many seconds an earlier request may still be on its way."""
        # It was sent before this process took over, but perhaps not long before.
        last = max(self._since, self._attempt.created_at)
        age = (self._context.clock.now() - last).total_seconds()
        return self._context.settings.submit_timeout - age

    def _elapsed(self) -> float:
        # From the submit on, so that restarts do not put the end off again and again.
        return (self._context.clock.now() - self._attempt.created_at).total_seconds()

    async def _pause(self, seconds: float) -> bool:
        """Pause; tell whether the attempt is still this process's to find out about."""
        until = self._context.clock.now() + timedelta(seconds=seconds)
        # Looked at first, because it may have been found out before anybody listened.
        while await self._is_open():
            left = (until - self._context.clock.now()).total_seconds()
            if left <= 0:
                return True
            await sleep_or_change(self._context.clock, self._changed, left)
        return False

    async def _is_open(self) -> bool:
        self._context.lease.require()
        current = await reload(self._context, self._generation)
        if not current.state.is_terminal and not is_own(self._context, current):
            raise fenced(current.id)
        return current.state is GenerationState.SUBMITTING


async def look_up(context: JobContext, attempt: Attempt) -> LookedUp:
    """Ask the provider once for the job of an attempt."""
    try:
        provider = context.providers.get(attempt.provider)
        return await provider.lookup(attempt.client_reference, attempt.upstream_id)
    except MediawrightError as error:
        return Unclear(reason=error.message)
    except Exception as error:
        log.exception("a look-up failed", provider=attempt.provider)
        return Unclear(reason=type(error).__name__)


async def reject_absent(context: JobContext, generation: Generation, attempt: Attempt) -> bool:
    """Write down that a provider surely has no job for an attempt; tell whether it was news."""
    now = context.clock.now()
    problem = Problem(
        code="submit_not_arrived",
        message=f"{attempt.provider} has no job for this submit.",
        details={"provider": attempt.provider},
    )

    def work(connection: Connection) -> bool:
        current = generations.lock(connection, generation.id)
        if current is None or not is_own(context, current):
            return False
        settled = attempts.settle(
            connection,
            generation.id,
            attempt.number,
            AttemptState.REJECTED,
            problem=problem,
            now=now,
        )
        return settled is not None

    return await context.database.write(work)
