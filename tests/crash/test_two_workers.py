"""Two processes on one PostgreSQL: one dies, freezes or is told to stop; the other goes on."""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import psycopg
import pytest
from tests.crash.evidence import collect
from tests.crash.reconciliation import reconcile
from tests.crash.server_process import PATIENCE, ServerProcess
from tests.postgres import PostgresServer
from tests.remote_sandbox import MEDIAWRIGHT, RemoteSandbox, read_document

pytestmark = [pytest.mark.crash, pytest.mark.postgres, pytest.mark.timeout(240)]

log = logging.getLogger(__name__)

MANY = 100
SOME = 20
LONGEST_TAKE_OVER = 20.0
"""Seconds from the death of a process until another has asked about all that it was doing."""
LONGEST_HAND_OVER = 10.0
FENCED = 70
GENTLE_CADENCE = {
    kind: {"first": 1.0, "growth": 1.2, "longest": 3.0}
    for kind in ("image", "video", "music", "speech")
}
QUICK_WORKERS = {"beat": 0.5, "fence_after": 3.0, "dead_after": 5.0, "sweep": 0.5}


class WorkerProcess:
    """`mediawright worker` beside a server, with the same settings and data folder."""

    def __init__(self, server: ServerProcess) -> None:
        self.server = server
        self.process: subprocess.Popen[str] | None = None
        self.id = ""

    def start(self) -> None:
        with self.server.log.open("a") as log:
            self.process = subprocess.Popen(
                [*MEDIAWRIGHT, "worker", "--json"],
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                env=self.server.environment,
            )
        self.id = read_document(self.process)["worker"]

    def stop(self) -> int:
        if self.process is None:
            return 0
        self.process.terminate()
        code = self.process.wait(timeout=PATIENCE)
        if self.process.stdout is not None:
            self.process.stdout.close()
        self.process = None
        return code


class Installation:
    """A server, a worker, their database, and the vendor that both ask."""

    def __init__(self, folder: Path, postgres: PostgresServer, sandbox: RemoteSandbox) -> None:
        self.folder = folder
        self.sandbox = sandbox
        self.url = postgres.url(postgres.create_database())
        self._conninfo = self.url.replace("+psycopg", "")
        self.server = ServerProcess(folder, sandbox.root, database_url=self.url)
        self.worker = WorkerProcess(self.server)

    def settle_for(self, **sections: Any) -> None:
        """Begin again with other settings."""
        self.server = ServerProcess(
            self.folder, self.sandbox.root, database_url=self.url, settings=sections
        )
        self.worker = WorkerProcess(self.server)

    def rows(self, statement: str) -> list[Any]:
        with psycopg.connect(self._conninfo, autocommit=True) as connection:
            return connection.execute(statement).fetchall()

    def states(self) -> Counter[str]:
        return Counter(dict(self.rows("SELECT state, count(*) FROM generations GROUP BY state")))

    def holders(self) -> Counter[str]:
        """Return how many unfinished generations each process holds."""
        counted = self.rows(
            "SELECT executor, count(*) FROM generations WHERE finished_at IS NULL GROUP BY executor"
        )
        return Counter(dict(counted))

    def workers(self) -> set[str]:
        return {worker_id for (worker_id,) in self.rows("SELECT id FROM workers")}

    def begin(self, count: int) -> None:
        """Start so many videos through the server, and wait until all run at the vendor."""
        bodies = [
            {"prompt": f"waves ref-{number}", "model": "gen4.5", "duration": 2}
            for number in range(count)
        ]
        with ThreadPoolExecutor(8) as clients:
            started = clients.map(
                lambda item: self.server.post(item[1], f"key-{item[0]}"), enumerate(bodies)
            )
        assert all(reply is not None for reply in started)
        self.until(lambda: self.states() == {"running": count})

    def let_the_vendor_finish(self) -> None:
        self.sandbox.ask("clock", {"advance": 7200})

    def until(self, holds: Callable[[], bool], patience: float = PATIENCE) -> float:
        """Return the seconds it took until something held."""
        began = time.monotonic()
        while not holds():
            waited = time.monotonic() - began
            assert waited < patience, f"{self.states()} {self.holders()} {self.server.log_text()}"
            time.sleep(0.1)
        return time.monotonic() - began

    def check_books(self, count: int) -> None:
        """Stop everything; each generation was submitted, stored and charged once."""
        self.until(lambda: self.rows("SELECT count(*) FROM assets WHERE renditions_due") == [(0,)])
        assert self.server.stop() == 0, self.server.log_text()
        assert self.worker.stop() == 0, self.server.log_text()
        assert self.workers() == set()
        journal = self.sandbox.ask("journal?kind=submit")["entries"]
        assert len(journal) == count
        kinds = dict(self.rows("SELECT kind, count(*) FROM ledger_entries GROUP BY kind"))
        assert (kinds["hold"], kinds["capture"], kinds.get("release", 0)) == (count, count, 0)
        report = reconcile(collect(self.url, self.server.data_folder, journal))
        assert report.balances, report.text()


