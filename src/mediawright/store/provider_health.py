"""How each provider's account fares, as all processes share it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec
import sqlalchemy as sa
from sqlalchemy import Connection, Row, bindparam, func, select, update

from mediawright.core.errors import Problem
from mediawright.store.codec import (
    from_micros_or_none,
    to_json_or_none,
    to_micros,
    to_micros_or_none,
)
from mediawright.store.insertion import insert_once
from mediawright.store.kinds import HealthState
from mediawright.store.tables import provider_health

_problem = msgspec.json.Decoder(Problem)


class Health(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of one provider's account."""

    provider: str
    state: HealthState = HealthState.CLOSED
    failures: int = 0
    """Outages in a row."""
    opened_at: datetime | None = None
    """Since when it is left alone."""
    retry_at: datetime | None = None
    """When it is tried again; while that is being done, when somebody else may try."""
    last_error: Problem | None = None
    last_success_at: datetime | None = None
    last_failure_at: datetime | None = None

    @property
    def place(self) -> tuple[HealthState, datetime | None]:
        """What tells one state of a circuit breaker from the next."""
        return self.state, self.retry_at


class Note(msgspec.Struct, frozen=True, kw_only=True):
    """What was seen of a provider that changes nothing about whether it is used."""

    answered: bool = False
    """Whether it answered, which ends a row of failures; `failures` come after that."""
    failures: int = 0
    last_error: Problem | None = None
    last_success_at: datetime | None = None
    last_failure_at: datetime | None = None

    def then(self, later: Note) -> Note:
        """Return the note of both."""
        return Note(
            answered=self.answered or later.answered,
            failures=later.failures if later.answered else self.failures + later.failures,
            last_error=later.last_error or self.last_error,
            last_success_at=later.last_success_at or self.last_success_at,
            last_failure_at=later.last_failure_at or self.last_failure_at,
        )


def _known(name: str, kind: type[sa.Text] | type[sa.BigInteger]) -> sa.ColumnElement[Any]:
    """Return what a column becomes: the new value, or where there is none what it is."""
    return func.coalesce(bindparam(f"new_{name}", type_=kind), provider_health.c[name])


_ALL = select(provider_health).order_by(provider_health.c.provider)
_IS_CLOSED = provider_health.c.state == HealthState.CLOSED.value
_CHANGE = (
    update(provider_health)
    .where(
        provider_health.c.provider == bindparam("of_provider"),
        provider_health.c.state == bindparam("known_state"),
        provider_health.c.retry_at.is_not_distinct_from(
            bindparam("known_retry_at", type_=sa.BigInteger)
        ),
    )
    .values(
        state=bindparam("new_state"),
        failures=bindparam("new_failures"),
        opened_at=bindparam("new_opened_at"),
        retry_at=bindparam("new_retry_at"),
        last_error=bindparam("new_last_error"),
        last_success_at=bindparam("new_last_success_at"),
        last_failure_at=bindparam("new_last_failure_at"),
        updated_at=bindparam("now"),
    )
)
_NOTE = (
    update(provider_health)
    .where(provider_health.c.provider == bindparam("of_provider"))
    .values(
        failures=sa.case(
            # How long an open circuit stays open depends on the number, which is settled then.
            (sa.not_(_IS_CLOSED), provider_health.c.failures),
            (
                bindparam("answered", type_=sa.Boolean),
                bindparam("added", type_=sa.Integer),
            ),
            else_=provider_health.c.failures + bindparam("added", type_=sa.Integer),
        ),
        last_error=_known("last_error", sa.Text),
        last_success_at=_known("last_success_at", sa.BigInteger),
        last_failure_at=_known("last_failure_at", sa.BigInteger),
        updated_at=bindparam("now"),
    )
)
_RESET = (
    update(provider_health)
    .where(provider_health.c.provider == bindparam("of_provider"))
    .values(
        state=HealthState.CLOSED.value,
        failures=0,
        opened_at=None,
        retry_at=None,
        updated_at=bindparam("now"),
    )
)


def all_of(c: Connection) -> list[Health]:
    """Return what is known of every provider that was ever asked, by name."""
    return [_to_health(row) for row in c.execute(_ALL)]


def change(c: Connection, known: Health, following: Health, *, now: datetime) -> bool:
    """Change a provider's state if it is still as it is known.

    One statement compares and sets, so of several processes that try, exactly one wins.

    Args:
        c: The connection.
        known: The state it was last seen in; a provider nobody has written of is closed.
        following: What it becomes.
        now: When.

    Returns:
        Whether it was changed; `False` if another process has changed it.
    """
    _ensure(c, known.provider, now)
    values = {
        "of_provider": known.provider,
        "known_state": known.state.value,
        "known_retry_at": to_micros_or_none(known.retry_at),
        "new_state": following.state.value,
        "new_failures": following.failures,
        "new_opened_at": to_micros_or_none(following.opened_at),
        "new_retry_at": to_micros_or_none(following.retry_at),
        "new_last_error": to_json_or_none(following.last_error),
        "new_last_success_at": to_micros_or_none(following.last_success_at),
        "new_last_failure_at": to_micros_or_none(following.last_failure_at),
        "now": to_micros(now),
    }
    return c.execute(_CHANGE, values).rowcount == 1


def note(c: Connection, provider: str, seen: Note, *, now: datetime) -> None:
    """Write down what was seen of a provider; its state stays."""
    _ensure(c, provider, now)
    values = {
        "of_provider": provider,
        "answered": seen.answered,
        "added": seen.failures,
        "new_last_error": to_json_or_none(seen.last_error),
        "new_last_success_at": to_micros_or_none(seen.last_success_at),
        "new_last_failure_at": to_micros_or_none(seen.last_failure_at),
        "now": to_micros(now),
    }
    c.execute(_NOTE, values)


def reset(c: Connection, provider: str, *, now: datetime) -> None:
    """Have a provider used again, whatever was seen of it."""
    _ensure(c, provider, now)
    c.execute(_RESET, {"of_provider": provider, "now": to_micros(now)})


def _ensure(c: Connection, provider: str, now: datetime) -> None:
    values = {
        "provider": provider,
        "state": HealthState.CLOSED.value,
        "failures": 0,
        "updated_at": to_micros(now),
    }
    insert_once(c, provider_health, values, ("provider",))


def _to_health(row: Row[Any]) -> Health:
    return Health(
        provider=row.provider,
        state=HealthState(row.state),
        failures=row.failures,
        opened_at=from_micros_or_none(row.opened_at),
        retry_at=from_micros_or_none(row.retry_at),
        last_error=None if row.last_error is None else _problem.decode(row.last_error),
        last_success_at=from_micros_or_none(row.last_success_at),
        last_failure_at=from_micros_or_none(row.last_failure_at),
    )
