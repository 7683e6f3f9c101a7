"""How long it takes to estimate from the history of a model, however long the table is.

Run: python benchmarks/estimates.py [--rows 1000000] [--url URL]

Without a URL, a SQLite file in a temporary folder is filled; a PostgreSQL database that is
given must be empty.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import insert, text

from mediawright.app.estimates import SAMPLE
from mediawright.core.generation import Generation, RoutePlan
from mediawright.core.ids import IdPrefix, new_id
from mediawright.core.money import Price
from mediawright.core.operations import Operation
from mediawright.core.request import GenerationRequest, Parameters
from mediawright.core.states import GenerationState
from mediawright.store import durations, workspaces
from mediawright.store.database import Database
from mediawright.store.generation_rows import to_values
from mediawright.store.tables import generations as table
from mediawright.store.workspaces import Workspace

FIRST = datetime(2026, 11, 1, tzinfo=UTC)
BATCH, REPEATS, MODELS = 5_000, 50, 20


def rows(workspace_id: str, count: int) -> Iterator[dict[str, Any]]:
    """Yield generations of twenty models, one in twenty failed."""
    for number in range(count):
        model = f"model-{number % MODELS}"
        at = FIRST + timedelta(seconds=number)
        failed = number % (MODELS + 1) == 0
        yield to_values(
            Generation(
                id=new_id(IdPrefix.GENERATION),
                workspace_id=workspace_id,
                trace_id=new_id(IdPrefix.TRACE),
                state=GenerationState.FAILED if failed else GenerationState.SUCCEEDED,
                operation=Operation.TEXT_TO_VIDEO,
                model=model,
                provider="runway",
                request=GenerationRequest(
                    model=model,
                    prompt="a lighthouse at dawn",
                    parameters=Parameters(duration=5 + number % 2 * 5, resolution="720p"),
                ),
                routes=(RoutePlan(provider="runway", upstream_id=model),),
                price=Price(),
                estimated_seconds=70.0,
                created_at=at,
                updated_at=at,
                started_at=at,
                finished_at=at + timedelta(seconds=40 + number % 30),
            )
        )


def fill(database: Database, count: int) -> None:
    """Add a workspace with that many generations."""
    workspace = Workspace(id=new_id(IdPrefix.WORKSPACE), name="Benchmark", created_at=FIRST)
    database.write_now(lambda c: workspaces.insert(c, workspace))
    batch: list[dict[str, Any]] = []
    for row in rows(workspace.id, count):
        batch.append(row)
        if len(batch) == BATCH:
            database.write_now(lambda c, some=tuple(batch): c.execute(insert(table), list(some)))
            batch.clear()
    if batch:
        database.write_now(lambda c: c.execute(insert(table), batch))
    database.write_now(lambda c: c.execute(text("ANALYZE")))


def measure(database: Database, model: str) -> list[float]:
    """Return the milliseconds that looking at the latest of a model takes, each time."""
    taken: list[float] = []
    for _ in range(REPEATS):
        began = time.perf_counter()
        database.read_now(
            lambda c: durations.latest(c, model, Operation.TEXT_TO_VIDEO.value, most=SAMPLE)
        )
        taken.append((time.perf_counter() - began) * 1_000)
    return sorted(taken)


def main() -> None:
    """Fill a database and print how long estimates take."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--url")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        database = Database(arguments.url or f"sqlite:///{Path(folder) / 'estimates.db'}")
        database.migrate()
        fill(database, arguments.rows)
        print(f"| {arguments.rows:,} generations | p50 ms | p95 ms |\n| --- | --- | --- |")
        for name, model in (("with a history", "model-3"), ("without one", "model-none")):
            taken = measure(database, model)
            late = taken[int(len(taken) * 0.95)]
            print(f"| model {name} | {statistics.median(taken):.2f} | {late:.2f} |")
        database.close()


if __name__ == "__main__":
    main()
