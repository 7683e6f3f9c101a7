"""How long a month's usage takes to sum up in a long table, grouped in several ways.

Run: python benchmarks/usage.py [--rows 1000000] [--days 30] [--json FILE] [--url URL]

Without a URL, a SQLite file in a temporary folder is filled; a PostgreSQL database that is
given must be empty. The generations are spread over the days; a day and all of them are asked.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import insert, text

from mediawright.core.generation import Generation, RoutePlan
from mediawright.core.ids import IdPrefix, new_id
from mediawright.core.money import Price, PriceBasis
from mediawright.core.operations import Operation
from mediawright.core.request import GenerationRequest
from mediawright.core.states import GenerationState
from mediawright.store import workspaces
from mediawright.store.database import Database
from mediawright.store.generation_rows import to_values
from mediawright.store.tables import generations as table
from mediawright.store.usage import Dimension, usage
from mediawright.store.workspaces import Workspace

FIRST = datetime(2026, 11, 1, tzinfo=UTC)
BATCH, REPEATS = 5_000, 5
GROUPS: dict[str, list[Dimension]] = {
    "one sum": [],
    "day": [Dimension.DAY],
    "model": [Dimension.MODEL],
    "day, model, provider": [Dimension.DAY, Dimension.MODEL, Dimension.PROVIDER],
    "all": list(Dimension),
}


def rows(workspace_id: str, count: int, days: int) -> Iterator[dict[str, Any]]:
    providers = ("openai", "fal", "runway", "elevenlabs", "local")
    for number in range(count):
        model = f"model-{number % 20}"
        at = FIRST + timedelta(days=days) * (number / count)
        state = GenerationState.FAILED if number % 20 == 0 else GenerationState.SUCCEEDED
        yield to_values(
            Generation(
                id=new_id(IdPrefix.GENERATION),
                workspace_id=workspace_id,
                api_key_id=f"key_{number % 7}",
                trace_id=new_id(IdPrefix.TRACE),
                state=state,
                operation=list(Operation)[number % 10],
                model=model,
                provider=providers[number % 5],
                request=GenerationRequest(model=model, prompt="a lighthouse at dawn"),
                routes=(RoutePlan(provider="local", upstream_id="sketch"),),
                price=Price(),
                charge_micros=number % 50_000,
                cost_micros=number % 900,
                cost_basis=PriceBasis.COMPUTED,
                created_at=at,
                updated_at=at,
            )
        )


def fill(database: Database, count: int, days: int) -> str:
    """Add a workspace with that many generations and return its id."""
    workspace = Workspace(id=new_id(IdPrefix.WORKSPACE), name="Benchmark", created_at=FIRST)
    database.write_now(lambda c: workspaces.insert(c, workspace))
    batch: list[dict[str, Any]] = []
    for row in rows(workspace.id, count, days):
        batch.append(row)
        if len(batch) == BATCH:
            database.write_now(lambda c, some=batch: c.execute(insert(table), some))
            batch = []
    if batch:
        database.write_now(lambda c: c.execute(insert(table), batch))
    return workspace.id


def measure(
    database: Database, workspace_id: str, by: list[Dimension], days: int
) -> tuple[float, int]:
    """Return the median seconds, and how many groups there are."""
    until = FIRST + timedelta(days=days)

    def summed() -> int:
        return len(
            database.read_now(
                lambda c: usage(c, workspace_id, since=FIRST, until=until, by=by, limit=10**6)
            )
        )

    groups = summed()
    seconds: list[float] = []
    for _ in range(REPEATS):
        began = time.perf_counter()
        summed()
        seconds.append(time.perf_counter() - began)
    return statistics.median(seconds), groups


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--days", type=int, default=30)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--url")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        database = Database(arguments.url or f"sqlite:///{folder}/benchmark.db")
        database.migrate()
        workspace_id = fill(database, arguments.rows, arguments.days)
        if not database.is_sqlite:
            database.write_now(lambda c: c.execute(text("ANALYZE")))
        results: list[dict[str, Any]] = []
        for name, by in GROUPS.items():
            day, _ = measure(database, workspace_id, by, 1)
            whole, groups = measure(database, workspace_id, by, arguments.days)
            results.append({"by": name, "groups": groups, "day": day, "all": whole})
        database.close()
    per_day = arguments.rows // arguments.days
    print(f"median of {REPEATS}\n")
    print(f"{'by':<22}{'groups':>8}{f'{per_day:,} rows':>16}{f'{arguments.rows:,} rows':>18}")
    for one in results:
        print(
            f"{one['by']:<22}{one['groups']:>8,}{one['day'] * 1e3:>13.1f} ms"
            f"{one['all'] * 1e3:>15.1f} ms"
        )
    if arguments.json is not None:
        arguments.json.write_text(json.dumps({"rows": arguments.rows, "results": results}))


if __name__ == "__main__":
    main()
