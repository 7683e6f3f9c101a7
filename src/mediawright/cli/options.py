"""Options that every command takes, before its name or after it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
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

    def merged(self, outer: CommonOptions | None) -> CommonOptions:
        """Return these options, filled up with those given before the command's name."""
        if outer is None:
            return self
        return replace(
            self,
            config=self.config or outer.config,
            data_dir=self.data_dir or outer.data_dir,
            sandbox=self.sandbox or outer.sandbox,
            json=self.json or outer.json,
            plain=self.plain or outer.plain,
        )


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
        outer = click.get_current_context().find_object(CommonOptions)
        return command(*arguments, common=own.merged(outer), **rest)

    decorated: Callable[..., Any] = with_common
    for option in reversed(_OPTIONS):
        decorated = option(decorated)
    return decorated
