"""What a task costs, in credits (one credit is one US cent)."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from mediawright.sandbox.emulators.runway.rules import duration_of, size_of

_PER_SECOND = {"gen4_turbo": 5, "gen4.5": 12, "seedance2": 36, "seedance2_fast": 29}
_VEO_PER_SECOND = {"veo3.1": (40, 20), "veo3.1_fast": (15, 10)}
"""With and without sound."""
_PER_IMAGE = {
    "gen4_image_turbo": 2,
    # Not in the price list that was read; see PROVENANCE.md.
    "gemini_2.5_flash": 5,
    "gemini_image3_pro": 20,
    "gpt_image_2": 20,
    "seedream5_lite": 5,
}
_GEN4_IMAGE_720P = 5
_GEN4_IMAGE_1080P = 8
_OTHER_FORMAT_PER_SECOND = 5
_CHARACTERS_PER_CREDIT = 50
_SHORT_SIDE_720P = 720


def credits_for(operation: str, body: Mapping[str, Any]) -> int:
    """Return the credits that a task with this valid body costs."""
    if operation == "text_to_image":
        return _image_credits(body)
    if operation == "text_to_speech":
        return max(1, math.ceil(len(body["promptText"]) / _CHARACTERS_PER_CREDIT))
    return _video_credits_per_second(body) * duration_of(body)


def _image_credits(body: Mapping[str, Any]) -> int:
    model = body["model"]
    if model == "gen4_image":
        small = min(size_of(body)) == _SHORT_SIDE_720P
        return _GEN4_IMAGE_720P if small else _GEN4_IMAGE_1080P
    return _PER_IMAGE[model] * int(body.get("outputCount", 1))


def _video_credits_per_second(body: Mapping[str, Any]) -> int:
    model = body["model"]
    if model in _VEO_PER_SECOND:
        with_sound, silent = _VEO_PER_SECOND[model]
        return with_sound if body.get("audio", True) else silent
    surcharge = _OTHER_FORMAT_PER_SECOND if body.get("outputFormat", "mp4") != "mp4" else 0
    return _PER_SECOND[model] + surcharge