@pytest.fixture
def installation(
    tmp_path: Path, postgres_server: PostgresServer, fresh_sandbox: RemoteSandbox
) -> Iterator[Installation]:
    fresh_sandbox.ask("progression", {"progression": "seconds=3600"})
    made = Installation(tmp_path, postgres_server, fresh_sandbox)
    yield made
    for process in (made.server.process, made.worker.process):
        if process is not None:
            process.kill()
            process.wait(timeout=PATIENCE)
            if process.stdout is not None:
                process.stdout.close()


def test_what_a_killed_process_was_doing_is_finished_by_the_other(
    installation: Installation,
) -> None:
    installation.settle_for(jobs={"cadence": GENTLE_CADENCE}, workers={})
    installation.server.start()
    installation.begin(MANY)
    installation.worker.start()
    assert installation.holders()[installation.worker.id] == 0
    submits = installation.sandbox.count("submit")

    installation.server.kill()
    polls_before = _polls(installation)
    seconds = installation.until(lambda: len(_asked_since(installation, polls_before)) == MANY)
    log.info("taken over after %.1f s", seconds)
    assert seconds <= LONGEST_TAKE_OVER
    assert installation.holders() == {installation.worker.id: MANY}

    installation.let_the_vendor_finish()
    installation.until(lambda: installation.states() == {"succeeded": MANY})
    assert submits == MANY
    installation.check_books(MANY)


