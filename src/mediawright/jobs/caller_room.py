"""How many more generations workspaces and keys may begin now, where those over it wait."""

from __future__ import annotations

import sys
from collections.abc import Collection
from datetime import datetime
from typing import TYPE_CHECKING

from mediawright.jobs.limits import CallerLimits
from mediawright.jobs.windows import WINDOW
from mediawright.store import caller_limits
from mediawright.store.caller_limits import Moment, OwnLimits, Scope

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from mediawright.jobs.limits import LimitSettings

ENDLESS = sys.maxsize
"""The room of whoever has no limit."""


def effective(own: OwnLimits | None, settings: CallerLimits) -> CallerLimits:
    """Return the limits of a row, completed from the settings."""
    if own is None:
        return settings
    rate, concurrent = own
    return CallerLimits(
        requests_per_minute=settings.requests_per_minute if rate is None else rate,
        concurrent_generations=(
            settings.concurrent_generations if concurrent is None else concurrent
        ),
    )


class CallerRoom:
    """What is left to callers, counted once and then kept while places are given.

    It is right as long as its transaction holds the lock of the queues.
    """

    def __init__(
        self,
        connection: Connection,
        limits: LimitSettings,
        now: datetime,
        workspaces: Collection[str],
    ) -> None:
        """Read which limits these workspaces and their keys have.

        Args:
            connection: The open transaction.
            limits: The settings.
            now: The time.
            workspaces: Those that will be asked for.
        """
        self._connection = connection
        self._limits = limits
        self._since = now - WINDOW
        self._of_workspaces = caller_limits.of_workspaces(connection, workspaces)
        self._of_keys = caller_limits.of_keys(connection, workspaces)
        self._at_providers: dict[str, int] | None = None
        self._room: dict[tuple[Scope, str], int] = {}

    def limits_of(self, scope: Scope, owner: str) -> CallerLimits:
        """Return the limits that hold for a workspace or key."""
        if scope is Scope.WORKSPACE:
            return effective(self._of_workspaces.get(owner), self._limits.workspace)
        return effective(self._of_keys.get(owner), self._limits.key)

    def is_limited(self, workspace_id: str, api_key_id: str | None) -> bool:
        """Tell whether anything limits a caller."""
        scopes = _scopes(workspace_id, api_key_id)
        return any(self.limits_of(*scope) != CallerLimits() for scope in scopes)

    def of(self, scope: Scope, owner: str) -> int:
        """Return how many more a workspace or key may begin."""
        known = self._room.get((scope, owner))
        if known is None:
            known = self._room[scope, owner] = self._count(scope, owner)
        return known

    def take(self, workspace_id: str, api_key_id: str | None) -> None:
        """Note that one more was begun."""
        for scope in _scopes(workspace_id, api_key_id):
            self._room[scope] = self.of(*scope) - 1

    def next_moment(self, scope: Scope, owner: str) -> int | None:
        """Return when a start leaves the window of a caller whose rate is used up.

        Returns:
            When that start was, in microseconds; `None` if the rate is not used up.
        """
        rate = self.limits_of(scope, owner).requests_per_minute
        if rate is None:
            return None
        return caller_limits.moment_before(
            self._connection, scope, owner, Moment.STARTED, self._since, newer=rate - 1
        )

    def _count(self, scope: Scope, owner: str) -> int:
        limits = self.limits_of(scope, owner)
        room = ENDLESS
        if limits.concurrent_generations is not None:
            room = limits.concurrent_generations - self._at_work(
                scope, owner, limits.concurrent_generations
            )
        if limits.requests_per_minute is not None and room > 0:
            begun = caller_limits.count_since(
                self._connection, scope, owner, Moment.STARTED, self._since
            )
            room = min(room, limits.requests_per_minute - begun)
        return max(0, room)

    def _at_work(self, scope: Scope, owner: str, limit: int) -> int:
        if scope is Scope.KEY:
            return caller_limits.under_way(
                self._connection, scope, owner, at_most=limit, with_queued=False
            )
        if self._at_providers is None:
            self._at_providers = caller_limits.at_providers(self._connection)
        return self._at_providers.get(owner, 0)


def _scopes(workspace_id: str, api_key_id: str | None) -> list[tuple[Scope, str]]:
    scopes = [(Scope.WORKSPACE, workspace_id)]
    if api_key_id is not None:
        scopes.append((Scope.KEY, api_key_id))
    return scopes
