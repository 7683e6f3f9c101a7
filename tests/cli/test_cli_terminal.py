"""What people see: moving rows at a terminal, and nothing that moves anywhere else."""

from __future__ import annotations

import re
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from mediawright.cli import demonstration

TINY = ("--size", "64x64")
BAR = "━"
_CONTROL = re.compile(r"\x1b\[[0-9;?]*[a-zA-Z]")


def test_progress_is_one_row_whose_last_state_stays(sandbox: Any, sit: Any) -> None:
    terminal = sit(
        "--sandbox", "video", "waves", "-m", "gen4.5", "--seconds", "2", **sandbox.environment
    )
    assert terminal.end() == 0, terminal.text
    rows = [line for line in terminal.lines if BAR in line]
    assert any("queued" in row for row in rows)
    assert re.fullmatch(r"✓ gen4\.5 +done +━+ 100% 0:00:\d\d", rows[-1])
    assert all(len(row) <= 100 for row in rows)
    assert terminal.lines[0] == "gen4.5 on runway: 24 credits, about $0.24 at the provider"
    assert re.fullmatch(
        r"24 credits; see how it went: mediawright --sandbox trace gen_\w+", terminal.lines[-1]
    )


def test_a_failed_generation_keeps_its_row(sit: Any) -> None:
    prompt = "a kite [[sandbox: moderated]]"
    terminal = sit("--sandbox", "image", prompt, "-m", "gpt-image-2")
    assert terminal.end() == 5
    assert any(line.startswith("· gpt-image-2") and "refused" in line for line in terminal.lines)


def test_plain_means_nothing_moves_and_nothing_is_coloured(sit: Any) -> None:
    terminal = sit("image", "x", *TINY, "--plain")
    assert terminal.end() == 0
    assert "\x1b" not in terminal.raw
    assert BAR not in terminal.text


def test_no_color_keeps_the_row_and_drops_the_colours(sit: Any) -> None:
    terminal = sit("image", "x", *TINY, NO_COLOR="1")
    assert terminal.end() == 0
    assert BAR in terminal.text
    assert re.search(r"\x1b\[[0-9;]*3[0-9]", terminal.raw) is None
    coloured = sit("image", "x", *TINY)
    assert coloured.end() == 0
    assert re.search(r"\x1b\[[0-9;]*3[0-9]", coloured.raw) is not None


def test_errors_are_red_only_where_colours_are_wanted(sit: Any, process: Any) -> None:
    assert "\x1b[31m" in _ended(sit("trace", "gen_0")).raw
    assert "\x1b" not in _ended(sit("trace", "gen_0", NO_COLOR="1")).raw
    assert "\x1b" not in process("trace", "gen_0").err


def test_without_a_terminal_nothing_moves(process: Any) -> None:
    outcome = process("image", "x", *TINY)
    assert outcome.code == 0
    assert "\x1b" not in outcome.err + outcome.out
    assert BAR not in outcome.err
    assert len(outcome.err.splitlines()) == 2


def test_without_a_terminal_nobody_is_asked(process: Any) -> None:
    outcome = process("image", "x", "-m", "gpt-image-2", OPENAI_API_KEY="sk-test-0123456789")
    assert outcome.code == 5
    assert "Go on?" not in outcome.err


