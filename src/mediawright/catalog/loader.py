"""Reads the data files and gives the catalogue, or says everything that is wrong with them.

A file holds `[[model]]` and `[[family]]` tables, and `[[open]]` tables: models with a provider's
name as their id, which stand for all of its models that have no row. Two shorthands keep the
rows short: `[list]` names lists of values, written `"$name"` where they are used, and
`[template.NAME]` holds fields that a model takes over with `like = "NAME"` (tables are merged,
everything else is replaced). Both are shared by all files.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from importlib import resources
from pathlib import Path
from typing import Any, TypeVar, cast

import msgspec

from mediawright.catalog.catalogue import Catalogue
from mediawright.catalog.compiled import (
    default_cache_folder,
    key_of,
    read_compiled,
    read_shipped,
    write_compiled,
)
from mediawright.catalog.model import Family, Model
from mediawright.catalog.open_models import completed
from mediawright.catalog.validate import find_faults
from mediawright.core.errors import ErrorKind, MediawrightError

_SECTIONS = frozenset({"list", "template", "model", "family", "open"})

Table = dict[str, Any]
Row = TypeVar("Row", bound=msgspec.Struct)


class CatalogueError(MediawrightError):
    """The catalogue's data files are wrong; `details["faults"]` lists everything found."""

    kind = ErrorKind.INTERNAL

    def __init__(self, faults: Iterable[str]) -> None:
        """Name every fault, each with its file and place."""
        listed = list(faults)
        super().__init__(
            "catalogue_invalid",
            "The catalogue's data is not valid:\n" + "\n".join(f"- {fault}" for fault in listed),
            hint="Correct the data files named.",
            details={"faults": listed},
        )


def load_catalogue(extra: Path | None = None) -> Catalogue:
    """Return the catalogue that ships with the package, with the operator's own rows added.

    Args:
        extra: A TOML file, or a folder of them. A model with the id of a built-in one
            takes its place. The result is kept for the life of the process.

    Raises:
        CatalogueError: `catalogue_invalid`, with every fault of every file.
    """
    return _load(extra.resolve() if extra else None)


@lru_cache(maxsize=8)
def _load(extra: Path | None) -> Catalogue:
    return load_sources([*built_in_sources(), *sources_of(extra)], default_cache_folder())


def load_sources(sources: Sequence[tuple[str, str]], cache_folder: Path | None) -> Catalogue:
    """Return the catalogue of (file name, TOML text) pairs, from the cache where it is there.

    Args:
        sources: In order; later files win.
        cache_folder: Where checked catalogues are kept between processes; `None` keeps none.

    Raises:
        CatalogueError: `catalogue_invalid`.
    """
    if cache_folder is None:
        return build_catalogue(sources)
    key = key_of(sources)
    catalogue = read_shipped(key) or read_compiled(cache_folder, key)
    if catalogue is None:
        catalogue = build_catalogue(sources)
        write_compiled(cache_folder, key, catalogue)
    return catalogue


class Rows(msgspec.Struct, kw_only=True):
    """What files hold, as far as it can be read, and what is wrong with them."""

    models: dict[str, Model]
    families: dict[str, Family]
    patterns: dict[str, Model]
    places: dict[str, str]
    """Id of a model, or label of a family -> file and position."""
    faults: list[str]
    """Each with its place before it."""


def build_catalogue(sources: Iterable[tuple[str, str]]) -> Catalogue:
    """Make a catalogue out of (file name, TOML text) pairs; later files win.

    Raises:
        CatalogueError: `catalogue_invalid`.
    """
    rows = read_rows(sources)
    if rows.faults:
        raise CatalogueError(rows.faults)
    return Catalogue(rows.models.values(), rows.families.values(), rows.patterns.values())


def read_rows(sources: Iterable[tuple[str, str]]) -> Rows:
    """Return the rows of (file name, TOML text) pairs, and every fault; later files win."""
    faults: list[str] = []
    files = [(name, _parse(name, text, faults)) for name, text in sources]
    lists: Table = {}
    templates: Table = {}
    for name, table in files:
        faults.extend(f"{name}: unknown section [{key}]" for key in table if key not in _SECTIONS)
        lists.update(_table_of(table, "list", name, faults))
        templates.update(_table_of(table, "template", name, faults))
    models: dict[str, Model] = {}
    families: dict[str, Family] = {}
    places: dict[str, str] = {}
    for name, table in files:
        for index, raw in enumerate(_rows_of(table, "family", name, faults)):
            family = _convert(raw, Family, f"{name}: /family/{index}", faults)
            if family is not None:
                families[family.label] = family
                places.setdefault(family.label, f"{name}: /family/{index} ({family.label})")
        for index, raw in enumerate(_rows_of(table, "model", name, faults)):
            place = f"{name}: /model/{index}"
            model = _read_model(raw, place, lists, templates, faults)
            if model is None:
                continue
            if model.id in models and places[model.id].split(":")[0] == name:
                faults.append(f"{place} ({model.id}): the id is used twice in this file")
            models[model.id] = model
            places[model.id] = f"{place} ({model.id})"
    patterns = _read_patterns(files, lists, templates, faults)
    faults.extend(find_faults(models, families, places))
    return Rows(models=models, families=families, patterns=patterns, places=places, faults=faults)


