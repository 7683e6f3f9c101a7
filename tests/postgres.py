"""A PostgreSQL server for the tests, from a package that brings it along."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import psycopg


@dataclass
class PostgresServer:
    """A server of the test session's own, reached through a socket in its folder."""

    folder: Path
    databases: int = 0

    def url(self, name: str) -> str:
        return f"postgresql+psycopg://postgres@/{name}?host={self.folder}"

    def create_database(self, template: str = "template1") -> str:
        """Make a database and return its name."""
        self.databases += 1
        name = f"test_{self.databases}"
        self.execute(f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY FILE_COPY")
        return name

    def execute(self, statement: str) -> None:
        conninfo = f"host={self.folder} user=postgres dbname=postgres"
        with psycopg.connect(conninfo, autocommit=True) as connection:
            connection.execute(statement)
