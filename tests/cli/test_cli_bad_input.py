"""Bad input: a typed message, an exit code, nothing charged and nothing left behind."""

from __future__ import annotations

import json
import struct
import zlib
from pathlib import Path
from typing import Any

import pytest


def _chunk(kind: bytes, content: bytes) -> bytes:
    checksum = struct.pack(">I", zlib.crc32(kind + content))
    return struct.pack(">I", len(content)) + kind + content + checksum


def _huge_png() -> bytes:
    header = struct.pack(">IIBBBBB", 100_000, 100_000, 8, 2, 0, 0, 0)
    pixels = zlib.compress(b"\0" * 100)
    return (
        b"\x89PNG\r\n\x1a\n"
        + _chunk(b"IHDR", header)
        + _chunk(b"IDAT", pixels)
        + _chunk(b"IEND", b"")
    )


@pytest.fixture(autouse=True)
def bad_files() -> None:
    Path("empty.png").touch()
    Path("lying.png").write_text("this is no picture", encoding="utf-8")
    Path("huge.png").write_bytes(_huge_png())
    Path("folder.png").mkdir()


CASES: dict[str, tuple[list[str], str, int, str | None]] = {
    "unknown model": (["image", "x", "-m", "nope"], "model_not_found", 1, "/model"),
    "missing prompt": (["image", ""], "prompt_required", 2, "/prompt"),
    "wrong ratio": (
        ["image", "x", "--ratio", "wide"],
        "invalid_aspect_ratio",
        2,
        "/parameters/aspect_ratio",
    ),
    "ratio that the model lacks": (
        ["--sandbox", "image", "x", "-m", "gpt-image-2", "--ratio", "17:3"],
        "invalid_aspect_ratio",
        2,
        "/parameters/aspect_ratio",
    ),
    "path that escapes": (
        ["image", "x", "--path", "../../etc/passwd"],
        "invalid_path",
        2,
        "/output_path",
    ),
    "metadata service": (
        ["image", "x", "--image", "http://169.254.169.254/x.png"],
        "url_not_allowed",
        5,
        "/inputs/0",
    ),
    "empty file": (["image", "x", "--image", "empty.png"], "empty_file", 2, "/inputs/0"),
    "lying file": (
        ["image", "x", "--image", "lying.png"],
        "unsupported_format",
        2,
        "/inputs/0",
    ),
    "impossible header": (
        ["image", "x", "--image", "huge.png"],
        "image_too_large",
        2,
        "/inputs/0",
    ),
    "directory": (["image", "x", "--image", "folder.png"], "input_not_found", 2, "/inputs/0"),
    "missing file": (["image", "x", "--image", "none.png"], "input_not_found", 2, "/inputs/0"),
    "unknown asset": (
        ["image", "x", "--image", "ast_01a1f8e58e997999b15ee7f299b7ebd3"],
        "asset_not_found",
        1,
        "/inputs/0/asset_id",
    ),
    "unknown parameter": (
        ["image", "x", "-p", "nonsense=1"],
        "unknown_parameter",
        2,
        "/parameters/nonsense",
    ),
    "impossible parameter": (
        ["image", "x", "-p", "seed=often"],
        "invalid_parameter",
        2,
        "/parameters/seed",
    ),
    "unknown provider": (
        ["image", "x", "--provider", "nobody"],
        "unknown_provider",
        2,
        "/provider",
    ),
    "provider without key": (["image", "x", "-m", "gpt-image-2"], "missing_api_key", 4, None),
    "unknown operation": (
        ["generate", "local-sketch-image", "-i", "prompt=x", "--operation", "alchemy"],
        "invalid_generation_type",
        2,
        None,
    ),
    "unknown input": (
        ["generate", "local-sketch-image", "-i", "prompt=x", "-i", "picture=x.png"],
        "unknown_parameter",
        2,
        "/parameters/picture",
    ),
    "missing recording": (["transcribe", "none.wav"], "input_not_found", 2, "/inputs/0"),
    "unknown command": (["paint", "x"], "usage", 2, None),
    "missing argument": (["image"], "usage", 2, None),
    "no pair": (["image", "x", "-p", "seed"], "usage", 2, None),
    "missing prompt file": (["image", "@none.txt"], "usage", 2, None),
    "prompt file that is no text": (["image", "@huge.png"], "usage", 2, None),
    "wrong choice": (["models", "list", "--operation", "alchemy"], "usage", 2, None),
    "unknown generation": (["generations", "show", "gen_0"], "generation_not_found", 1, None),
    "unknown trace": (["trace", "gen_0"], "generation_not_found", 1, None),
    "cancelling nothing": (["generations", "cancel", "gen_0"], "generation_not_found", 1, None),
    "watching nothing": (["generations", "watch", "gen_0"], "generation_not_found", 1, None),
    "unknown file": (["assets", "get", "ast_0"], "asset_not_found", 1, None),
    "missing settings": (["--config", "none.yaml", "doctor"], "invalid_settings", 2, None),
}


