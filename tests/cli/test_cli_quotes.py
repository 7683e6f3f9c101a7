"""quote, estimate, --quote, models search and the markup on the command line."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

CLIP = ("gpt-image-2", "-i", "prompt=waves")
FILM = ("gen4.5", "-i", "prompt=waves", "-i", "duration=5")
"""Its price comes of US dollars."""
SKETCH = ("local-sketch-image", "-i", "prompt=a boat", "-i", "size=64x64")


def test_a_quote_says_what_it_is_and_how_to_use_it(call: Any, data: Path) -> None:
    shown = call("--sandbox", "quote", *CLIP)
    assert shown.code == 0, shown.err
    facts = dict(line.split(":", 1) for line in shown.out.splitlines())
    quote_id = facts["quote"].strip()
    assert re.fullmatch(r"quo_[0-9a-f]{32}", quote_id)
    assert facts["route"].strip() == "openai as gpt-image-2"
    assert facts["price"].strip().endswith("at the provider")
    assert f"--quote {quote_id}" in shown.err
    assert "mediawright --sandbox generate" in shown.err
    assert call("--sandbox", "generations", "list", "--json").document == []
    assert list(data.rglob("*.png")) == []


def test_a_quote_as_json_is_what_the_api_says(call: Any) -> None:
    document = call("--sandbox", "quote", *CLIP, "--json").document
    assert document["provider"] == "openai"
    assert document["price"]["credits"] > 0
    assert document["request"]["prompt"] == "waves"


def test_a_request_may_name_its_quote_once(call: Any) -> None:
    quote_id = call("--sandbox", "quote", *CLIP, "--json").document["quote_id"]
    made = call("--sandbox", "generate", *CLIP, "--quote", quote_id, "--json")
    assert made.code == 0, made.err
    assert made.document["status"] == "completed"

    again = call("--sandbox", "generate", *CLIP, "--quote", quote_id)
    assert again.code == 1
    assert "was used before" in again.err
    assert again.last_line.endswith(f"trace {made.document['generation_id']}")


def test_the_verbs_take_a_quote_too(call: Any) -> None:
    free = call("quote", *SKETCH, "--json").document
    made = call("image", "a boat", "--size", "64x64", "--quote", free["quote_id"])
    assert made.code == 0, made.err
    other = call("quote", *SKETCH, "--json").document
    wrong = call("image", "a kite", "--size", "64x64", "--quote", other["quote_id"], "--json")
    assert wrong.code == 2
    assert wrong.document["error"] == "quote_mismatch"
    assert wrong.document["pointer"] == "/prompt"


def test_naming_a_quote_agrees_to_its_price(
    call: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-nobody")
    # Nothing answers there, and nothing else is ever asked.
    settings = tmp_path / "mediawright.yaml"
    settings.write_text(
        "media:\n  providers:\n    openai:\n      base_urls: {api: 'http://127.0.0.1:9/v1'}\n"
        "jobs:\n  submit_retries: 0\n"
    )
    place = ("--config", str(settings))
    refused = call(*place, "generate", *CLIP, "--json")
    assert refused.document["error"] == "price_not_agreed"
    quote_id = call(*place, "quote", *CLIP, "--json").document["quote_id"]
    tried = call(*place, "generate", *CLIP, "--quote", quote_id, "--json")
    assert tried.document["error"] != "price_not_agreed"
    assert "price_not_agreed" not in tried.err


@pytest.mark.parametrize("command", ["quote", "generate"])
def test_all_that_is_wrong_is_printed(call: Any, command: str) -> None:
    wrong = ("local-sketch-image", "-i", "size=1x", "-i", "seed=-1", "-i", "count=99")
    shown = call(command, *wrong)
    assert shown.code == 2
    lines = shown.err.splitlines()
    assert lines[0].startswith("Error: ")
    assert sum(line.startswith("Also: ") for line in lines) == 3
    for place in ("/prompt", "/parameters/size", "/parameters/seed", "/parameters/count"):
        assert f"(at {place})" in shown.err
    document = call(command, *wrong, "--json").document
    assert document["problems"][0]["code"] == document["error"]
    assert len(document["problems"]) == 4


def test_parameters_that_cannot_be_read_are_all_named(call: Any) -> None:
    wrong = call("quote", "gen4.5", "-i", "seed=x", "-i", "colour=red", "--json").document
    assert [problem["pointer"] for problem in wrong["problems"]] == [
        "/parameters/colour",
        "/parameters/seed",
    ]


@pytest.mark.rule(46, shows="accepts")
def test_an_estimate(call: Any) -> None:
    shown = call("--sandbox", "estimate", "gen4.5", "-i", "duration=5")
    assert shown.code == 0, shown.err
    assert shown.out.splitlines()[0].split(":")[1].strip() == "gen4.5, text-to-video"
    assert "the catalogue alone" in shown.out
    document = call("--sandbox", "estimate", "gen4.5", "-i", "duration=5", "--json").document
    assert document["estimated_time_seconds"] == 70
    assert call("estimate", "gen4.5", "-i", "duration=99", "--json").document["error"] == (
        "invalid_duration"
    )


def test_models_are_found_by_words(call: Any) -> None:
    found = call("models", "search", "kling", "motion", "--json").document
    assert found
    assert all("kling" in model["id"] for model in found)
    everything = call("models", "list", "--json").document
    assert len(found) < len(everything)
    assert call("models", "search", "no-such-thing", "--json").document == []
    assert call("models", "search").code == 2


def test_models_are_found_by_price_and_life(call: Any) -> None:
    cheap = call("models", "list", "--kind", "image", "--max-credits", "1", "--json").document
    assert cheap
    assert all(model["usual_price"]["credits"] <= 1 for model in cheap)
    ended = call("models", "list", "--ended", "--json").document
    assert {model["live"] for model in ended} == {False}
    assert {model["live"] for model in call("models", "list", "--live", "--json").document} == {
        True
    }
    assert call("models", "list", "--max-credits", "many").code == 2


def test_the_markup_of_the_workspace(call: Any) -> None:
    before = call("--sandbox", "quote", *FILM, "--json").document["price"]
    changed = call("--sandbox", "account", "markup", "0.5")
    assert changed.code == 0, changed.err
    assert "0.5" in changed.err
    after = call("--sandbox", "quote", *FILM, "--json").document
    assert after["markup"] == "0.5"
    assert after["price"]["credits"] == pytest.approx(before["credits"] * 1.5)
    assert after["price"]["usd"] == before["usd"]
    assert "markup:    0.5" in call("--sandbox", "quote", *FILM).out
    document = call("--sandbox", "account", "--json").document
    assert (document["markup"], document["has_own_markup"]) == ("0.5", True)
    back = call("--sandbox", "account", "markup", "none", "--json").document
    assert back["has_own_markup"] is False
    assert call("account", "markup", "--", "-2").code == 2
