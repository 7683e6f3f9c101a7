"""Transactions: committed when reported, alone when they must be, usable from anywhere."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier, Event

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from mediawright.core.errors import InvalidRequestError, UnavailableError
from mediawright.store import workspaces
from mediawright.store.database import Database
from mediawright.store.workspaces import Workspace


def insert_workspace(c, key, now):
    workspaces.insert(c, Workspace(id=key, name="W", created_at=now))


@pytest.mark.parametrize(
    "url",
    ["", "nonsense", "mysql://u:secret@h/d", "sqlite://", "sqlite:///:memory:", "x://:secret@["],
)
def test_other_urls_are_refused_without_showing_them(url):
    with pytest.raises(InvalidRequestError) as caught:
        Database(url)

    assert caught.value.code == "invalid_database_url"
    assert "secret" not in str(caught.value.to_problem())


async def test_reads_and_writes_are_awaited(database, now):
    await database.write(lambda c: insert_workspace(c, "wsp_a", now))

    found = await database.read(lambda c: workspaces.get(c, "wsp_a"))
    assert found == Workspace(id="wsp_a", name="W", created_at=now)


def test_several_event_loops_share_a_database(database, now):
    async def write_and_read(key: str) -> str | None:
        await database.write(lambda c: insert_workspace(c, key, now))
        found = await database.read(lambda c: workspaces.get(c, key))
        return found and found.id

    keys = [f"wsp_{n}" for n in range(6)]
    with ThreadPoolExecutor(3) as threads:
        found = list(threads.map(lambda key: asyncio.run(write_and_read(key)), keys))
    assert found == keys


def test_what_fails_leaves_nothing_behind(database, now):
    def fail(c):
        insert_workspace(c, "wsp_a", now)
        raise LookupError("no")

    with pytest.raises(LookupError, match="no"):
        database.write_now(fail)

    assert database.read_now(lambda c: workspaces.get(c, "wsp_a")) is None


async def test_of_writes_that_share_a_commit_only_the_bad_fail(database, now):
    """The first write holds the writer up, so that the others pile up behind it."""
    begun, release = Event(), Event()

    def hold(c):
        insert_workspace(c, "wsp_taken", now)
        begun.set()
        assert release.wait(30)

    def write(key):
        def work(c):
            insert_workspace(c, key, now)
            if key.endswith("bad"):
                raise ValueError(key)
            return key

        return work

    names = ["wsp_a", "wsp_1_bad", "wsp_b", "wsp_taken", "wsp_2_bad", "wsp_c"]
    held = asyncio.ensure_future(database.write(hold))
    assert await asyncio.to_thread(begun.wait, 30)
    others = [asyncio.ensure_future(database.write(write(name))) for name in names]
    await asyncio.sleep(0)
    release.set()
    await held
    outcomes = await asyncio.gather(*others, return_exceptions=True)

    failed = [n for n, outcome in zip(names, outcomes, strict=True) if outcome != n]
    assert failed == ["wsp_1_bad", "wsp_taken", "wsp_2_bad"]
    stored = {one.id for one in await database.read(lambda c: workspaces.page(c, limit=99))}
    assert stored == {"wsp_a", "wsp_b", "wsp_c", "wsp_taken"}


async def test_a_write_that_was_given_up_before_it_began_is_not_made(sqlite_database, now):
    database = sqlite_database
    begun, release = Event(), Event()

    def hold(_):
        begun.set()
        assert release.wait(30)

    held = asyncio.ensure_future(database.write(hold))
    assert await asyncio.to_thread(begun.wait, 30)
    waiting = asyncio.ensure_future(database.write(lambda c: insert_workspace(c, "wsp_a", now)))
    await asyncio.sleep(0)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    release.set()
    await held

    assert await database.read(lambda c: workspaces.get(c, "wsp_a")) is None


def test_readers_cannot_write(database, now):
    with pytest.raises(DBAPIError):
        database.read_now(lambda c: insert_workspace(c, "wsp_a", now))


def test_a_read_sees_one_snapshot(database, now):
    def look_twice(c):
        before = len(workspaces.page(c, limit=9))
        database.write_now(lambda w: insert_workspace(w, "wsp_a", now))
        return before, len(workspaces.page(c, limit=9))

    assert database.read_now(look_twice) == (0, 0)


def test_transactions_do_not_nest(database):
    def nested(_):
        return database.write_now(lambda c: c.execute(text("SELECT 1")).scalar())

    with pytest.raises(RuntimeError, match="transaction"):
        database.write_now(nested)


def test_a_closed_database_says_so(database):
    database.close()
    database.close()

    with pytest.raises(UnavailableError) as caught:
        database.write_now(lambda c: None)
    assert caught.value.code == "database_closed"


def test_what_was_handed_over_is_written_before_closing(database_url, now):
    database = Database(database_url)
    with ThreadPoolExecutor(4) as threads:
        done = [
            threads.submit(database.write_now, lambda c, n=n: insert_workspace(c, f"w{n}", now))
            for n in range(20)
        ]
        for future in done:
            future.result()
    database.close()

    again = Database(database_url)
    assert len(again.read_now(lambda c: workspaces.page(c, limit=99))) == 20
    again.close()


@pytest.mark.postgres
def test_deadlocked_transactions_are_repeated(postgresql_database, now):
    database = postgresql_database
    for key in ("wsp_a", "wsp_b"):
        database.write_now(lambda c, key=key: insert_workspace(c, key, now))
    barrier = Barrier(2)

    def rename_both(first, second, tries):
        def work(c):
            tries.append(first)
            workspaces.rename(c, first, f"by {first}")
            if len(tries) == 1:
                barrier.wait(30)
            workspaces.rename(c, second, f"by {first}")

        return work

    tries: tuple[list[str], list[str]] = ([], [])
    with ThreadPoolExecutor(2) as threads:
        one = threads.submit(database.write_now, rename_both("wsp_a", "wsp_b", tries[0]))
        two = threads.submit(database.write_now, rename_both("wsp_b", "wsp_a", tries[1]))
        one.result()
        two.result()

    assert sum(map(len, tries)) == 3
    names = {one.name for one in database.read_now(lambda c: workspaces.page(c, limit=9))}
    assert len(names) == 1


def test_sqlite_keeps_what_it_reported(tmp_path):
    database = Database(f"sqlite:///{tmp_path / 'new' / 'folder' / 'm.db'}")

    def settings(c):
        names = ("journal_mode", "synchronous", "foreign_keys", "busy_timeout", "query_only")
        return {name: c.execute(text(f"PRAGMA {name}")).scalar() for name in names}

    writer = database.write_now(settings)
    reader = database.read_now(settings)
    database.close()

    durable = {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "busy_timeout": 10_000}
    assert writer == {**durable, "query_only": 0}
    assert reader == {**durable, "query_only": 1}


WRITE_FOR_EVER = """
import sys
from datetime import UTC, datetime
from mediawright.store import workspaces
from mediawright.store.database import Database
from mediawright.store.workspaces import Workspace

