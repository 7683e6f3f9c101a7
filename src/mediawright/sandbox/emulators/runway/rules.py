"""What each model of each operation accepts."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, cast

from mediawright.sandbox.emulators.runway.fields import (
    MODERATION,
    REFERENCE_RULES,
    SEED,
    MediaUri,
    first_frame_given,
    frames,
    prompt,
    references,
)
from mediawright.sandbox.kit.fields import (
    Choice,
    Fault,
    Field,
    Flag,
    ListOf,
    Number,
    Path,
    Record,
    Text,
    TextOr,
    Violation,
    Whole,
)

GEN4_IMAGE_RATIOS = (
    "1024:1024",
    "1080:1080",
    "1168:880",
    "1360:768",
    "1440:1080",
    "1080:1440",
    "1808:768",
    "1920:1080",
    "1080:1920",
    "2112:912",
    "1280:720",
    "720:1280",
    "720:720",
    "960:720",
    "720:960",
    "1680:720",
)
GEMINI_RATIOS = (
    "1344:768",
    "768:1344",
    "1024:1024",
    "1184:864",
    "864:1184",
    "1536:672",
    "832:1248",
    "1248:832",
    "896:1152",
    "1152:896",
)
GEN4_VIDEO_RATIOS = ("1280:720", "720:1280", "1104:832", "832:1104", "960:960", "1584:672")
SEEDANCE_FAST_RATIOS = (
    "992:432",
    "864:496",
    "752:560",
    "640:640",
    "560:752",
    "496:864",
    "1470:630",
    "1280:720",
    "1112:834",
    "960:960",
    "834:1112",
    "720:1280",
)
SEEDANCE_RATIOS = (
    *SEEDANCE_FAST_RATIOS,
    "2206:946",
    "1920:1080",
    "1664:1248",
    "1440:1440",
    "1248:1664",
    "1080:1920",
    "3840:1646",
    "3840:2160",
    "3840:2880",
    "3840:3840",
    "2880:3840",
    "2160:3840",
)
VEO_RATIOS = ("1280:720", "720:1280", "1080:1920", "1920:1080")
PRESET_VOICES = (
    "Maya",
    "Arjun",
    "Serene",
    "Bernard",
    "Billy",
    "Mark",
    "Clint",
    "Mabel",
    "Chad",
    "Leslie",
    "Eleanor",
    "Elias",
    "Elliot",
    "Grungle",
    "Brodie",
    "Sandra",
    "Kirk",
    "Kylie",
    "Lara",
    "Lisa",
    "Malachi",
    "Marlene",
    "Martin",
    "Miriam",
    "Monster",
    "Paula",
    "Pip",
    "Rusty",
    "Ragnar",
    "Xylar",
    "Maggie",
    "Jack",
    "Katie",
    "Noah",
    "James",
    "Rina",
    "Ella",
    "Mariah",
    "Frank",
    "Claudia",
    "Niki",
    "Vincent",
    "Kendrick",
    "Myrna",
    "Tom",
    "Wanda",
    "Benjamin",
    "Kiana",
    "Rachel",
)
OUTPUT_FORMATS = ("mp4", "prores", "png_sequence")
PRORES_PROFILES = ("422", "4444", "422 Proxy", "422 LT", "422 HQ", "4444 XQ")

_PIXELS = Text(pattern=re.compile(r"[1-9]\d{2,3}:[1-9]\d{2,3}"))
_PIXELS_OR_AUTO = Text(pattern=re.compile(r"[1-9]\d{2,3}:[1-9]\d{2,3}|auto"))


def _gen4_image(fewest_references: int) -> Record:
    pictures: dict[str, Field] = {"referenceImages": references(fewest_references, 3)}
    needed = fewest_references > 0
    return Record(
        required={
            "model": Text(),
            "promptText": prompt(1000),
            "ratio": Choice(GEN4_IMAGE_RATIOS),
            **(pictures if needed else {}),
        },
        optional={
            "seed": SEED,
            "contentModeration": MODERATION,
            **({} if needed else pictures),
        },
        rules=REFERENCE_RULES,
    )


def _guest_image(longest: int, ratio: Field, most_references: int, **optional: Field) -> Record:
    """Return the rules of another maker's image model, as far as they are known."""
    return Record(
        required={"model": Text(), "promptText": prompt(longest), "ratio": ratio},
        optional={"referenceImages": references(0, most_references), **optional},
        rules=REFERENCE_RULES,
    )


