"""What became of each route of a generation, as every surface shows it."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Any

from mediawright.core.states import AttemptState
from mediawright.store import assets, attempts

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from sqlalchemy import Connection

    from mediawright.app.runtime import Runtime
    from mediawright.core.generation import Asset, Attempt, Generation


class RouteOutcome(StrEnum):
    """What became of a route."""

    TAKEN = "taken"
    """Its provider took the request."""
    TRYING = "trying"
    """It was sent, and no answer is there yet."""
    FAILED = "failed"
    """Its provider did not take the request."""
    UNKNOWN = "unknown"
    """Nobody knows whether its provider took the request."""
    SKIPPED = "skipped"
    """It was passed over."""
    UNTRIED = "untried"
    """There was no need for it, so far."""


_OUTCOMES = {
    AttemptState.INTENT: RouteOutcome.TRYING,
    AttemptState.ACKNOWLEDGED: RouteOutcome.TAKEN,
    AttemptState.REJECTED: RouteOutcome.FAILED,
    AttemptState.UNKNOWN: RouteOutcome.UNKNOWN,
}


async def outputs_and_attempts(
    runtime: Runtime, generation: Generation
) -> tuple[list[Asset], list[Attempt]]:
    """Return the assets a generation has made, and every try to have it made."""

    def work(connection: Connection) -> tuple[list[Asset], list[Attempt]]:
        owner = generation.workspace_id
        made = (
            assets.for_generation(connection, owner, generation.id)
            if generation.state.is_terminal
            else []
        )
        return made, attempts.for_generation(connection, owner, generation.id)

    return await runtime.database.read(work)


async def attempts_of(
    runtime: Runtime, workspace_id: str, generation_ids: Collection[str]
) -> dict[str, list[Attempt]]:
    """Return every try to have generations made, by their ids."""
    return await runtime.database.read(
        lambda connection: attempts.for_generations(connection, workspace_id, generation_ids)
    )


def route_views(generation: Generation, made: Sequence[Attempt]) -> list[dict[str, Any]]:
    """Return what became of each route: those passed over from the start, then the others.

    Args:
        generation: Whose routes.
        made: Its attempts, first to last.
    """
    passed = {(item.provider, item.upstream_id): item for item in generation.skipped_routes}
    tried: dict[tuple[str, str], list[Attempt]] = {}
    for attempt in made:
        tried.setdefault((attempt.provider, attempt.upstream_id), []).append(attempt)
    planned = [(route.provider, route.upstream_id) for route in generation.routes]
    views: list[dict[str, Any]] = []
    for place in dict.fromkeys([*(key for key in passed if key not in planned), *planned]):
        view: dict[str, Any] = {"provider": place[0], "upstream_id": place[1], "attempts": 0}
        reason = message = None
        outcome = RouteOutcome.UNTRIED
        if place in tried:
            last = tried[place][-1]
            view["attempts"] = len(tried[place])
            outcome = _OUTCOMES[last.state]
            if last.problem is not None and outcome is not RouteOutcome.TAKEN:
                reason, message = last.problem.code, last.problem.message
        elif place in passed:
            outcome = RouteOutcome.SKIPPED
            reason, message = passed[place].reason, passed[place].message
        views.append({**view, "outcome": outcome.value, "reason": reason, "message": message})
    return views
