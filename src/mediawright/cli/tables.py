"""Tables: with lines for people, with tabs for programs."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

import click

from mediawright.cli.output import console, one_line

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console

    from mediawright.cli.options import CommonOptions

_GAP = 2
_NARROWEST = 14
"""Characters below which words in a cell are not worth reading."""


@dataclass(frozen=True, kw_only=True)
class Column:
    """One column of a table."""

    name: str
    wraps: bool = False
    """Whether its cells may take several lines, broken between words."""
    rank: int = 0
    """Where there is no room, columns of the highest rank are left out first; 0 stays."""
    right: bool = False


def print_table(
    common: CommonOptions,
    columns: Sequence[Column],
    rows: Sequence[Sequence[str]],
    title: str | None = None,
) -> None:
    """Print a table on stdout; programs get every column, separated by tabs."""
    cells = [[one_line(cell) for cell in row] for row in rows]
    if common.plain or not sys.stdout.isatty():
        if title is not None:
            click.echo(f"# {title}")
        for row in ([column.name for column in columns], *cells):
            click.echo("\t".join(row))
        return
    _draw(console(common), columns, cells, title)


def _draw(
    terminal: Console, columns: Sequence[Column], cells: list[list[str]], title: str | None
) -> None:
    from rich.box import SIMPLE_HEAD
    from rich.table import Table
    from rich.text import Text

    shown = _fitting(columns, cells, terminal.width)
    table = Table(
        title=title,
        title_justify="left",
        box=SIMPLE_HEAD,
        show_edge=False,
        pad_edge=False,
        padding=(0, 1, 0, 0),
    )
    for index in shown:
        column = columns[index]
        table.add_column(
            column.name,
            no_wrap=not column.wraps,
            overflow="fold",
            justify="right" if column.right else "left",
            min_width=_least(column, cells, index),
        )
    for row in cells:
        table.add_row(*(Text(row[index]) for index in shown))
    terminal.print()
    terminal.print(table)
    terminal.print()


def _fitting(columns: Sequence[Column], cells: list[list[str]], width: int) -> list[int]:
    """Return the columns for which there is room, in order."""
    shown = list(range(len(columns)))
    while sum(_least(columns[index], cells, index) + _GAP for index in shown) - _GAP > width:
        spare = max(shown, key=lambda index: columns[index].rank)
        if columns[spare].rank == 0:
            break
        shown.remove(spare)
    return shown


def _least(column: Column, cells: list[list[str]], index: int) -> int:
    """Return the width that a column needs."""
    width = _width(column, cells, index)
    if not column.wraps:
        return width
    words = [word for row in cells for word in row[index].split(" ")]
    longest = max((len(word) for word in words), default=0)
    return min(width, max(longest, len(column.name), _NARROWEST))


def _width(column: Column, cells: list[list[str]], index: int) -> int:
    return max([len(column.name), *(len(row[index]) for row in cells)])
