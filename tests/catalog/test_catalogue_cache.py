"""The checked catalogue that is kept between processes: the same, or left aside."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from mediawright.catalog import compiled
from mediawright.catalog.compiled import default_cache_folder, key_of, read_compiled
from mediawright.catalog.loader import CatalogueError, build_catalogue, built_in_sources
from mediawright.catalog.loader import load_sources as load

ROW = """
[[family]]
label = "ones"
variants = ["one"]
hint = "Ask."

[[model]]
id = "one"
title = "One"
summary = "A picture."
kind = "image"
source = { text = "a test", seen_on = 2026-11-01 }
operations.text-to-image = {}
routes = [{ provider = "alpha", upstream_id = "one" }]
"""
SOURCES = [("one.toml", ROW)]


def content(catalogue):
    return list(catalogue), catalogue.families


def kept(folder):
    return sorted(folder.glob("catalogue-*"))


@pytest.fixture
def read_counts(monkeypatch):
    """Count how often the data files are really read."""
    from mediawright.catalog import loader

    counts = []

    def build(sources):
        counts.append(1)
        return build_catalogue(sources)

    monkeypatch.setattr(loader, "build_catalogue", build)
    return counts


def test_what_ships_comes_back_unchanged(tmp_path, read_counts):
    sources = built_in_sources()
    first = load(sources, tmp_path)
    again = load(sources, tmp_path)
    assert len(read_counts) == 1
    assert content(again) == content(first) == content(build_catalogue(sources))
    for before, after in zip(first, again, strict=True):
        for name, rule in before.parameters.items():
            kinds = [type(value) for value in (*rule.values, rule.default, rule.fixed)]
            other = after.parameters[name]
            assert kinds == [type(value) for value in (*other.values, other.default, other.fixed)]


def test_a_changed_data_file_is_another_catalogue(tmp_path, read_counts):
    load(SOURCES, tmp_path)
    changed = load([("one.toml", ROW.replace('"One"', '"Won"'))], tmp_path)
    assert changed.get("one").title == "Won"
    assert load(SOURCES, tmp_path).get("one").title == "One"
    assert len(read_counts) == 2
    assert key_of(SOURCES) != key_of([("two.toml", ROW)]) != key_of([])


def test_another_version_of_the_code_reads_anew(tmp_path, read_counts, monkeypatch):
    load(SOURCES, tmp_path)
    monkeypatch.setattr(compiled, "__version__", "0.0.0+other")
    load(SOURCES, tmp_path)
    assert len(read_counts) == 2
    assert len(kept(tmp_path)) == 2


@pytest.mark.parametrize(
    "damage",
    [
        lambda data: b"",
        lambda data: data[:10],
        lambda data: data[:-1],
        lambda data: data[:-1] + bytes([data[-1] ^ 1]),
        lambda data: bytes([data[0] ^ 1]) + data[1:],
        lambda data: data + b"\0",
        lambda data: compiled._checksum(b"\x93") + b"\x93",
        lambda data: compiled._checksum(b"") + b"",
    ],
)
def test_a_damaged_file_is_left_aside_and_replaced(tmp_path, read_counts, damage):
    load(SOURCES, tmp_path)
    (path,) = kept(tmp_path)
    sound = path.read_bytes()
    path.write_bytes(damage(sound))
    assert load(SOURCES, tmp_path).get("one").title == "One"
    assert len(read_counts) == 2
    assert path.read_bytes() == sound


def test_a_file_under_the_wrong_name_is_left_aside(tmp_path):
    load(SOURCES, tmp_path)
    (path,) = kept(tmp_path)
    other = key_of([("one.toml", ROW.replace('"One"', '"Won"'))])
    path.rename(tmp_path / f"catalogue-{other.hex()}.msgpack")
    assert read_compiled(tmp_path, other) is None


@pytest.mark.skipif(not hasattr(os, "getuid"), reason="files have no owners here")
def test_a_file_of_somebody_else_is_left_aside(tmp_path, monkeypatch):
    load(SOURCES, tmp_path)
    monkeypatch.setattr(os, "getuid", lambda: 4242)
    assert read_compiled(tmp_path, key_of(SOURCES)) is None


def test_a_folder_that_cannot_be_written_to_is_fine(tmp_path):
    blocked = tmp_path / "file"
    blocked.write_text("not a folder")
    assert load(SOURCES, blocked / "deeper").get("one").title == "One"
    assert load(SOURCES, blocked).get("one").title == "One"


def test_a_file_that_cannot_be_put_in_place_leaves_nothing_behind(tmp_path, monkeypatch):
    def refuse(self, target):
        raise PermissionError(target)

    monkeypatch.setattr(Path, "replace", refuse)
    assert load(SOURCES, tmp_path).get("one").title == "One"
    assert kept(tmp_path) == []


def test_wrong_data_is_told_and_not_kept(tmp_path):
    for _ in range(2):
        with pytest.raises(CatalogueError):
            load([("one.toml", ROW.replace('kind = "image"', 'kind = "smell"'))], tmp_path)
    assert kept(tmp_path) == []


def test_only_the_latest_files_are_kept(tmp_path):
    for number in range(compiled._KEPT_FILES + 3):
        load([(f"{number}.toml", ROW)], tmp_path)
    assert len(kept(tmp_path)) == compiled._KEPT_FILES
    assert read_compiled(tmp_path, key_of([(f"{number}.toml", ROW)])) is not None


def test_many_processes_at_once(tmp_path):
    code = (
        "import sys; from pathlib import Path\n"
        "from mediawright.catalog.loader import built_in_sources, load_sources\n"
        "print(len(load_sources(built_in_sources(), Path(sys.argv[1]))))\n"
    )
    started = [
        subprocess.Popen(
            [sys.executable, "-c", code, str(tmp_path)], stdout=subprocess.PIPE, text=True
        )
        for _ in range(3)
    ]
    counts = {process.communicate()[0].strip() for process in started}
    assert counts == {str(len(build_catalogue(built_in_sources())))}
    assert len(kept(tmp_path)) == 1


def test_an_account_without_a_home_has_no_cache(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert default_cache_folder() == tmp_path / "mediawright"
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setattr(os.path, "expanduser", lambda path: path)
    assert default_cache_folder() is None


def test_what_a_wheel_brings_along_is_read_first(tmp_path, monkeypatch, read_counts):
    shipped = tmp_path / "shipped.msgpack"
    monkeypatch.setattr(compiled, "_SHIPPED", str(shipped))
    made = build_catalogue(SOURCES)
    shipped.write_bytes(compiled.compiled_form(key_of(SOURCES), made))

    assert content(load(SOURCES, tmp_path / "cache")) == content(made)
    assert read_counts == []
    assert not (tmp_path / "cache").exists()


def test_what_a_wheel_brings_along_does_not_serve_for_other_rows(
    tmp_path, monkeypatch, read_counts
):
    shipped = tmp_path / "shipped.msgpack"
    monkeypatch.setattr(compiled, "_SHIPPED", str(shipped))
    shipped.write_bytes(compiled.compiled_form(key_of(SOURCES), build_catalogue(SOURCES)))
    other = [("one.toml", ROW.replace('title = "One"', 'title = "Another"'))]

    assert next(iter(load(other, tmp_path))).title == "Another"
    assert read_counts == [1]
