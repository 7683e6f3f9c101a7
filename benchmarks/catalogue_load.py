"""How long the catalogue takes to load, beside a plain parse of the same TOML by `tomllib`.

Run: python benchmarks/catalogue_load.py [--models 120] [--rounds 20] [--json FILE]

Three ways, each for the catalogue that ships and for one blown up to the number of models
asked for: `tomllib` alone, which checks nothing; the first load, which reads, checks and keeps;
every later load, which reads what was kept. Times are processor time, the best of the rounds.
"""

from __future__ import annotations

import argparse
import re
import tempfile
import time
import tomllib
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from typing import Any

from processes import table, write_json

from mediawright.catalog.loader import built_in_sources, load_sources

Sources = list[tuple[str, str]]

_NAMES = re.compile(r"^(id|aliases|presets) = .*$", re.MULTILINE)
_FAMILIES = re.compile(r"^\[\[family\]\]\n(?:.+\n)*", re.MULTILINE)


def blown_up(sources: Sources, wanted: int) -> Sources:
    """Return the data files, and copies of them under other names, up to a number of models."""
    numbers = count()

    def renamed(match: re.Match[str]) -> str:
        return f'id = "copy-{next(numbers)}"' if match[1] == "id" else ""

    found = list(sources)
    for name, text in _over_and_over(sources):
        if sum(text.count("[[model]]") for _, text in found) >= wanted:
            break
        found.append((f"{next(numbers)}-{name}", _NAMES.sub(renamed, _FAMILIES.sub("", text))))
    return found


def _over_and_over(sources: Sources) -> Iterator[tuple[str, str]]:
    while True:
        yield from sources


def best(rounds: int, work: Callable[[], Any]) -> float:
    """Return the shortest processor time of some rounds, in milliseconds."""
    times: list[float] = []
    for _ in range(rounds):
        began = time.process_time()
        work()
        times.append(time.process_time() - began)
    return min(times) * 1000


def measured(title: str, sources: Sources, rounds: int, folder: Path) -> dict[str, Any]:
    models = len(load_sources(sources, folder))
    plain = best(rounds, lambda: [tomllib.loads(text) for _, text in sources])
    first = best(rounds, lambda: load_sources(sources, None))
    later = best(rounds, lambda: load_sources(sources, folder))
    return {
        "catalogue": title,
        "models": models,
        "kilobytes": round(sum(len(text) for _, text in sources) / 1000),
        "tomllib_ms": round(plain, 2),
        "first_load_ms": round(first, 2),
        "later_load_ms": round(later, 2),
        "first_to_tomllib": round(first / plain, 3),
        "later_to_tomllib": round(later / plain, 3),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--models", type=int, default=120)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    sources = built_in_sources()
    with tempfile.TemporaryDirectory(prefix="mediawright-benchmark-") as folder:
        found = [
            measured("as it ships", sources, arguments.rounds, Path(folder)),
            measured(
                "blown up", blown_up(sources, arguments.models), arguments.rounds, Path(folder)
            ),
        ]
    print(table(list(found[0]), [[str(cell) for cell in row.values()] for row in found]))
    write_json(arguments.json, found)


if __name__ == "__main__":
    main()
