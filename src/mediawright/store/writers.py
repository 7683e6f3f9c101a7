"""Who runs the transactions that change something."""

from __future__ import annotations

import queue
import random
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, NamedTuple, Protocol, TypeVar

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError

from mediawright.core.errors import UnavailableError

T = TypeVar("T")

_MOST_AT_ONCE = 64
_TRIES = 6
_FIRST_PAUSE_SECONDS = 0.01
# PostgreSQL: serialization failure, deadlock. Both leave nothing behind and may be repeated.
_REPEATABLE = frozenset({"40001", "40P01"})


class Writer(Protocol):
    """Runs each piece of work in a transaction and reports after its commit."""

    def submit(self, work: Callable[[Connection], T]) -> Future[T]:
        """Hand over work; the future ends when it is committed or has failed."""
        ...

    def close(self) -> None:
        """Finish what was handed over, then take no more."""
        ...


class _Task(NamedTuple):
    work: Callable[[Connection], Any]
    future: Future[Any]


class SerialWriter:
    """One thread with one connection, for SQLite.

    What has piled up while a commit was on its way to the disk shares the next commit, each
    piece inside a savepoint of its own, so that many small writes cost few disk flushes and
    one that fails takes no other with it. No result is reported before the commit.
    """

    def __init__(self, engine: Engine) -> None:
        """Write through `engine`; the thread starts with the first work."""
        self._engine = engine
        self._tasks: queue.SimpleQueue[_Task | None] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._closed = False

    def submit(self, work: Callable[[Connection], T]) -> Future[T]:
        """Hand over work; the future ends when it is committed or has failed."""
        _refuse_nesting()
        future: Future[T] = Future()
        with self._lock:
            if self._closed:
                raise _closed()
            if self._thread is None:
                # A daemon, so that a program that forgets to close can still end; what is not
                # committed by then was not reported either.
                self._thread = threading.Thread(
                    target=self._run, name="database-write", daemon=True
                )
                self._thread.start()
            self._tasks.put(_Task(work, future))
        return future

    def close(self) -> None:
        """Finish what was handed over, then take no more."""
        with self._lock:
            self._closed = True
            thread, self._thread = self._thread, None
            if thread is not None:
                self._tasks.put(None)
        if thread is not None:
            thread.join()

    def _run(self) -> None:
        _inside.work = True
        connection: Connection | None = None
        ended = False
        while not ended:
            tasks, ended = self._next_tasks()
            if tasks:
                connection = self._commit(tasks, connection)
        if connection is not None:
            connection.close()

    def _next_tasks(self) -> tuple[list[_Task], bool]:
        tasks: list[_Task] = []
        task = self._tasks.get()
        while task is not None:
            if task.future.set_running_or_notify_cancel():
                tasks.append(task)
            if len(tasks) == _MOST_AT_ONCE:
                return tasks, False
            try:
                task = self._tasks.get_nowait()
            except queue.Empty:
                return tasks, False
        return tasks, True

    def _commit(self, tasks: list[_Task], connection: Connection | None) -> Connection | None:
        """Do the work on a connection and return it for the next, if it is still good."""
        try:
            # Kept from one transaction to the next: fetching one costs as much as a statement.
            connection = connection or self._engine.connect()
            with connection.begin():
                if len(tasks) == 1:
                    results: list[Any] = [tasks[0].work(connection)]
                else:
                    results = [_attempt(task.work, connection) for task in tasks]
        except BaseException as error:  # noqa: BLE001 - goes to whoever waits for the result
            for task in tasks:
                task.future.set_exception(error)
            return _usable(connection)
        for task, result in zip(tasks, results, strict=True):
            if isinstance(result, _Failure):
                task.future.set_exception(result.error)
            else:
                task.future.set_result(result)
        return connection


class PooledWriter:
    """A bounded number of threads with a connection each, for PostgreSQL."""

    def __init__(self, engine: Engine, count: int) -> None:
        """Write through `engine` with at most `count` transactions at a time."""
        self._engine = engine
        self._threads = ThreadPoolExecutor(
            count, thread_name_prefix="database-write", initializer=_mark_thread
        )
        self._closed = False

    def submit(self, work: Callable[[Connection], T]) -> Future[T]:
        """Hand over work; the future ends when it is committed or has failed."""
        _refuse_nesting()
        if self._closed:
            raise _closed()
        return self._threads.submit(self._commit, work)

    def close(self) -> None:
        """Finish what was handed over, then take no more."""
        self._closed = True
        self._threads.shutdown()

    def _commit(self, work: Callable[[Connection], T]) -> T:
        pause = _FIRST_PAUSE_SECONDS
        for _ in range(_TRIES - 1):
            try:
                return self._commit_once(work)
            except DBAPIError as error:
                if getattr(error.orig, "sqlstate", None) not in _REPEATABLE:
                    raise
            time.sleep(pause * random.random())  # noqa: S311 - spreads the rivals
            pause *= 2
        return self._commit_once(work)

    def _commit_once(self, work: Callable[[Connection], T]) -> T:
        with self._engine.begin() as connection:
            return work(connection)


def _usable(connection: Connection | None) -> Connection | None:
    """Return a connection that can take another transaction; close one that cannot."""
    if connection is None:
        return None
    if connection.closed or connection.invalidated or connection.in_transaction():
        connection.close()
        return None
    return connection


class _Failure(NamedTuple):
    error: BaseException


def _attempt(work: Callable[[Connection], Any], connection: Connection) -> Any:
    driver: Any = connection.connection.dbapi_connection
    driver.execute("SAVEPOINT work")
    try:
        result = work(connection)
    except Exception as error:
        # On a full disk SQLite drops the transaction whole.
        if not driver.in_transaction:
            raise
        driver.execute("ROLLBACK TO work")
        result = _Failure(error)
    driver.execute("RELEASE work")
    return result


_inside = threading.local()


def _mark_thread() -> None:
    _inside.work = True


def _refuse_nesting() -> None:
    if getattr(_inside, "work", False):
        raise RuntimeError("a transaction cannot start another; pass the connection on")


def _closed() -> UnavailableError:
    return UnavailableError("database_closed", "The database has been closed.")
