"""Options and words about limits that several commands share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

_NONE = "none"


def limit_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add `--requests-per-minute` and `--concurrent`; each gives a number, `none` or `None`."""
    for name, words in (
        ("--concurrent", "Generations under way at a time."),
        ("--requests-per-minute", "Generations begun in any 60 seconds."),
    ):
        option = click.option(name, callback=_read, metavar="NUMBER|none", help=words)
        command = option(command)
    return command


def _read(context: click.Context, parameter: click.Parameter, text: str | None) -> int | str | None:
    del context, parameter
    if text is None or text == _NONE:
        return text
    if not (text.isascii() and text.isdigit()):
        raise click.BadParameter(f"{text!r} is neither a whole number nor `none`.")
    return int(text)


def changed(given: int | str | None, before: int | None) -> int | None:
    """Return a limit as an option changes it: what was not given stays."""
    if given is None:
        return before
    return None if isinstance(given, str) else given


def in_words(value: int | None) -> str:
    """Return a limit for people."""
    return "-" if value is None else f"{value:,}"
