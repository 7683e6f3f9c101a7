"""Seedance 2 on Runway: what the catalogue sends is what the imitation takes."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from mediawright.catalog.loader import load_catalogue
from mediawright.catalog.preflight import preflight
from mediawright.core.operations import Operation
from mediawright.core.request import GenerationRequest, Parameters
from mediawright.sandbox.emulators.runway.prices import credits_for
from mediawright.sandbox.emulators.runway.rules import check, size_of

NOW = datetime(2026, 11, 20, tzinfo=UTC)
SIZES = {"480p": (864, 496), "720p": (1280, 720), "1080p": (1920, 1080)}
PICTURE = "data:image/png;base64,cGljdHVyZQ=="
VIDEO = "https://ex.test/a.mp4"


def body(model: str) -> dict[str, Any]:
    request = GenerationRequest(
        model=model,
        operation=Operation.TEXT_TO_VIDEO,
        prompt="a red kite",
        provider="runway",
        parameters=Parameters(aspect_ratio="16:9", duration=6.0, sound=False, seed=1),
    )
    (plan,) = preflight(load_catalogue(), request, now=NOW).routes
    return {"model": plan.upstream_id, "promptText": request.prompt, **plan.fields}


@pytest.mark.parametrize(
    ("model", "cost"),
    [
        ("seedance-2-480p", 216),
        ("seedance-2-720p", 216),
        ("seedance-2-1080p", 216),
        ("seedance-2-fast-480p", 174),
        ("seedance-2-fast-720p", 174),
    ],
)
def test_requests_of_the_catalogue_are_taken(model: str, cost: int) -> None:
    sent = body(model)
    assert check("text_to_video", sent) == []
    assert size_of(sent) == SIZES[model.rpartition("-")[2]]
    assert credits_for("text_to_video", sent) == cost
    frames = [
        {"uri": PICTURE, "position": "first"},
        {"uri": "https://ex.test/z.png", "position": "last"},
    ]
    assert check("image_to_video", {**sent, "promptImage": frames}) == []


def test_references_have_kinds_and_numbers() -> None:
    sent = body("seedance-2-720p")
    clip = {"type": "video", "uri": VIDEO}
    assert check("text_to_video", {**sent, "referenceVideos": [clip] * 3}) == []
    for wrong in (
        {"referenceVideos": [clip] * 4},
        {"referenceVideos": [{"uri": VIDEO}]},
        {"referenceAudio": [clip]},
        {"references": [{"uri": PICTURE}] * 10},
        {"duration": 16},
        {"ratio": "16:9"},
    ):
        assert len(check("text_to_video", {**sent, **wrong})) == 1
    fast = {**body("seedance-2-fast-720p"), "ratio": "1920:1080"}
    assert len(check("text_to_video", fast)) == 1
