"""What each operation accepts. Unknown fields are ignored and null stands for absent."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mediawright.sandbox.emulators.elevenlabs.models import MUSIC_MODELS, SOUND_MODELS
from mediawright.sandbox.kit.fields import (
    Choice,
    Field,
    Flag,
    ListOf,
    Number,
    Record,
    Text,
    Whole,
)

LONGEST_MUSIC_PROMPT = 4100
SHORTEST_SONG_MS = 3_000
LONGEST_SONG_MS = 600_000


def _record(required: Mapping[str, Field], optional: Mapping[str, Field]) -> Record:
    return Record(required=required, optional=optional, closed=False, null_is_absent=True)


VOICE_SETTINGS = _record(
    {},
    {
        "stability": Number(),
        "similarity_boost": Number(),
        "style": Number(),
        "use_speaker_boost": Flag(),
        "speed": Number(),
    },
)
VOICE_SETTING_RANGES = {
    "stability": (0.0, 1.0),
    "similarity_boost": (0.0, 1.0),
    "style": (0.0, 1.0),
    "speed": (0.7, 1.2),
}
"""A value outside is an error of its own, not one of the schema."""

LATENCIES = ("0", "1", "2", "3", "4")
"""Values of the query's `optimize_streaming_latency`."""

_REQUEST_IDS = ListOf(item=Text(), most=3)

SPEECH = _record(
    {"text": Text()},
    {
        "model_id": Text(),
        "language_code": Text(),
        "voice_settings": VOICE_SETTINGS,
        "seed": Whole(least=0, most=4_294_967_295),
        "previous_text": Text(),
        "next_text": Text(),
        "previous_request_ids": _REQUEST_IDS,
        "next_request_ids": _REQUEST_IDS,
        "pronunciation_dictionary_locators": ListOf(
            item=_record(
                {"pronunciation_dictionary_id": Text()},
                {"version_id": Text()},
            ),
            most=3,
        ),
        "apply_text_normalization": Choice(("auto", "on", "off")),
        "apply_language_text_normalization": Flag(),
        "use_pvc_as_ivc": Flag(),
    },
)

SOUND = _record(
    {"text": Text(shortest=1)},
    {
        "duration_seconds": Number(least=0.5, most=30),
        "prompt_influence": Number(least=0, most=1),
        "loop": Flag(),
        "model_id": Choice(SOUND_MODELS),
    },
)

_OBJECTS = ListOf(item=_record({}, {}), most=30)
_STYLES = ListOf(item=Text(), most=50)
_SECTIONS = ListOf(
    item=_record(
        {
            "section_name": Text(shortest=1, longest=100),
            "duration_ms": Whole(least=3_000, most=120_000),
            "lines": ListOf(item=Text(longest=200), most=30),
        },
        {"positive_local_styles": _STYLES, "negative_local_styles": _STYLES},
    ),
    fewest=1,
    most=30,
)
SECTION_PLAN = _record(
    {
        "positive_global_styles": _STYLES,
        "negative_global_styles": _STYLES,
        "sections": _SECTIONS,
    },
    {},
)
CHUNK_PLAN = _record(
    {
        "chunks": ListOf(
            item=_record(
                {
                    "text": Text(longest=6_000),
                    "duration_ms": Whole(least=3_000, most=120_000),
                    "positive_styles": _STYLES,
                },
                {
                    "negative_styles": _STYLES,
                    "context_adherence": Choice(("low", "medium", "high")),
                },
            ),
            fewest=1,
            most=30,
        )
    },
    {},
)

KEPT_CHUNK = _record(
    {
        "song_id": Text(shortest=1),
        "range": _record({"start_ms": Whole(least=0), "end_ms": Whole(least=0)}, {}),
    },
    {},
)
"""A part of an earlier song."""

MUSIC = _record(
    {},
    {
        "prompt": Text(shortest=1, longest=LONGEST_MUSIC_PROMPT),
        "composition_plan": _record({}, {"sections": _OBJECTS, "chunks": _OBJECTS}),
        "music_prompt": SECTION_PLAN,
        "music_length_ms": Whole(least=SHORTEST_SONG_MS, most=LONGEST_SONG_MS),
        "model_id": Choice(MUSIC_MODELS),
        "force_instrumental": Flag(),
        "lyrics_text": Text(longest=4_000),
        "generation_mode": Choice(("track", "loop", "ambience", "video_to_music")),
        "seed": Whole(least=0, most=2_147_483_647),
        "respect_sections_durations": Flag(),
        "store_for_inpainting": Flag(),
        "use_phonetic_names": Flag(),
        "sign_with_c2pa": Flag(),
        "finetune_id": Text(),
        "finetune_strength": Number(least=0, most=2),
    },
)

TRANSCRIPTION = _record(
    {"model_id": Text()},
    {
        "language_code": Text(),
        "tag_audio_events": Flag(),
        "num_speakers": Whole(least=1, most=32),
        "timestamps_granularity": Choice(("none", "word", "character")),
        "diarize": Flag(),
        "diarization_threshold": Number(least=0.1, most=0.4),
        "file_format": Choice(("other", "pcm_s16le_16")),
        "use_multi_channel": Flag(),
        "multichannel_output_style": Choice(("separate", "combined")),
        "temperature": Number(least=0, most=2),
        "seed": Whole(least=0, most=2_147_483_647),
        "webhook": Flag(),
        "no_verbatim": Flag(),
        "source_url": Text(),
        "cloud_storage_url": Text(),
    },
)
"""The text fields of the form, after `from_form`."""


def from_form(fields: Mapping[str, str]) -> dict[str, Any]:
    """Give the text values of a form the types that `TRANSCRIPTION` wants.

    A value that cannot be read stays a string, so that the check finds it. Empty values are
    left out.
    """
    known = {**TRANSCRIPTION.required, **TRANSCRIPTION.optional}
    return {
        name: _typed(value, known[name].expected if name in known else "string")
        for name, value in fields.items()
        if value != ""
    }


def _typed(value: str, expected: str) -> Any:
    lowered = value.lower()
    if expected == "boolean" and lowered in {"true", "1", "false", "0"}:
        return lowered in {"true", "1"}
    if expected in {"integer", "number"}:
        try:
            return int(value) if expected == "integer" else float(value)
        except ValueError:
            return value
    return value
