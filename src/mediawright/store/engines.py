"""How connections are opened, and with which settings."""

from __future__ import annotations

import sqlite3
import time
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event
from sqlalchemy.pool import QueuePool, StaticPool

from mediawright.core.errors import UnavailableError
from mediawright.store.connections import direct

_BUSY_MILLISECONDS = 10_000
_OPENING_TRIES = 50
_OPENING_PAUSE_SECONDS = 0.02

_IDLE_MILLISECONDS = 10_000
"""How long a transaction on PostgreSQL may wait for its process; less than it takes for others
to take over."""

_SQLITE_SETTINGS = (
    f"PRAGMA busy_timeout = {_BUSY_MILLISECONDS}",
    "PRAGMA journal_mode = WAL",
    # A commit that was reported survives a power cut: the money depends on it.
    "PRAGMA synchronous = FULL",
    "PRAGMA foreign_keys = ON",
)


def sqlite_writer(url: URL) -> Engine:
    """Return an engine with one connection whose transactions are the only writer's."""
    return _sqlite(url, "BEGIN IMMEDIATE", _SQLITE_SETTINGS, poolclass=StaticPool)


def sqlite_readers(url: URL, count: int) -> Engine:
    """Return an engine with at most `count` connections that cannot write."""
    settings = (*_SQLITE_SETTINGS, "PRAGMA query_only = ON")
    return _sqlite(url, "BEGIN", settings, poolclass=QueuePool, pool_size=count, max_overflow=0)


def postgresql_writers(url: URL, count: int) -> Engine:
    """Return an engine with at most `count` connections."""
    return _postgresql(url, count, isolation_level="READ COMMITTED")


def postgresql_readers(url: URL, count: int) -> Engine:
    """Return an engine with at most `count` connections that cannot write.

    Each transaction sees one snapshot, as on SQLite.
    """
    engine = _postgresql(url, count, isolation_level="REPEATABLE READ")
    return engine.execution_options(postgresql_readonly=True)


def _sqlite(url: URL, begin: str, settings: tuple[str, ...], **options: Any) -> Engine:
    engine = create_engine(
        url.set(drivername="sqlite"), connect_args={"check_same_thread": False}, **options
    )

    def prepare(connection: Any, _record: Any) -> None:
        # Without this the driver begins transactions itself, and only at the first change.
        connection.isolation_level = None
        cursor = connection.cursor()
        for setting in settings:
            _set(cursor, setting)
        cursor.close()

    def start_transaction(connection: Connection) -> None:
        connection.exec_driver_sql(begin)

    def make_folder(*_: Any) -> None:
        Path(url.database or "").absolute().parent.mkdir(parents=True, exist_ok=True)

    event.listen(engine, "do_connect", make_folder)
    event.listen(engine, "connect", prepare)
    event.listen(engine, "begin", start_transaction)
    return direct(engine)


def _set(cursor: Any, setting: str) -> None:
    # While one of several that open a new file at once brings it into WAL mode, SQLite has the
    # others fail instead of wait.
    for _ in range(_OPENING_TRIES):
        try:
            cursor.execute(setting)
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY:
                raise
            time.sleep(_OPENING_PAUSE_SECONDS)
        else:
            return
    cursor.execute(setting)


def _postgresql(url: URL, count: int, **options: Any) -> Engine:
    def prepare(connection: Any, _record: Any) -> None:
        # A process that is frozen in the middle of a transaction gives its locks back; without
        # this, nobody could take over what it was doing.
        connection.execute(f"SET idle_in_transaction_session_timeout = {_IDLE_MILLISECONDS}")
        connection.commit()

    try:
        engine = create_engine(
            url.set(drivername="postgresql+psycopg"),
            pool_size=count,
            max_overflow=0,
            # A connection that broke while it lay idle is replaced instead of failing a write.
            pool_pre_ping=True,
            **options,
        )
    except ModuleNotFoundError as error:
        raise UnavailableError(
            "missing_dependency",
            "The driver for PostgreSQL is not installed.",
            hint="Install it: pip install 'mediawright[postgres]'.",
        ) from error
    event.listen(engine, "connect", prepare)
    return direct(engine)
