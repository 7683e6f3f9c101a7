"""Who may start: limits of accounts, workspaces and keys, counted in our own rows.

Every count is made of rows that are committed or locked, so it holds across restarts and among
many workers; what has no limit is not counted. A rate is counted over the last 60 seconds of
rows, to the microsecond. An account's submits are its attempts, and those that were given a
place and have not written their attempt yet.

Locks are taken in the order workspace (the one of its credits and events), queue, account, by
everybody; whoever has an account's waits for no other.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Generator, Iterable, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING

from mediawright.core.states import GenerationState
from mediawright.jobs.caller_checks import check
from mediawright.jobs.caller_room import ENDLESS, CallerRoom
from mediawright.jobs.limits import AccountLimits, WhenExceeded
from mediawright.jobs.queues import Queues
from mediawright.jobs.windows import WINDOW, seconds_left
from mediawright.store import admissions, ledger_entries
from mediawright.store.caller_limits import Scope

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from mediawright.core.generation import Generation
    from mediawright.jobs.limits import LimitSettings
    from mediawright.store.admissions import Head

_UNLIMITED = AccountLimits()
_FEW = 64
"""A queue of so many is served first, however much room there is."""
_ENDS_SOMETIME = 1.0
"""Seconds after which to look again whether a place came free; nobody knows when one will."""


class Admission:
    """Decides which generations start, within every limit and fairly among workspaces."""

    def __init__(self, limits: LimitSettings) -> None:
        """Hold generations to these limits."""
        self._limits = limits
        self._callers_wait = limits.when_exceeded is WhenExceeded.QUEUE
        self._at_gate: Counter[str] = Counter()
        """How many of this process wait to submit again; their places are not given away."""

    def admit(
        self, connection: Connection, *, executor: str, now: datetime, most: int
    ) -> list[str]:
        """Give queued generations their places: they move from queued to submitting.

        Args:
            connection: The open transaction; it has taken no lock of a workspace, and ends soon.
            executor: Who will run them.
            now: The time.
            most: At most so many.

        Returns:
            The ids of those that the executor starts now, in that order.
        """
        if most <= 0:
            return []
        admissions.lock_queue(connection)
        accounts = admissions.waiting_accounts(connection)
        self._lock(connection, accounts)
        room = {account: self._room(connection, account, now) for account in accounts}
        picked = self._queues(connection, room, now).pick(most)
        admitted = admissions.admit(
            connection, [item.id for item in picked], executor=executor, now=now
        )
        return [item.id for item in picked if item.id in admitted]

    def at_once(self, connection: Connection, generation: Generation, now: datetime) -> bool:
        """Tell whether a new synchronous generation may start in its own transaction.

        It may if its account has room beyond what waits there already, and its caller too. If
        so, its row and its attempt are written in the same transaction. Nothing is asked of the
        database where nothing is limited.

        Args:
            connection: The transaction that creates it; it is not inserted yet.
            generation: The generation; its first route is the one that is meant.
            now: The time, not before its creation.
        """
        account = generation.routes[0].provider
        limited = self.is_limited(account)
        if not limited and not self._callers_wait:
            return True
        ledger_entries.lock_account(connection, generation.workspace_id)
        if self._callers_wait and not self._caller_has_room(connection, generation, now):
            return False
        return not limited or self._account_has_room(connection, account, now)

    def check_caller(self, connection: Connection, generation: Generation, now: datetime) -> None:
        """Refuse a new generation that is over the limits of its workspace or key.

        Where the settings say that such generations wait, nothing is refused here.

        Args:
            connection: The transaction that creates it; it is not inserted yet.
            generation: The generation.
            now: The time, not before its creation.

        Raises:
            RateLimitedError: `rate_limited`: `details` say which limit, of whom, and in how many
                seconds to come back.
        """
        if not self._callers_wait:
            check(connection, self._limits, generation, now)

    def earliest(self, connection: Connection, now: datetime) -> float | None:
        """Return the seconds until a used-up rate frees for something queued.

        Args:
            connection: A connection; it may be one that only reads.
            now: The time.

        Returns:
            Seconds, or `None` if nothing that is queued waits for a rate.
        """
        accounts = admissions.waiting_accounts(connection)
        moments = [self._account_moment(connection, account, now) for account in accounts]
        if self._callers_wait:
            moments += self._caller_moments(connection, accounts, now)
        known = [moment for moment in moments if moment is not None]
        return min(known) if known else None

    def reserve(
        self, connection: Connection, generation_id: str, account: str, now: datetime
    ) -> float | None:
        """Give a submitting generation a place for its next attempt, maybe at another account.

        Args:
            connection: An open transaction.
            generation_id: Which.
            account: Where it is to be submitted next.
            now: The time.

        Returns:
            `None` if it was given the place or is not submitting any more, else in how many
            seconds to ask again.
        """
        limits = self._limits.accounts.get(account, _UNLIMITED)
        place = admissions.place_of(connection, generation_id)
        self._lock(connection, [account])
        if place is None or place.state is not GenerationState.SUBMITTING:
            return None
        if place.unsent and place.account == account:
            return None
        if limits.concurrent is not None and place.account != account:
            taken = admissions.places_taken(connection, account)
            if taken >= limits.concurrent:
                return _ENDS_SOMETIME
        if limits.requests_per_minute is not None:
            seconds = self._account_moment(connection, account, now)
            if seconds is not None:
                return seconds
        admissions.give_place(connection, generation_id, account)
        return None

    def is_limited(self, account: str) -> bool:
        """Tell whether an account takes only so much."""
        limits = self._limits.accounts.get(account, _UNLIMITED)
        return limits.concurrent is not None or limits.requests_per_minute is not None

    @contextmanager
    def waiting_at_gate(self, account: str) -> Generator[None]:
        """Keep the next free place of an account for somebody who submits again."""
        self._at_gate[account] += 1
        try:
            yield
        finally:
            self._at_gate[account] -= 1

    def _lock(self, connection: Connection, accounts: Iterable[str]) -> None:
        limited = [account for account in accounts if self.is_limited(account)]
        admissions.lock_accounts(connection, limited)

    def _room(self, connection: Connection, account: str, now: datetime) -> int:
        """Return how many more an account takes."""
        limits = self._limits.accounts.get(account, _UNLIMITED)
        room = ENDLESS
        if limits.concurrent is not None:
            room = limits.concurrent - admissions.places_taken(connection, account)
        if limits.requests_per_minute is not None and room > 0:
            room = min(room, limits.requests_per_minute - self._submits(connection, account, now))
        return max(0, room - self._at_gate[account])

    def _submits(self, connection: Connection, account: str, now: datetime) -> int:
        made = admissions.submits_since(connection, account, now - WINDOW)
        return made + admissions.count_unsent(connection, account)

    def _queues(self, connection: Connection, room: Mapping[str, int], now: datetime) -> Queues:
        """Return the queues of the accounts with room, in the order in which they may start."""
        heads = {
            account: admissions.heads(connection, account)
            for account, places in room.items()
            if places > 0
        }
        callers = self._callers(connection, heads, now) if self._callers_wait else None
        return Queues(connection, room, heads, callers)

    def _callers(
        self, connection: Connection, heads: Mapping[str, Sequence[Head]], now: datetime
    ) -> CallerRoom:
        workspaces = {head.workspace_id for found in heads.values() for head in found}
        return CallerRoom(connection, self._limits, now, workspaces)

    def _caller_has_room(
        self, connection: Connection, generation: Generation, now: datetime
    ) -> bool:
        workspace, key = generation.workspace_id, generation.api_key_id
        callers = CallerRoom(connection, self._limits, now, [workspace])
        if not callers.is_limited(workspace, key):
            return True
        admissions.lock_queue(connection)
        callers = CallerRoom(connection, self._limits, now, [workspace])
        if admissions.workspace_waits(connection, workspace):
            return False
        if callers.of(Scope.WORKSPACE, workspace) <= 0:
            return False
        return key is None or callers.of(Scope.KEY, key) > 0

    def _account_has_room(self, connection: Connection, account: str, now: datetime) -> bool:
        admissions.lock_accounts(connection, [account])
        room = min(self._room(connection, account, now), _FEW)
        if room < 1 or admissions.count_queued(connection, account, at_most=room) < room:
            return room >= 1
        if not self._callers_wait:
            return False
        # Many may wait for their own limits only; those take nobody's place.
        return len(self._queues(connection, {account: room}, now).pick(room)) < room

    def _account_moment(self, connection: Connection, account: str, now: datetime) -> float | None:
        """Return the seconds until an account's used-up rate frees; `None` if it is not used up.

        Those without an attempt yet leave the window a whole one after they write it.
        """
        rate = self._limits.accounts.get(account, _UNLIMITED).requests_per_minute
        if rate is None:
            return None
        newer = rate - 1 - admissions.count_unsent(connection, account)
        if newer < 0:
            return WINDOW.total_seconds()
        moment = admissions.submitted_at(connection, account, now - WINDOW, newer=newer)
        return None if moment is None else seconds_left(moment, now)

    def _caller_moments(
        self, connection: Connection, accounts: Iterable[str], now: datetime
    ) -> list[float | None]:
        heads = {account: admissions.heads(connection, account) for account in accounts}
        callers = self._callers(connection, heads, now)
        owners = {owner for found in heads.values() for head in found for owner in _owners(head)}
        moments = [callers.next_moment(scope, owner) for scope, owner in owners]
        return [None if moment is None else seconds_left(moment, now) for moment in moments]


def _owners(head: Head) -> list[tuple[Scope, str]]:
    owners = [(Scope.WORKSPACE, head.workspace_id)]
    return owners if head.api_key_id is None else [*owners, (Scope.KEY, head.api_key_id)]