@pytest.mark.parametrize("name", CASES)
def test_it_is_refused_with_one_document_and_leaves_nothing(
    name: str, call: Any, data: Path
) -> None:
    arguments, code, exit_code, pointer = CASES[name]
    outcome = call(*arguments, "--json")
    document = outcome.document
    assert document["error"] == code, outcome.err
    assert outcome.code == exit_code
    assert document["message"]
    assert document.get("pointer") == pointer
    assert "Traceback" not in outcome.err
    assert outcome.err.startswith("Error: ") or "\nError: " in outcome.err
    assert outcome.last_line == f"Next: {document['next']}"
    assert _left_behind(data) == []


@pytest.mark.parametrize("name", ["lying file", "unknown command", "provider without key"])
def test_without_json_stdout_stays_empty(name: str, call: Any) -> None:
    arguments, _, exit_code, _ = CASES[name]
    outcome = call(*arguments)
    assert outcome.code == exit_code
    assert outcome.out == ""
    assert "Next: mediawright " in outcome.last_line


def test_refused_requests_charge_nothing_and_make_no_generation(call: Any) -> None:
    for name in ("missing prompt", "ratio that the model lacks", "lying file"):
        call(*CASES[name][0])
    for place in ([], ["--sandbox"]):
        assert call(*place, "generations", "list", "--json").document == []
        assert call(*place, "assets", "list", "--json").document == []
        findings = call(*place, "doctor", "--json").document
        database = next(item for item in findings if item["subject"] == "database")
        assert "10000 credits left, 0 credits held" in database["text"]


def _left_behind(data: Path) -> list[Path]:
    folders = [
        place / name
        for place in (data, data / "sandbox")
        for name in ("files", "staging", "replies")
    ]
    return [path for folder in folders for path in folder.rglob("*") if path.is_file()]


def test_the_next_step_means_the_same_installation(call: Any, tmp_path: Path) -> None:
    elsewhere = str(tmp_path / "else where")
    outcome = call("--sandbox", "--data-dir", elsewhere, "trace", "gen_0")
    assert outcome.last_line == (
        f"Next: mediawright --data-dir '{elsewhere}' --sandbox generations list"
    )


def test_the_next_step_repeats_the_command_with_what_was_missing(call: Any) -> None:
    outcome = call("image", "a red kite", "-m", "gpt-image-2")
    assert outcome.last_line == "Next: mediawright image 'a red kite' -m gpt-image-2 --sandbox"


def test_bad_parameters_lead_to_the_model(call: Any) -> None:
    outcome = call("image", "x", "--ratio", "wide")
    assert outcome.last_line == "Next: mediawright models show local-sketch-image"
    assert "16:9" in outcome.err


def test_a_word_like_json_after_two_dashes_is_a_prompt(call: Any) -> None:
    outcome = call("image", "-m", "nope", "--", "--json")
    assert outcome.code == 1
    assert outcome.out == ""


def test_a_defect_shows_where_it_happened_and_no_values(
    call: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        secret = "sk-very-secret-value-0123456789"
        raise RuntimeError(f"no way to handle {secret}")

    monkeypatch.setattr("mediawright.app.follow.get_generation", fail)
    outcome = call("generations", "show", "gen_0", "--json")
    assert outcome.code == 1
    assert outcome.document["error"] == "internal_error"
    assert "very-secret" not in outcome.err + outcome.out
    assert "in fail" in outcome.err
    assert json.dumps(outcome.document).count("RuntimeError") == 1
