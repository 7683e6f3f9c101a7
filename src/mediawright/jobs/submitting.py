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
from mediawright.core.generation import Attempt, Generation, RoutePlan
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
from mediawright.jobs.context import JobContext, route_of
from mediawright.jobs.faults import problem_of
from mediawright.jobs.inputs import media_call
from mediawright.jobs.progress import reporting
from mediawright.jobs.routing import next_route
from mediawright.jobs.settling import (
    is_repeatable,
    latest_attempt,
    reload,
    settle_abandoned,
    settle_fault,
    settle_unknown,
)
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
    """
    attempt = fresh
    if attempt is None:
        found = await latest_attempt(context, generation.id)
        if found is not None and found.state is not AttemptState.REJECTED:
            return await _take_up(context, generation, found)
        attempt = await _open(context, generation, found)
    while attempt is not None:
        result = await _send(context, generation, attempt)
        if not isinstance(result, Declined):
            return await _taken(context, generation, attempt, result)
        following = await _declined(context, generation, attempt, result.fault)
        if isinstance(following, Generation):
            return following
        attempt = following
    return await settle_abandoned(context, await reload(context, generation), None)


async def _take_up(context: JobContext, generation: Generation, attempt: Attempt) -> Outcome:
    """Go on from an attempt that an earlier run left behind."""
    reply = await context.replies.load(generation.id, attempt.number)
    if reply is not None:
        return await _taken(context, generation, attempt, reply)
    if attempt.state is AttemptState.ACKNOWLEDGED:
        return await reload(context, generation)
    if attempt.state is AttemptState.INTENT:
        if is_repeatable(context, attempt.provider):
            return await submit(context, generation, attempt)
        fault = Fault(
            kind=FaultKind.LOST_REPLY,
            message="the process ended while the request was under way",
            accepted=None,
        )
        return await settle_unknown(context, generation, attempt, fault)
    return generation


async def _open(
    context: JobContext, generation: Generation, previous: Attempt | None
) -> Attempt | None:
    """Write the intent of the next attempt; `None` when the generation is no longer wanted."""
    route = generation.routes[0]
    number = 1
    if previous is not None:
        route = route_of(generation, previous.provider, previous.upstream_id)
        number = previous.number + 1
    return await _write_intent(context, generation, route, number)


async def _write_intent(
    context: JobContext, generation: Generation, route: RoutePlan, number: int
) -> Attempt | None:
    now = context.clock.now()
    attempt = _attempt(generation, route, number, context.executor, now)

    def work(connection: Connection) -> Attempt | None:
        moved = generations.transition(
            connection,
            generation.id,
            GenerationState.SUBMITTING,
            now=now,
            expected=(GenerationState.QUEUED, GenerationState.SUBMITTING),
            provider=route.provider,
            executor=context.executor,
            started_at=generation.started_at or now,
        )
        if moved is None or not attempts.begin(connection, attempt):
            return None
        return attempt

    return await context.database.write(work)


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
        async with reporting(context, generation) as report:
            sending = asyncio.create_task(provider.submit(call, report))
            if Feature.REPEATABLE_SUBMIT in provider.features:
                result = await _unless_unwanted(context, generation, sending)
            else:
                result = await asyncio.shield(sending)
        if isinstance(result, Declined):
            span.update(status="error", error=result.fault.message, fault=result.fault.kind.value)
        return result


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
        context.tracer.write_steps(connection, generation.id)
        attempts.settle(
            connection,
            generation.id,
            attempt.number,
            AttemptState.ACKNOWLEDGED,
            handle=result.handle,
            now=now,
        )
        return generations.transition(
            connection, generation.id, GenerationState.RUNNING, now=now, stage="queued"
        )

    running = await context.database.write(work)
    if running is not None:
        context.signals.changed(generation.id)
        return running
    acknowledged = msgspec.structs.replace(
        attempt, state=AttemptState.ACKNOWLEDGED, handle=result.handle
    )
    return await settle_abandoned(context, await reload(context, generation), acknowledged)


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
        return await settle_unknown(context, generation, attempt, fault)
    await _reject(context, generation, attempt, fault)
    route = await next_route(context, generation, attempt, fault, repeatable=repeatable)
    if route is None:
        return await settle_fault(context, generation, fault, attempt.provider)
    return await _write_intent(context, generation, route, attempt.number + 1)


async def _reject(
    context: JobContext, generation: Generation, attempt: Attempt, fault: Fault
) -> None:
    problem = problem_of(fault, attempt.provider)
    now = context.clock.now()
    await context.database.write(
        lambda connection: attempts.settle(
            connection,
            generation.id,
            attempt.number,
            AttemptState.REJECTED,
            problem=problem,
            now=now,
        )
    )


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
