"""What was asked of the sandbox, in order, so that tests can count paid submits."""

from __future__ import annotations

import asyncio
import re
import threading
from collections import deque
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec

from mediawright.sandbox.kit.scenario import RequestKind, ScenarioName

LONGEST_JOURNAL = 10_000
"""Entries kept in memory; older ones go."""

_SECRET_NAME = re.compile(r"key|auth|token|secret|cookie|signature", re.IGNORECASE)


class JournalEntry(msgspec.Struct, frozen=True, kw_only=True):
    """One request to an emulator and how it was answered."""

    sequence: int
    at: datetime
    """Virtual time."""
    vendor: str
    kind: RequestKind
    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    """Without secrets."""
    body: Any
    """JSON with coded strings shortened; parts of a multipart body by name and size."""
    status: int | None
    """The HTTP status answered; `None` if the connection was dropped."""
    scenario: ScenarioName
    job_id: str | None = None
    """The asynchronous job that was made or asked about."""


class Journal:
    """The requests so far, in memory and, if wanted, in a file."""

    def __init__(self, path: Path | None = None) -> None:
        """Keep entries in memory, and append each to `path` as a JSON line."""
        self._path = path
        self._entries: deque[JournalEntry] = deque(maxlen=LONGEST_JOURNAL)
        self._sequence = 0
        self._memory_lock = threading.Lock()
        self._file_lock = asyncio.Lock()

    def next_sequence(self) -> int:
        """Return the number of the next entry, from 1."""
        self._sequence += 1
        return self._sequence

    async def add(self, entry: JournalEntry) -> None:
        """Keep an entry; it is in the file when this returns."""
        with self._memory_lock:
            self._entries.append(entry)
        if self._path is not None:
            async with self._file_lock:
                await asyncio.to_thread(_append_line, self._path, msgspec.json.encode(entry))

    def entries(
        self, *, vendor: str | None = None, kind: RequestKind | str | None = None
    ) -> list[JournalEntry]:
        """Return the entries in order, perhaps of one vendor or one kind. From any thread."""
        with self._memory_lock:
            return [
                entry
                for entry in self._entries
                if vendor in (None, entry.vendor) and kind in (None, entry.kind)
            ]

    def clear(self) -> None:
        """Forget the entries in memory; the file stays."""
        with self._memory_lock:
            self._entries.clear()


def redact(values: Mapping[str, str]) -> dict[str, str]:
    """Return headers or query values with everything hidden that may be a secret."""
    return {
        name: "[redacted]" if _SECRET_NAME.search(name) else value for name, value in values.items()
    }


def _append_line(path: Path, line: bytes) -> None:
    with path.open("ab") as file:
        file.write(line + b"\n")
