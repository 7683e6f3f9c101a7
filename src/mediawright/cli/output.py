"""Data goes to stdout, talk to stderr."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any

import click
import msgspec

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console

    from mediawright.cli.options import CommonOptions
    from mediawright.core.generation import Generation
    from mediawright.core.money import Price


def print_json(value: Any) -> None:
    """Print one JSON document."""
    click.echo(msgspec.json.format(msgspec.json.encode(value, enc_hook=str), indent=2))


def say(text: str) -> None:
    """Tell people something, on stderr."""
    click.echo(text, err=True)


def console(common: CommonOptions, *, err: bool = False) -> Console:
    """Return where tables and progress are drawn."""
    from rich.console import Console

    plain = common.plain or bool(os.environ.get("NO_COLOR"))
    return Console(stderr=err, no_color=plain, highlight=False, soft_wrap=plain)


def is_interactive(common: CommonOptions) -> bool:
    """Tell whether somebody watches who can be shown moving progress and asked questions."""
    return sys.stderr.isatty() and sys.stdin.isatty() and not common.plain


def print_table(
    common: CommonOptions, columns: Sequence[str], rows: Sequence[Sequence[str]]
) -> None:
    """Print a table: with lines for people, with tabs for programs."""
    if common.plain or not sys.stdout.isatty():
        click.echo("\t".join(columns))
        for row in rows:
            click.echo("\t".join(row))
        return
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(*row)
    console(common).print(table)


def price_words(price: Price) -> str:
    """Return a price in words; an unknown one is never called nothing."""
    from mediawright.core.money import plain

    if price.credits is None:
        return "price unknown"
    if price.credits == 0:
        return "free"
    dollars = "" if price.usd is None else f", about ${plain(price.usd)} at the provider"
    return f"{plain(price.credits)} credits{dollars}"


def charge_words(generation: Generation) -> str:
    """Return what a generation was charged, in words."""
    from decimal import Decimal

    from mediawright.core.money import plain

    if generation.charge_micros is None:
        return "-"
    if generation.charge_micros == 0 and generation.price.credits == 0:
        return "free"
    return f"{plain(Decimal(generation.charge_micros) / 1_000_000)} credits"


def short_time(seconds: float | None) -> str:
    """Return seconds for people."""
    return "-" if seconds is None else f"{seconds:.1f} s"
