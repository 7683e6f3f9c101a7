from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mediawright.core.errors import InvalidRequestError
from mediawright.engines.composer.compose import compose, write_score
from mediawright.engines.composer.effects import limit
from mediawright.engines.composer.instruments import LEVELS, play
from mediawright.engines.composer.styles import STYLES
from mediawright.engines.composer.theory import SCALES, Key, frequency, voiced
from mediawright.engines.requests import ComposeRequest

RATE = 22_050
STYLE_NAMES = [style.name for style in STYLES]


def music(prompt, seconds=8.0, seed=0, rate=RATE):
    return compose(ComposeRequest(prompt=prompt, seconds=seconds, seed=seed, sample_rate=rate))


def loudness(samples):
    return float(np.sqrt(np.mean(np.square(samples))))


@pytest.mark.parametrize("style", STYLE_NAMES)
def test_every_style_is_loud_enough_unclipped_and_ends_in_silence(style):
    sound = music(style, seconds=6.0)
    assert sound.samples.dtype == np.float32
    assert sound.samples.shape == (6 * RATE, 2)
    assert np.isfinite(sound.samples).all()
    assert 0.06 < loudness(sound.samples) < 0.3
    assert 0.3 < float(np.abs(sound.samples).max()) < 0.9
    assert float(np.abs(sound.samples[-20:]).max()) < 1e-3
    # The end is reached by fading, not by breaking off.
    assert loudness(sound.samples[-RATE // 4 :]) < 0.5 * loudness(sound.samples[RATE:-RATE])


@pytest.mark.parametrize("seconds", [0.02, 0.5, 1.0, 3.3, 7.777])
@pytest.mark.parametrize("prompt", ["techno 133 bpm", "slow waltz"])
def test_the_length_is_exact(seconds, prompt):
    assert len(music(prompt, seconds, rate=16_000).samples) == round(seconds * 16_000)


def test_the_same_request_makes_the_same_music_and_another_seed_another():
    first, again, other = (music("calm piano", 4.0, seed) for seed in (3, 3, 4))
    assert np.array_equal(first.samples, again.samples)
    assert not np.array_equal(first.samples, other.samples)


def test_another_sample_rate_plays_the_same_piece():
    low, high = music("folk", 4.0, rate=16_000), music("folk", 4.0, rate=32_000)
    envelopes = [
        np.sqrt(np.mean(np.square(sound.samples[:, 0].reshape(64, -1)), axis=1))
        for sound in (low, high)
    ]
    assert np.corrcoef(*envelopes)[0, 1] > 0.9


words = st.lists(
    st.sampled_from(
        [
            *STYLE_NAMES,
            *("happy", "sad", "calm", "epic", "dark", "energetic", "violin", "without drums"),
            *("in C minor", "in F# major", "140 bpm", "55 bpm", "nothing special"),
        ]
    ),
    max_size=4,
)


@given(words=words, seconds=st.floats(0.1, 200.0), seed=st.integers(0, 2**32 - 1))
@settings(max_examples=50, deadline=None)
def test_every_note_is_in_key_and_in_time(words, seconds, seed):
    brief, score = write_score(ComposeRequest(prompt=" ".join(words), seconds=seconds, seed=seed))
    assert score.key == brief.key
    assert score.ending_beat * score.beat_seconds < seconds
    for part in score.parts:
        assert part.notes, part.role
        for note in part.notes:
            assert note.pitch % 12 in score.key.pitch_classes
            assert 24 <= note.pitch <= 108
            assert 0 < note.velocity <= 1
            assert note.length > 0
            assert note.start * score.beat_seconds < seconds
    for hit in score.hits:
        assert hit.start * score.beat_seconds < seconds


@pytest.mark.parametrize("style", STYLE_NAMES)
def test_a_piece_has_a_form_and_comes_home(style):
    _, score = write_score(ComposeRequest(prompt=f"{style} in G major", seconds=60.0))
    assert len(score.bars) >= 12
    assert len({bar.root for bar in score.bars}) >= 2
    melody = next(part for part in score.parts if part.role == "melody")
    assert melody.notes[-1].pitch % 12 == 7
    ending = [
        note.pitch % 12
        for part in score.parts
        if part.role in ("chords", "bass")
        for note in part.notes
        if note.start >= score.ending_beat
    ]
    assert set(ending) == {7, 11, 2}
    # Motifs come back: some rhythm of a bar is heard more than once.
    rhythms = [
        tuple(
            round(note.start % score.beats_per_bar, 2)
            for note in melody.notes
            if int(note.start // score.beats_per_bar) == bar.index
        )
        for bar in score.bars
    ]
    assert len(set(rhythms)) < len(rhythms)


@pytest.mark.parametrize(
    ("prompt", "style"),
    [
        ("a lo-fi beat for study", "lofi"),
        ("jazz piano trio", "jazz"),
        ("Solo PIANO nocturne", "piano"),
        ("epic orchestral trailer", "cinematic"),
        ("8-bit arcade chase", "chiptune"),
        ("a Viennese waltz", "waltz"),
        ("deep-house club night", "house"),
        ("acoustic campfire song", "folk"),
        ("calm and peaceful", "ambient"),
        ("sad and lonely", "piano"),
        ("something nice", "pop"),
    ],
)
def test_words_choose_the_style(prompt, style):
    brief, _ = write_score(ComposeRequest(prompt=prompt))
    assert brief.style.name == style


def test_words_choose_key_tempo_instrument_and_drums():
    brief, score = write_score(
        ComposeRequest(prompt="happy rock with violin in Bb dorian, 90 BPM, no drums")
    )
    assert brief.key == Key(10, "dorian")
    assert score.tempo == 90
    assert score.hits == ()
    assert next(part for part in score.parts if part.role == "melody").instrument == "strings"


def test_moods_choose_scale_and_pace():
    seeds = range(12)

    def briefs(prompt):
        return [write_score(ComposeRequest(prompt=prompt, seed=seed))[0] for seed in seeds]

    happy, sad = briefs("happy piano"), briefs("sad piano")
    assert {brief.key.scale for brief in happy} == {"major"}
    assert {brief.key.scale for brief in sad} == {"minor"}
    assert sum(brief.tempo for brief in happy) > 1.1 * sum(brief.tempo for brief in sad)


def test_a_detail_is_not_taken_for_a_key():
    seeds = range(20)
    prompts = ["a minor detail", "in a minor"]
    keys = [
        {write_score(ComposeRequest(prompt=prompt, seed=seed))[0].key for seed in seeds}
        for prompt in prompts
    ]
    assert len(keys[0]) > 1
    assert keys[1] == {Key(9, "minor")}


def test_the_beat_is_where_the_tempo_says():
    sound = music("techno 120 bpm", 12.0)
    hop = RATE // 100
    mono = np.abs(sound.samples).max(axis=1)
    levels = mono[: len(mono) // hop * hop].reshape(-1, hop).max(axis=1)
    onsets = np.maximum(0, np.diff(levels))[:1_000]
    onsets -= onsets.mean()
    likeness = np.correlate(onsets, onsets, mode="full")[len(onsets) - 1 :]
    # At 120 beats per minute a beat lasts 50 frames of 10 ms.
    best = 30 + int(np.argmax(likeness[30:70]))
    assert abs(best - 50) <= 1


@pytest.mark.parametrize("prompt", ["piano in C major", "ambient in F major", "folk in D minor"])
def test_what_sounds_is_in_the_key(prompt):
    request = ComposeRequest(prompt=prompt, seconds=10.0, sample_rate=RATE)
    _, score = write_score(request)
    mono = compose(request).samples.mean(axis=1)
    power = np.abs(np.fft.rfft(mono)) ** 2
    hertz = np.fft.rfftfreq(len(mono), 1 / RATE)
    heard = (hertz > 80) & (hertz < 1_500)
    classes = np.round(69 + 12 * np.log2(hertz[heard] / 440)).astype(int) % 12
    chroma = np.bincount(classes, weights=power[heard], minlength=12)
    share = sum(chroma[pitch_class] for pitch_class in score.key.pitch_classes) / chroma.sum()
    assert share > 0.85


@pytest.mark.parametrize(
    "instrument", sorted({style.melody for style in STYLES} | {style.bass for style in STYLES})
)
def test_instruments_play_in_tune(instrument):
    pitch = 45 if "bass" in instrument or "low" in instrument or instrument == "triangle" else 69
    sound = play(instrument, pitch, 1.5, 0.8, RATE).astype(np.float64)
    assert float(np.abs(sound).max()) == pytest.approx(0.8, abs=0.01)
    padded = np.concatenate((sound * np.hanning(len(sound)), np.zeros(4 * RATE)))
    power = np.abs(np.fft.rfft(padded))
    hertz = np.fft.rfftfreq(len(padded), 1 / RATE)
    around = (hertz > frequency(pitch) * 0.9) & (hertz < frequency(pitch) * 1.1)
    peak = hertz[around][np.argmax(power[around])]
    assert abs(1_200 * np.log2(peak / frequency(pitch))) < 14


def test_levels_name_instruments_that_exist():
    for instrument in LEVELS:
        assert len(play(instrument, 60, 0.1, 0.5, 8_000)) > 0


@given(
    tonic=st.integers(0, 11),
    scale=st.sampled_from(sorted(SCALES)),
    root=st.integers(0, 6),
    size=st.integers(3, 4),
    centre=st.integers(52, 66),
)
def test_voicings_hold_the_chord_around_the_centre(tonic, scale, root, size, centre):
    chord = Key(tonic, scale).chord(root, size)
    notes = voiced(chord, centre, None)
    assert {note % 12 for note in notes} == set(chord)
    assert all(abs(note - centre) <= 8 for note in notes)


@given(seed=st.integers(0, 50), gain=st.floats(0.01, 20.0))
@settings(max_examples=25, deadline=None)
def test_the_limiter_holds_every_peak(seed, gain):
    chance = np.random.default_rng(seed)
    mix = chance.normal(0, 0.1, (9_000, 2))
    mix[chance.integers(0, 9_000, 12)] *= 30
    held = (mix * gain).astype(np.float32)
    limit(held, 8_000, 0.17, 0.8)
    assert float(np.abs(held).max()) <= 0.8 + 1e-4


def test_progress_rises_and_a_raising_report_stops_the_work(recorder, stop_here):
    report = recorder()
    request = ComposeRequest(prompt="pop", seconds=5.0, sample_rate=8_000)
    compose(request, report)
    assert report.parts == sorted(report.parts)
    assert report.parts[0] == 0.0
    assert report.parts[-1] == 1.0
    assert len(report.heard) > 8
    stopping = recorder(stop_after=4)
    with pytest.raises(stop_here):
        compose(request, stopping)
    assert len(stopping.heard) == 4


@pytest.mark.parametrize("seconds", [0.0, -1.0, 601.0, float("nan"), float("inf")])
def test_a_length_out_of_range_is_refused(seconds):
    with pytest.raises(InvalidRequestError) as caught:
        music("pop", seconds)
    assert caught.value.code == "invalid_duration"


def test_a_sample_rate_out_of_range_is_refused():
    with pytest.raises(InvalidRequestError) as caught:
        music("pop", 1.0, rate=100)
    assert caught.value.code == "invalid_sample_rate"
