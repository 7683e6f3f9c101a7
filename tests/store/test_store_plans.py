"""Every list and every scan of the engine walks along an index, however long the table is."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime

import pytest
from sqlalchemy import Connection, event, text

from mediawright.core.operations import MediaKind, Operation
from mediawright.core.states import GenerationState
from mediawright.store import (
    api_keys,
    assets,
    attempts,
    bookings,
    budgets,
    durations,
    events,
    generations,
    ledger_entries,
    provider_events,
    quotes,
    spans,
    spending,
    workspaces,
)
from mediawright.store.kinds import BudgetPeriod

NOW = datetime(2026, 11, 20, tzinfo=UTC)
STATES = [
    None,
    [GenerationState.FAILED],
    [GenerationState.SUCCEEDED, GenerationState.FAILED],
]
LABELS = [None, {"persona": "ada"}, {"persona": "ada", "conversation_id": "7"}]
PAGES = {
    f"page{number}": lambda c, fields=fields: generations.page(c, "w", limit=5, **fields)
    for number, fields in enumerate(
        {"before": before, "states": states, "model": model, "metadata": labels}
        for before, states, model, labels in itertools.product(
            [None, "gen_1"], STATES, [None, "m"], LABELS
        )
    )
}
QUERIES = {
    **PAGES,
    "operation": lambda c: generations.page(c, "w", limit=5, operation=Operation.SPEECH_TO_TEXT),
    "get": lambda c: generations.get(c, "w", "gen_1"),
    "idempotency": lambda c: generations.by_idempotency_key(c, "w", "k"),
    "attempts": lambda c: attempts.for_generation(c, "w", "gen_1"),
    "attempts of many": lambda c: attempts.for_generations(c, "w", ["gen_1", "gen_2"]),
    "attempt": lambda c: attempts.latest(c, "gen_1"),
    "assets": lambda c: assets.page(c, "w", limit=5, before="ast_1"),
    "assets by kind": lambda c: assets.page(c, "w", limit=5, kind=MediaKind.VIDEO),
    "outputs": lambda c: assets.for_generations(c, "w", ["gen_1", "gen_2"]),
    "ledger": lambda c: ledger_entries.page(c, "w", limit=5, before=9),
    "booked": lambda c: ledger_entries.for_generation(c, "w", "gen_1"),
    "reference": lambda c: ledger_entries.by_reference(c, "w", "invoice"),
    "budgets": lambda c: budgets.standings(c, "w", NOW),
    "budgets of a key": lambda c: budgets.applying(c, "w", "key_1", NOW),
    "spending": lambda c: spending.spent_micros(c, "w", BudgetPeriod.DAY, NOW),
    "balance": lambda c: ledger_entries.balance_micros(c, "w"),
    "trace": lambda c: spans.for_trace(c, "w", "trc_1"),
    "spans": lambda c: spans.for_generation(c, "w", "gen_1"),
    "events": lambda c: events.after(c, "w", 5, 5),
    "latest event": lambda c: events.latest_sequence(c, "w"),
    "report": lambda c: provider_events.of_delivery(c, "fal", "d"),
    "reports": lambda c: provider_events.for_generation(c, "w", "gen_1"),
    "key": lambda c: api_keys.by_hash(c, b"digest"),
    "keys": lambda c: api_keys.for_workspace(c, "w"),
    "quote": lambda c: quotes.get(c, "w", "quo_1"),
    "markup": lambda c: workspaces.markup_micros(c, "w"),
}
PARTIAL = {
    "ix_generations_unfinished": lambda c: generations.unfinished(
        c, executor_not="me", limit=5, after="gen_1"
    ),
    "ix_provider_events_unhandled": lambda c: provider_events.unhandled(c, limit=5, after=7),
    "ix_generations_unbooked_cancellation": lambda c: bookings.cancelled_and_open(c, "me"),
    "ix_attempts_unresolved": lambda c: attempts.unresolved(c, limit=5, after=("gen_1", 1)),
    "ix_generations_finished_well": lambda c: durations.latest(
        c, "gen4.5", "text-to-video", most=5
    ),
    "ix_attempts_open": lambda c: attempts.open_of_ended(c, limit=5, after=("gen_1", 1)),
}


def plans(c: Connection, query) -> list[str]:
    """Run a query and return the plan of each statement it runs."""
    explain = "EXPLAIN QUERY PLAN " if c.dialect.name == "sqlite" else "EXPLAIN "
    statements = []

    def note(_conn, _cursor, statement, parameters, _context, _many):
        if statement.startswith("SELECT"):
            statements.append((statement, parameters))

    event.listen(c, "before_cursor_execute", note)
    query(c)
    event.remove(c, "before_cursor_execute", note)
    return [
        "\n".join(str(row[-1]) for row in c.exec_driver_sql(explain + statement, parameters))
        for statement, parameters in statements
    ]


@pytest.mark.parametrize("name", QUERIES)
def test_on_sqlite_no_table_is_scanned(sqlite_database, name):
    found = sqlite_database.read_now(lambda c: plans(c, QUERIES[name]))

    assert found
    for plan in found:
        scanned = {line.split()[1] for line in plan.splitlines() if line.startswith("SCAN")}
        # What the walks of several states have found, a page of each, goes by a made-up name.
        assert not {table for table in scanned if not table.startswith("anon_")}
        # Sorting means to have read everything first; a trace is short.
        assert "USE TEMP B-TREE" not in plan or name in ("trace", "spans")


@pytest.mark.parametrize("index", PARTIAL)
def test_the_engine_looks_only_at_what_is_unfinished(database, index):
    def look(c):
        if c.dialect.name == "postgresql":
            # With next to no rows it would read the table; the question is whether it must.
            c.execute(text("SET LOCAL enable_seqscan = off"))
            c.execute(text("SET LOCAL enable_bitmapscan = off"))
        return plans(c, PARTIAL[index])

    (plan,) = database.read_now(look)
    assert index in plan
