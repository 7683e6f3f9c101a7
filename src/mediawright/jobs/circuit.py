"""The rules of a circuit breaker: what a provider's answers make of its health. Pure."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import msgspec

from mediawright.core.provider import FaultKind
from mediawright.jobs.faults import ACCOUNT_KINDS, OUTAGE_KINDS, problem_of
from mediawright.store.kinds import HealthState

if TYPE_CHECKING:
    from datetime import datetime

    from mediawright.core.errors import Problem
    from mediawright.core.provider import Fault
    from mediawright.jobs.trying_again import CircuitSettings
    from mediawright.store.provider_health import Health

TURN = 60.0
"""Seconds after which somebody else may try a provider, where whoever tries is not heard of."""
_SOON = 5.0
"""Seconds after which to come back while somebody is trying."""
_FORBIDDEN = 403
_ONLY_PROVIDERS_SAY = frozenset({FaultKind.REFUSED, FaultKind.RATE_LIMITED})


def is_outage(fault: Fault) -> bool:
    """Tell whether a fault counts against a provider."""
    return fault.kind in OUTAGE_KINDS or fault.kind in ACCOUNT_KINDS


def is_answer(fault: Fault) -> bool:
    """Tell whether a fault shows that the provider works, whatever it said."""
    said = fault.kind in _ONLY_PROVIDERS_SAY or fault.http_status is not None
    return said and not is_outage(fault)


def ends_failures(fault: Fault) -> bool:
    """Tell whether a fault shows that the provider works as it should.

    One that is overloaded turns some requests away and breaks down over others.
    """
    return is_answer(fault) and fault.kind is not FaultKind.RATE_LIMITED


def call_of(health: Health) -> str | None:
    """Return what was asked of a provider when it was last found not to work."""
    return None if health.last_error is None else health.last_error.details.get("call")


def after_failure(
    health: Health, fault: Fault, now: datetime, settings: CircuitSettings, *, call: str
) -> Health:
    """Return the health of a provider that is used, or being tried, after a fault that counts.

    Args:
        health: What it was.
        fault: What went wrong.
        now: When.
        settings: When it is left alone.
        call: What was asked of it, `submit` or `poll`.
    """
    trying = health.state is HealthState.HALF_OPEN
    failures = health.failures + 1
    noted = msgspec.structs.replace(
        health, failures=failures, last_error=error_of(health, fault, call), last_failure_at=now
    )
    if not trying and not _is_about_the_account(fault) and failures < settings.failures:
        return noted
    return msgspec.structs.replace(
        noted,
        state=HealthState.OPEN,
        opened_at=health.opened_at or now,
        retry_at=now + timedelta(seconds=_cooldown(failures, fault, settings)),
    )


def after_answer(health: Health) -> Health:
    """Return the health of a provider that has answered."""
    return msgspec.structs.replace(
        health, state=HealthState.CLOSED, failures=0, opened_at=None, retry_at=None
    )


def error_of(health: Health, fault: Fault, call: str) -> Problem:
    """Return what to keep of a fault."""
    problem = problem_of(fault, health.provider)
    return msgspec.structs.replace(problem, details={**problem.details, "call": call})


def turn_of(health: Health, now: datetime) -> Health:
    """Return the health of a provider that one request is about to try."""
    retry_at = now + timedelta(seconds=TURN)
    return msgspec.structs.replace(health, state=HealthState.HALF_OPEN, retry_at=retry_at)


def given_back(health: Health, now: datetime) -> Health:
    """Return the health of a provider whose turn came to nothing: the next may try."""
    return msgspec.structs.replace(health, state=HealthState.OPEN, retry_at=now)


def is_due(health: Health, now: datetime) -> bool:
    """Tell whether a provider that is left alone may be tried."""
    return health.retry_at is None or now >= health.retry_at


def retry_after(health: Health, now: datetime) -> float:
    """Return the seconds after which it is worth coming back."""
    left = 0.0 if health.retry_at is None else (health.retry_at - now).total_seconds()
    if health.state is HealthState.HALF_OPEN:
        left = min(left, _SOON)
    return max(left, 1.0)


def _is_about_the_account(fault: Fault) -> bool:
    """Tell whether no other request would fare better.

    What a provider forbids may be one model only, so that has to happen more than once.
    """
    return fault.kind in ACCOUNT_KINDS and fault.http_status != _FORBIDDEN


def _cooldown(failures: int, fault: Fault, settings: CircuitSettings) -> float:
    if fault.kind in ACCOUNT_KINDS:
        return min(settings.account_cooldown, settings.longest)
    beyond = max(failures - settings.failures, 0)
    grown = settings.cooldown * 2.0 ** min(beyond, 32)
    return min(max(grown, fault.retry_after or 0.0), settings.longest)
