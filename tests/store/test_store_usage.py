"""Usage: each generation is counted once, both books are summed, and one index is walked."""

from __future__ import annotations

import itertools
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, delete, event, text

from mediawright.core.money import PriceBasis
from mediawright.core.states import GenerationState
from mediawright.store import generations, ledger_entries, workspaces
from mediawright.store.kinds import LedgerKind
from mediawright.store.ledger_entries import LedgerEntry
from mediawright.store.tables import generations as table
from mediawright.store.usage import Dimension, UsageRow, usage
from mediawright.store.workspaces import Workspace

FIRST = datetime(2026, 11, 29, tzinfo=UTC)
UNTIL = datetime(2026, 12, 2, tzinfo=UTC)
REPORTED = PriceBasis.VENDOR_REPORTED


def ask(database, workspace_id, by=(), *, since=FIRST, until=UNTIL, limit=1000) -> list[UsageRow]:
    return database.read_now(
        lambda c: usage(c, workspace_id, since=since, until=until, by=by, limit=limit)
    )


def test_states_and_books(database, workspace_id, add_generation):
    def add(state, **fields):
        return add_generation(state=state, created_at=FIRST, **fields)

    add(GenerationState.SUCCEEDED, charge_micros=5, cost_micros=3, cost_basis=REPORTED)
    add(GenerationState.SUCCEEDED, charge_micros=7, cost_micros=2, cost_basis=PriceBasis.COMPUTED)
    add(GenerationState.SUCCEEDED, charge_micros=1, cost_micros=4, cost_basis=PriceBasis.ESTIMATED)
    refunded = add(GenerationState.SUCCEEDED, charge_micros=9)
    for state in ("failed", "refused", "expired", "cancelled", "unknown", "running", "queued"):
        add(GenerationState(state))
    entry = LedgerEntry(
        workspace_id=workspace_id,
        generation_id=refunded.id,
        kind=LedgerKind.REFUND,
        amount_micros=6,
        created_at=UNTIL + timedelta(days=9),
    )
    database.write_now(lambda c: ledger_entries.add(c, entry))

    assert ask(database, workspace_id) == [
        UsageRow(
            generations=11,
            succeeded=4,
            failed=3,
            cancelled=1,
            unfinished=3,
            charge_micros=22,
            refund_micros=6,
            cost_micros=9,
            vendor_reported_micros=3,
            computed_micros=2,
            estimated_micros=4,
            cost_unknown=1,
        )
    ]


def test_the_first_moment_counts_and_the_last_does_not(database, workspace_id, add_generation):
    moment = timedelta(microseconds=1)
    for at in (FIRST - moment, FIRST, FIRST + timedelta(days=1) - moment, UNTIL - moment, UNTIL):
        add_generation(created_at=at)

    rows = ask(database, workspace_id, [Dimension.DAY])

    assert [(row.group, row.generations) for row in rows] == [
        (("2026-11-29",), 2),
        (("2026-12-01",), 1),
    ]


def test_nobody_sees_another_s_usage(
    database, workspace_id, other_workspace_id, make_generation, add_generation
):
    add_generation(created_at=FIRST)
    stranger = make_generation(workspace_id=other_workspace_id, created_at=FIRST, model="theirs")
    database.write_now(lambda c: generations.insert(c, stranger))

    assert [row.group for row in ask(database, workspace_id, [Dimension.MODEL])] == [
        ("local-sketch-image",)
    ]


def test_no_more_groups_than_asked_for(database, workspace_id, add_generation):
    for number in range(5):
        add_generation(created_at=FIRST, model=f"model-{number}")

    assert len(ask(database, workspace_id, [Dimension.MODEL], limit=3)) == 3
    assert ask(database, workspace_id, [Dimension.MODEL], since=UNTIL, until=FIRST) == []


MADE = st.lists(
    st.tuples(
        st.integers(-1, 4),
        st.sampled_from(["one", "two"]),
        st.sampled_from([None, "fal", "openai"]),
        st.sampled_from([None, "key_1"]),
        st.none() | st.integers(0, 10**12),
    ),
    max_size=12,
)


