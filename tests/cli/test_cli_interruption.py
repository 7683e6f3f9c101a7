"""Ctrl-C at a terminal detaches; a second one cancels; a wait may end before the work."""

from __future__ import annotations

import json
import signal
from typing import Any

import pytest

VIDEO = ("--sandbox", "video", "waves at noon", "-m", "gen4.5", "--seconds", "2")
CTRL_C = "\x03"


@pytest.fixture
def slow(sandbox: Any) -> Any:
    """A sandbox whose tasks take an hour of its own time."""
    sandbox.ask("progression", {"progression": "seconds=3600"})
    return sandbox


def only_generation(call: Any) -> dict[str, Any]:
    listed = call("--sandbox", "generations", "list", "--json").document
    assert len(listed) == 1
    return listed[0]


def test_ctrl_c_detaches_and_watch_goes_on(
    slow: Any, sit: Any, call: Any, process: Any, until: Any
) -> None:
    terminal = sit(*VIDEO, **slow.environment)
    until(lambda: slow.count("poll") >= 1)
    terminal.type(CTRL_C)
    assert terminal.end() == 130
    generation = only_generation(call)
    generation_id = generation["generation_id"]
    assert generation["state"] == "running"
    assert f"Detached from {generation_id}." in terminal.text
    assert "detached" in next(line for line in reversed(terminal.lines) if "gen4.5 " in line)
    watch = f"mediawright --sandbox generations watch {generation_id}"
    assert f"Next: {watch}" in terminal.text
    assert "Traceback" not in terminal.text
    assert "Task was destroyed" not in terminal.text

    slow.ask("clock", {"advance": 7200})
    watched = process(*watch.split()[1:], **slow.environment)
    assert watched.code == 0, watched.err
    assert watched.out.endswith(".mp4\n")
    assert slow.count("submit") == 1
    assert slow.count("cancel") == 0


def test_a_second_ctrl_c_cancels(slow: Any, sit: Any, call: Any, until: Any) -> None:
    terminal = sit(*VIDEO, **slow.environment)
    until(lambda: slow.count("poll") >= 1)
    terminal.type(CTRL_C)
    terminal.until("Press Ctrl-C again")
    terminal.type(CTRL_C)
    assert terminal.end() == 130
    generation = only_generation(call)
    assert generation["state"] == "cancelled"
    assert generation["charge_credits"] == 0
    assert f"{generation['generation_id']} is cancelled." in terminal.text
    assert slow.count("cancel") == 1


def test_an_interrupt_without_a_terminal_detaches_too(
    slow: Any, begin: Any, stop: Any, until: Any, call: Any
) -> None:
    began = begin(*VIDEO, "--json", **slow.environment)
    until(lambda: slow.count("poll") >= 1)
    # As `timeout -s INT` does: to the process, and then to its whole group.
    began.send_signal(signal.SIGINT)
    outcome = stop(began, signal.SIGINT)
    assert outcome.code == 130
    assert json.loads(outcome.out)["state"] == "running"
    assert "\x1b" not in outcome.err
    assert only_generation(call)["state"] == "running"


def test_a_wait_that_ends_first_prints_the_id(slow: Any, process: Any) -> None:
    outcome = process(*VIDEO, "--timeout", "8", **slow.environment)
    assert outcome.code == 6
    generation_id = outcome.out.strip()
    assert outcome.last_line == f"Next: mediawright --sandbox generations watch {generation_id}"
    cancelled = process(
        "--sandbox", "generations", "cancel", generation_id, "--json", **slow.environment
    )
    assert cancelled.document["status"] == "cancelled"
    assert cancelled.document["charge_credits"] == 0
    assert (slow.count("submit"), slow.count("cancel")) == (1, 1)


def test_another_process_may_watch(slow: Any, begin: Any, until: Any, call: Any) -> None:
    first = begin(*VIDEO, **slow.environment)
    until(lambda: slow.count("poll") >= 1)
    generation = only_generation(call)
    second = begin(
        "--sandbox", "generations", "watch", generation["generation_id"], **slow.environment
    )
    slow.ask("clock", {"advance": 7200})
    out, err = second.communicate(timeout=60)
    assert second.returncode == 0, err
    assert out.endswith(".mp4\n")
    first.communicate(timeout=60)
    assert first.returncode == 0
    assert slow.count("submit") == 1


def test_ctrl_c_at_the_question_starts_nothing(sit: Any, call: Any) -> None:
    terminal = sit("image", "a kite", "-m", "gpt-image-2", OPENAI_API_KEY="sk-test-0123456789")
    terminal.until("Go on? [y/N]: ")
    terminal.type(CTRL_C)
    assert terminal.end() == 130
    assert call("generations", "list", "--json").document == []


@pytest.mark.parametrize("answer", ["\r", "perhaps\r"])
def test_the_answer_is_no_unless_it_is_yes(answer: str, sit: Any, call: Any) -> None:
    terminal = sit("image", "a kite", "-m", "gpt-image-2", OPENAI_API_KEY="sk-test-0123456789")
    terminal.until("Go on? [y/N]: ")
    assert "gpt-image-2 on openai: 11 credits, about $" in terminal.text
    terminal.type(answer)
    assert terminal.end() == 5
    assert terminal.lines[-1].endswith("--yes")
    assert call("generations", "list", "--json").document == []


def test_yes_goes_on(sit: Any, sandbox: Any, tmp_path: Any) -> None:
    settings = tmp_path / "settings.yaml"
    address = f"{sandbox.root}/openai/v1"
    settings.write_text(
        f"media: {{providers: {{openai: {{base_urls: {{api: '{address}'}}}}}}}}\n",
        encoding="utf-8",
    )
    terminal = sit(
        *("--config", str(settings), "image", "a kite", "-m", "gpt-image-2"),
        OPENAI_API_KEY=sandbox.credentials["openai"],
    )
    terminal.until("Go on? [y/N]: ")
    terminal.type("y\r")
    assert terminal.end() == 0, terminal.text
    assert sandbox.count("submit") == 1
