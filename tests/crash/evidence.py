"""What is left after a run: our rows, our files, and what the vendors say they were asked."""

from __future__ import annotations

import json
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import create_engine, select, table

TABLES = ("workspaces", "generations", "attempts", "assets", "ledger_entries", "events")
TAG = re.compile(r"\bref-\d+\b")
"""Every prompt of a run carries such a word of its own; it ties a vendor's request to a row."""
_HELD_FOLDERS = (".reservations", ".partial")

Row = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Submit:
    """A request that a vendor bills, as its journal has it."""

    tag: str
    vendor: str
    status: int | None
    """`None`: the vendor carried it out and the connection broke before the reply."""
    scenario: str

    @property
    def is_taken(self) -> bool:
        """Whether the vendor has a job for it, and may bill it."""
        return self.status is None or 200 <= self.status < 300


@dataclass(kw_only=True)
class Evidence:
    """Everything that can be looked at when no process works any more."""

    workspaces: list[Row] = field(default_factory=list)
    generations: list[Row] = field(default_factory=list)
    attempts: list[Row] = field(default_factory=list)
    assets: list[Row] = field(default_factory=list)
    ledger_entries: list[Row] = field(default_factory=list)
    events: list[Row] = field(default_factory=list)
    submits: list[Submit] = field(default_factory=list)
    files: Path
    """The folder of the finished files."""
    staging: Path
    replies: Path

    def of_generation(self, rows: Iterable[Row]) -> dict[str, list[Row]]:
        """Return rows by their generation."""
        found: dict[str, list[Row]] = defaultdict(list)
        for row in rows:
            if row["generation_id"] is not None:
                found[row["generation_id"]].append(row)
        return found

    def submits_by_generation(self) -> dict[str, list[Submit]]:
        """Return the vendors' submits by generation; those of none under an empty name."""
        owners = {tag_of(row["request"]): row["id"] for row in self.generations}
        found: dict[str, list[Submit]] = defaultdict(list)
        for submit in self.submits:
            found[owners.get(submit.tag, "")].append(submit)
        return found

    def states(self) -> Counter[str]:
        """Return how many generations are in which state."""
        return Counter(row["state"] for row in self.generations)

    def stored_keys(self) -> set[str]:
        """Return every key that an asset's row speaks of."""
        names = ("key", "thumbnail_key", "optimized_key")
        return {row[name] for row in self.assets for name in names if row[name] is not None}

    def stray_files(self) -> list[str]:
        """Return the finished files that no row speaks of."""
        if not self.files.is_dir():
            return []
        found = {
            path.relative_to(self.files).as_posix()
            for path in self.files.rglob("*")
            if path.is_file() and path.relative_to(self.files).parts[0] not in _HELD_FOLDERS
        }
        return sorted(found - self.stored_keys())


def collect(database_url: str, data_folder: Path, journal: Sequence[Row]) -> Evidence:
    """Return what a run has left.

    Args:
        database_url: Our tables.
        data_folder: Of the server.
        journal: The entries of the sandbox's journal.
    """
    evidence = Evidence(
        files=data_folder / "files",
        staging=data_folder / "staging",
        replies=data_folder / "replies",
        submits=[_submit(entry) for entry in journal if entry["kind"] == "submit"],
    )
    for name in TABLES:
        setattr(evidence, name, read_rows(database_url, name))
    return evidence


def read_rows(database_url: str, name: str) -> list[Row]:
    """Return all rows of a table."""
    engine = create_engine(database_url)
    try:
        with engine.connect() as connection:
            rows = connection.execute(select("*").select_from(table(name))).mappings()
            return [dict(row) for row in rows]
    finally:
        engine.dispose()


def read_journal(path: Path) -> list[Row]:
    """Return the entries of a journal file."""
    return [json.loads(line) for line in path.read_text().splitlines()]


def tag_of(document: Any) -> str:
    """Return the tag in a request, or an empty text."""
    found = TAG.search(document if isinstance(document, str) else json.dumps(document))
    return found[0] if found else ""


def _submit(entry: Row) -> Submit:
    return Submit(
        tag=tag_of(entry["body"]),
        vendor=entry["vendor"],
        status=entry["status"],
        scenario=entry["scenario"],
    )