@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(made=MADE, by=st.lists(st.sampled_from(Dimension), unique=True))
def test_groups_add_up_to_what_was_made(database, workspace_id, make_generation, made, by):
    def fill(c: Connection) -> None:
        c.execute(delete(table))
        for day, model, provider, key, charge in made:
            one = make_generation(
                workspace_id=workspace_id,
                created_at=FIRST + timedelta(days=day),
                model=model,
                provider=provider,
                api_key_id=key,
                charge_micros=charge,
            )
            generations.insert(c, one)

    database.write_now(fill)
    counts: Counter[tuple[Any, ...]] = Counter()
    charges: Counter[tuple[Any, ...]] = Counter()
    for day, model, provider, key, charge in made:
        if not 0 <= day <= 2:
            continue
        values = {
            Dimension.DAY: (FIRST + timedelta(days=day)).date().isoformat(),
            Dimension.MODEL: model,
            Dimension.PROVIDER: provider,
            Dimension.KEY: key,
            Dimension.OPERATION: "text-to-image",
        }
        group = tuple(values[dimension] for dimension in by)
        counts[group] += 1
        charges[group] += charge or 0

    rows = ask(database, workspace_id, by)

    assert {row.group: row.generations for row in rows} == counts
    assert {row.group: row.charge_micros for row in rows} == charges
    assert len({row.group for row in rows}) == len(rows)


ASKED = [by for size in range(6) for by in itertools.combinations(Dimension, size)]
REFUNDS = "ix_ledger_entries_refunds"
DAYS = "ix_generations_workspace_id_created_at"


def plan_of(c: Connection, by: tuple[Dimension, ...], workspace_id: str = "w") -> list[str]:
    """Return the lines of the plans of all statements that usage takes."""
    statements: list[tuple[str, Any]] = []

    def note(_connection, _cursor, statement, parameters, _context, _many):
        statements.append((statement, parameters))

    event.listen(c, "before_cursor_execute", note)
    usage(c, workspace_id, since=FIRST, until=UNTIL, by=by, limit=5)
    event.remove(c, "before_cursor_execute", note)
    explain = "EXPLAIN QUERY PLAN" if c.dialect.name == "sqlite" else "EXPLAIN"
    return [
        str(row[-1])
        for statement, parameters in statements
        for row in c.exec_driver_sql(f"{explain} {statement}", parameters)
    ]


@pytest.mark.parametrize("by", ASKED, ids=lambda by: ",".join(by) or "nothing")
def test_only_the_days_asked_for_are_read(sqlite_database, by):
    lines = sqlite_database.read_now(lambda c: plan_of(c, by))

    searches = [line for line in lines if "GROUP BY" not in line]
    within = "(workspace_id=? AND created_at>? AND created_at<?)"
    assert searches == [
        f"SEARCH ledger_entries USING INDEX {REFUNDS} (workspace_id=? AND created_at>?)",
        "SEARCH generations USING INDEX sqlite_autoindex_generations_1 (id=?)",
        f"SEARCH generations USING INDEX {DAYS} {within}",
    ]


@pytest.mark.postgres
def test_postgresql_reads_only_the_days_too(postgresql_database, make_generation):
    workspace = Workspace(id="wsp_long", name="long", created_at=FIRST)

    def fill(c: Connection) -> None:
        # Its planner goes by what is in the tables.
        workspaces.insert(c, workspace)
        for day in range(-400, 400):
            at = FIRST + timedelta(days=day)
            one = make_generation(workspace_id=workspace.id, created_at=at)
            generations.insert(c, one)
        c.execute(text("ANALYZE"))

    postgresql_database.write_now(fill)
    for by in ASKED:
        plan = "\n".join(postgresql_database.read_now(lambda c, by=by: plan_of(c, by, "wsp_long")))
        assert DAYS in plan, plan
        assert "Seq Scan on generations" not in plan, plan
