"""Options and arguments that the commands about money share."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from decimal import Decimal


def workspace_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add `--workspace` to a command, which gets an id, or `None`."""
    return click.option(
        "--workspace", metavar="WORKSPACE", help="Another workspace than this installation's own."
    )(command)


def chosen(workspace: str | None) -> str:
    """Return the workspace that a command is about."""
    from mediawright.app.workspaces import DEFAULT_WORKSPACE

    return workspace or DEFAULT_WORKSPACE


def read_amount(text: str) -> Decimal:
    """Return an amount of credits as it was written.

    Raises:
        click.UsageError: It is no number.
    """
    return read_number(text, "amount of credits")


def read_number(text: str, what: str) -> Decimal:
    """Return an exact number as it was written.

    Args:
        text: What was written.
        what: What it should be, for the message.

    Raises:
        click.UsageError: It is no number.
    """
    from decimal import Decimal, InvalidOperation

    try:
        return Decimal(text)
    except InvalidOperation as error:
        raise click.UsageError(f"{text!r} is no {what}.") from error
