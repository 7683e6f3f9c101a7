"""What is printed, and which exit code is returned, when something goes wrong."""

from __future__ import annotations

import json
import sys

import click

from mediawright.core.errors import MediawrightError


def report_failure(error: Exception) -> int:
    """Print an error where people read it and return the exit code for it.

    What to do about it comes last. With `--json` the same facts go to stdout as a document.
    """
    if isinstance(error, MediawrightError):
        return _ours(error)
    if isinstance(error, click.exceptions.Exit):
        return error.exit_code
    if isinstance(error, click.Abort):
        click.echo("Stopped; nothing was started.", err=True)
        return 130
    if isinstance(error, click.ClickException):
        error.show()
        return error.exit_code
    raise error


def _ours(error: MediawrightError) -> int:
    if "--json" in sys.argv:
        problem = error.to_problem()
        document = {"error": problem.code, "message": problem.message}
        extra = {"pointer": problem.pointer, "hint": problem.hint, **problem.details}
        document |= {name: value for name, value in extra.items() if value is not None}
        click.echo(json.dumps(document, default=str))
    place = f" (at {error.pointer})" if error.pointer else ""
    click.echo(f"{click.style('Error', fg='red', bold=True)}: {error.message}{place}", err=True)
    allowed = error.details.get("allowed") or error.details.get("available_variants")
    if isinstance(allowed, list | tuple):
        words: list[str] = [str(item) for item in allowed]  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType] - details are untyped
        click.echo(f"Allowed: {', '.join(words)}", err=True)
    for problem in error.details.get("problems", [])[1:]:
        click.echo(f"Also: {problem['message']}", err=True)
    if error.hint:
        click.echo(error.hint, err=True)
    return error.kind.exit_code
