"""Which route to try next, after one was not taken."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mediawright.jobs.context import JobContext, route_of
from mediawright.jobs.faults import FALLBACK_KINDS, RETRY_KINDS
from mediawright.store import attempts

if TYPE_CHECKING:
    from mediawright.core.generation import Attempt, Generation, RoutePlan
    from mediawright.core.provider import Fault


async def next_route(
    context: JobContext,
    generation: Generation,
    attempt: Attempt,
    fault: Fault,
    *,
    repeatable: bool,
) -> RoutePlan | None:
    """Return the route to try next, after any wait it needs, or `None` to give up."""
    current = route_of(generation, attempt.provider, attempt.upstream_id)
    retryable = fault.kind in RETRY_KINDS or (fault.accepted is None and repeatable)
    if retryable and await _tries(context, generation, current) <= context.settings.submit_retries:
        delay = fault.retry_after if fault.retry_after is not None else float(attempt.number)
        if delay <= context.settings.longest_retry_delay:
            await context.clock.sleep(delay)
            return current
    if fault.kind in FALLBACK_KINDS and generation.request.provider is None:
        later = generation.routes[generation.routes.index(current) + 1 :]
        return later[0] if later else None
    return None


async def _tries(context: JobContext, generation: Generation, route: RoutePlan) -> int:
    made = await context.database.read(
        lambda connection: attempts.for_generation(connection, None, generation.id)
    )
    return sum(
        (item.provider, item.upstream_id) == (route.provider, route.upstream_id) for item in made
    )
