"""kill -9 in the middle of a generation: the next process finishes it, with one submit."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.remote_sandbox import MEDIAWRIGHT, RemoteSandbox

PATIENCE = 60.0


@pytest.fixture
def sandbox() -> Iterator[RemoteSandbox]:
    running = RemoteSandbox()
    yield running
    running.stop()


class Command:
    """Runs the command line on one data folder against that sandbox."""

    def __init__(self, folder: Path, sandbox: RemoteSandbox) -> None:
        self.environment = {
            **os.environ,
            "MEDIAWRIGHT_DATA_DIR": str(folder),
            "MEDIAWRIGHT_SANDBOX": "true",
            "MEDIAWRIGHT_SANDBOX_URL": sandbox.root,
        }

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [*MEDIAWRIGHT, *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=self.environment,
        )

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*MEDIAWRIGHT, *arguments],
            capture_output=True,
            text=True,
            env=self.environment,
            timeout=PATIENCE,
            check=False,
        )

    def only_generation(self) -> dict[str, Any]:
        listed = json.loads(self.run("generations", "list", "--json").stdout)
        assert len(listed) == 1
        return listed[0]


@pytest.fixture
def command(tmp_path: Path, sandbox: RemoteSandbox) -> Command:
    return Command(tmp_path / "data", sandbox)


def until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < deadline, "it did not come to that"
        time.sleep(0.1)


def kill(process: subprocess.Popen[str]) -> None:
    process.send_signal(signal.SIGKILL)
    process.communicate(timeout=20)


def test_a_video_killed_while_it_is_waited_for_is_finished(
    command: Command, sandbox: RemoteSandbox
) -> None:
    sandbox.ask("progression", {"progression": "seconds=3600"})
    first = command.start("video", "waves at noon", "-m", "gen4.5", "--seconds", "2")
    until(lambda: sandbox.count("poll") >= 1)
    kill(first)
    killed = command.only_generation()
    assert killed["state"] == "running"
    assert sandbox.count("submit") == 1

    sandbox.ask("clock", {"advance": 7200})
    watched = command.run("generations", "watch", killed["generation_id"], "--json")
    finished = json.loads(watched.stdout)
    assert watched.returncode == 0, watched.stderr
    assert finished["status"] == "completed"
    assert finished["outputs"][0]["media_type"] == "video/mp4"
    assert Path(finished["outputs"][0]["url"]).stat().st_size == finished["outputs"][0]["bytes"]
    assert finished["charge_credits"] == finished["estimated_cost_credits"]
    assert sandbox.count("submit") == 1


def test_a_picture_killed_while_the_reply_is_awaited_is_unknown_and_not_sent_again(
    command: Command, sandbox: RemoteSandbox
) -> None:
    sandbox.ask("scenario", {"vendor": "openai", "name": "slow", "seconds": 30})
    first = command.start("image", "a kite", "-m", "gpt-image-2", "--ratio", "16:9")
    until(lambda: _is_submitting(command))
    time.sleep(1.0)
    kill(first)
    sandbox.ask("reset", {})

    # Any command that works in the folder takes up what was left there.
    assert command.run("image", "a boat", "--size", "64x64").returncode == 0
    generations = json.loads(command.run("generations", "list", "--json").stdout)
    left = generations[-1]
    assert left["state"] == "unknown"
    assert left["attention"] == "submit_unknown"
    assert left["charge_credits"] is None
    assert sandbox.count("submit") == 0


def test_a_second_process_is_told_that_the_folder_is_taken(
    command: Command, sandbox: RemoteSandbox
) -> None:
    sandbox.ask("progression", {"progression": "seconds=3600"})
    first = command.start("video", "waves", "-m", "gen4.5", "--seconds", "2")
    until(lambda: sandbox.count("poll") >= 1)
    second = command.run("image", "a boat", "--json")
    assert second.returncode == 1
    assert json.loads(second.stdout)["error"] == "data_folder_in_use"
    assert str(first.pid) in second.stderr

    # Looking is allowed, and so is cancelling: the first process hears of it by the rows.
    running = command.only_generation()
    cancelled = command.run("generations", "cancel", running["generation_id"], "--json")
    assert json.loads(cancelled.stdout)["status"] == "cancelled"
    out, err = first.communicate(timeout=PATIENCE)
    assert first.returncode == 3, (out, err)
    assert sandbox.count("cancel") == 1
    assert command.only_generation()["charge_credits"] == 0


def _is_submitting(command: Command) -> bool:
    listed = command.run("generations", "list", "--json")
    found = json.loads(listed.stdout) if listed.returncode == 0 else []
    return bool(found) and found[0]["state"] == "submitting"