def _read_patterns(
    files: Iterable[tuple[str, Table]], lists: Table, templates: Table, faults: list[str]
) -> dict[str, Model]:
    """Return what stands for the models that are named by a provider's own ids, by provider."""
    patterns: dict[str, Model] = {}
    places: dict[str, str] = {}
    for name, table in files:
        for index, raw in enumerate(_rows_of(table, "open", name, faults)):
            place = f"{name}: /open/{index}"
            row = _read_model(raw, place, lists, templates, faults)
            if row is None:
                continue
            if [route.provider for route in row.routes] != [row.id]:
                faults.append(f"{place} ({row.id}): it must have one route, to its provider")
                continue
            patterns[row.id] = completed(row)
            places[row.id] = f"{place} ({row.id})"
    faults.extend(find_faults(patterns, {}, places))
    return patterns


def built_in_sources() -> list[tuple[str, str]]:
    """Return the data files of the package as (file name, TOML text) pairs, by name."""
    folder = resources.files("mediawright.catalog") / "data"
    found = [entry for entry in folder.iterdir() if entry.name.endswith(".toml")]
    return [
        (entry.name, entry.read_text(encoding="utf-8"))
        for entry in sorted(found, key=lambda entry: entry.name)
    ]


def sources_of(path: Path | None) -> list[tuple[str, str]]:
    """Return a TOML file, or those of a folder, as (file name, TOML text) pairs.

    Raises:
        CatalogueError: `catalogue_invalid`: a file cannot be read.
    """
    if path is None:
        return []
    paths = sorted(path.glob("*.toml")) if path.is_dir() else [path]
    try:
        return [(str(found), found.read_text(encoding="utf-8")) for found in paths]
    except (OSError, UnicodeDecodeError) as error:
        raise CatalogueError([f"{path}: cannot be read: {error}"]) from error


def _parse(name: str, text: str, faults: list[str]) -> Table:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        faults.append(f"{name}: not valid TOML: {error}")
        return {}


def _table_of(table: Table, key: str, name: str, faults: list[str]) -> Table:
    value = table.get(key, {})
    if isinstance(value, dict):
        return cast("Table", value)
    faults.append(f"{name}: [{key}] must be a table")
    return {}


def _rows_of(table: Table, key: str, name: str, faults: list[str]) -> list[Any]:
    value = table.get(key, [])
    if isinstance(value, list):
        return cast("list[Any]", value)
    faults.append(f"{name}: write [[{key}]], a list of tables")
    return []


def _read_model(
    raw: Any, place: str, lists: Table, templates: Table, faults: list[str]
) -> Model | None:
    if isinstance(raw, dict):
        named = cast("Table", raw)
        place = f"{place} ({named.get('id', 'no id')})"
        try:
            raw = _with_lists(_with_template(named, templates), lists)
        except KeyError as error:
            faults.append(f"{place}: {error.args[0]}")
            return None
    return _convert(raw, Model, place, faults)


def _convert(raw: Any, kind: type[Row], place: str, faults: list[str]) -> Row | None:
    try:
        return msgspec.convert(raw, kind)
    except msgspec.ValidationError as error:
        faults.append(f"{place}: {error}")
        return None


def _with_template(raw: Table, templates: Table, depth: int = 0) -> Table:
    name = raw.get("like")
    if name is None:
        return raw
    if name not in templates or depth > len(templates):
        raise KeyError(f"like: there is no template {name!r}, or it refers to itself")
    own = {key: value for key, value in raw.items() if key != "like"}
    return _merged(_with_template(templates[name], templates, depth + 1), own)


def _merged(base: Mapping[str, Any], over: Mapping[str, Any]) -> Table:
    merged = dict(base)
    for key, value in over.items():
        old = merged.get(key)
        both = isinstance(old, dict) and isinstance(value, dict)
        merged[key] = _merged(cast("Table", old), cast("Table", value)) if both else value
    return merged


def _with_lists(value: Any, lists: Table) -> Any:
    if isinstance(value, dict):
        table = cast("Table", value)
        return {key: _with_lists(item, lists) for key, item in table.items()}
    if isinstance(value, list):
        items: list[Any] = []
        for item in cast("list[Any]", value):
            resolved = _with_lists(item, lists)
            spliced = isinstance(item, str) and isinstance(resolved, list)
            items += cast("list[Any]", resolved) if spliced else [resolved]
        return items
    if isinstance(value, str) and value.startswith("$"):
        if value[1:] not in lists:
            raise KeyError(f"there is no list {value!r}, or it refers to itself")
        others = {name: items for name, items in lists.items() if name != value[1:]}
        return _with_lists(lists[value[1:]], others)
    return value
