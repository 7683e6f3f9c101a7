"""What the pages say is true: links lead somewhere, commands exist, examples run."""

from __future__ import annotations

import ast
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from mediawright.cli.main import cli

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted(
    path
    for path in [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]
    if "reference" not in path.parts
)
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```", re.MULTILINE | re.DOTALL)


def blocks(language: str) -> Iterator[tuple[Path, str]]:
    for page in PAGES:
        for found, text in BLOCK.findall(page.read_text(encoding="utf-8")):
            if found == language:
                yield page, text


def commands() -> list[str]:
    """Return every `mediawright ...` line of the pages' shell examples."""
    found: list[str] = []
    for _, text in blocks("sh"):
        for line in text.replace("\\\n", " ").splitlines():
            words = line.split("#")[0].strip()
            match = re.match(r"^(?:\w+=\S+ )*(mediawright .*)$", words)
            if match:
                found.append(match.group(1))
    return sorted(set(found))


@pytest.mark.parametrize("page", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+)[^)]*\)", page.read_text(encoding="utf-8")):
        if "://" not in target:
            assert (page.parent / target).exists(), target


@pytest.mark.parametrize("line", commands())
def test_commands_exist_as_they_are_written(line: str) -> None:
    command: click.Command = cli
    context = click.Context(cli)
    words = shlex.split(line)[1:]
    while isinstance(command, click.Group):
        context = command.make_context(command.name, words, parent=context)
        name, *words = [*context._protected_args, *context.args]
        found = command.get_command(context, name)
        assert found is not None, name
        command = found
    command.make_context(command.name, words, parent=context)


def test_there_are_examples_to_check() -> None:
    assert len(commands()) > 10
    assert list(blocks("python"))


@pytest.mark.parametrize(
    ("page", "text"),
    [(page, text) for page, text in blocks("python")],
    ids=lambda value: value.name if isinstance(value, Path) else "",
)
def test_python_examples_are_python(page: Path, text: str) -> None:
    ast.parse(text, filename=str(page))


def test_the_first_python_example_runs(tmp_path: Path) -> None:
    _, text = next(iter(item for item in blocks("python") if item[0].name == "README.md"))
    smaller = text.replace('aspect_ratio="16:9"', 'size="64x64"').replace(
        "duration=4", 'duration=1, resolution="360p"'
    )
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", smaller],
        env={"MEDIAWRIGHT_DATA_DIR": str(tmp_path), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    paths = [Path(line) for line in done.stdout.splitlines() if line.startswith("/")]
    assert [path.suffix for path in paths] == [".png", ".mp4"]


def test_the_reference_pages_are_current() -> None:
    script = ROOT / "scripts" / "write_reference.py"
    done = subprocess.run(
        [sys.executable, str(script), "--check"],
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
