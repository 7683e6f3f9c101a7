"""Admission reads indexes, and no more of them than it answers with."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from sqlalchemy import Connection, event, text
from tests.limits import rows
from tests.limits.conftest import BACKENDS
from tests.limits.rows import START
from tests.postgres import PostgresServer

from mediawright.core.states import GenerationState
from mediawright.jobs.admission import Admission
from mediawright.jobs.limits import AccountLimits, CallerLimits, LimitSettings, WhenExceeded
from mediawright.store import admissions, caller_limits
from mediawright.store.caller_limits import Moment, Scope
from mediawright.store.database import Database

SINCE = START - timedelta(seconds=60)
OWNERS = {Scope.WORKSPACE: "small-7", Scope.KEY: "key-7"}
QUERIES = {
    "accounts": ("queued", admissions.waiting_accounts),
    "heads": ("queued", lambda c: admissions.heads(c, "a")),
    "queue": ("queued", lambda c: admissions.queued(c, "a", "whale", after="", most=5)),
    "queue of other keys": (
        "queued",
        lambda c: admissions.queued(c, "a", "whale", after="", most=5, held_keys=["key-1"]),
    ),
    "some queued": ("queued", lambda c: admissions.count_queued(c, "a", at_most=9)),
    "places": ("at_provider", lambda c: admissions.places_by_workspace(c, "a")),
    "all places": ("at_provider", caller_limits.at_providers),
    "unsent": ("at_provider", lambda c: admissions.count_unsent(c, "a")),
    "submits": ("attempts", lambda c: admissions.submits_since(c, "a", SINCE)),
    "submit": ("attempts", lambda c: admissions.submitted_at(c, "a", SINCE, newer=3)),
    "key under way": (
        "key_unfinished",
        lambda c: caller_limits.under_way(c, Scope.KEY, "key-7", at_most=3, with_queued=True),
    ),
    "workspace under way": (
        "workspace_id_state_id",
        lambda c: caller_limits.under_way(
            c, Scope.WORKSPACE, "small-7", at_most=3, with_queued=True
        ),
    ),
    **{
        f"{scope} {moment}": (
            f"{'workspace_id' if scope is Scope.WORKSPACE else 'api_key_id'}_{moment}",
            lambda c, scope=scope, moment=moment: caller_limits.moment_before(
                c, scope, OWNERS[scope], moment, SINCE, newer=3
            ),
        )
        for scope in Scope
        for moment in Moment
    },
}
INDEXES = {
    "attempts": "ix_attempts_provider_created_at",
    **{
        name: f"ix_generations_{name}"
        for name in (
            "queued",
            "at_provider",
            "key_unfinished",
            "workspace_id_state_id",
            "workspace_id_created_at",
            "workspace_id_started_at",
            "api_key_id_created_at",
            "api_key_id_started_at",
        )
    },
}


def plan_of(c: Connection, query) -> str:
    """Run a query and return the plans of what it asked the database."""
    asked = []

    def note(_conn, _cursor, statement, parameters, _context, _many):
        asked.append((statement, parameters))

    event.listen(c, "before_cursor_execute", note)
    query(c)
    event.remove(c, "before_cursor_execute", note)
    explain = "EXPLAIN QUERY PLAN " if c.dialect.name == "sqlite" else "EXPLAIN "
    lines = []
    for statement, parameters in asked:
        lines += [str(row[-1]) for row in c.exec_driver_sql(explain + statement, parameters)]
    return "\n".join(lines)


@pytest.fixture(scope="module", params=BACKENDS)
def filled(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Database]:
    """A database with a history, in which one workspace waits for far more than the others."""
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path_factory.mktemp('plans') / 'filled.db'}"
    else:
        server: PostgresServer = request.getfixturevalue("postgres_server")
        url = server.url(server.create_database())
    database = Database(url)
    database.migrate()

    def fill(c: Connection) -> None:
        done = {"state": GenerationState.SUCCEEDED, "started_at": START}
        for number in range(40):
            early = START + timedelta(minutes=number)
            fields = {**done, "created_at": early, "api_key_id": f"key-{number}"}
            rows.add(c, f"small-{number}", 100, "a", **fields)
            rows.add(c, f"small-{number}", 1, "a", api_key_id=f"key-{number}")
        rows.add(c, "whale", 3_000, "a", api_key_id="key-whale")
        rows.add(c, "whale", 5, "b")

    database.write_now(fill)
    if not database.is_sqlite:
        database.write_now(lambda c: c.execute(text("ANALYZE")))
    yield database
    database.close()


@pytest.mark.parametrize("name", QUERIES)
def test_every_count_reads_its_index(filled, name):
    index, query = QUERIES[name]

    def look(c: Connection) -> str:
        if c.dialect.name == "postgresql":
            # Some of the tables are empty here, and would be read whole.
            c.execute(text("SET LOCAL enable_seqscan = off"))
            c.execute(text("SET LOCAL enable_bitmapscan = off"))
        return plan_of(c, query)

    plan = filled.read_now(look)

    assert INDEXES[index] in plan
    assert "Seq Scan" not in plan
    for line in plan.splitlines():
        # SQLite's word for reading a whole table.
        assert not line.startswith("SCAN generations") or "COVERING INDEX" in line
        assert not line.startswith("SCAN attempts")


def rows_looked_at(database: Database, work) -> int:
    """Return how many steps SQLite's machine makes, in hundreds; it counts exactly."""
    steps = 0

    def tick() -> int:
        nonlocal steps
        steps += 1
        return 0

    def counted(c: Connection) -> None:
        driver = c.connection.dbapi_connection
        driver.set_progress_handler(tick, 100)
        work(c)
        driver.set_progress_handler(None, 100)

    database.write_now(counted)
    return steps


@pytest.mark.parametrize("when_exceeded", WhenExceeded)
def test_the_length_of_a_queue_costs_nothing(sqlite_url, when_exceeded):
    """Measured in steps of the database's machine, with 200 and with 20,000 queued."""
    admission = Admission(
        LimitSettings(
            accounts={"vendor": AccountLimits(concurrent=50, requests_per_minute=500)},
            workspace=CallerLimits(requests_per_minute=400, concurrent_generations=40),
            when_exceeded=when_exceeded,
        )
    )

    def steps(queued: int) -> int:
        database = Database(sqlite_url())

        def fill(c: Connection) -> None:
            rows.add(c, "whale", queued)
            for number in range(5):
                rows.add(c, f"small-{number}")

        database.write_now(fill)

        def work(c: Connection) -> None:
            assert len(admission.admit(c, executor="one", now=START, most=10)) == 10
            assert not admission.at_once(c, rows.generation("small-0"), START) or (
                when_exceeded is WhenExceeded.QUEUE
            )
            admission.earliest(c, START)

        found = rows_looked_at(database, work)
        database.close()
        return found

    few, many = steps(200), steps(20_000)
    assert few > 10
    assert many < few * 1.5
