from __future__ import annotations

import io

import av
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mediawright.core.errors import InvalidRequestError
from mediawright.engines.requests import Sound
from mediawright.engines.sound_files import FORMATS, read_sound, read_text, write_sound

WITH_HEADER = [name for name in FORMATS if name != "pcm"]
CODECS = {
    "mp3": "mp3float",
    "wav": "pcm_s16le",
    "flac": "flac",
    "opus": "opus",
    "aac": "aac",
    "m4a": "aac",
}
TEXT = 'Café "naïve"; x=1 \\ 日本\nsecond line # end'


@pytest.mark.parametrize("output_format", WITH_HEADER)
def test_each_format_opens_as_what_it_is(tmp_path, tone, output_format):
    path = tmp_path / "sound"
    write_sound(tone(1.3), path, output_format)
    with av.open(path) as container:
        stream = container.streams.audio[0]
        assert stream.codec_context.name == CODECS[output_format]
        assert stream.channels == 2
        assert stream.rate == (48_000 if output_format == "opus" else 44_100)


@pytest.mark.parametrize(
    ("output_format", "most_extra"),
    [("mp3", 1e-4), ("wav", 0.0), ("flac", 0.0), ("opus", 0.008), ("m4a", 0.001), ("aac", 0.075)],
)
@pytest.mark.parametrize("frames", [44_100, 60_001])
def test_the_probed_duration_is_the_sounds(tmp_path, tone, output_format, most_extra, frames):
    path = tmp_path / "sound"
    sound = tone(frames / 44_100)
    write_sound(sound, path, output_format)
    with av.open(path) as container:
        probed = container.duration / av.time_base
    assert -1e-3 <= probed - sound.seconds <= most_extra + 1e-5


@pytest.mark.parametrize("output_format", ["mp3", "wav", "flac", "opus"])
def test_decoding_gives_every_sample_back(tmp_path, tone, output_format):
    path = tmp_path / "sound"
    sound = tone(50_021 / 48_000, rate=48_000)
    write_sound(sound, path, output_format)
    heard = read_sound(path)
    assert heard.samples.shape == sound.samples.shape
    middle = slice(5_000, -5_000)
    assert np.abs(heard.samples[middle] - sound.samples[middle]).max() < 0.03


@given(
    frames=st.integers(1, 3_000),
    rate=st.sampled_from([8_000, 16_000, 22_050, 44_100, 96_000]),
    channels=st.integers(1, 2),
    seed=st.integers(0, 100),
)
@settings(max_examples=25, deadline=None)
def test_wav_keeps_every_sample(tmp_path_factory, frames, rate, channels, seed):
    samples = np.random.default_rng(seed).uniform(-1, 1, (frames, channels)).astype(np.float32)
    path = tmp_path_factory.mktemp("wav") / "sound.wav"
    write_sound(Sound(samples=samples, sample_rate=rate), path, "wav")
    heard = read_sound(path.read_bytes())
    assert heard.sample_rate == rate
    assert heard.samples.shape == samples.shape
    assert np.abs(heard.samples - samples).max() <= 1.01 / 32_768


def test_pcm_is_bare_little_endian_samples(tmp_path):
    samples = np.array([[0.0], [0.5], [-0.5], [2.0]], np.float32)
    path = tmp_path / "sound.pcm"
    write_sound(Sound(samples=samples, sample_rate=16_000), path, "pcm", text="lost")
    values = np.frombuffer(path.read_bytes(), "<i2")
    assert list(np.abs(values - np.array([0, 16_384, -16_384, 32_767])) <= 1) == [True] * 4


@pytest.mark.parametrize("output_format", WITH_HEADER)
@pytest.mark.parametrize("rate", [16_000, 44_100])
def test_the_text_comes_back_from_the_metadata(tmp_path, tone, output_format, rate):
    path = tmp_path / "sound"
    write_sound(tone(0.4, rate, channels=1), path, output_format, text=TEXT)
    assert read_text(path) == TEXT
    assert read_text(path.read_bytes()) == TEXT


@pytest.mark.parametrize("output_format", WITH_HEADER)
def test_a_comment_is_not_taken_for_spoken_text(tmp_path, tone, output_format):
    path = tmp_path / "sound"
    write_sound(tone(0.4), path, output_format, comment="procedural sketch")
    assert read_text(path) is None
    assert b"procedural sketch" in path.read_bytes()


def test_text_with_a_null_is_written_without_it(tmp_path, tone):
    path = tmp_path / "sound.mp3"
    write_sound(tone(0.4), path, "mp3", text="one\0two")
    assert read_text(path) == "onetwo"


@pytest.mark.parametrize("output_format", ["mp3", "aac", "m4a"])
def test_a_rate_the_format_does_not_know_becomes_one_it_knows(tmp_path, tone, output_format):
    path = tmp_path / "sound"
    write_sound(tone(0.5, rate=96_000), path, output_format)
    heard = read_sound(path)
    assert heard.sample_rate == 48_000
    assert heard.seconds == pytest.approx(0.5, abs=0.08)


def test_a_higher_bit_rate_makes_a_larger_file(tmp_path, tone):
    sizes = []
    for bit_rate in (32_000, 128_000):
        path = tmp_path / f"{bit_rate}.mp3"
        write_sound(tone(2.0), path, "mp3", bit_rate=bit_rate)
        sizes.append(path.stat().st_size)
    assert sizes[1] > 2 * sizes[0]


def test_an_unknown_format_is_refused_with_the_allowed_ones(tmp_path, tone):
    with pytest.raises(InvalidRequestError) as caught:
        write_sound(tone(0.1), tmp_path / "sound", "midi")
    assert caught.value.code == "unsupported_format"
    assert "mp3" in caught.value.details["allowed"]
    assert not (tmp_path / "sound").exists()


def test_more_than_two_channels_are_refused(tmp_path, tone):
    with pytest.raises(InvalidRequestError) as caught:
        write_sound(tone(0.1, channels=3), tmp_path / "sound", "wav")
    assert caught.value.code == "unsupported_channels"


@pytest.mark.parametrize("data", [b"", b"RIFF", b"not a sound at all" * 50, b"ID3" + b"\0" * 400])
def test_what_is_no_sound_is_unreadable(data):
    for read in (read_sound, read_text):
        with pytest.raises(InvalidRequestError) as caught:
            read(data)
        assert caught.value.code == "unreadable_audio"


def test_a_picture_has_no_audio_track():
    from PIL import Image

    target = io.BytesIO()
    Image.new("RGB", (16, 16)).save(target, "PNG")
    with pytest.raises(InvalidRequestError) as caught:
        read_sound(target.getvalue())
    assert caught.value.code == "unreadable_audio"
