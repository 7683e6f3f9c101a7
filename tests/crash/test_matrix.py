"""kill -9 of the server at every point of a generation's life, on both databases.

Whatever the point, after the restart our books and the vendor's journal agree: no second paid
submit, every paid result stored or known to be unknown, every hold closed or explained.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.crash.evidence import collect, read_rows
from tests.crash.reconciliation import reconcile
from tests.crash.server_process import ServerProcess
from tests.postgres import PostgresServer
from tests.remote_sandbox import RemoteSandbox

from mediawright.app.runtime import Runtime
from mediawright.app.settings import load_settings
from mediawright.core.clock import SystemClock
from mediawright.jobs.orphans import sweep

pytestmark = [pytest.mark.crash, pytest.mark.timeout(180)]

INLINE = {"prompt": "a kite ref-1", "model": "gpt-image-2", "provider": "openai"}
ASYNCHRONOUS = {"prompt": "waves ref-1", "model": "gen4.5", "duration": 2}
A_DAY = 86_400.0
SLOW_SECONDS = 2.5
"""Longer than a doomed request gets to leave in."""

# What becomes of the generation, and how many submits the vendor saw, by the point of the kill.
INLINE_ENDS = {
    "before_intent": ("succeeded", 1),
    "after_intent": ("unknown", 0),
    "after_post": ("unknown", 1),
    "after_reply": ("unknown", 1),
    "reply_kept": ("succeeded", 1),
    "in_store": ("succeeded", 1),
    "before_settle": ("succeeded", 1),
    "after_settle": ("succeeded", 1),
}
ASYNCHRONOUS_ENDS = {
    "before_intent": ("succeeded", 1),
    "after_intent": ("unknown", 0),
    "after_post": ("unknown", 1),
    "after_reply": ("unknown", 1),
    "after_acknowledgement": ("succeeded", 1),
    "in_wait": ("succeeded", 1),
    "in_download": ("succeeded", 1),
    "in_store": ("succeeded", 1),
    "before_settle": ("succeeded", 1),
    "after_settle": ("succeeded", 1),
}


@pytest.fixture(params=["sqlite", "postgres"])
def server(
    request: pytest.FixtureRequest, tmp_path: Path, fresh_sandbox: RemoteSandbox
) -> Iterator[ServerProcess]:
    url = None
    if request.param == "postgres":
        postgres: PostgresServer = request.getfixturevalue("postgres_server")
        url = postgres.url(postgres.create_database())
    process = ServerProcess(tmp_path, fresh_sandbox.root, database_url=url)
    yield process
    process.stop()


@pytest.mark.parametrize("point", INLINE_ENDS)
async def test_an_inline_vendor(
    point: str, server: ServerProcess, fresh_sandbox: RemoteSandbox
) -> None:
    state, submits = INLINE_ENDS[point]
    view = await asyncio.to_thread(_killed_and_started_again, point, INLINE, server, fresh_sandbox)
    assert (view["state"], fresh_sandbox.count("submit")) == (state, submits)
    await _check_books(server, fresh_sandbox)


@pytest.mark.parametrize("point", ASYNCHRONOUS_ENDS)
async def test_an_asynchronous_vendor(
    point: str, server: ServerProcess, fresh_sandbox: RemoteSandbox
) -> None:
    state, submits = ASYNCHRONOUS_ENDS[point]
    view = await asyncio.to_thread(
        _killed_and_started_again, point, ASYNCHRONOUS, server, fresh_sandbox
    )
    assert (view["state"], fresh_sandbox.count("submit")) == (state, submits)
    await _check_books(server, fresh_sandbox)


def _killed_and_started_again(
    point: str, body: dict[str, Any], server: ServerProcess, sandbox: RemoteSandbox
) -> dict[str, Any]:
    """Return what has become of a generation whose server was killed at the point."""
    if point == "after_post":
        sandbox.ask("scenario", {"name": "slow", "seconds": SLOW_SECONDS, "times": 1})
    sandbox.ask("progression", {"progression": "polls=3"})
    server.start(point)
    before = server.post(body, "only")
    server.wait_until_killed()
    if point == "after_post":
        # The vendor does not notice, and carries the request out.
        time.sleep(SLOW_SECONDS)
    server.start()
    # A client that got no answer asks again, under the same key.
    again = server.post(body, "only")
    assert again is not None
    if before is not None:
        assert again["generation_id"] == before["generation_id"]
    return server.settled(again["generation_id"])


async def _check_books(server: ServerProcess, sandbox: RemoteSandbox) -> None:
    assert server.stop() == 0, server.log_text()
    assets = read_rows(server.database_url, "assets")
    is_due = any(row["renditions_due"] for row in assets)
    if is_due or any([*server.staging.iterdir(), *server.replies.iterdir()]):
        await _tidy_up_a_day_later(server)
    journal = sandbox.ask("journal?kind=submit")["entries"]
    report = reconcile(collect(server.database_url, server.data_folder, journal))
    assert report.balances, report.text()


async def _tidy_up_a_day_later(server: ServerProcess) -> None:
    """Do what a server does about leftovers when they are too old to be somebody's work."""
    then = time.time() - 2 * A_DAY
    for path in server.staging.iterdir():
        os.utime(path, (then, then))
    settings = load_settings(environment=server.environment)
    runtime = Runtime(settings, clock=_LaterClock(), environment={})
    try:
        await runtime.open()
        await runtime.library.clean_up()
        await sweep(runtime.job_context, runtime.jobs.resume)
        await runtime.renderer.sweep()
    finally:
        await runtime.close()


class _LaterClock(SystemClock):
    def now(self) -> datetime:
        return super().now() + timedelta(seconds=A_DAY)
