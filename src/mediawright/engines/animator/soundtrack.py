"""Cutting a sound to the length of a clip."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from mediawright.engines.requests import Sound

SAMPLE_RATE: Final = 48_000
"""Hz; what players expect in video files."""

_FADE_SECONDS = 0.25
_CROSSFADE_SECONDS = 0.4
_MOST_CHANNELS = 2


def cut(sound: Sound, seconds: float) -> Sound:
    """Return the sound at exactly this length.

    It is resampled for video, repeated with a crossfade when it is too short, and faded
    out at the end when it is cut.

    Args:
        sound: One or more channels; those beyond two are mixed into both.
        seconds: How long the clip is.
    """
    wanted = round(seconds * SAMPLE_RATE)
    samples = _stereo_at_most(np.asarray(sound.samples, np.float32))
    samples = _resample(samples, sound.sample_rate)
    if not len(samples):
        samples = np.zeros((wanted, 1), np.float32)
    faded = len(samples) != wanted
    samples = _repeat(samples, wanted)[:wanted].copy()
    if faded:
        fade = min(wanted, round(_FADE_SECONDS * SAMPLE_RATE))
        samples[wanted - fade :] *= np.linspace(1, 0, fade, dtype=np.float32)[:, None]
    return Sound(samples=np.clip(samples, -1, 1), sample_rate=SAMPLE_RATE)


def _stereo_at_most(samples: NDArray[np.float32]) -> NDArray[np.float32]:
    if samples.ndim == 1:
        return samples[:, None]
    if samples.shape[1] <= _MOST_CHANNELS:
        return samples
    middle = samples[:, 2:].mean(axis=1, keepdims=True) * np.float32(0.7)
    return (samples[:, :2] + middle) * np.float32(0.6)


def _resample(samples: NDArray[np.float32], rate: int) -> NDArray[np.float32]:
    if rate == SAMPLE_RATE or not len(samples):
        return samples
    count = max(1, round(len(samples) * SAMPLE_RATE / rate))
    channels: list[NDArray[np.float32]] = []
    for channel in samples.T:
        spectrum = np.fft.rfft(channel)
        kept = np.zeros(count // 2 + 1, np.complex64)
        length = min(len(kept), len(spectrum))
        kept[:length] = spectrum[:length]
        channels.append(np.fft.irfft(kept, count).astype(np.float32) * (count / len(samples)))
    return np.stack(channels, axis=1).astype(np.float32)


def _repeat(samples: NDArray[np.float32], wanted: int) -> NDArray[np.float32]:
    overlap = min(round(_CROSSFADE_SECONDS * SAMPLE_RATE), len(samples) // 4)
    result = samples
    rise = np.linspace(0, 1, overlap, dtype=np.float32)[:, None]
    while len(result) < wanted:
        joint = result[len(result) - overlap :] * (1 - rise) + samples[:overlap] * rise
        result = np.concatenate([result[: len(result) - overlap], joint, samples[overlap:]])
    return np.asarray(result, np.float32)
