"""catalog lint, on the command line."""

from __future__ import annotations

from pathlib import Path
from typing import Any

ROW = """
[[model]]
id = "kite-painter"
title = "Kite painter"
summary = "A picture."
kind = "image"
source = { text = "a test", seen_on = 2026-01-01 }
operations.text-to-image = {}

[[model.routes]]
provider = "fal"
upstream_id = "kites/one"
prices = [{ currency = "USD", unit = "image", amount = "0.1" }]
"""


def test_what_ships_is_clean(call: Any) -> None:
    done = call("catalog", "lint")
    assert done.code == 0, done.out + done.err
    assert "error:" not in done.out
    assert "errors: 0" in done.err


def test_own_files_and_folders_are_checked_with_it(call: Any, tmp_path: Path) -> None:
    (tmp_path / "rows").mkdir()
    (tmp_path / "rows" / "good.toml").write_text(ROW)
    shipped = call("catalog", "lint", "--json").document["models"]
    fine = call("catalog", "lint", str(tmp_path / "rows"), "--json")
    assert (fine.code, fine.document["clean"]) == (0, True)
    assert fine.document["models"] == shipped + 1
    bad = tmp_path / "bad.toml"
    bad.write_text(ROW.replace('"fal"', '"fall"').replace("2026-01-01", "2999-01-01"))
    done = call("catalog", "lint", str(tmp_path / "rows"), str(bad), "--json")
    assert (done.code, done.document["clean"]) == (1, False)
    errors = [item for item in done.document["findings"] if item["severity"] == "error"]
    assert {item["message"] for item in errors} == {
        "there is no provider fall",
        "2999-01-01 is still to come",
    }
    assert all(str(bad) in item["place"] and item["hint"] for item in errors)


def test_errors_are_shown_with_what_to_do(call: Any, tmp_path: Path) -> None:
    bad = tmp_path / "bad.toml"
    bad.write_text(ROW.replace('"fal"', '"fall"'))
    done = call("catalog", "lint", str(bad))
    assert done.code == 1
    assert f"error: {bad}: /model/0 (kite-painter): /routes/0/provider" in done.out
    assert "  Did you mean fal?" in done.out


def test_a_file_that_is_no_text_is_an_error(call: Any, tmp_path: Path) -> None:
    bad = tmp_path / "bad.toml"
    bad.write_bytes(b"\xff\xfe")
    done = call("catalog", "lint", str(bad))
    assert done.code == 1
    assert "cannot be read" in done.out
    missing = call("catalog", "lint", str(tmp_path / "none.toml"))
    assert missing.code == 2


def test_rows_of_the_settings_are_checked_and_used(call: Any, tmp_path: Path) -> None:
    rows = tmp_path / "own.toml"
    rows.write_text(ROW)
    config = tmp_path / "settings.yaml"
    config.write_text(f"media: {{catalogue: {rows}}}\ndata_dir: {tmp_path / 'data'}\n")
    shown = call("models", "show", "kite-painter", "--config", str(config), "--json")
    assert shown.document["title"] == "Kite painter"
    rows.write_text(ROW.replace("2026-01-01", "2999-01-01"))
    done = call("catalog", "lint", "--config", str(config))
    assert (done.code, f"error: {rows}" in done.out) == (1, True)
