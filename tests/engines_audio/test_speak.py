from __future__ import annotations

import stat
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mediawright.core.errors import InvalidRequestError, UnavailableError
from mediawright.engines.requests import SpeakRequest
from mediawright.engines.voice import espeak
from mediawright.engines.voice.speak import speak
from mediawright.engines.voice.speakers import available, speaker_in_use
from mediawright.engines.voice.text import chunks, to_ascii

SENTENCE = "The quick brown fox jumps over the lazy dog."


def test_a_speaker_says_what_it_is():
    speaker = speaker_in_use()
    assert speaker.name in ("flite", "espeak-ng")
    assert speaker.version[0].isdigit()
    assert len(speaker.voices) >= 3
    assert speaker.voice_named(speaker.default_voice) is not None
    assert all(voice.language and voice.description for voice in speaker.voices)
    assert speaker.note


def test_every_preferred_voice_speaks_differently():
    speaker = speaker_in_use()
    names = [voice.name for voice in speaker.voices[:4]]
    sounds = [speak(SpeakRequest(text=SENTENCE, voice=name)) for name in names]
    for sound in sounds:
        assert sound.samples.shape[1] == 1
        assert 1.0 < sound.seconds < 8.0
        assert float(np.abs(sound.samples).max()) == pytest.approx(0.7, abs=0.01)
    assert len({sound.samples.tobytes() for sound in sounds}) == len(sounds)


@pytest.mark.parametrize("speaker", available(), ids=lambda speaker: speaker.name)
def test_speed_changes_the_length(speaker):
    seconds = [
        speak(SpeakRequest(text=SENTENCE, voice=speaker.default_voice, speed=speed)).seconds
        for speed in (0.5, 1.0, 2.0)
    ]
    assert seconds[0] > 1.6 * seconds[1] > 1.6 * 1.6 * seconds[2]


@pytest.mark.parametrize("speaker", available(), ids=lambda speaker: speaker.name)
def test_the_same_request_makes_the_same_sound(speaker):
    request = SpeakRequest(text=SENTENCE, voice=speaker.default_voice)
    first, second = speak(request), speak(request)
    assert first.sample_rate == second.sample_rate
    assert np.array_equal(first.samples, second.samples)


def test_espeak_speaks_where_flite_is_not_installed(without_flite):
    speaker = speaker_in_use()
    assert speaker.name == "espeak-ng"
    assert [other.name for other in available()] == ["espeak-ng"]
    sound = speak(SpeakRequest(text=SENTENCE))
    assert sound.sample_rate == 22_050
    assert 1.5 < sound.seconds < 6.0
    voiced = np.sqrt(np.mean(np.square(sound.samples)))
    assert voiced > 0.03


@pytest.mark.parametrize("voice", ["en-us+f3", "en-gb", "fr-fr", "de", "es", "ru"])
def test_espeak_voices_speak_their_languages(voice, without_flite):
    text = "Привет, как дела" if voice == "ru" else "Animal international"
    assert speak(SpeakRequest(text=text, voice=voice)).seconds > 0.5


def test_espeak_lists_languages_by_tag():
    tags = {voice.name for voice in espeak.voices()}
    assert {"en-us", "en-gb", "de", "fr-fr", "es", "it", "ja", "cmn"} <= tags
    assert len(tags) == len(espeak.voices())


def test_espeak_keeps_its_head_among_threads():
    texts = [f"Number {number}" for number in range(6)]
    alone = [espeak.speak_chunk(text, "en-us", 1.0).samples.tobytes() for text in texts]
    with ThreadPoolExecutor(3) as pool:
        together = pool.map(lambda text: espeak.speak_chunk(text, "en-us", 1.0), texts)
        assert [sound.samples.tobytes() for sound in together] == alone


def test_without_any_speaker_the_error_says_what_to_install(without_flite, monkeypatch):
    monkeypatch.setattr(espeak, "_description", lambda: None)
    with pytest.raises(UnavailableError) as caught:
        speak(SpeakRequest(text=SENTENCE))
    assert caught.value.code == "no_speaker"
    assert "mediawright[speech]" in caught.value.hint
    assert "flite" in caught.value.hint


def test_a_flite_that_makes_no_sound_is_reported(tmp_path, monkeypatch):
    program = tmp_path / "flite"
    program.write_text(
        '#!/bin/sh\n[ "$1" = --version ] && echo flite-9.9\n'
        '[ "$1" = -lv ] && echo Voices available: slt\nexit 0\n'
    )
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    assert speaker_in_use().version == "9.9"
    with pytest.raises(UnavailableError) as caught:
        speak(SpeakRequest(text=SENTENCE, voice="slt"))
    assert caught.value.code == "speaker_failed"


def test_an_unknown_voice_is_refused_with_the_allowed_ones():
    with pytest.raises(InvalidRequestError) as caught:
        speak(SpeakRequest(text=SENTENCE, voice="alloy"))
    assert caught.value.code == "unknown_voice"
    assert caught.value.pointer == "/parameters/voice"
    assert speaker_in_use().default_voice in caught.value.details["allowed"]


@pytest.mark.parametrize(
    ("text", "code"), [("", "empty_text"), (" \n ", "empty_text"), ("?!…", "empty_text")]
)
def test_a_text_without_words_is_refused(text, code):
    with pytest.raises(InvalidRequestError) as caught:
        speak(SpeakRequest(text=text))
    assert caught.value.code == code


@pytest.mark.parametrize("speed", [0.49, 2.01, float("nan"), -1.0])
def test_a_speed_out_of_range_is_refused(speed):
    with pytest.raises(InvalidRequestError) as caught:
        speak(SpeakRequest(text=SENTENCE, speed=speed))
    assert caught.value.code == "invalid_speed"


@pytest.mark.parametrize("text", ["-h --help", "-t", "$(touch x) `id` <speak>&amp;", "50% off"])
def test_nothing_in_a_text_is_taken_for_a_command(text, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert speak(SpeakRequest(text=text)).seconds > 0.1
    assert list(tmp_path.iterdir()) == []


def test_a_long_text_is_spoken_piece_by_piece(recorder):
    report = recorder()
    text = " ".join(f"This is sentence number {number} of a long text." for number in range(30))
    speak(SpeakRequest(text=text, speed=2.0), report)
    assert len(report.heard) >= 4
    assert report.parts == sorted(report.parts)
    assert report.parts[-1] == 1.0


def test_a_report_that_raises_stops_the_speech(recorder, stop_here):
    report = recorder(stop_after=2)
    with pytest.raises(stop_here):
        speak(SpeakRequest(text=f"{SENTENCE} " * 40), report)
    assert len(report.heard) == 2


def test_letters_with_accents_are_kept_for_english_voices():
    assert to_ascii("Café \u201cnaïve\u201d \u2013 größe") == 'Cafe "naive" ,  grosse'
    with pytest.raises(InvalidRequestError) as caught:
        to_ascii("Привет")
    assert caught.value.code == "unspeakable_text"


@given(text=st.text(alphabet="ab. !?\n1é", min_size=1, max_size=300), limit=st.integers(5, 80))
@settings(max_examples=150)
def test_chunks_lose_no_word_and_keep_the_limit(text, limit):
    letters = [character for character in text if character.isalnum()]
    if not letters:
        with pytest.raises(InvalidRequestError):
            chunks(text, limit)
        return
    pieces = chunks(text, limit)
    assert [mark for piece in pieces for mark in piece if mark.isalnum()] == letters
    assert all(len(piece) <= limit for piece in pieces)