def _profile_needs_prores(body: Mapping[str, Any], path: Path) -> Iterator[Violation]:
    if "proresProfile" in body and body.get("outputFormat") != "prores":
        yield Violation(
            fault=Fault.RULE,
            path=(*path, "proresProfile"),
            message="proresProfile is only valid when outputFormat is prores.",
        )


_GEN45_EXTRAS: dict[str, Field] = {
    "seed": SEED,
    "contentModeration": MODERATION,
    "outputFormat": Choice(OUTPUT_FORMATS),
    "proresProfile": Choice(PRORES_PROFILES),
}
_VEO_EXTRAS: dict[str, Field] = {
    "duration": Choice((4, 6, 8)),
    "audio": Flag(),
    "negativePrompt": prompt(1000),
    "seed": SEED,
}
_ONE_FRAME = TextOr(MediaUri("image"), frames("first"))
_TWO_FRAMES = TextOr(MediaUri("image"), frames("first", "last"))

_VEO_FROM_IMAGE = Record(
    required={"model": Text(), "promptImage": _TWO_FRAMES, "ratio": Choice(VEO_RATIOS)},
    optional={"promptText": prompt(1000), **_VEO_EXTRAS},
    rules=(first_frame_given,),
)
_VEO_FROM_TEXT = Record(
    required={"model": Text(), "promptText": prompt(1000), "ratio": Choice(VEO_RATIOS)},
    optional=_VEO_EXTRAS,
)


def _clips(kind: str) -> ListOf:
    item = Record(required={"type": Choice((kind,)), "uri": MediaUri(kind)})
    return ListOf(item=item, fewest=0, most=3)


def _seedance(ratios: tuple[str, ...], **pictures: Field) -> Record:
    """Return the rules of Seedance 2: with `promptImage` from frames, else from references."""
    from_frames = "promptImage" in pictures
    text: dict[str, Field] = {"promptText": prompt(3500)}
    references_too: dict[str, Field] = {
        "references": ListOf(item=Record(required={"uri": MediaUri("image")}), fewest=0, most=9),
        "referenceVideos": _clips("video"),
    }
    return Record(
        required={"model": Text(), **(pictures if from_frames else text)},
        optional={
            "ratio": Choice(ratios),
            "duration": Whole(least=4, most=15),
            "audio": Flag(),
            "seed": SEED,
            "referenceAudio": _clips("audio"),
            **(text if from_frames else references_too),
        },
        rules=(first_frame_given,) if from_frames else (),
    )


_PRESET_VOICE = Record(
    required={"type": Choice(("runway-preset",)), "presetId": Choice(PRESET_VOICES)}
)

_SECONDS = {"veo3.1": 8, "veo3.1_fast": 8, "seedance2": 5, "seedance2_fast": 5}
"""How long clips are when nobody says it; ten seconds where there is no entry."""

