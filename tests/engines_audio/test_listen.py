from __future__ import annotations

import re
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mediawright.core.errors import InvalidRequestError, UnavailableError
from mediawright.engines.listener import recogniser as recogniser_module
from mediawright.engines.listener.listen import listen
from mediawright.engines.listener.samples import sample_bytes, sample_path, sample_text
from mediawright.engines.listener.utterances import SAMPLE_RATE, utterances
from mediawright.engines.requests import Sound
from mediawright.engines.sound_files import read_sound, read_text, write_sound


def words_of(text):
    return re.findall(r"[a-z']+", text.lower())


@pytest.fixture(scope="module")
def listened():
    """The sample's transcript, and the progress reported on the way."""
    heard = []
    with sample_path() as path:
        return listen(path, lambda done, stage: heard.append(done)), heard


@pytest.fixture(scope="module")
def transcript(listened):
    return listened[0]


def test_the_sample_is_read_without_an_error(transcript):
    assert words_of(transcript.text) == words_of(sample_text())
    assert transcript.language == "en"


def test_the_text_reads_like_sentences(transcript):
    assert transcript.text == sample_text()


def test_word_times_follow_each_other_within_the_recording(transcript):
    assert [word.text for word in transcript.words] == words_of(sample_text())
    ends = 0.0
    for word in transcript.words:
        assert ends <= word.start < word.end <= transcript.seconds
        ends = word.end
    # The pause between the two sentences is heard.
    gaps = [
        later.start - earlier.end
        for earlier, later in zip(transcript.words, transcript.words[1:], strict=False)
    ]
    assert gaps.index(max(gaps)) == words_of(sample_text()).index("rose")


def test_other_containers_rates_and_channels_are_heard_alike(tmp_path, transcript):
    sound = read_sound(sample_bytes())
    stereo = Sound(samples=np.repeat(sound.samples, 2, axis=1) * 0.5, sample_rate=16_000)
    path = tmp_path / "speech.opus"
    write_sound(stereo, path, "opus", bit_rate=64_000)
    heard = words_of(listen(path).text)
    expected = words_of(sample_text())
    assert sum(a != b for a, b in zip(heard, expected, strict=True)) <= 1


def test_the_sample_carries_its_text_and_is_small():
    assert read_text(sample_bytes()) == sample_text()
    assert len(sample_bytes()) <= 150_000


def test_silence_gives_an_empty_transcript(tmp_path):
    path = tmp_path / "silence.wav"
    write_sound(Sound(samples=np.zeros((16_000, 1), np.float32), sample_rate=16_000), path, "wav")
    heard = listen(path)
    assert heard.text == ""
    assert heard.words == ()
    assert heard.seconds == pytest.approx(1.0)


@pytest.mark.parametrize("data", [b"", b"junk" * 200])
def test_what_is_no_sound_is_unreadable(data):
    with pytest.raises(InvalidRequestError) as caught:
        listen(data)
    assert caught.value.code == "unreadable_audio"


def test_a_report_that_raises_stops_the_listening(recorder, stop_here):
    report = recorder(stop_after=2)
    with pytest.raises(stop_here):
        listen(sample_bytes(), report)
    assert len(report.heard) == 2


def test_progress_goes_up_to_the_end(listened):
    parts = listened[1]
    assert parts == sorted(parts)
    assert 0.3 < parts[1] < 0.7
    assert parts[-1] == 1.0


def test_threads_can_listen_at_once_and_hear_the_same(transcript):
    with ThreadPoolExecutor(2) as pool:
        heard = list(pool.map(listen, [sample_bytes()] * 2))
    assert heard == [transcript] * 2


def test_without_pocketsphinx_the_error_says_what_to_install(monkeypatch):
    monkeypatch.setattr(recogniser_module, "_idle", [])
    monkeypatch.setitem(sys.modules, "pocketsphinx", None)
    with pytest.raises(UnavailableError) as caught:
        listen(sample_bytes())
    assert caught.value.code == "no_listener"
    assert "mediawright[speech]" in caught.value.hint


def speech_and_pauses(pattern, seed=1):
    """Noise and near-silence in turns; the pattern holds seconds of each."""
    chance = np.random.default_rng(seed)
    parts = []
    for index, seconds in enumerate(pattern):
        loud = 6_000 if index % 2 == 0 else 6
        parts.append(chance.normal(0, loud, round(seconds * SAMPLE_RATE)))
    return np.concatenate(parts).clip(-32_000, 32_000).astype(np.int16)


def test_utterances_are_cut_at_pauses():
    found = list(utterances([speech_and_pauses([1.0, 0.5, 2.0, 0.1, 1.0, 0.6, 0.7])]))
    assert [round(item.start, 1) for item in found] == [0.0, 1.4, 5.1]
    assert [round(item.end, 1) for item in found] == [1.1, 4.7, 5.9]


def test_speech_without_a_pause_is_cut_into_bearable_lengths():
    found = list(utterances([speech_and_pauses([75.0])]))
    assert all(len(item.samples) <= 20 * SAMPLE_RATE for item in found)
    assert sum(len(item.samples) for item in found) == pytest.approx(75 * SAMPLE_RATE, abs=400)


@given(
    lengths=st.lists(st.floats(0.3, 12.0), min_size=1, max_size=9),
    block=st.integers(900, 200_000),
)
@settings(max_examples=25, deadline=None)
def test_utterances_come_in_order_and_hold_the_recordings_own_samples(lengths, block):
    recording = speech_and_pauses(lengths)
    blocks = [recording[start : start + block] for start in range(0, len(recording), block)]
    ends = 0
    for item in utterances(blocks):
        start = round(item.start * SAMPLE_RATE)
        assert start >= ends
        ends = start + len(item.samples)
        assert np.array_equal(recording[start:ends], item.samples)
    assert ends <= len(recording)
