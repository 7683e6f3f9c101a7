"""Which route to try next, after one was not taken, and why the others are passed over."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mediawright.core.errors import MediawrightError
from mediawright.core.generation import SkippedRoute
from mediawright.core.provider import Fault, FaultKind
from mediawright.core.request import FallbackPolicy
from mediawright.jobs.context import JobContext, route_of
from mediawright.jobs.faults import (
    FALLBACK_KINDS,
    LAST_RESORT_KINDS,
    MAYBE_TAKEN,
    REFUSAL_KINDS,
    RETRY_KINDS,
)
from mediawright.jobs.records import is_repeatable
from mediawright.store import attempts, skipped_routes

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mediawright.core.generation import Attempt, Generation, RoutePlan
    from mediawright.jobs.ports import Refusal

CIRCUIT_OPEN = "circuit_open"
"""The reason of a route whose provider is left alone for a while."""


async def first_route(context: JobContext, generation: Generation) -> RoutePlan | Fault:
    """Return the route to begin with, now that its turn has come.

    A provider that is left alone is passed over for the next route, if another may be taken.
    Where none is left it is waited for, as long as `jobs.circuit.patience` says.

    Returns:
        The route, or why none can be taken; nothing was sent then.
    """
    candidates = generation.routes if _may_choose(generation) else generation.routes[:1]
    patience = context.settings.circuit.patience
    while True:
        passed: list[SkippedRoute] = []
        refusals: list[Refusal] = []
        for route in candidates:
            refusal = await context.health.take_turn(route.provider)
            if refusal is None:
                await _note(context, generation, passed)
                return route
            refusals.append(refusal)
            passed.append(skipped(route, CIRCUIT_OPEN, refusal.message))
        nearest = min(refusals, key=lambda refusal: refusal.retry_after)
        if nearest.retry_after > patience:
            await _note(context, generation, passed)
            return Fault(
                kind=FaultKind.UNAVAILABLE,
                message=nearest.message,
                retry_after=nearest.retry_after,
            )
        patience -= nearest.retry_after
        await context.clock.sleep(nearest.retry_after)


async def next_route(
    context: JobContext,
    generation: Generation,
    attempt: Attempt,
    fault: Fault,
    *,
    repeatable: bool,
) -> RoutePlan | None:
    """Return the route to try next, after any wait it needs, or `None` to give up.

    The same route again only if the provider surely took nothing, or takes the same submit
    only once. Another one only if no provider can hold a job for this generation.

    Args:
        context: The parts to work with.
        generation: Which generation.
        attempt: The attempt that was not taken, already written down as that.
        fault: Why.
        repeatable: Whether the provider takes the same submit only once.
    """
    current = route_of(generation, attempt.provider, attempt.upstream_id)
    made = await context.database.read(
        lambda connection: attempts.for_generation(connection, None, generation.id)
    )
    before = [item for item in made if item.number < attempt.number]
    may_follow = _may_choose(generation) and _may_follow(context, generation, before, fault)
    later = _after(generation, current) if may_follow else []
    if await _again(context, current, made, fault, repeatable=repeatable, is_last=not later):
        return current
    passed: list[SkippedRoute] = []
    chosen: RoutePlan | None = None
    for route in later:
        obstacle = await _obstacle(context, route)
        if obstacle is None:
            chosen = route
            break
        passed.append(obstacle)
    await _note(context, generation, passed)
    return chosen


def skipped(route: RoutePlan, reason: str, message: str) -> SkippedRoute:
    """Return the record of a route that is passed over."""
    return SkippedRoute(
        provider=route.provider, upstream_id=route.upstream_id, reason=reason, message=message
    )


def _may_choose(generation: Generation) -> bool:
    request = generation.request
    return request.provider is None and request.fallback is not FallbackPolicy.NONE


def _may_follow(
    context: JobContext, generation: Generation, before: Sequence[Attempt], fault: Fault
) -> bool:
    """Tell whether another route may be tried after this fault.

    Of a submit that may have been taken nobody knows the end, so nothing else is sent. Earlier
    tries count too where the submit was just repeated; elsewhere it was found out first.
    """
    if fault.accepted is not False:
        return False
    for item in before:
        maybe_taken = item.problem is not None and item.problem.details.get(MAYBE_TAKEN)
        if maybe_taken and is_repeatable(context, item.provider):
            return False
    if generation.request.fallback is FallbackPolicy.ON_REFUSAL and fault.kind in REFUSAL_KINDS:
        return True
    return fault.kind in FALLBACK_KINDS


def _after(generation: Generation, current: RoutePlan) -> list[RoutePlan]:
    return list(generation.routes[generation.routes.index(current) + 1 :])


async def _again(
    context: JobContext,
    current: RoutePlan,
    made: Sequence[Attempt],
    fault: Fault,
    *,
    repeatable: bool,
    is_last: bool,
) -> bool:
    """Tell whether to try the same route again, after the pause that this takes."""
    kinds = LAST_RESORT_KINDS if is_last else RETRY_KINDS
    harmless = fault.accepted is False and fault.kind in kinds
    if not harmless and not (fault.accepted is None and repeatable):
        return False
    tries = sum(
        (item.provider, item.upstream_id) == (current.provider, current.upstream_id)
        for item in made
    )
    settings = context.settings
    if tries > settings.submit_retries:
        return False
    pause = settings.submit_pauses.after(tries, fault.retry_after)
    if (fault.retry_after or 0.0) > settings.longest_retry_delay:
        return False
    if await context.health.refusal(current.provider) is not None:
        return False
    await context.clock.sleep(pause)
    return await context.health.take_turn(current.provider) is None


async def _obstacle(context: JobContext, route: RoutePlan) -> SkippedRoute | None:
    """Return why a route cannot be tried now, if it cannot; otherwise its turn has come."""
    try:
        context.providers.get(route.provider)
    except MediawrightError as error:
        return skipped(route, error.code, error.message)
    refusal = await context.health.take_turn(route.provider)
    return None if refusal is None else skipped(route, CIRCUIT_OPEN, refusal.message)


async def _note(
    context: JobContext, generation: Generation, passed: Sequence[SkippedRoute]
) -> None:
    if not passed:
        return
    now = context.clock.now()
    await context.database.write(
        lambda connection: skipped_routes.append(connection, generation.id, passed, now=now)
    )
