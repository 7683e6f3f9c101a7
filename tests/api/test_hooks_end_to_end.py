"""A server process and a sandbox process: the webhook ends a wait that no poll would."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from tests.crash.server_process import ServerProcess
from tests.remote_sandbox import RemoteSandbox

SELDOM = {"first": 7200.0, "longest": 7200.0}
QUICK = 5.0
"""Seconds; on a quiet machine it is a tenth of one."""


@pytest.fixture(scope="module")
def sandbox() -> Iterator[RemoteSandbox]:
    running = RemoteSandbox()
    yield running
    running.stop()


@pytest.fixture(scope="module")
def server(
    sandbox: RemoteSandbox, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[ServerProcess]:
    settings = {"jobs": {"cadence": {"image": SELDOM}, "hook_patience": 30.0}}
    process = ServerProcess(tmp_path_factory.mktemp("hooks"), sandbox.root, settings=settings)
    process.environment["MEDIAWRIGHT_PUBLIC_URL"] = process.url
    process.start()
    yield process
    assert process.stop() == 0
    assert "Traceback" not in process.log_text()


class Caller:
    """Makes pictures at fal, and looks at what became of them."""

    def __init__(self, server: ServerProcess, sandbox: RemoteSandbox) -> None:
        self.http = httpx.Client(base_url=server.url, timeout=60, trust_env=False)
        self.sandbox = sandbox
        self.database = server.database_url.removeprefix("sqlite:///")

    def start(self, markers: str = "") -> str:
        body = {"prompt": f"a kite {markers}", "model": "flux-schnell", "provider": "fal"}
        reply = self.http.post("/v1/generate/media", json=body)
        assert reply.status_code == 202, reply.text
        return reply.json()["generation_id"]

    def ended(self, generation_id: str, within: float = QUICK) -> dict[str, Any]:
        """Return the generation, which must have ended by then."""
        wait = {"Prefer": f"wait={within:g}"}
        shown = self.http.get(f"/v1/generations/{generation_id}", headers=wait).json()
        assert shown["status"] == "completed", shown
        return shown

    def until_asked(self, kind: str) -> None:
        deadline = time.monotonic() + 20
        while not self.sandbox.count(kind):
            assert time.monotonic() < deadline, f"fal had no {kind}"
            time.sleep(0.01)

    def hooks(self) -> list[int | None]:
        """Return how our server answered each webhook."""
        return [entry["status"] for entry in self.sandbox.ask("journal?kind=hook")["entries"]]

    def rows(self, query: str, generation_id: str) -> list[Any]:
        with sqlite3.connect(f"file:{self.database}?mode=ro", uri=True) as connection:
            return connection.execute(query, (generation_id,)).fetchall()

    def assert_paid_once(self, generation_id: str) -> None:
        booked = "SELECT kind FROM ledger_entries WHERE generation_id = ? ORDER BY sequence"
        assert self.rows(booked, generation_id) == [("hold",), ("capture",)]
        assert self.sandbox.count("submit") == 1


@pytest.fixture
def caller(server: ServerProcess, sandbox: RemoteSandbox) -> Iterator[Caller]:
    # A reset would begin again with the names of requests, which are fal's only once.
    httpx.delete(f"{sandbox.root}/__sandbox__/journal").raise_for_status()
    sandbox.ask("progression", {"progression": "seconds=3600"})
    made = Caller(server, sandbox)
    yield made
    made.http.close()


def test_the_webhook_ends_the_wait_at_once(caller: Caller) -> None:
    generation_id = caller.start()
    caller.until_asked("poll")
    begun = time.monotonic()
    caller.sandbox.ask("clock", {"advance": 3600})
    caller.ended(generation_id)
    assert time.monotonic() - begun < QUICK
    assert caller.hooks() == [200]
    assert caller.sandbox.count("poll") == 2
    caller.assert_paid_once(generation_id)


@pytest.mark.parametrize(
    ("scenario", "answers"),
    [
        ("duplicate_hook", [200, 200]),
        ("forged_hook", [401, 200]),
        ("early_hook", [200]),
        ("lost_reply", [200]),
    ],
)
def test_whatever_goes_wrong_with_it(caller: Caller, scenario: str, answers: list[int]) -> None:
    generation_id = caller.start(f"[[sandbox: {scenario}]] [[sandbox: seconds=0.5]]")
    caller.ended(generation_id)
    deadline = time.monotonic() + QUICK
    while len(caller.hooks()) < len(answers):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    assert caller.hooks() == answers
    caller.assert_paid_once(generation_id)
    events = "SELECT count(*) FROM provider_events WHERE generation_id = ?"
    assert caller.rows(events, generation_id) == [(1,)]


def test_it_comes_after_the_caller_has_lost_interest(caller: Caller) -> None:
    generation_id = caller.start("[[sandbox: late_hook; seconds=600]]")
    caller.until_asked("poll")
    caller.http.post(f"/v1/generations/{generation_id}/cancel")
    caller.until_asked("cancel")
    caller.sandbox.ask("clock", {"advance": 3600})
    deadline = time.monotonic() + QUICK
    while not caller.hooks():
        caller.sandbox.ask("clock", {"advance": 600})
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert caller.hooks() == [200]
    shown = caller.http.get(f"/v1/generations/{generation_id}").json()
    assert shown["status"] == "cancelled"
    assert shown["charge_credits"] == 0


def test_many_at_once(caller: Caller) -> None:
    caller.sandbox.ask("progression", {"progression": "seconds=1"})
    generation_ids = [caller.start() for _ in range(20)]
    for generation_id in generation_ids:
        caller.ended(generation_id, within=20)
    assert caller.sandbox.count("submit") == 20
    assert set(caller.hooks()) == {200}
