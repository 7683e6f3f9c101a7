"""Inserting a row unless it is there already."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from sqlalchemy import Connection, Insert, Table
from sqlalchemy.dialects import postgresql, sqlite


def insert_once(
    c: Connection, table: Table, values: Mapping[str, Any], unique: tuple[str, ...]
) -> bool:
    """Insert a row and tell whether it is new.

    Args:
        c: The connection.
        table: Where to.
        values: The row.
        unique: The columns of the constraint that tells what "already there" means; breaking
            any other constraint is an error.
    """
    return c.execute(_insert_once(c.dialect.name, table, unique), values).rowcount == 1


def insert_all_once(
    c: Connection, table: Table, rows: Sequence[Mapping[str, Any]], unique: tuple[str, ...]
) -> None:
    """Insert rows but for those that are there already; see `insert_once`."""
    if rows:
        c.execute(_insert_once(c.dialect.name, table, unique), list(rows))


@cache
def _insert_once(dialect: str, table: Table, unique: tuple[str, ...]) -> Insert:
    insert = postgresql.insert if dialect == "postgresql" else sqlite.insert
    statement = insert(table).on_conflict_do_nothing(index_elements=unique)
    # Otherwise SQLAlchemy does not look at the count after an INSERT.
    return statement.execution_options(preserve_rowcount=True)
