"""Refuses what is over the limits of its workspace or key, where it is not to wait."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from mediawright.core.errors import RateLimitedError
from mediawright.jobs.caller_room import effective
from mediawright.jobs.limits import CallerLimits
from mediawright.jobs.windows import WINDOW, seconds_left, whole_seconds
from mediawright.store import caller_limits, ledger_entries
from mediawright.store.caller_limits import Moment, Scope

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from sqlalchemy import Connection

    from mediawright.core.generation import Generation
    from mediawright.jobs.limits import LimitSettings

ASK_AGAIN = 5
"""Seconds that a caller with too much under way is told to wait; nobody knows when one ends."""


class _Owner(NamedTuple):
    scope: Scope
    name: str
    limits: CallerLimits


def check(
    connection: Connection, limits: LimitSettings, generation: Generation, now: datetime
) -> None:
    """Return if one more is within the limits of the generation's workspace and key.

    Args:
        connection: The transaction that creates it; it is not inserted yet.
        limits: The settings.
        generation: The generation.
        now: The time, not before its creation.

    Raises:
        RateLimitedError: `rate_limited`; of several limits the one that frees last is named.
    """
    owners = _limited(connection, limits, generation)
    if not owners:
        return
    ledger_entries.lock_account(connection, generation.workspace_id)
    exceeded = [error for owner in owners for error in _exceeded(connection, owner, now)]
    if exceeded:
        raise max(exceeded, key=lambda error: error.details["retry_after"])


def _limited(connection: Connection, limits: LimitSettings, generation: Generation) -> list[_Owner]:
    workspace, key = generation.workspace_id, generation.api_key_id
    of_workspace, of_key = caller_limits.of_caller(connection, workspace, key)
    owners = [_Owner(Scope.WORKSPACE, workspace, effective(of_workspace, limits.workspace))]
    if key is not None:
        owners.append(_Owner(Scope.KEY, key, effective(of_key, limits.key)))
    return [owner for owner in owners if owner.limits != CallerLimits()]


def _exceeded(connection: Connection, owner: _Owner, now: datetime) -> Iterator[RateLimitedError]:
    rate = owner.limits.requests_per_minute
    if rate is not None:
        moment = caller_limits.moment_before(
            connection, owner.scope, owner.name, Moment.CREATED, now - WINDOW, newer=rate - 1
        )
        if moment is not None:
            seconds = whole_seconds(seconds_left(moment, now))
            what = f"begin {rate} in a minute"
            yield _error(owner.scope, "requests_per_minute", rate, seconds, what)
    most = owner.limits.concurrent_generations
    if most is not None:
        running = caller_limits.under_way(
            connection, owner.scope, owner.name, at_most=most, with_queued=True
        )
        if running >= most:
            what = f"have {most} under way at a time"
            yield _error(owner.scope, "concurrent_generations", most, ASK_AGAIN, what)


def _error(scope: Scope, limit: str, allowed: int, seconds: int, what: str) -> RateLimitedError:
    return RateLimitedError(
        "rate_limited",
        f"Too many generations: this {scope.value} may {what}.",
        hint=f"Try again in {seconds} s. What is left is shown by `mediawright limits` and by "
        "GET /v1/limits.",
        details={
            "limit": limit,
            "of": scope.value,
            "allowed": allowed,
            "retry_after": seconds,
        },
    )
