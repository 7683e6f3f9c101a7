"""What is printed, and which exit code is returned, when something goes wrong."""

from __future__ import annotations

import errno
import os
import sys
import traceback
from typing import TYPE_CHECKING, Any

import click

from mediawright.cli.next_steps import next_command, with_place
from mediawright.cli.output import print_json, say, styled
from mediawright.core.errors import InternalError, MediawrightError, Problem

if TYPE_CHECKING:
    from mediawright.cli.options import Invocation

INTERRUPTED = 130
_USAGE = 2


def report_failure(error: BaseException, invocation: Invocation) -> int:
    """Print an error where people read it and return the exit code for it.

    The last line is the command to type next. With `--json` the same facts go to stdout as
    one document, unless the command has printed its document already.
    """
    if isinstance(error, click.exceptions.Exit):
        return error.exit_code
    if isinstance(error, OSError) and error.errno == errno.EPIPE:
        return _reader_is_gone()
    if isinstance(error, click.Abort | KeyboardInterrupt):
        problem = Problem(code="interrupted", message="Stopped.")
        _report(problem, invocation, next_command(problem, invocation))
        return INTERRUPTED
    if isinstance(error, click.ClickException):
        return _usage(error, invocation)
    if not isinstance(error, MediawrightError):
        error = _defect(error)
    problem = error.to_problem()
    _report(problem, invocation, next_command(problem, invocation))
    return error.kind.exit_code


def _report(problem: Problem, invocation: Invocation, command: str) -> None:
    hint = None if problem.hint is None else with_place(problem.hint, invocation.common)
    if invocation.wants_json and not invocation.answered:
        print_json(_document(problem, hint, command))
    place = f" (at {problem.pointer})" if problem.pointer else ""
    say(f"{styled('Error', 'red', invocation.common)}: {problem.message}{place}")
    for line in (*_also(problem.details), *_allowed(problem.details, hint)):
        say(line)
    if hint is not None and command not in hint:
        say(hint)
    say(f"Next: {command}")


def _document(problem: Problem, hint: str | None, command: str) -> dict[str, Any]:
    facts = {"pointer": problem.pointer, "hint": hint, "next": command, **problem.details}
    return {
        "error": problem.code,
        "message": problem.message,
        **{name: value for name, value in facts.items() if value is not None},
    }


def _also(details: dict[str, Any]) -> list[str]:
    """Return the other problems of the same request, each with its place."""
    return [
        f"Also: {item['message']}" + (f" (at {item['pointer']})" if item.get("pointer") else "")
        for item in details.get("problems", [])[1:]
    ]


def _allowed(details: dict[str, Any], hint: str | None) -> list[str]:
    allowed: Any = details.get("allowed") or details.get("available_variants")
    if not isinstance(allowed, list | tuple):
        return []
    words = ", ".join(str(item) for item in allowed)  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType] - details are untyped
    return [] if hint is not None and words in hint else [f"Allowed: {words}"]


def _usage(error: click.ClickException, invocation: Invocation) -> int:
    """Report arguments that make no sense; where help is due instead, print that."""
    context = error.ctx if isinstance(error, click.UsageError) else None
    path = invocation.command if context is None else context.command_path
    if isinstance(error, click.exceptions.NoArgsIsHelpError) and not invocation.wants_json:
        error.show()
        return _USAGE
    message = error.format_message()
    if isinstance(error, click.exceptions.NoArgsIsHelpError):
        message = f"{path} needs a command."
    _report(Problem(code="usage", message=message), invocation, f"{path} --help")
    return _USAGE


def _defect(error: BaseException) -> InternalError:
    """Return what to say about an error that nobody expected.

    Where it happened is printed, but no value: those may be keys and prompts.
    """
    for frame in traceback.extract_tb(error.__traceback__):
        say(f"  {frame.filename}:{frame.lineno} in {frame.name}")
    return InternalError(
        "internal_error",
        f"This is a defect of mediawright ({type(error).__name__}).",
        hint="Please report it with the lines above.",
    )


def _reader_is_gone() -> int:
    """End quietly when whoever read our output has stopped, as `head` does."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)
    return 1
