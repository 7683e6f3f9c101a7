"""The submit step: the only one that spends money, and the only one never repeated blindly.

The intent is committed before the request leaves. Whoever finds an intent without an
acknowledgement knows that the request may have left, and does not send it again unless the
provider makes that harmless.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import msgspec
import structlog

from mediawright.core.errors import MediawrightError, MissingApiKeyError
from mediawright.core.generation import WAITING_STAGE, Attempt, Generation, RoutePlan
from mediawright.core.provider import (
    Accepted,
    Declined,
    Done,
    Fault,
    FaultKind,
    Feature,
    Submitted,
)
from mediawright.core.states import AttemptState, GenerationState
from mediawright.jobs.abandoning import settle_abandoned
from mediawright.jobs.context import JobContext, route_of
from mediawright.jobs.faults import problem_of
from mediawright.jobs.inputs import media_call
from mediawright.jobs.progress import reporting
from mediawright.jobs.reconciling import adopt, find_out
from mediawright.jobs.records import is_repeatable, latest_attempt, reload
from mediawright.jobs.routing import first_route, next_route
from mediawright.jobs.settling import require_own, settle_fault
from mediawright.jobs.unknowns import BROKEN_OFF
from mediawright.store import attempts, generations

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Connection

log = structlog.get_logger(__name__)

_ABORT_CHECK = 1.0
"""Seconds between two looks whether a free, repeatable submit is still wanted."""


class Delivered(msgspec.Struct, frozen=True, kw_only=True):
    """A generation whose media are at hand and not yet stored."""

    generation: Generation
    attempt: Attempt
    done: Done


Outcome = Generation | Delivered
"""A step leaves a generation in some state, or with its media at hand."""


def first_attempt(generation: Generation, executor: str, now: datetime) -> Attempt:
    """Return the intent to submit a new generation to its first route."""
    return _attempt(generation, generation.routes[0], 1, executor, now)


async def submit(
    context: JobContext, generation: Generation, fresh: Attempt | None = None
) -> Outcome:
    """Get the generation accepted by a provider, or end it.

    Args:
        context: The parts to work with.
        generation: The generation, queued or submitting.
        fresh: The attempt this process has just written and not yet sent, if so.

    Raises:
        UnavailableError: `worker_fenced`: this process may not act any more; the rows are
            left to whoever takes over.
    """
    with context.under_way.submit(generation.id):
        if fresh is not None:
            return await _send_on(context, generation, fresh)
        found = await latest_attempt(context, generation.id)
        if found is not None and found.state is not AttemptState.REJECTED:
            return await _take_up(context, generation, found)
        opened = await _open(context, generation, found)
        if isinstance(opened, Generation):
            return opened
        return await _send_on(context, generation, opened)


async def _send_on(context: JobContext, generation: Generation, attempt: Attempt | None) -> Outcome:
    """Send an attempt, and further ones as long as none is taken and there is another way."""
    while attempt is not None:
        result = await _send(context, generation, attempt)
        if not isinstance(result, Declined):
            return await _taken(context, generation, attempt, result)
        following = await _declined(context, generation, attempt, result.fault)
        if isinstance(following, Generation):
            return following
        attempt = following
    return await settle_abandoned(context, await reload(context, generation))


async def _take_up(context: JobContext, generation: Generation, attempt: Attempt) -> Outcome:
    """Go on from an attempt that an earlier run left behind."""
    reply = await context.replies.load(generation.id, attempt.number)
    if reply is not None:
        return Delivered(generation=generation, attempt=attempt, done=reply)
    if attempt.state is not AttemptState.INTENT:
        return await reload(context, generation)
    if is_repeatable(context, attempt.provider):
        return await _send_on(context, generation, attempt)
    following = await _not_known(context, generation, attempt, BROKEN_OFF)
    if isinstance(following, Generation):
        return following
    return await _send_on(context, generation, following)


async def _not_known(
    context: JobContext, generation: Generation, attempt: Attempt, fault: Fault
) -> Attempt | Generation | None:
    """Find out about a submit that may have left; return what it led to, or a next attempt."""
    found = await find_out(context, generation, attempt, fault)
    if found is not None:
        return found
    # It surely never arrived, which is the same as no connection at all.
    never_left = Fault(kind=FaultKind.UNREACHABLE, message=fault.message)
    route = await next_route(context, generation, attempt, never_left, repeatable=False)
    if route is None:
        return await settle_fault(context, generation, never_left, attempt.provider)
    return await _write_intent(context, generation, route, attempt.number + 1)


async def _open(
    context: JobContext, generation: Generation, previous: Attempt | None
) -> Attempt | Generation | None:
    """Write the intent of the next attempt; `None` when the generation is no longer wanted."""
    if previous is not None:
        route = route_of(generation, previous.provider, previous.upstream_id)
        return await _write_intent(context, generation, route, previous.number + 1)
    first = await first_route(context, generation)
    if isinstance(first, Fault):
        return await settle_fault(context, generation, first, generation.routes[0].provider)
    return await _write_intent(context, generation, first, 1)


async def _write_intent(
    context: JobContext, generation: Generation, route: RoutePlan, number: int
) -> Attempt | None:
    if number > 1 or route.provider != generation.provider:
        await context.gate.pass_through(generation, route.provider)
    context.lease.require()
    now = context.clock.now()
    attempt = _attempt(generation, route, number, context.executor, now)

    def work(connection: Connection) -> Attempt | None:
        moved = generations.transition(
            connection,
            generation.id,
            GenerationState.SUBMITTING,
            now=now,
            expected=(GenerationState.QUEUED, GenerationState.SUBMITTING),
            of_executor=context.executor,
            provider=route.provider,
            executor=context.executor,
            started_at=generation.started_at or now,
        )
        if moved is None:
            return None
        is_new = attempts.begin(connection, generation.workspace_id, attempt)
        return attempt if is_new else None

    written = await context.database.write(work)
    if written is None:
        await require_own(context, generation.id)
    return written


async def _send(context: JobContext, generation: Generation, attempt: Attempt) -> Submitted:
    route = route_of(generation, attempt.provider, attempt.upstream_id)
    async with context.tracer.step(
        generation, "submit", provider=attempt.provider, upstream_id=attempt.upstream_id
    ) as span:
        try:
            provider = context.providers.get(attempt.provider)
            call = await media_call(context, generation, attempt, route)
        except MediawrightError as error:
            # Nothing has left: a missing key or a vanished input is a plain refusal to send.
            keyless = isinstance(error, MissingApiKeyError)
            kind = FaultKind.BAD_CREDENTIAL if keyless else FaultKind.INVALID_REQUEST
            fault = Fault(kind=kind, message=error.message)
            span.update(status="error", error=error.message)
            return Declined(fault=fault)
        context.lease.require()
        async with reporting(context, generation) as report:
            sending = asyncio.create_task(provider.submit(call, report))
            if Feature.REPEATABLE_SUBMIT in provider.features:
                result = await _unless_unwanted(context, generation, sending)
            else:
                result = await _seen_through(context, generation, attempt, sending)
        await _report_health(context, attempt.provider, result)
        if isinstance(result, Declined):
            span.update(status="error", error=result.fault.message, fault=result.fault.kind.value)
        return result


async def _seen_through(
    context: JobContext, generation: Generation, attempt: Attempt, sending: asyncio.Task[Submitted]
) -> Submitted:
    """Await a paid submit; if this step is broken off, its answer is written down all the same."""
    try:
        return await asyncio.shield(sending)
    except asyncio.CancelledError:
        late = _write_down_late(context, generation, attempt, sending)
        context.under_way.write_down_late(late)
        raise


async def _write_down_late(
    context: JobContext, generation: Generation, attempt: Attempt, sending: asyncio.Task[Submitted]
) -> None:
    try:
        result = await sending
        if isinstance(result, Accepted):
            await adopt(context, generation.id, attempt.number, result, found_by="reply")
        elif isinstance(result, Done):
            await _kept(context, attempt, result)
        elif result.fault.accepted is False:
            await _reject(context, attempt, result.fault)
    except Exception:
        log.exception("a late answer could not be written down", generation_id=generation.id)


async def _report_health(context: JobContext, provider: str, result: Submitted) -> None:
    """Tell how the provider answered; that it cannot be told must not lose the answer."""
    try:
        if not isinstance(result, Declined):
            await context.health.succeeded(provider)
        elif result.fault.kind is not FaultKind.CANCELLED:
            await context.health.failed(provider, result.fault)
    except Exception:
        log.exception("the health of a provider could not be noted", provider=provider)


async def _unless_unwanted(
    context: JobContext, generation: Generation, sending: asyncio.Task[Submitted]
) -> Submitted:
    """Await a submit that costs nothing to stop, and stop it when it was cancelled."""
    with context.signals.waiting(generation.id) as changed:
        try:
            while not sending.done():
                change = asyncio.create_task(changed.wait())
                await asyncio.wait(
                    {sending, change}, timeout=_ABORT_CHECK, return_when=asyncio.FIRST_COMPLETED
                )
                change.cancel()
                changed.clear()
                current = await reload(context, generation)
                if current.state.is_terminal and not sending.done():
                    sending.cancel()
                    fault = Fault(kind=FaultKind.CANCELLED, message="cancelled")
                    return Declined(fault=fault)
        except asyncio.CancelledError:
            sending.cancel()
            raise
    return sending.result()


async def _taken(
    context: JobContext, generation: Generation, attempt: Attempt, result: Accepted | Done
) -> Outcome:
    """Write down that the provider has the job, or that its media are here."""
    if isinstance(result, Done):
        done = await _kept(context, attempt, result)
        return Delivered(generation=generation, attempt=attempt, done=done)
    now = context.clock.now()

    def work(connection: Connection) -> Generation | None:
        running = generations.transition(
            connection,
            generation.id,
            GenerationState.RUNNING,
            now=now,
            expected=(GenerationState.SUBMITTING,),
            of_executor=context.executor,
            stage=WAITING_STAGE,
        )
        if running is None:
            return None
        context.tracer.write_steps(connection, generation.id)
        attempts.settle(
            connection,
            generation.id,
            attempt.number,
            AttemptState.ACKNOWLEDGED,
            handle=result.handle,
            vendor_id=result.vendor_id,
            now=now,
        )
        return running

    running = await context.database.write(work)
    if running is not None:
        context.signals.changed(generation.id)
        return running
    # Cancelled, taken over, given up as unknown or reported by the provider in the meantime.
    return await adopt(context, generation.id, attempt.number, result, found_by="reply")


async def _kept(context: JobContext, attempt: Attempt, done: Done) -> Done:
    """Put a paid reply on disk before anything else; its rows are written when it is stored.

    Should the disk refuse it, the reply in memory is all there is, and is gone on with.
    """
    try:
        return await context.replies.save(attempt.generation_id, attempt.number, done)
    except OSError:
        log.exception("a reply could not be kept", generation_id=attempt.generation_id)
        return done


async def _declined(
    context: JobContext, generation: Generation, attempt: Attempt, fault: Fault
) -> Attempt | Generation | None:
    """Decide what follows a submit that was not taken: a next attempt, or an end."""
    repeatable = is_repeatable(context, attempt.provider)
    if fault.accepted is None and not repeatable:
        return await _not_known(context, generation, attempt, fault)
    state = await _reject(context, attempt, fault)
    current = await require_own(context, generation.id)
    if state is AttemptState.ACKNOWLEDGED:
        # The provider has reported the job that it now denies; its report is the better word.
        return current
    if current.state.is_terminal:
        return await settle_abandoned(context, current)
    if current.state is GenerationState.UNKNOWN:
        return await settle_fault(context, current, fault, attempt.provider)
    route = await next_route(context, generation, attempt, fault, repeatable=repeatable)
    if route is None:
        return await settle_fault(context, generation, fault, attempt.provider)
    return await _write_intent(context, generation, route, attempt.number + 1)


async def _reject(context: JobContext, attempt: Attempt, fault: Fault) -> AttemptState:
    """Write down that a provider did not take an attempt; return what is known of it now."""
    problem = problem_of(fault, attempt.provider)
    now = context.clock.now()

    def work(connection: Connection) -> AttemptState:
        settled = attempts.settle(
            connection,
            attempt.generation_id,
            attempt.number,
            AttemptState.REJECTED,
            expected=(AttemptState.INTENT, AttemptState.UNKNOWN),
            problem=problem,
            now=now,
        )
        if settled is None:
            settled = attempts.get(connection, attempt.generation_id, attempt.number)
        return AttemptState.REJECTED if settled is None else settled.state

    return await context.database.write(work)


def _attempt(
    generation: Generation, route: RoutePlan, number: int, executor: str, now: datetime
) -> Attempt:
    return Attempt(
        generation_id=generation.id,
        number=number,
        state=AttemptState.INTENT,
        provider=route.provider,
        upstream_id=route.upstream_id,
        client_reference=f"{generation.id}:{number}",
        request_hash=generation.request_hash or "",
        executor=executor,
        created_at=now,
        updated_at=now,
    )
