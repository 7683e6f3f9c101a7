"""Processes at work: who is there, by the database's clock, which all of them share."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec
import sqlalchemy as sa
from sqlalchemy import Connection, bindparam, delete, select, update
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import GenericFunction

from mediawright.store.codec import from_micros
from mediawright.store.kinds import WorkerRole
from mediawright.store.tables import workers

# Any number does that nothing else in the database uses.
_TAKE_OVER_LOCK = 7_306_082_412


class Worker(msgspec.Struct, frozen=True, kw_only=True):
    """A process that works, or did until a moment ago."""

    id: str
    role: WorkerRole
    host: str
    process_id: int
    version: str
    started_at: datetime
    seen_at: datetime
    stopping: bool = False
    """Whether it takes nothing on any more and only finishes what it cannot leave."""


class DatabaseNow(GenericFunction[int]):
    """The database's time in whole microseconds since 1970, moving within a transaction."""

    type = sa.BigInteger()
    name = "database_now"
    inherit_cache = True


@compiles(DatabaseNow, "postgresql")
def _now_on_postgresql(*_: Any, **__: Any) -> str:
    return "CAST(extract(epoch FROM clock_timestamp()) * 1000000 AS BIGINT)"


@compiles(DatabaseNow, "sqlite")
def _now_on_sqlite(*_: Any, **__: Any) -> str:
    return "CAST((julianday('now') - 2440587.5) * 86400000000 AS INTEGER)"


_SEEN_SINCE = DatabaseNow() - bindparam("patience", type_=sa.BigInteger())
_JOIN = sa.insert(workers).values(
    {
        **{name: bindparam(name) for name in ("id", "role", "host", "process_id", "version")},
        "stopping": False,
        "started_at": DatabaseNow(),
        "seen_at": DatabaseNow(),
    }
)
_BEAT = update(workers).where(workers.c.id == bindparam("worker")).values(seen_at=DatabaseNow())
_RETIRE = update(workers).where(workers.c.id == bindparam("worker")).values(stopping=True)
_LEAVE = delete(workers).where(workers.c.id == bindparam("worker"))
_BURY = delete(workers).where(workers.c.seen_at < _SEEN_SINCE).returning(workers.c.id)
_ANY_DEAD = select(sa.exists(select(workers.c.id).where(workers.c.seen_at < _SEEN_SINCE)))
_LIVE = select(workers).where(workers.c.seen_at >= _SEEN_SINCE).order_by(workers.c.id)
_TRY_LOCK = select(sa.func.pg_try_advisory_xact_lock(_TAKE_OVER_LOCK))


def join(
    c: Connection, worker_id: str, *, role: WorkerRole, host: str, process_id: int, version: str
) -> None:
    """Write that a process has begun to work."""
    values = {
        "id": worker_id,
        "role": role.value,
        "host": host,
        "process_id": process_id,
        "version": version,
    }
    c.execute(_JOIN, values)


def beat(c: Connection, worker_id: str) -> bool:
    """Write that a process lives.

    Returns:
        Whether it still counts as living: `False` once others have buried it, for good.
    """
    return c.execute(_BEAT, {"worker": worker_id}).rowcount == 1


def retire(c: Connection, worker_id: str) -> None:
    """Write that a process is about to stop; what it still holds stays its own."""
    c.execute(_RETIRE, {"worker": worker_id})


def leave(c: Connection, worker_id: str) -> None:
    """Write that a process has stopped; others may take what it leaves."""
    c.execute(_LEAVE, {"worker": worker_id})


def bury(c: Connection, patience: float) -> list[str]:
    """Remove the processes that were not seen for `patience` seconds; return their ids.

    Of a process that comes to life at that very moment, either its heartbeat is first and it
    stays, or it finds itself buried: the row's lock decides.
    """
    return list(c.execute(_BURY, {"patience": _micros(patience)}).scalars())


def any_dead(c: Connection, patience: float) -> bool:
    """Tell whether there is a process that was not seen for `patience` seconds."""
    return bool(c.execute(_ANY_DEAD, {"patience": _micros(patience)}).scalar())


def living(c: Connection, patience: float) -> list[Worker]:
    """Return the processes seen within `patience` seconds, the oldest first."""
    rows = c.execute(_LIVE, {"patience": _micros(patience)})
    return [_to_worker(row) for row in rows]


def try_lock(c: Connection) -> bool:
    """Become the only one to take over from the dead until the transaction ends.

    Returns:
        Whether that worked; on SQLite the transaction is the only writer anyway.
    """
    return c.dialect.name == "sqlite" or bool(c.execute(_TRY_LOCK).scalar())


def _micros(seconds: float) -> int:
    return round(seconds * 1_000_000)


def _to_worker(row: Any) -> Worker:
    return Worker(
        id=row.id,
        role=WorkerRole(row.role),
        host=row.host,
        process_id=row.process_id,
        version=row.version,
        started_at=from_micros(row.started_at),
        seen_at=from_micros(row.seen_at),
        stopping=row.stopping,
    )