OPERATIONS: dict[str, dict[str, Record]] = {
    "text_to_image": {
        "gen4_image": _gen4_image(0),
        "gen4_image_turbo": _gen4_image(1),
        "gemini_2.5_flash": _guest_image(5500, Choice(GEMINI_RATIOS), 3),
        "gemini_image3_pro": _guest_image(5500, _PIXELS, 14, outputCount=Choice((1, 4))),
        "gpt_image_2": _guest_image(
            32_000,
            _PIXELS_OR_AUTO,
            16,
            quality=Choice(("low", "medium", "high", "auto")),
            background=Choice(("transparent", "opaque", "auto")),
            outputCount=Whole(least=1, most=10),
        ),
        "seedream5_lite": _guest_image(
            4000,
            _PIXELS,
            14,
            outputFormat=Choice(("png", "jpeg")),
            outputCount=Whole(least=1, most=4),
            grounding=Flag(),
        ),
    },
    "image_to_video": {
        "gen4_turbo": Record(
            required={
                "model": Text(),
                "promptImage": _ONE_FRAME,
                "ratio": Choice(GEN4_VIDEO_RATIOS),
            },
            optional={
                "promptText": prompt(1000),
                "duration": Whole(least=2, most=10),
                "seed": SEED,
                "contentModeration": MODERATION,
            },
        ),
        "gen4.5": Record(
            required={
                "model": Text(),
                "promptImage": _ONE_FRAME,
                "promptText": prompt(1000),
                "ratio": Choice(GEN4_VIDEO_RATIOS),
                "duration": Whole(least=2, most=10),
            },
            optional=_GEN45_EXTRAS,
            rules=(_profile_needs_prores,),
        ),
        "veo3.1": _VEO_FROM_IMAGE,
        "veo3.1_fast": _VEO_FROM_IMAGE,
        "seedance2": _seedance(SEEDANCE_RATIOS, promptImage=_TWO_FRAMES),
        "seedance2_fast": _seedance(SEEDANCE_FAST_RATIOS, promptImage=_TWO_FRAMES),
    },
    "text_to_video": {
        "gen4.5": Record(
            required={
                "model": Text(),
                "promptText": prompt(1000),
                "ratio": Choice(("1280:720", "720:1280")),
                "duration": Whole(least=2, most=10),
            },
            optional=_GEN45_EXTRAS,
            rules=(_profile_needs_prores,),
        ),
        "veo3.1": _VEO_FROM_TEXT,
        "veo3.1_fast": _VEO_FROM_TEXT,
        "seedance2": _seedance(SEEDANCE_RATIOS),
        "seedance2_fast": _seedance(SEEDANCE_FAST_RATIOS),
    },
    "text_to_speech": {
        "eleven_multilingual_v2": Record(
            required={"model": Text(), "promptText": prompt(1000), "voice": _PRESET_VOICE},
        ),
        "eleven_v3": Record(
            required={"model": Text(), "promptText": prompt(5000), "voice": _PRESET_VOICE},
            optional={
                "stability": Number(least=0, most=1),
                "similarityBoost": Number(least=0, most=1),
                "style": Number(least=0, most=1),
                "speed": Number(least=0.7, most=1.2),
                "useSpeakerBoost": Flag(),
                "languageCode": Text(shortest=2),
                "applyTextNormalization": Choice(("auto", "on", "off")),
                "seed": SEED,
            },
        ),
    },
}
"""The rules by operation (the last part of its path) and by model."""


def check(operation: str, body: Any) -> list[Violation]:
    """Return what is wrong with the `body` of a request for `operation`."""
    models = OPERATIONS[operation]
    if not isinstance(body, dict):
        return list(Record().check(body))
    fields = cast("dict[str, Any]", body)
    if "model" not in fields:
        return [Violation(fault=Fault.MISSING, path=("model",), expected="string")]
    model = fields["model"]
    if not isinstance(model, str) or model not in models:
        return [
            Violation(
                fault=Fault.NOT_A_CHOICE,
                path=("model",),
                value=model,
                expected="string",
                choices=tuple(models),
            )
        ]
    return list(models[model].check(fields))


def duration_of(body: Mapping[str, Any]) -> int:
    """Return the seconds a clip will last, with the vendor's defaults for what is left out."""
    return int(body.get("duration", _SECONDS.get(str(body["model"]), 10)))


def size_of(body: Mapping[str, Any]) -> tuple[int, int]:
    """Return the width and height in pixels that the body's `ratio` names."""
    ratio = str(body.get("ratio", "1280:720"))
    if ratio == "auto":
        return 1024, 1024
    width, _, height = ratio.partition(":")
    return int(width), int(height)
