"""Help is quick, and there for every command."""

from __future__ import annotations

import re
import subprocess
import sys
from typing import Any

import click
import pytest

from mediawright.cli.main import cli

HEAVY = (
    "PIL",
    "aiohttp",
    "asyncio",
    "av",
    "dbos",
    "msgspec",
    "numpy",
    "obstore",
    "rich",
    "sqlalchemy",
    "structlog",
    "uvicorn",
    "yaml",
)
_IMPORT = re.compile(r"import time:\s*(\d+) \|\s*(\d+) \|(\s*)(\S+)")


def imports(*arguments: str) -> tuple[set[str], int]:
    """Return the modules that are imported, and the microseconds that took."""
    ran = subprocess.run(
        [sys.executable, "-X", "importtime", *arguments], capture_output=True, text=True, check=True
    )
    found = [_IMPORT.fullmatch(line) for line in ran.stderr.splitlines()]
    rows = [match for match in found if match is not None]
    return {row[4] for row in rows}, sum(int(row[1]) for row in rows)


def test_help_imports_click_and_nothing_heavy() -> None:
    names, _ = imports("-m", "mediawright.cli", "--help")
    assert "click" in names
    assert {name.partition(".")[0] for name in names}.isdisjoint(HEAVY)
    ours = {name for name in names if name.startswith("mediawright")}
    assert ours <= {
        "mediawright",
        "mediawright._version",
        "mediawright.cli",
        "mediawright.cli.main",
        "mediawright.cli.options",
    }


def test_help_takes_hardly_longer_than_importing_click() -> None:
    # The best of a few, because the machine may be busy with something else.
    ours = min(imports("-m", "mediawright.cli", "--help")[1] for _ in range(4))
    click_alone = min(imports("-c", "import click")[1] for _ in range(4))
    assert ours <= 2.5 * click_alone


def commands(path: tuple[str, ...], command: click.Command) -> list[tuple[str, ...]]:
    if not isinstance(command, click.Group):
        return [path]
    context = click.Context(command)
    found = [path]
    for name in command.list_commands(context):
        below = command.get_command(context, name)
        assert below is not None
        found += commands((*path, name), below)
    return found


@pytest.mark.parametrize("path", commands((), cli), ids=lambda path: " ".join(path) or "itself")
def test_every_command_has_help_and_the_common_options(path: tuple[str, ...], call: Any) -> None:
    outcome = call(*path, "--help")
    assert outcome.code == 0
    assert outcome.err == ""
    assert outcome.out.startswith(f"Usage: {' '.join(('mediawright', *path))} ")
    for option in ("--config", "--data-dir", "--sandbox", "--json", "--plain"):
        assert option in outcome.out


def test_what_the_help_of_the_list_says_is_what_the_commands_say() -> None:
    context = click.Context(cli)
    for name in cli.list_commands(context):
        command = cli.get_command(context, name)
        assert command is not None
        assert command.help
        assert name in cli.get_help(context)


def test_without_a_command_help_is_shown_as_a_mistake(call: Any) -> None:
    for arguments in ((), ("models",)):
        outcome = call(*arguments)
        assert outcome.code == 2
        assert outcome.out == ""
        assert "Commands:" in outcome.err
    assert call("models", "--json").document["error"] == "usage"


def test_a_reader_that_stops_early_is_no_error(begin: Any) -> None:
    listing = begin("models", "list")
    assert listing.stdout is not None
    listing.stdout.close()
    listing.stdout = None
    _, err = listing.communicate(timeout=60)
    assert listing.returncode == 1
    assert err == ""
