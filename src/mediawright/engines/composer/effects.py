"""Room, echo, crackle and the limiter at the end of the mix."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mediawright.engines.composer.waves import Wave

_BLOCK = 1 << 17


def reverberated(send: Wave, rate: int, seconds: float, seed: int) -> Wave:
    """Return the room's answer to a sound of one channel, in two channels.

    The room is noise that decays by 60 dB in so many seconds, the treble faster.
    """
    length = round(seconds * rate)
    clock = np.arange(length) / rate
    chance = np.random.default_rng(seed)
    answer = np.empty((len(send), 2), np.float32)
    for channel in range(2):
        tail = chance.standard_normal(length)
        soft = np.convolve(tail, np.hanning(9) / np.hanning(9).sum(), mode="same")
        share = np.clip(clock / (0.35 * seconds), 0, 1)
        tail = ((1 - share) * tail * 0.6 + share * soft) * np.exp(-6.9 * clock / seconds)
        early = round(rate * 0.012)
        tail[:early] *= np.linspace(0, 1, early) ** 2
        tail /= np.sqrt(np.sum(np.square(tail)))
        answer[:, channel] = convolved(send, tail)
    return answer


def convolved(sound: Wave, kernel: NDArray[np.float64]) -> Wave:
    """Return the convolution, cut to the sound's length, block by block."""
    size = 1 << (min(len(sound), _BLOCK) + len(kernel) - 1).bit_length()
    spectrum = np.fft.rfft(kernel, size)
    result = np.zeros(len(sound) + size, np.float32)
    for start in range(0, len(sound), _BLOCK):
        block = sound[start : start + _BLOCK]
        answer = np.fft.irfft(np.fft.rfft(block, size) * spectrum, size)
        result[start : start + size] += answer.astype(np.float32)
    return result[: len(sound)]


def echoed(send: Wave, rate: int, step: float) -> Wave:
    """Return echoes of a sound of one channel, from side to side.

    Args:
        send: One channel.
        rate: Hz.
        step: Seconds between echoes.
    """
    answer = np.zeros((len(send), 2), np.float32)
    shift, loud = round(step * rate), 1.0
    for number in range(1, 6):
        begin = shift * number
        loud *= 0.55
        if begin >= len(send):
            break
        answer[begin:, number % 2] += np.float32(loud) * send[: len(send) - begin]
        answer[begin:, 1 - number % 2] += np.float32(loud * 0.35) * send[: len(send) - begin]
    return answer


def crackled(length: int, rate: int, seed: int) -> Wave:
    """Return the crackle and hiss of an old record, in two channels."""
    chance = np.random.default_rng(seed)
    sound = chance.standard_normal((length, 2)).astype(np.float32) * np.float32(0.0016)
    count = max(1, round(length / rate * 9))
    places = chance.integers(0, max(1, length - 64), count)
    click = np.exp(-np.arange(60) / 7.0) * np.cos(np.arange(60) * 1.1)
    for place in places.tolist():
        end = min(length, place + 60)
        side = chance.uniform(0.3, 1.0, 2)
        loud = 0.02 * chance.random() ** 2
        sound[place:end] += (click[: end - place, None] * side * loud).astype(np.float32)
    return sound


def limited(mix: Wave, rate: int, loudness: float, ceiling: float) -> Wave:
    """Return the mix brought to a loudness, with its peaks held below a ceiling.

    The gain goes down a few milliseconds before a peak and comes back slowly, so nothing is
    clipped.

    Args:
        mix: Two channels.
        rate: Hz.
        loudness: Root mean square of the loud parts, 0 to 1.
        ceiling: The highest peak, 0 to 1.
    """
    window = max(1, rate // 2)
    power = np.mean(np.square(mix), axis=1)
    whole = power[: max(1, len(power) // window) * window]
    levels = np.sqrt(np.mean(whole.reshape(-1, min(window, len(whole))), axis=1))
    mix = mix * np.float32(loudness / max(1e-6, float(np.percentile(levels, 85))))
    hop = max(1, rate // 500)
    peaks = np.abs(mix).max(axis=1)
    padded = np.pad(peaks, (0, -len(peaks) % hop)).reshape(-1, hop).max(axis=1)
    needed = np.minimum(1.0, ceiling / np.maximum(padded, 1e-9))
    held = needed.copy()
    for shift in (1, 2):
        held[shift:] = np.minimum(held[shift:], needed[:-shift])
        held[:-shift] = np.minimum(held[:-shift], needed[shift:])
    back = np.exp(-hop / (0.12 * rate))
    gain = np.empty_like(held)
    current = 1.0
    for index, wanted in enumerate(held.tolist()):
        current = min(wanted, 1 - (1 - current) * back)
        gain[index] = current
    centres = (np.arange(len(gain)) + 0.5) * hop
    # Between two points the gain must stay below the lower need of both.
    low = np.minimum(gain, np.concatenate((gain[1:], gain[-1:])))
    low = np.minimum(low, np.concatenate((gain[:1], gain[:-1])))
    curve = np.interp(np.arange(len(mix)), centres, low).astype(np.float32)
    return mix * curve[:, None]
