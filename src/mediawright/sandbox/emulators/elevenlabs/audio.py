"""Sound in the vendor's output formats."""

# PyAV leaves the type parameter of Packet open.
# pyright: reportUnknownMemberType=false

from __future__ import annotations

import io
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import cast

import av
import numpy as np
from av.audio.stream import AudioStream

from mediawright.engines.requests import Sound
from mediawright.engines.sound_files import open_sound, read_sound, write_sound
from mediawright.sandbox.emulators.elevenlabs.formats import OutputFormat
from mediawright.sandbox.kit.media import SoundStyle

_TELEPHONE = {"ulaw": ("pcm_mulaw", "mulaw"), "alaw": ("pcm_alaw", "alaw")}
"""Encoder and container of the codecs that the kit does not write."""


def style_of(output_format: OutputFormat) -> SoundStyle:
    """Return how the kit has to write a sound so that `finished` makes it the format asked for."""
    codec = "wav" if output_format.codec in _TELEPHONE else output_format.codec
    return SoundStyle(
        sound_format=codec,
        sample_rate=output_format.sample_rate,
        bit_rate=(output_format.kilobits or 128) * 1000,
    )


def finished(data: bytes, output_format: OutputFormat) -> bytes:
    """Return a sound that the kit wrote in the style of a format, in that format."""
    if output_format.codec not in _TELEPHONE:
        return data
    codec, container_format = _TELEPHONE[output_format.codec]
    target = io.BytesIO()
    with av.open(target, "w", format=container_format) as container:
        added = container.add_stream(codec, rate=output_format.sample_rate, layout="mono")
        stream = cast(AudioStream, added)
        for frame in _mono_frames(data, output_format.sample_rate):
            container.mux(stream.codec_context.encode(frame))
        container.mux(stream.codec_context.encode(None))
    return target.getvalue()


def channels_and_seconds(data: bytes) -> tuple[int, float]:
    """Return how many channels a sound file has, and how long it lasts.

    Raises:
        InvalidRequestError: There is no sound in it that can be read.
    """
    sound = read_sound(data)
    return sound.samples.shape[1], sound.seconds


def single_channel(data: bytes, index: int) -> bytes:
    """Return one channel of a sound file as a WAV file."""
    sound = read_sound(data)
    samples = np.ascontiguousarray(sound.samples[:, index : index + 1])
    return _wav(Sound(samples=samples, sample_rate=sound.sample_rate))


def wav_of_pcm(data: bytes, sample_rate: int) -> bytes:
    """Return bare 16-bit mono samples as a WAV file."""
    whole = np.frombuffer(data[: len(data) // 2 * 2], "<i2")
    samples = whole.astype(np.float32) / np.float32(32_768)
    return _wav(Sound(samples=samples.reshape(-1, 1), sample_rate=sample_rate))


def _wav(sound: Sound) -> bytes:
    with tempfile.TemporaryDirectory(prefix="mediawright-sandbox-") as folder:
        path = Path(folder) / "sound"
        write_sound(sound, path, "wav")
        return path.read_bytes()


def _mono_frames(wav: bytes, sample_rate: int) -> Iterator[av.AudioFrame]:
    resampler = av.AudioResampler("s16", "mono", sample_rate)
    with open_sound(wav) as (container, stream):
        for frame in (*container.decode(stream), None):
            yield from resampler.resample(frame)
