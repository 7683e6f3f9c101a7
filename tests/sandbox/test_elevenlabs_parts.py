"""The ElevenLabs emulator's own arithmetic: alignment, plans, quota, formats."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mediawright.core.media import Transcript, Word
from mediawright.sandbox.emulators.elevenlabs import music
from mediawright.sandbox.emulators.elevenlabs.account import (
    FREE,
    PRO,
    Account,
    OverQuotaError,
    TooManyRequestsError,
)
from mediawright.sandbox.emulators.elevenlabs.alignment import alignment, pieces_of
from mediawright.sandbox.emulators.elevenlabs.formats import (
    MUSIC_FORMATS,
    SPEECH_FORMATS,
    music_format,
    parse_format,
)
from mediawright.sandbox.emulators.elevenlabs.rules import from_form

texts = st.text(st.characters(exclude_categories=("Cs",)), max_size=80)
lengths = st.floats(min_value=0.1, max_value=600)


@given(texts, lengths)
def test_pieces_are_the_text_and_times_never_run_back(text: str, seconds: float):
    pieces = pieces_of(Transcript(text=text), seconds)
    assert "".join(piece.text for piece in pieces) == text.strip()
    ends = [piece.end for piece in pieces]
    assert all(piece.start <= piece.end for piece in pieces)
    assert all(before.end == after.start for before, after in itertools.pairwise(pieces))
    assert not ends or ends[-1] == pytest.approx(seconds)


@given(texts, lengths)
def test_alignment_has_every_character(text: str, seconds: float):
    times = alignment(pieces_of(Transcript(text=text), seconds))
    assert "".join(times["characters"]) == text.strip()
    assert len(times["character_start_times_seconds"]) == len(text.strip())


def test_heard_times_are_kept():
    words = (Word("one", 0.5, 0.9), Word("two", 1.2, 1.6))
    pieces = pieces_of(Transcript(text="one two", words=words), 3)
    assert [(piece.text, piece.start, piece.end) for piece in pieces] == [
        ("one", 0.5, 0.9),
        (" ", 0.9, 1.2),
        ("two", 1.2, 1.6),
    ]


def test_every_format_can_be_taken_apart():
    for name in {*SPEECH_FORMATS, *MUSIC_FORMATS} - {"auto"}:
        made = parse_format(name)
        assert made.content_type.startswith("audio/")
        assert 8_000 <= made.sample_rate <= 48_000
        assert (made.kilobits is None) is (made.codec in {"pcm", "wav", "ulaw", "alaw"})
    assert music_format("auto", "music_v1").name == "mp3_44100_128"
    assert music_format("auto", "music_v2_5").name == "mp3_48000_192"


def test_places_for_requests():
    account = Account(tier=FREE)
    with account.place("standard"), account.place("standard"), account.place("turbo"):
        assert account.running("standard") == 2
        with pytest.raises(TooManyRequestsError), account.place("standard"):
            pytest.fail("there is no third place")
    assert account.running("standard") == 0
    assert (account.most_running("standard"), account.most_running("turbo")) == (2, 4)


@given(st.lists(st.integers(min_value=0, max_value=5_000), max_size=20))
def test_quota_is_never_passed(costs: list[int]):
    account = Account(tier=FREE)
    for cost in costs:
        before = account.used
        try:
            account.charge(cost)
        except OverQuotaError:
            assert before + cost > FREE.characters
            assert account.used == before
    assert account.left == FREE.characters - account.used >= 0
    assert Account(tier=PRO).left == PRO.characters


def section(milliseconds: int, **more: Any) -> dict[str, Any]:
    return {"section_name": "A", "duration_ms": milliseconds, "lines": [], **more}


def plan(*milliseconds: int) -> dict[str, Any]:
    return {
        "positive_global_styles": ["piano"],
        "negative_global_styles": [],
        "sections": [section(length) for length in milliseconds],
    }


CHUNKS = {
    "chunks": [
        {"text": "[Verse]\nla", "duration_ms": 5_000, "positive_styles": ["calm"]},
        {"song_id": "song", "range": {"start_ms": 1_000, "end_ms": 3_000}},
    ]
}


@pytest.mark.parametrize(
    ("body", "milliseconds"),
    [
        ({"prompt": "calm"}, 30_000),
        ({"prompt": "calm", "music_length_ms": 600_000}, 600_000),
        ({"composition_plan": plan(3_000, 4_000)}, 7_000),
        ({"music_prompt": plan(3_000)}, 3_000),
        ({"composition_plan": CHUNKS, "model_id": "music_v2"}, 7_000),
    ],
)
def test_songs(body: dict[str, Any], milliseconds: int):
    assert music.check(body) == []
    song = music.song_of(body)
    assert song.milliseconds == milliseconds
    assert song.prompt


@pytest.mark.parametrize(
    ("body", "path"),
    [
        ({"prompt": "x", "composition_plan": plan(3_000)}, ()),
        ({"composition_plan": plan(3_000), "music_length_ms": 5_000}, ("music_length_ms",)),
        ({"composition_plan": plan(3_000), "force_instrumental": True}, ("force_instrumental",)),
        ({"composition_plan": CHUNKS}, ("composition_plan",)),
        ({"composition_plan": plan(2_999)}, ("composition_plan", "sections", 0, "duration_ms")),
        ({"composition_plan": plan(*[120_000] * 6)}, ("composition_plan",)),
        ({"composition_plan": plan()}, ("composition_plan", "sections")),
        (
            {"composition_plan": {"chunks": [{"text": "la"}]}, "model_id": "music_v2"},
            ("composition_plan", "chunks", 0, "duration_ms"),
        ),
        (
            {"composition_plan": {"chunks": [{"song_id": "x"}]}, "model_id": "music_v2"},
            ("composition_plan", "chunks", 0, "range"),
        ),
    ],
)
def test_songs_refused(body: dict[str, Any], path: tuple[str | int, ...]):
    assert path in [violation.path for violation in music.check(body)]


def test_form_values_get_their_types():
    assert from_form(
        {"model_id": "scribe_v1", "diarize": "true", "num_speakers": "2", "temperature": "0.5"}
    ) == {"model_id": "scribe_v1", "diarize": True, "num_speakers": 2, "temperature": 0.5}
    assert from_form({"num_speakers": "two", "seed": "", "diarize": "maybe"}) == {
        "num_speakers": "two",
        "diarize": "maybe",
    }
