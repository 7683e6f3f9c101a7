"""Options that every command takes, before its name or after it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import wraps
from pathlib import Path
from typing import Any

import click


@dataclass(frozen=True, kw_only=True)
class CommonOptions:
    """What can be said to any command."""

    config: Path | None = None
    data_dir: Path | None = None
    sandbox: bool = False
    json: bool = False
    plain: bool = False

    def merged(self, outer: CommonOptions) -> CommonOptions:
        """Return these options, filled up with those given before the command's name."""
        return replace(
            self,
            config=self.config or outer.config,
            data_dir=self.data_dir or outer.data_dir,
            sandbox=self.sandbox or outer.sandbox,
            json=self.json or outer.json,
            plain=self.plain or outer.plain,
        )

    def place(self) -> list[str]:
        """Return the options that say which installation is meant, as they are typed."""
        words: list[str] = []
        if self.config is not None:
            words += ["--config", str(self.config)]
        if self.data_dir is not None:
            words += ["--data-dir", str(self.data_dir)]
        return [*words, "--sandbox"] if self.sandbox else words


@dataclass(kw_only=True)
class Invocation:
    """One run of the command line, as far as it is known."""

    arguments: list[str] = field(default_factory=list[str])
    common: CommonOptions = CommonOptions()
    command: str = "mediawright"
    """The command with its group, such as `mediawright models show`."""
    model: str | None = None
    """The model that is asked for."""
    answered: bool = False
    """Whether the one JSON document is out already."""

    @property
    def wants_json(self) -> bool:
        """Whether JSON is asked for; known also when the arguments make no sense."""
        before = self.arguments
        if "--" in before:
            before = before[: before.index("--")]
        return self.common.json or "--json" in before


def current_invocation() -> Invocation:
    """Return the run of the command line that is under way."""
    context = click.get_current_context(silent=True)
    found = None if context is None else context.find_object(Invocation)
    return found or Invocation()


_OPTIONS = (
    click.option(
        "--config",
        type=click.Path(path_type=Path),
        help="Settings file (otherwise ./mediawright.yaml, or the user's).",
    ),
    click.option(
        "--data-dir",
        type=click.Path(path_type=Path),
        help="Folder of database and files [env: MEDIAWRIGHT_DATA_DIR].",
    ),
    click.option("--sandbox", is_flag=True, help="Imitate every provider; nothing is spent."),
    click.option("--json", "as_json", is_flag=True, help="Print one JSON document."),
    click.option("--plain", is_flag=True, help="No colours, no boxes, no moving progress."),
)


def common_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the common options to a command, which gets them as its argument `common`."""

    @wraps(command)
    def with_common(
        *arguments: Any,
        config: Path | None,
        data_dir: Path | None,
        sandbox: bool,
        as_json: bool,
        plain: bool,
        **rest: Any,
    ) -> Any:
        own = CommonOptions(
            config=config, data_dir=data_dir, sandbox=sandbox, json=as_json, plain=plain
        )
        context = click.get_current_context()
        invocation = context.ensure_object(Invocation)
        invocation.common = own.merged(invocation.common)
        invocation.command = context.command_path
        return command(*arguments, common=invocation.common, **rest)

    decorated: Callable[..., Any] = with_common
    for option in reversed(_OPTIONS):
        decorated = option(decorated)
    return decorated