database = Database(sys.argv[1])
database.migrate()
number = 0
while True:
    workspace = Workspace(id=f"wsp_{number:06}", name="W", created_at=datetime.now(UTC))
    database.write_now(lambda c: workspaces.insert(c, workspace))
    print(workspace.id, flush=True)
    number += 1
"""


def test_commits_outlive_a_killed_process(empty_url):
    child = subprocess.Popen(
        [sys.executable, "-c", WRITE_FOR_EVER, empty_url],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert child.stdout is not None
    with child:
        reported = [child.stdout.readline().strip() for _ in range(50)]
        child.send_signal(signal.SIGKILL)
        reported += [line.strip() for line in child.stdout if line.endswith("\n")]

    database = Database(empty_url)
    database.migrate()
    stored = [one.id for one in database.read_now(lambda c: workspaces.page(c, limit=10**6))]
    database.close()
    assert len(reported) >= 50
    assert stored[: len(reported)] == reported
    # At most the one whose report did not get out any more.
    assert len(stored) <= len(reported) + 1


def test_a_relative_sqlite_path_is_taken_from_here(tmp_path, monkeypatch, now):
    monkeypatch.chdir(tmp_path)
    database = Database("sqlite:///data 100%/m.db")
    database.migrate()
    database.write_now(lambda c: insert_workspace(c, "wsp_a", now))
    database.close()

    assert Path("data 100%/m.db").is_file()
