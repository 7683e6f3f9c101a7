"""Questions to whoever sits at the terminal."""

from __future__ import annotations

import asyncio
import sys

import click

_YES = frozenset({"y", "yes"})


async def confirm(question: str) -> bool:
    """Ask on stderr and return whether the answer is yes; silence is no."""
    click.echo(f"{question} [y/N]: ", err=True, nl=False)
    loop = asyncio.get_running_loop()
    answered: asyncio.Future[str] = loop.create_future()

    def read() -> None:
        # A terminal is readable when a whole line is there.
        loop.remove_reader(sys.stdin)
        answered.set_result(sys.stdin.readline())

    loop.add_reader(sys.stdin, read)
    try:
        answer = await answered
    finally:
        loop.remove_reader(sys.stdin)
    return answer.strip().lower() in _YES
