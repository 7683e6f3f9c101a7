"""The database: one way to write, one way to read, from any thread or event loop."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

from sqlalchemy import Connection
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from mediawright.core.errors import InvalidRequestError
from mediawright.store import engines
from mediawright.store.migrate import migrate
from mediawright.store.writers import PooledWriter, SerialWriter, Writer

T = TypeVar("T")
Work = Callable[[Connection], T]
"""What is done in one transaction. It gets the connection, calls query functions, neither
commits nor rolls back, and has no other effects: after a deadlock it is run again."""

_READERS = 4
_POSTGRESQL_WRITERS = 8


class Database:
    """A SQLite file or a PostgreSQL database.

    SQLite is written by one thread, in WAL mode with every commit on the disk before it is
    reported; PostgreSQL by a bounded pool. Reads have connections of their own and see one
    snapshot each. Nothing is bound to an event loop.

    Args:
        url: `sqlite:///relative/path`, `sqlite:////absolute/path`, or
            `postgresql+psycopg://user:password@host/database`.

    Raises:
        InvalidRequestError: `invalid_database_url` if it is neither.
        UnavailableError: `missing_dependency` if the PostgreSQL driver is not installed.
    """

    def __init__(self, url: str) -> None:
        """Open nothing yet but the connections' settings; the first use connects."""
        try:
            parsed = make_url(url)
        except ArgumentError:
            # The library's message repeats the URL, password and all.
            raise _invalid_url() from None
        backend = parsed.get_backend_name()
        if backend == "sqlite" and parsed.database and parsed.database != ":memory:":
            self._write_engine = engines.sqlite_writer(parsed)
            self._read_engine = engines.sqlite_readers(parsed, _READERS)
            self._writer: Writer = SerialWriter(self._write_engine)
        elif backend == "postgresql":
            self._write_engine = engines.postgresql_writers(parsed, _POSTGRESQL_WRITERS)
            self._read_engine = engines.postgresql_readers(parsed, _READERS)
            self._writer = PooledWriter(self._write_engine, _POSTGRESQL_WRITERS)
        else:
            raise _invalid_url()
        self.is_sqlite = backend == "sqlite"
        self._readers = ThreadPoolExecutor(_READERS, thread_name_prefix="database-read")

    def migrate(self) -> None:
        """Bring the schema up to date; quick if it is. Blocks.

        Raises:
            UnavailableError: `database_too_new` if a newer release has changed it.
        """
        self.write_now(migrate)

    async def write(self, work: Work[T]) -> T:
        """Run `work` in one transaction and return its result once that is committed.

        If the awaiting task is cancelled, work that has begun is still carried through.

        Args:
            work: What to do. What it raises rolls it back and is raised here.
        """
        return await asyncio.wrap_future(self._writer.submit(work))

    def write_now(self, work: Work[T]) -> T:
        """Like `write`, for a thread that may block."""
        return self._writer.submit(work).result()

    async def read(self, work: Work[T]) -> T:
        """Run `work` on one snapshot of what is committed.

        Args:
            work: What to ask; it cannot write.
        """
        return await asyncio.wrap_future(self._submit_read(work))

    def read_now(self, work: Work[T]) -> T:
        """Like `read`, for a thread that may block."""
        return self._submit_read(work).result()

    def close(self) -> None:
        """Finish what was begun and give the connections back. Blocks; may be repeated."""
        self._writer.close()
        self._readers.shutdown()
        self._write_engine.dispose()
        self._read_engine.dispose()

    def _submit_read(self, work: Work[T]) -> Future[T]:
        return self._readers.submit(self._read, work)

    def _read(self, work: Work[T]) -> T:
        with self._read_engine.connect() as connection:
            return work(connection)


def _invalid_url() -> InvalidRequestError:
    return InvalidRequestError(
        "invalid_database_url",
        "The database URL names neither a SQLite file nor a PostgreSQL database.",
        hint="Use sqlite:////folder/mediawright.db or postgresql+psycopg://user@host/name.",
    )
