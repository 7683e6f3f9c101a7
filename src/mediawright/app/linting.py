"""Checks the catalogue's data, and an operator's own rows with it, without an installation."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from mediawright.app.directory import LOCAL
from mediawright.catalog.lint import LintReport, lint
from mediawright.catalog.loader import CatalogueError, built_in_sources, sources_of
from mediawright.core.clock import Clock, SystemClock
from mediawright.providers.registry import provider_names


def lint_catalogue(paths: Sequence[Path] = (), clock: Clock | None = None) -> LintReport:
    """Return everything that is wrong with the rows that ship, and with those of files.

    Args:
        paths: TOML files, or folders of them, whose rows are added; later ones win.
        clock: Tells which routes have ended; the machine's own where not given.
    """
    sources = built_in_sources()
    faults: list[str] = []
    for path in paths:
        try:
            sources += sources_of(path)
        except CatalogueError as error:
            faults += error.details["faults"]
    return lint(
        sources,
        now=(clock or SystemClock()).now(),
        adapters=frozenset({LOCAL, *provider_names()}),
        faults=faults,
    )
