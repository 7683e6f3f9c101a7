"""What the Runway emulator refuses, and in which words."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mediawright.sandbox.emulators.runway import rules
from mediawright.sandbox.emulators.runway.issues import issue
from mediawright.sandbox.emulators.runway.prices import credits_for
from mediawright.sandbox.kit.fields import utf16_length

PNG = "data:image/png;base64," + base64.b64encode(b"picture").decode()
URL = "https://pictures.example/boat.png"
IMAGE = {"model": "gen4_image", "promptText": "a boat", "ratio": "1280:720"}
IMAGE_TURBO = {**IMAGE, "model": "gen4_image_turbo", "referenceImages": [{"uri": URL}]}
TURBO = {"model": "gen4_turbo", "promptImage": URL, "ratio": "1280:720"}
GEN45 = {**TURBO, "model": "gen4.5", "promptText": "a boat", "duration": 5}
TEXT45 = {"model": "gen4.5", "promptText": "a boat", "ratio": "1280:720", "duration": 5}
VEO = {**TURBO, "model": "veo3.1"}
SPEECH = {
    "model": "eleven_multilingual_v2",
    "promptText": "hello",
    "voice": {"type": "runway-preset", "presetId": "Maya"},
}
FIRST = {"uri": URL, "position": "first"}
LAST = {"uri": URL, "position": "last"}


def without(body: dict[str, Any], name: str) -> dict[str, Any]:
    return {key: value for key, value in body.items() if key != name}


def issues(operation: str, body: Any) -> list[dict[str, Any]]:
    return [issue(violation) for violation in rules.check(operation, body)]


@pytest.mark.parametrize(
    ("operation", "body"),
    [
        ("text_to_image", IMAGE),
        ("text_to_image", {**IMAGE, "seed": 0, "referenceImages": [{"uri": PNG, "tag": "boat"}]}),
        ("text_to_image", {**IMAGE, "contentModeration": {"publicFigureThreshold": "low"}}),
        ("text_to_image", IMAGE_TURBO),
        ("image_to_video", TURBO),
        ("image_to_video", {**TURBO, "promptImage": [FIRST], "promptText": "x", "duration": 10}),
        ("image_to_video", {**TURBO, "promptImage": "runway://abc", "seed": 4_294_967_295}),
        ("image_to_video", GEN45),
        ("image_to_video", {**GEN45, "outputFormat": "prores", "proresProfile": "422 HQ"}),
        ("image_to_video", {**VEO, "promptImage": [LAST, FIRST], "duration": 6, "audio": True}),
        ("text_to_video", TEXT45),
        ("text_to_video", {**without(VEO, "promptImage"), "promptText": "x"}),
        ("text_to_speech", SPEECH),
        ("text_to_speech", {**SPEECH, "model": "eleven_v3", "speed": 0.7, "stability": 1}),
    ],
)
def test_accepted(operation: str, body: dict[str, Any]):
    assert issues(operation, body) == []


@pytest.mark.parametrize(
    ("operation", "body", "path", "code"),
    [
        ("text_to_image", without(IMAGE, "ratio"), ["ratio"], "invalid_type"),
        ("text_to_image", {**IMAGE, "ratio": "16:9"}, ["ratio"], "invalid_value"),
        ("text_to_image", {**IMAGE, "promptText": ""}, ["promptText"], "too_small"),
        ("text_to_image", {**IMAGE, "promptText": "x" * 1001}, ["promptText"], "too_big"),
        ("text_to_image", {**IMAGE, "promptText": 7}, ["promptText"], "invalid_type"),
        ("text_to_image", {**IMAGE, "seed": -1}, ["seed"], "too_small"),
        ("text_to_image", {**IMAGE, "seed": 2**32}, ["seed"], "too_big"),
        ("text_to_image", {**IMAGE, "seed": 1.5}, ["seed"], "invalid_type"),
        ("text_to_image", {**IMAGE, "seed": True}, ["seed"], "invalid_type"),
        ("text_to_image", {**IMAGE, "seed": None}, ["seed"], "invalid_type"),
        (
            "text_to_image",
            {**IMAGE, "referenceImages": [{"uri": URL}] * 4},
            ["referenceImages"],
            "too_big",
        ),
        ("text_to_image", {**IMAGE_TURBO, "referenceImages": []}, ["referenceImages"], "too_small"),
        (
            "text_to_image",
            without(IMAGE_TURBO, "referenceImages"),
            ["referenceImages"],
            "invalid_type",
        ),
        (
            "text_to_image",
            {**IMAGE, "referenceImages": [{"uri": URL, "tag": "no"}]},
            ["referenceImages", 0, "tag"],
            "too_small",
        ),
        (
            "text_to_image",
            {**IMAGE, "referenceImages": [{"uri": URL, "tag": "Boat"}]},
            ["referenceImages", 0, "tag"],
            "invalid_format",
        ),
        (
            "text_to_image",
            {**IMAGE, "referenceImages": [{"uri": URL, "tag": "boat"}] * 2},
            ["referenceImages"],
            "custom",
        ),
        (
            "text_to_image",
            {**IMAGE, "contentModeration": {"other": 1}},
            ["contentModeration"],
            "unrecognized_keys",
        ),
        ("image_to_video", {**TURBO, "width": 1280}, [], "unrecognized_keys"),
        ("image_to_video", {**TURBO, "duration": 1}, ["duration"], "too_small"),
        ("image_to_video", {**TURBO, "duration": 11}, ["duration"], "too_big"),
        ("image_to_video", {**TURBO, "duration": "5"}, ["duration"], "invalid_type"),
        ("image_to_video", {**TURBO, "promptImage": []}, ["promptImage"], "too_small"),
        ("image_to_video", {**TURBO, "promptImage": [FIRST, FIRST]}, ["promptImage"], "too_big"),
        (
            "image_to_video",
            {**TURBO, "promptImage": [LAST]},
            ["promptImage", 0, "position"],
            "invalid_value",
        ),
        (
            "image_to_video",
            {**TURBO, "promptImage": [{"uri": URL}]},
            ["promptImage", 0, "position"],
            "invalid_type",
        ),
        ("image_to_video", without(TURBO, "promptImage"), ["promptImage"], "invalid_type"),
        ("image_to_video", without(GEN45, "duration"), ["duration"], "invalid_type"),
        ("image_to_video", without(GEN45, "promptText"), ["promptText"], "invalid_type"),
        ("image_to_video", {**GEN45, "proresProfile": "422"}, ["proresProfile"], "custom"),
        ("image_to_video", {**VEO, "promptImage": [LAST]}, ["promptImage"], "custom"),
        ("image_to_video", {**VEO, "promptImage": [FIRST, FIRST]}, ["promptImage"], "custom"),
        ("image_to_video", {**VEO, "duration": 5}, ["duration"], "invalid_value"),
        ("image_to_video", {**VEO, "ratio": "960:960"}, ["ratio"], "invalid_value"),
        ("text_to_video", {**TEXT45, "ratio": "960:960"}, ["ratio"], "invalid_value"),
        ("text_to_video", {**TEXT45, "model": "gen4_turbo"}, ["model"], "invalid_value"),
        ("text_to_video", [], [], "invalid_type"),
        (
            "text_to_speech",
            {**SPEECH, "voice": {"type": "runway-preset", "presetId": "Bob"}},
            ["voice", "presetId"],
            "invalid_value",
        ),
        ("text_to_speech", {**SPEECH, "model": "eleven_v3", "speed": 1.3}, ["speed"], "too_big"),
    ],
)
def test_refused(operation: str, body: Any, path: list[str | int], code: str):
    (found,) = issues(operation, body)
    assert (found["path"], found["code"]) == (path, code)
    assert found["message"]


@pytest.mark.parametrize(
    ("uri", "part"),
    [
        ("http://pictures.example/a.png", "HTTPS"),
        ("ftp://pictures.example/a.png", "HTTPS"),
        ("boat.png", "HTTPS"),
        ("https://127.0.0.1/a.png", "IP address"),
        ("https://[::1]/a.png", "IP address"),
        ("https://x.example/" + "a" * 2048, "at most 2048"),
        ("runway://" + "a" * 5000, "at most 5000"),
        ("data:image/gif;base64,AAAA", "image/gif"),
        ("data:video/mp4;base64,AAAA", "video/mp4"),
        ("data:image/png;base64,A", "base64"),
        ("data:image/png;base64,", "empty"),
        ("data:image/png,AAAA", "data URI"),
        ("data:image/png;base64," + "A" * 5_242_880, "at most 5242880"),
    ],
)
def test_addresses(uri: str, part: str):
    (found,) = issues("image_to_video", {**TURBO, "promptImage": uri})
    assert found["path"] == ["promptImage"]
    assert part in found["message"]


def test_every_broken_rule_is_reported():
    found = issues("image_to_video", {"model": "gen4_turbo", "ratio": "1:1", "duration": 99})
    assert [entry["path"] for entry in found] == [["promptImage"], ["ratio"], ["duration"]]


def test_words_of_the_vendor():
    (missing,) = issues("text_to_image", without(IMAGE, "promptText"))
    assert missing["message"] == "Invalid input: expected string, received undefined"
    (duration,) = issues("image_to_video", {**TURBO, "duration": 11})
    assert duration["message"] == "Too big: expected number to be <=10"
    (fraction,) = issues("image_to_video", {**TURBO, "duration": 2.5})
    assert fraction["message"] == "Invalid input: expected int, received number"


@given(st.text(min_size=1, max_size=1200))
def test_prompts_are_measured_in_utf16_units(prompt: str):
    units = len(prompt.encode("utf-16-le", "surrogatepass")) // 2
    assert utf16_length(prompt) == units
    assert (issues("text_to_image", {**IMAGE, "promptText": prompt}) == []) is (units <= 1000)


def test_emoji_count_twice():
    assert issues("text_to_image", {**IMAGE, "promptText": "🎈" * 500}) == []
    assert issues("text_to_image", {**IMAGE, "promptText": "🎈" * 501})[0]["code"] == "too_big"


@pytest.mark.parametrize(
    ("operation", "body", "price"),
    [
        ("text_to_image", IMAGE, 5),
        ("text_to_image", {**IMAGE, "ratio": "1080:1080"}, 8),
        ("text_to_image", IMAGE_TURBO, 2),
        ("image_to_video", {**TURBO, "duration": 5}, 25),
        ("image_to_video", TURBO, 50),
        ("image_to_video", GEN45, 60),
        ("text_to_video", {**TEXT45, "outputFormat": "png_sequence"}, 85),
        ("image_to_video", {**VEO, "duration": 4}, 160),
        ("image_to_video", {**VEO, "duration": 4, "audio": False}, 80),
        ("image_to_video", {**VEO, "model": "veo3.1_fast"}, 120),
        ("text_to_speech", {**SPEECH, "promptText": "x" * 51}, 2),
    ],
)
def test_prices(operation: str, body: dict[str, Any], price: int):
    assert issues(operation, body) == []
    assert credits_for(operation, body) == price