@pytest.mark.parametrize("width", [80, 120])
def test_tables_fit_the_terminal_and_cut_no_word(
    width: int, call: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = call("models", "list").out.split("\n")[1:]
    made = call("image", "a lighthouse above a calm sea", *TINY, "--json").document
    monkeypatch.setenv("COLUMNS", str(width))
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    words: dict[str, set[str]] = {}
    for command in ("models list", "models show gpt-image-2", "generations list", "assets list"):
        screen = _CONTROL.sub("", call(*command.split()).out)
        for line in _tables(screen):
            assert len(line.rstrip()) <= width, line
        words[command] = set(screen.split())
    for line in _tables(_CONTROL.sub("", call("doctor").out)):
        assert len(line.rstrip()) <= width, line
    # The column of providers is the first to go where there is no room.
    cells = [row.split("\t") for row in plain if row]
    kept = [row if width > 80 else [*row[:2], *row[3:]] for row in cells]
    names = {name for row in kept for cell in row for name in cell.split()}
    assert names <= words["models list"]
    assert made["generation_id"] in words["generations list"]
    assert made["outputs"][0]["asset_id"] in words["assets list"]
    if width == 120:
        assert "lighthouse" in words["generations list"]
        assert Path(made["outputs"][0]["path"]).name in words["assets list"]


def _tables(screen: str) -> list[str]:
    """Return the lines of the tables on a screen: from above a rule to the next empty line."""
    lines = screen.split("\n")
    found: list[str] = []
    for index, line in enumerate(lines):
        if line.startswith("──"):
            end = next((i for i in range(index, len(lines)) if not lines[i].strip()), len(lines))
            found += lines[index - 1 : end]
    assert found
    return found


def _ended(terminal: Any) -> Any:
    terminal.end()
    return terminal


@pytest.fixture
def small_demo(monkeypatch: pytest.MonkeyPatch, sandbox: Any) -> None:
    """The demo with the same pieces at their smallest, and a sandbox that makes tiny files."""
    smallest = {
        "picture": {"size": "64x64"},
        "video": {"size": "64x64", "duration": 1, "sound": True},
        "music": {"duration": 2},
        "runway-video": {"duration": 2},
    }
    for name in ("EMBEDDED", "SANDBOXED"):
        pieces = getattr(demonstration, name)
        small = [replace(piece, parameters=smallest.get(piece.name, {})) for piece in pieces]
        monkeypatch.setattr(demonstration, name, tuple(small))
    monkeypatch.setenv("MEDIAWRIGHT_SANDBOX_URL", sandbox.root)
    monkeypatch.delenv("MEDIAWRIGHT_DATA_DIR")


FILES = (
    "picture.png",
    "video.mp4",
    "music.mp3",
    "speech.wav",
    "transcript.json",
    "openai-image.png",
    "runway-video.mp4",
    "elevenlabs-speech.mp3",
)


@pytest.mark.parametrize("width", [80, 120])
def test_the_demo_shows_bars_and_two_tables(
    width: int, call: Any, small_demo: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    del small_demo
    monkeypatch.setenv("COLUMNS", str(width))
    monkeypatch.setenv("TERM", "xterm-256color")
    for stream in (sys.stdout, sys.stderr):
        monkeypatch.setattr(stream, "isatty", lambda: True)
    outcome = call("demo", "-o", str(tmp_path / "made"))
    assert outcome.code == 0, outcome.err

    ended = [line for line in _CONTROL.sub("", outcome.err).splitlines() if line.startswith("✓")]
    for piece in (*demonstration.EMBEDDED, *demonstration.SANDBOXED):
        rows = [row for row in ended if row.startswith(f"✓ {piece.title} ")]
        assert any(row.split()[-2] == "100%" and len(row) <= width for row in rows), piece.title

    lines = [line.rstrip() for line in _CONTROL.sub("", outcome.out).splitlines()]
    first, second = lines.index("Embedded engines"), lines.index("Through the sandbox")
    tables = [*lines[first : second - 1], *lines[second : lines.index("", second)]]
    assert all(len(line) <= width for line in tables)
    cost = "cost" if width == 120 else "credits"
    for heading in (lines[first + 1], lines[second + 1]):
        assert heading.split()[:3] == ["model", "file", "facts"]
        assert cost in heading
    for name in FILES:
        assert any(f" {name} " in line for line in tables), name
        assert (tmp_path / "made" / name).stat().st_size > 0
    for piece in (*demonstration.EMBEDDED, *demonstration.SANDBOXED):
        assert any(line.startswith(f"{piece.model} ") for line in tables)
    assert any(line.startswith("The recording says: ") for line in lines)


def test_the_demo_as_one_document(
    call: Any, small_demo: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    del small_demo
    monkeypatch.setattr(demonstration, "SANDBOXED", demonstration.SANDBOXED[:1])
    outcome = call("demo", "--json")
    assert outcome.code == 0, outcome.err
    made = outcome.document
    assert len(made) == 6
    assert all(Path(item["file"]).is_file() for item in made)
    assert {item["charge"] for item in made[:5]} == {"free"}
    assert made[5]["charge"] == "11 credits"
