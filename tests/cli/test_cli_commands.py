"""Every command does what it says, in the installation it is told to use."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

TINY = ("--size", "64x64")
TINY_VIDEO = ("-p", "size=64x64", "--seconds", "1")


class Stdin(io.TextIOWrapper):
    """What is piped into the command."""

    def __init__(self, content: bytes) -> None:
        super().__init__(io.BytesIO(content), encoding="utf-8")


def picture(call: Any, *more: str) -> Path:
    outcome = call("image", "a boat", *TINY, *more)
    assert outcome.code == 0, outcome.err
    return Path(outcome.out.strip())


def test_an_image_prints_its_path_and_talks_on_stderr(call: Any) -> None:
    outcome = call("image", "a boat", *TINY, "--seed", "7")
    assert outcome.code == 0
    path = Path(outcome.out.removesuffix("\n"))
    with Image.open(path) as made:
        assert made.size == (64, 64)
    first, *_, last = outcome.err.splitlines()
    assert first == "local-sketch-image on the embedded engine: free"
    assert "mediawright trace gen_" in last


@pytest.mark.parametrize("name", ["kite.jpg", "kite.webp", "kite.png"])
def test_the_output_file_decides_the_format(name: str, call: Any) -> None:
    path = picture(call, "-o", name)
    assert path == Path(name)
    with Image.open(path) as made:
        assert made.format == {"jpg": "JPEG"}.get(path.suffix[1:], path.suffix[1:].upper())


def test_a_file_never_gets_an_extension_that_it_is_not(call: Any) -> None:
    outcome = call("image", "a boat", *TINY, "--format", "png", "-o", "boat.mp4")
    assert outcome.out == "boat.png\n"
    assert "Saved as boat.png" in outcome.err
    with Image.open("boat.png") as made:
        assert made.format == "PNG"


def test_several_files_are_told_apart(call: Any) -> None:
    outcome = call("image", "a boat", *TINY, "--count", "2", "-o", "boat.png")
    assert outcome.out == "boat-0.png\nboat-1.png\n"
    assert Path("boat-0.png").is_file()
    assert Path("boat-1.png").is_file()


def test_a_folder_that_cannot_be_written_does_not_lose_the_file(call: Any) -> None:
    Path("taken").write_text("in the way", encoding="utf-8")
    outcome = call("image", "a boat", *TINY, "-o", "taken/boat.png", "--json")
    assert outcome.code == 1
    assert outcome.document["error"] == "output_not_writable"
    place = outcome.document["message"].rpartition(" is at ")[2].removesuffix(".")
    assert Path(place).is_file()


def test_a_prompt_comes_from_stdin_from_a_file_or_begins_with_an_at_sign(
    call: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", Stdin(b"a boat in fog\n"))
    piped = call("image", "-", *TINY, "--json")
    Path("prompt.txt").write_text("a boat at night\n", encoding="utf-8")
    read = call("image", "@prompt.txt", *TINY, "--json")
    escaped = call("image", "@@night boats", *TINY, "--json")
    assert [outcome.document["prompt"] for outcome in (piped, read, escaped)] == [
        "a boat in fog",
        "a boat at night",
        "@night boats",
    ]


def test_a_picture_comes_from_stdin(call: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    given = picture(call).read_bytes()
    monkeypatch.setattr(sys, "stdin", Stdin(given))
    outcome = call("image", "the same in fog", "--image", "-", *TINY, "--json")
    assert outcome.document["generation_type"] == "image-to-image", outcome.err


def test_options_stand_before_or_after_the_command(call: Any, data: Path) -> None:
    for arguments in (
        ("--sandbox", "--json", "models", "list"),
        ("models", "--sandbox", "--json", "list"),
        ("models", "list", "--sandbox", "--json"),
    ):
        found = call(*arguments).document
        assert found
        assert all(model["ready"] is model["live"] for model in found)
    call("--data-dir", str(data / "other"), "image", "x", *TINY)
    assert len(list((data / "other" / "files").rglob("*.png"))) == 1


def test_the_sandbox_needs_no_key_and_no_yes(call: Any, data: Path) -> None:
    outcome = call("image", "a kite", "-m", "gpt-image-2", "--sandbox", "--json")
    assert outcome.code == 0, outcome.err
    assert outcome.document["provider"] == "openai"
    assert outcome.document["charge_credits"] == 11
    assert outcome.err.startswith("gpt-image-2 on openai: 11 credits, about $")
    assert Path(outcome.document["outputs"][0]["path"]).is_relative_to(data / "sandbox")


def test_a_paid_model_is_not_used_without_an_agreed_price(
    call: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-test-0123456789abcdef")
    outcome = call("image", "a kite", "-m", "gpt-image-2", "--json")
    assert outcome.code == 5
    assert outcome.document["error"] == "price_not_agreed"
    assert outcome.document["next"].endswith("--yes")
    assert outcome.err.startswith("gpt-image-2 on openai: 11 credits, about $")
    assert call("generations", "list", "--json").document == []


@pytest.mark.parametrize(
    ("fault", "exit_code"),
    [("moderated", 5), ("bad_key", 3), ("lost_reply", 3), ("out_of_credit", 3)],
)
def test_a_failure_at_the_provider_is_one_document_with_its_own_exit_code(
    fault: str, exit_code: int, call: Any
) -> None:
    prompt = f"a kite [[sandbox: {fault}]]"
    outcome = call("--sandbox", "image", prompt, "-m", "gpt-image-2", "--json")
    assert outcome.code == exit_code, outcome.err
    assert outcome.document["generation_id"] in outcome.last_line
    assert outcome.last_line.startswith("Next: mediawright --sandbox trace gen_")
    assert outcome.document["outputs"] == []
    assert (outcome.document["error"] or outcome.document["attention"]) is not None
    plain = call("--sandbox", "image", prompt, "-m", "gpt-image-2")
    assert plain.code == exit_code
    assert plain.out == ""


def test_video_music_speech_and_transcript(call: Any) -> None:
    clip = call("video", "waves", *TINY_VIDEO, "--json")
    assert clip.document["outputs"][0]["media_type"] == "video/mp4", clip.err
    music = call("music", "calm piano", "--seconds", "2", "-o", "piano.wav")
    assert music.out == "piano.wav\n", music.err
    speech = call("speak", "Good morning.", "-o", "said.wav")
    assert speech.out == "said.wav\n", speech.err
    written = call("--sandbox", "transcribe", "said.wav", "-m", "whisper-1", "-o", "said.txt")
    assert written.code == 0, written.err
    assert written.out == "Good morning.\n"
    assert Path("said.txt").read_text(encoding="utf-8") == "Good morning.\n"


def test_generate_takes_named_inputs(call: Any) -> None:
    given = picture(call)
    outcome = call(
        "generate",
        "local-sketch-image",
        *("-i", "prompt=the same at night", "-i", f"image=@{given}", "-i", "size=64x64"),
        *("--label", "persona=ann", "--json"),
    )
    assert outcome.code == 0, outcome.err
    assert outcome.document["generation_type"] == "image-to-image"
    assert outcome.document["metadata"] == {"persona": "ann"}
    clip = call(
        "--sandbox",
        "generate",
        *("gen4.5", "-i", "prompt=waves", "-i", f"image={given}", "--detach", "--json"),
    )
    assert clip.document["generation_type"] == "image-to-video", clip.err


def test_generations_are_listed_shown_watched_and_not_cancelled_when_done(call: Any) -> None:
    made = call("image", "a boat", *TINY, "--label", "persona=ann", "--json").document
    call("image", "a kite", *TINY)
    generation_id = made["generation_id"]
    listed = call("generations", "list", "--json").document
    assert [item["prompt"] for item in listed] == ["a kite", "a boat"]
    labelled = call("generations", "list", "--label", "persona=ann", "--json").document
    assert [item["generation_id"] for item in labelled] == [generation_id]
    rows = call("generations", "list", "--status", "completed", "--limit", "1").out.splitlines()
    assert rows[0].split("\t")[0] == "generation"
    assert rows[1].split("\t")[-1] == "a kite"
    assert len(rows) == 2

    shown = call("generations", "show", generation_id)
    assert f"generation id:    {generation_id}" in shown.out
    assert "64x64" in shown.out
    assert call("generations", "show", generation_id, "--json").document["status"] == "completed"

    watched = call("generations", "watch", generation_id, "-o", "again.png")
    assert watched.out == "again.png\n"
    assert Path("again.png").read_bytes() == Path(made["outputs"][0]["path"]).read_bytes()

    cancelled = call("generations", "cancel", generation_id, "--json")
    assert cancelled.code == 1
    assert cancelled.document["error"] == "generation_finished"


def test_files_are_listed_and_fetched(call: Any) -> None:
    made = call("image", "a boat", *TINY, "--json").document["outputs"][0]
    (listed,) = call("assets", "list", "--kind", "image", "--json").document
    assert listed["asset_id"] == made["asset_id"]
    assert call("assets", "list", "--kind", "video", "--json").document == []
    row = call("assets", "list").out.splitlines()[1].split("\t")
    assert row == [made["asset_id"], "image/png, 64x64", f"{made['bytes']:,}", made["url"]]
    assert call("assets", "get", made["asset_id"]).out == f"{made['url']}\n"
    thumbnail = call(
        "assets", "get", made["asset_id"], "--variant", "thumbnail", "-o", "small", "--json"
    )
    with Image.open(thumbnail.document["path"]) as small:
        assert small.format == "WEBP"
    assert Path(thumbnail.document["path"]).parent == Path("small")


def test_a_trace_is_a_tree_with_times(call: Any) -> None:
    made = call("--sandbox", "image", "a kite", "-m", "gpt-image-2", "--json").document
    outcome = call("--sandbox", "trace", made["generation_id"])
    lines = outcome.out.splitlines()
    assert lines[0].startswith("text-to-image ")
    assert "█" in lines[0]
    assert any(line.startswith("├─ submit ") for line in lines)
    assert any(line.startswith("└─ store ") for line in lines)
    assert "│  model: gpt-image-2" in lines
    spans = call("--sandbox", "trace", made["generation_id"], "--json").document
    assert {span["name"] for span in spans} >= {"text-to-image", "submit", "store"}


def test_models_are_listed_by_what_they_do(call: Any) -> None:
    rows = [line.split("\t") for line in call("models", "list").out.splitlines()]
    assert rows[0] == ["model", "makes", "served by", "price", "ready"]
    by_name = {row[0]: row for row in rows[1:]}
    served = "openai, kie, runway, fal"
    assert by_name["gpt-image-2"][2:] == [served, "from 11 credits per image", "no key"]
    assert by_name["imagen-4"][-1] == "not yet"
    assert by_name["dall-e-3"][-1] == "ended"
    assert by_name["local-voice"][3:] == ["free", "yes"]
    speech = call("models", "list", "--operation", "speech-to-text", "--ready", "--json").document
    assert [model["id"] for model in speech] == ["local-listener"]


def test_a_model_is_shown_with_all_that_it_takes_and_costs(call: Any) -> None:
    shown = call("models", "show", "gpt-image-2").out
    for expected in (
        "served by:  openai as gpt-image-2 (answers at once)",
        "served by:  fal as openai/gpt-image-2 (queued)",
        "resolution\t1K, 2K, 4K\t1K\t",
        "count\twhole number 1..4 outputs\t1\t",
        "reference_image\timage-to-image\t1..16\tpng, webp, jpeg, at most 50 MB",
        "price: 11 credits per image when resolution is 1K",
        "price: $30 per million output tokens when resolution is 1K or 2K or 4K",
    ):
        assert expected in shown
    for model in ("gen4.5", "scribe_v2", "local-sketch-video", "flux-schnell"):
        assert call("models", "show", model).code == 0


def test_a_local_model_names_the_engine_in_use(call: Any) -> None:
    shown = call("models", "show", "local-voice")
    assert "speaker:" in shown.out
    document = call("models", "show", "local-voice", "--json").document
    assert document["engine"]["speaker"] in shown.out
    assert "price: free" in shown.out


def test_doctor_tells_keys_engines_and_places(
    call: Any, monkeypatch: pytest.MonkeyPatch, data: Path
) -> None:
    secret = "key_" + "0123456789abcdef" * 3
    monkeypatch.setenv("RUNWAYML_API_SECRET", secret)
    outcome = call("doctor", "--json")
    states = {item["subject"]: item for item in outcome.document}
    assert outcome.code == 0
    assert states["runway"]["state"] == "ok"
    assert states["openai"]["state"] == "absent"
    assert "OPENAI_API_KEY" in states["openai"]["text"]
    assert str(data) in states["data folder"]["text"]
    text = call("doctor")
    assert secret not in text.out + text.err + outcome.out
    assert states["local-voice"]["text"] in text.out
    imitated = call("doctor", "--sandbox", "--json").document
    assert {item["text"] for item in imitated if item["subject"] == "openai"} == {
        "imitated by the sandbox"
    }


JSON_COMMANDS = (
    ("models", "list"),
    ("models", "show", "gpt-image-2"),
    ("generations", "list"),
    ("assets", "list"),
    ("doctor",),
    ("image", "x", *TINY),
    ("image", "x", *TINY, "--detach"),
)


@pytest.mark.parametrize("arguments", JSON_COMMANDS, ids=" ".join)
def test_json_is_one_document(arguments: tuple[str, ...], call: Any) -> None:
    outcome = call(*arguments, "--json")
    assert outcome.code == 0, outcome.err
    json.loads(outcome.out)


@pytest.mark.rule(48, shows="accepts")
def test_files_are_put_into_the_library(call: Any, tmp_path: Path) -> None:
    path = tmp_path / "harbour.png"
    call("image", "a harbour", "--size", "64x64", "-o", str(path))
    put = call("assets", "put", str(path), str(path))
    first, second = put.out.split()
    assert first != second
    assert "harbour.png: " in put.err
    (shown,) = call("assets", "put", str(path), "--json").document
    assert (shown["name"], shown["media_type"]) == ("harbour.png", "image/png")
    made = call("image", "by night", "--size", "64x64", "--image", first, "--json")
    assert made.code == 0, made.err


@pytest.mark.rule(48, shows="refuses")
def test_of_files_that_are_put_none_is_kept_if_one_is_no_good(call: Any, tmp_path: Path) -> None:
    path = tmp_path / "notes.png"
    path.write_text("just words")
    refused = call("assets", "put", str(path), str(tmp_path / "gone.png"))
    assert refused.code == 2
    assert "are text, not a media file" in refused.err
    assert call("assets", "list", "--json").document == []
