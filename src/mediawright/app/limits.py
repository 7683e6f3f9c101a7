"""All limits, rates and credits in one document, with what is used of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from mediawright.app.api_keys import HIGHEST_LIMIT, own_limits, require_key
from mediawright.app.vendor_limits import VENDOR_LIMITS, VendorLimit
from mediawright.app.workspaces import require_workspace
from mediawright.core.money import plain
from mediawright.jobs.caller_room import effective
from mediawright.jobs.limits import AccountLimits, WhenExceeded
from mediawright.jobs.windows import WINDOW, seconds_left
from mediawright.store import admissions, caller_limits
from mediawright.store.caller_limits import Moment, OwnLimits, Scope

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Connection

    from mediawright.app.runtime import Runtime
    from mediawright.app.settings import Settings
    from mediawright.jobs.cadence import Cadence
    from mediawright.jobs.limits import CallerLimits


class LimitUse(msgspec.Struct, frozen=True, kw_only=True):
    """A limit and what is used of it."""

    allowed: int | None
    """`None` where there is no limit."""
    used: int | None
    """`None` where the caller may not know."""
    left: int | None
    """`None` where there is no limit, or the caller may not know."""
    free_in_seconds: float | None
    """0 while something is left; `None` if nobody knows when there will be."""


class CallerUse(msgspec.Struct, frozen=True, kw_only=True):
    """The limits of a workspace or of a key."""

    scope: Scope
    id: str
    requests_per_minute: LimitUse
    concurrent_generations: LimitUse


class AccountUse(msgspec.Struct, frozen=True, kw_only=True):
    """The limits of the account at a provider, which all workspaces share."""

    provider: str
    concurrent: LimitUse
    requests_per_minute: LimitUse
    polls_per_minute: int | None
    queued: int | None
    """Generations that wait for a place at it; `None` where the caller may not know."""
    known: tuple[VendorLimit, ...]
    """What the vendor says that accounts take."""


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """Every limit that holds for a caller."""

    when_exceeded: WhenExceeded
    workspace: CallerUse
    key: CallerUse | None
    accounts: tuple[AccountUse, ...]
    available_credits: str
    held_credits: str


async def limits_of(
    runtime: Runtime, workspace_id: str, key_id: str | None = None, *, in_full: bool
) -> Limits:
    """Return the limits of a caller with what is used of them, all as of one moment.

    Args:
        runtime: The installation.
        workspace_id: Whose.
        key_id: The key, if they have one.
        in_full: Whether to tell how much all workspaces use of the providers' accounts.

    Raises:
        NotFoundError: There is no such workspace, or it has no such key.
    """
    now = runtime.clock.now()

    def work(connection: Connection) -> Limits:
        require_workspace(connection, workspace_id)
        if key_id is not None:
            require_key(connection, workspace_id, key_id)
        balance = runtime.ledger.balance_of(connection, workspace_id)
        limits = runtime.settings.limits
        of_workspace, of_key = caller_limits.of_caller(connection, workspace_id, key_id)
        callers = _Callers(connection, limits.when_exceeded, now)
        workspace = callers.use(
            Scope.WORKSPACE, workspace_id, effective(of_workspace, limits.workspace)
        )
        key = None
        if key_id is not None:
            key = callers.use(Scope.KEY, key_id, effective(of_key, limits.key))
        return Limits(
            when_exceeded=limits.when_exceeded,
            workspace=workspace,
            key=key,
            accounts=tuple(
                _account(runtime, connection, name, now, in_full=in_full)
                for name in sorted(runtime.providers.names())
            ),
            available_credits=plain(balance.available.amount),
            held_credits=plain(balance.held.amount),
        )

    return await runtime.database.read(work)


async def workspace_limits(runtime: Runtime, workspace_id: str) -> OwnLimits:
    """Return a workspace's own limits, without the settings'.

    Raises:
        NotFoundError: `workspace_not_found`.
    """

    def work(connection: Connection) -> OwnLimits:
        require_workspace(connection, workspace_id)
        return caller_limits.of_caller(connection, workspace_id, None)[0]

    return await runtime.database.read(work)


async def limit_workspace(
    runtime: Runtime,
    workspace_id: str,
    *,
    requests_per_minute: int | None,
    concurrent_generations: int | None,
) -> None:
    """Give a workspace limits of its own; `None` leaves it to the settings.

    Raises:
        NotFoundError: `workspace_not_found`.
        InvalidRequestError: `invalid_limit`.
    """
    own = own_limits(requests_per_minute, concurrent_generations)

    def work(connection: Connection) -> None:
        require_workspace(connection, workspace_id)
        caller_limits.limit_workspace(connection, workspace_id, own)

    await runtime.database.write(work)


def limits_view(limits: Limits, settings: Settings) -> dict[str, Any]:
    """Return the public form of the document."""
    return {
        "when_exceeded": limits.when_exceeded.value,
        "workspace": _caller_view(limits.workspace),
        "key": None if limits.key is None else _caller_view(limits.key),
        "accounts": [msgspec.to_builtins(account) for account in limits.accounts],
        "credits": {
            "available": limits.available_credits,
            "held": limits.held_credits,
            "per_usd": plain(settings.account.credits_per_usd),
            "initial": plain(settings.account.initial_credits),
            "unknown_price_allowed": settings.account.allow_unknown_price,
        },
        **fixed_limits(settings),
    }


def fixed_limits(settings: Settings) -> dict[str, Any]:
    """Return what holds for everybody, by part: numbers with their unit in the name."""
    jobs, server = settings.jobs, settings.server
    cadences = {name: getattr(jobs.cadence, name) for name in jobs.cadence.__struct_fields__}
    return {
        "files": {
            "largest_upload_bytes": settings.media.largest_upload,
            "files_per_upload": settings.media.files_per_upload,
            "largest_input_bytes": jobs.largest_input,
            "largest_output_bytes": jobs.largest_output,
        },
        "waiting": {
            "longest_wait_seconds": server.longest_wait,
            "stream_heartbeat_seconds": server.heartbeat,
        },
        "polling": {name: _cadence_view(cadence) for name, cadence in cadences.items()},
        "submitting": {
            "retries": jobs.submit_retries,
            "longest_retry_delay_seconds": jobs.longest_retry_delay,
            "timeout_seconds": jobs.submit_timeout,
        },
        "retention": {
            "temporary_state_hours": jobs.retention_hours,
            "late_result_seconds": jobs.late_result_window,
            "assets": "kept until they are deleted",
        },
        "webhooks": {
            "most_endpoints": settings.webhooks.most_endpoints,
            "tries": len(settings.webhooks.schedule) + 1,
            "given_up_after_seconds": sum(settings.webhooks.schedule),
        },
    }


class _Callers:
    """Counts what callers use, as admission does."""

    def __init__(self, connection: Connection, when_exceeded: WhenExceeded, now: datetime) -> None:
        self._connection = connection
        self._now = now
        self._rejects = when_exceeded is WhenExceeded.REJECT
        self._moment = Moment.CREATED if self._rejects else Moment.STARTED

    def use(self, scope: Scope, owner: str, limits: CallerLimits) -> CallerUse:
        rate, concurrent = limits.requests_per_minute, limits.concurrent_generations
        since = self._now - WINDOW
        made = caller_limits.count_since(self._connection, scope, owner, self._moment, since)
        moment = rate and caller_limits.moment_before(
            self._connection, scope, owner, self._moment, since, newer=rate - 1
        )
        running = caller_limits.under_way(
            self._connection,
            scope,
            owner,
            at_most=HIGHEST_LIMIT,
            with_queued=self._rejects,
        )
        return CallerUse(
            scope=scope,
            id=owner,
            requests_per_minute=_use(rate, made, seconds_left(moment, self._now) if moment else 0),
            concurrent_generations=_use(concurrent, running),
        )


def _use(allowed: int | None, used: int, free_in: float | None = None) -> LimitUse:
    left = None if allowed is None else max(0, allowed - used)
    return LimitUse(
        allowed=allowed, used=used, left=left, free_in_seconds=free_in if left == 0 else 0
    )


def _account(
    runtime: Runtime, connection: Connection, name: str, now: datetime, *, in_full: bool
) -> AccountUse:
    limits = runtime.settings.limit_settings().accounts.get(name, AccountLimits())
    concurrent = _unknown_use(limits.concurrent)
    rate = _unknown_use(limits.requests_per_minute)
    if in_full:
        concurrent = _use(limits.concurrent, admissions.places_taken(connection, name))
        rate = _rate_use(connection, name, limits.requests_per_minute, now)
    return AccountUse(
        provider=name,
        concurrent=concurrent,
        requests_per_minute=rate,
        polls_per_minute=limits.polls_per_minute,
        queued=admissions.count_queued(connection, name) if in_full else None,
        known=tuple(limit for limit in VENDOR_LIMITS if limit.provider == name),
    )


def _rate_use(connection: Connection, name: str, rate: int | None, now: datetime) -> LimitUse:
    since = now - WINDOW
    unsent = admissions.count_unsent(connection, name)
    used = admissions.submits_since(connection, name, since) + unsent
    free_in: float | None = None
    if rate is not None and rate > unsent:
        moment = admissions.submitted_at(connection, name, since, newer=rate - 1 - unsent)
        free_in = None if moment is None else seconds_left(moment, now)
    return _use(rate, used, free_in)


def _unknown_use(allowed: int | None) -> LimitUse:
    return LimitUse(allowed=allowed, used=None, left=None, free_in_seconds=None)


def _caller_view(use: CallerUse) -> dict[str, Any]:
    return {
        "id": use.id,
        "requests_per_minute": msgspec.to_builtins(use.requests_per_minute),
        "concurrent_generations": msgspec.to_builtins(use.concurrent_generations),
    }


def _cadence_view(cadence: Cadence) -> dict[str, float]:
    return {
        "first_after_seconds": cadence.first,
        "growth": cadence.growth,
        "longest_interval_seconds": cadence.longest,
        "overdue_after_seconds": cadence.window,
        "expires_after_seconds": cadence.limit,
    }