def test_a_frozen_process_that_wakes_up_does_nothing_any_more(
    installation: Installation,
) -> None:
    installation.settle_for(jobs={"cadence": GENTLE_CADENCE}, workers=QUICK_WORKERS)
    installation.server.start()
    installation.begin(SOME)
    installation.worker.start()
    frozen = installation.server.process
    assert frozen is not None
    os.kill(frozen.pid, signal.SIGSTOP)
    installation.until(lambda: installation.holders() == {installation.worker.id: SOME})
    # Every result is there when it wakes up, half of them settled by the other.
    installation.let_the_vendor_finish()
    installation.until(lambda: installation.states()["succeeded"] >= SOME // 2)
    os.kill(frozen.pid, signal.SIGCONT)
    assert frozen.wait(timeout=PATIENCE) == FENCED
    installation.until(lambda: installation.states() == {"succeeded": SOME})
    if frozen.stdout is not None:
        frozen.stdout.close()
    installation.server.process = None
    installation.check_books(SOME)


def test_a_process_frozen_while_it_submits_does_not_submit_again(
    installation: Installation,
) -> None:
    installation.settle_for(jobs={"cadence": GENTLE_CADENCE}, workers=QUICK_WORKERS)
    installation.server.start()
    installation.begin(1)
    installation.sandbox.ask("scenario", {"name": "slow", "seconds": 2.0, "times": SOME})
    bodies = [
        {"prompt": f"waves ref-{number}", "model": "gen4.5", "duration": 2}
        for number in range(1, SOME)
    ]
    for number, body in enumerate(bodies):
        assert installation.server.post(body, f"slow-{number}") is not None
    installation.until(lambda: installation.states()["submitting"] == SOME - 1)
    frozen = installation.server.process
    assert frozen is not None
    os.kill(frozen.pid, signal.SIGSTOP)
    installation.worker.start()
    installation.until(lambda: installation.holders()[installation.worker.id] == SOME)
    os.kill(frozen.pid, signal.SIGCONT)
    assert frozen.wait(timeout=PATIENCE) == FENCED
    if frozen.stdout is not None:
        frozen.stdout.close()
    installation.server.process = None

    def is_over() -> bool:
        # A request that was on its way may make its job only now, after time was moved.
        installation.let_the_vendor_finish()
        states = installation.states()
        return states["succeeded"] + states["unknown"] == SOME

    installation.until(is_over)
    assert installation.worker.stop() == 0, installation.server.log_text()
    journal = installation.sandbox.ask("journal?kind=submit")["entries"]
    tags = Counter(entry["body"]["promptText"] for entry in journal)
    assert max(tags.values()) == 1, tags
    report = reconcile(collect(installation.url, installation.server.data_folder, journal))
    assert report.balances, report.text()


def test_a_process_that_is_told_to_stop_hands_over_at_once(
    installation: Installation,
) -> None:
    installation.settle_for(jobs={"cadence": GENTLE_CADENCE})
    installation.server.start()
    installation.begin(SOME)
    installation.worker.start()
    # A paid request that is under way is seen through by the one that sent it.
    installation.sandbox.ask(
        "scenario", {"vendor": "openai", "name": "slow", "seconds": 3.0, "times": 1}
    )
    paid = {"prompt": f"a kite ref-{SOME}", "model": "gpt-image-2", "provider": "openai"}
    with ThreadPoolExecutor(1) as client:
        answer = client.submit(installation.server.post, paid, "paid")
        installation.until(lambda: installation.states()["submitting"] == 1)
        began = time.monotonic()
        polls_before = _polls(installation)
        assert installation.server.stop() == 0, installation.server.log_text()
        answer.result()
    installation.until(lambda: len(_asked_since(installation, polls_before)) == SOME)
    seconds = time.monotonic() - began
    log.info("handed over after %.1f s", seconds)
    assert seconds <= LONGEST_HAND_OVER
    assert installation.holders() == {installation.worker.id: SOME}
    assert installation.states() == {"running": SOME, "succeeded": 1}
    installation.let_the_vendor_finish()
    installation.until(lambda: installation.states() == {"succeeded": SOME + 1})
    installation.check_books(SOME + 1)


def test_a_server_that_only_serves_leaves_the_work_to_a_worker(
    installation: Installation,
) -> None:
    installation.settle_for(jobs={"cadence": GENTLE_CADENCE}, server={"works": False})
    installation.sandbox.ask("progression", {"progression": "polls=2"})
    installation.server.start()
    body = {"prompt": "waves ref-0", "model": "gen4.5", "duration": 2}
    inline = {"prompt": "a kite ref-1", "model": "gpt-image-2", "provider": "openai"}
    ids: list[str] = []
    for number, request in enumerate((body, inline)):
        started = installation.server.post(request, f"key-{number}")
        assert started is not None
        ids.append(started["generation_id"])
    assert installation.states() == {"queued": 2}
    installation.worker.start()
    assert all(installation.server.settled(item)["state"] == "succeeded" for item in ids)
    status, listed = installation.server.ask("GET", "/v1/workers")
    assert status == 200
    assert [(item["id"], item["role"]) for item in listed["workers"]] == [
        (installation.worker.id, "worker")
    ]
    installation.check_books(2)


def _polls(installation: Installation) -> int:
    return len(installation.sandbox.ask("journal?kind=poll")["entries"])


def _asked_since(installation: Installation, polls: int) -> set[str]:
    entries = installation.sandbox.ask("journal?kind=poll")["entries"][polls:]
    return {entry["path"] for entry in entries}
