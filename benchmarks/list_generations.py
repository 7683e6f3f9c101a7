"""How long a page of generations takes in a long table, against a short one.

Run: python benchmarks/list_generations.py [--rows 1000000] [--json FILE] [--url URL]

Without a URL, a SQLite file in a temporary folder is filled; a PostgreSQL database that is
given must be empty.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, insert, text

from mediawright.core.generation import Generation, RoutePlan
from mediawright.core.ids import IdPrefix, new_id
from mediawright.core.money import Price
from mediawright.core.operations import Operation
from mediawright.core.request import GenerationRequest
from mediawright.core.states import GenerationState
from mediawright.store import generations, workspaces
from mediawright.store.database import Database
from mediawright.store.generation_pages import label_digests
from mediawright.store.generation_rows import to_values
from mediawright.store.tables import generation_labels
from mediawright.store.tables import generations as table
from mediawright.store.workspaces import Workspace

NOW = datetime(2026, 11, 20, tzinfo=UTC)
# Every filter but one leaves more than a page of the short table, so that pages are alike.
SHORT, BATCH, REPEATS, PAGE = 1_000, 5_000, 200, 20
AIM_RATIO = 2.0
FINISHED = [GenerationState.SUCCEEDED, GenerationState.FAILED]
QUERIES: dict[str, dict[str, Any]] = {
    "newest": {},
    "one state, common": {"states": [GenerationState.SUCCEEDED]},
    "one state, once": {"states": [GenerationState.REFUSED]},
    "two states": {"states": FINISHED},
    "one model": {"model": "model-7"},
    "one operation": {"operation": Operation.SPEECH_TO_TEXT},
    "one label": {"metadata": {"persona": "persona-3"}},
    "two labels": {"metadata": {"persona": "persona-3", "conversation_id": "conversation-3"}},
}


def rows(workspace_id: str, count: int) -> Iterator[dict[str, Any]]:
    for number in range(count):
        labels = {
            "persona": f"persona-{number % 10}",
            "conversation_id": f"conversation-{number % 20}",
        }
        model = f"model-{number % 20}"
        request = GenerationRequest(model=model, prompt="a lighthouse at dawn", metadata=labels)
        state = GenerationState.SUCCEEDED
        if number % 20 == 0:
            state = GenerationState.FAILED
        elif number == count // 2 + 1:
            state = GenerationState.REFUSED
        operation = list(Operation)[number % 10]
        yield to_values(
            Generation(
                id=new_id(IdPrefix.GENERATION),
                workspace_id=workspace_id,
                trace_id=new_id(IdPrefix.TRACE),
                state=state,
                operation=operation,
                model=model,
                request=request,
                routes=(RoutePlan(provider="local", upstream_id="sketch"),),
                price=Price(),
                created_at=NOW,
                updated_at=NOW,
            )
        ) | {"labels": labels}


def fill(database: Database, count: int) -> str:
    """Add a workspace with that many generations and return its id."""
    workspace = Workspace(id=new_id(IdPrefix.WORKSPACE), name="Benchmark", created_at=NOW)
    database.write_now(lambda c: workspaces.insert(c, workspace))
    batch: list[dict[str, Any]] = []
    for row in rows(workspace.id, count):
        batch.append(row)
        if len(batch) == BATCH:
            database.write_now(writing(batch))
            batch = []
    if batch:
        database.write_now(writing(batch))
    return workspace.id


def writing(batch: list[dict[str, Any]]) -> Callable[[Connection], None]:
    def write(c: Connection) -> None:
        labels = [
            {
                "workspace_id": row["workspace_id"],
                "digest": digest,
                "generation_id": row["id"],
            }
            for row in batch
            for digest in label_digests(row.pop("labels"))
        ]
        c.execute(insert(table), batch)
        c.execute(insert(generation_labels), labels)

    return write


def measure(database: Database, workspace_id: str, filters: dict[str, Any]) -> float:
    """Return the median seconds of a page in the middle of the list."""

    def page(before: str | None) -> list[Generation]:
        return database.read_now(
            lambda c: generations.page(c, workspace_id, limit=PAGE, before=before, **filters)
        )

    first = page(None)
    before = first[-1].id if len(first) == PAGE else None
    seconds: list[float] = []
    for _ in range(REPEATS):
        began = time.perf_counter()
        page(before)
        seconds.append(time.perf_counter() - began)
    return statistics.median(seconds)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--url")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        database = Database(arguments.url or f"sqlite:///{folder}/benchmark.db")
        database.migrate()
        short, long = fill(database, SHORT), fill(database, arguments.rows)
        if not database.is_sqlite:
            database.write_now(lambda c: c.execute(text("ANALYZE")))
        results = [
            {
                "query": name,
                "short": measure(database, short, filters),
                "long": measure(database, long, filters),
            }
            for name, filters in QUERIES.items()
        ]
        database.close()
    print(f"a page of {PAGE}, median of {REPEATS}\n")
    print(f"{'query':<22}{f'{SHORT:,} rows':>14}{f'{arguments.rows:,} rows':>18}{'ratio':>8}")
    for one in results:
        ratio = one["long"] / one["short"]
        print(
            f"{one['query']:<22}{one['short'] * 1e3:>11.2f} ms{one['long'] * 1e3:>15.2f} ms"
            f"{ratio:>8.2f}"
        )
    print(f"\naim: ratio <= {AIM_RATIO}")
    if arguments.json is not None:
        arguments.json.write_text(json.dumps({"rows": arguments.rows, "results": results}))


if __name__ == "__main__":
    main()
