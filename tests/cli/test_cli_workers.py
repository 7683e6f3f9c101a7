"""worker, and a server that only serves: many processes, one PostgreSQL database."""

from __future__ import annotations

import signal
from typing import Any

import pytest
from tests.postgres import PostgresServer


@pytest.mark.parametrize("arguments", [("worker",), ("serve", "--no-work", "--port", "0")])
def test_without_postgres_it_says_what_is_needed(call: Any, arguments: tuple[str, ...]) -> None:
    outcome = call(*arguments, "--json")
    assert outcome.code == 2
    assert outcome.document["error"] == "needs_postgres"
    assert "MEDIAWRIGHT_DATABASE_URL" in outcome.err


@pytest.mark.postgres
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_worker_says_who_it_is_and_stops_cleanly(
    *,
    number: signal.Signals,
    postgres_server: PostgresServer,
    begin: Any,
    announced: Any,
    stop: Any,
    call: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    url = postgres_server.url(postgres_server.create_database())
    monkeypatch.setenv("MEDIAWRIGHT_DATABASE_URL", url)
    worker = begin("worker", "--json", MEDIAWRIGHT_DATABASE_URL=url)
    assert announced(worker)["worker"].startswith("wrk_")
    assert "worker on" in _workers(call)
    outcome = stop(worker, number)
    assert outcome.code == 0, outcome.err
    assert "Traceback" not in outcome.err
    assert _workers(call) == "none; queued generations wait"


def _workers(call: Any) -> str:
    findings = call("doctor", "--json").document
    return next(item["text"] for item in findings if item["subject"] == "workers")
