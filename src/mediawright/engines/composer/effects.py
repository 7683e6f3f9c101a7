"""Room, echo, crackle and the limiter at the end of the mix."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mediawright.engines.composer.waves import Wave

_BLOCK = 1 << 17


def add_room(mix: Wave, send: Wave, rate: int, *, seconds: float, level: float, seed: int) -> None:
    """Add the room's answer to a sound of one channel to a mix of two channels.

    The room is noise that decays by 60 dB in so many seconds, the treble faster.
    """
    length = round(seconds * rate)
    clock = np.arange(length) / rate
    chance = np.random.default_rng(seed)
    for channel in range(2):
        tail = chance.standard_normal(length)
        soft = np.convolve(tail, np.hanning(9) / np.hanning(9).sum(), mode="same")
        share = np.clip(clock / (0.35 * seconds), 0, 1)
        tail = ((1 - share) * tail * 0.6 + share * soft) * np.exp(-6.9 * clock / seconds)
        early = round(rate * 0.012)
        tail[:early] *= np.linspace(0, 1, early) ** 2
        tail *= level / np.sqrt(np.sum(np.square(tail)))
        mix[:, channel] += convolved(send, tail)


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


def add_echo(mix: Wave, send: Wave, rate: int, *, step: float, level: float) -> None:
    """Add echoes of a sound of one channel to a mix, from side to side.

    Args:
        mix: Two channels.
        send: One channel.
        rate: Hz.
        step: Seconds between echoes.
        level: Loudness of the first echo before it fades.
    """
    shift, loud = round(step * rate), level
    for number in range(1, 6):
        begin = shift * number
        loud *= 0.55
        if begin >= len(send):
            break
        heard = send[: len(send) - begin]
        mix[begin:, number % 2] += np.float32(loud) * heard
        mix[begin:, 1 - number % 2] += np.float32(loud * 0.35) * heard


def add_crackle(mix: Wave, rate: int, seed: int) -> None:
    """Add the crackle and hiss of an old record to a mix of two channels."""
    chance = np.random.default_rng(seed)
    length = len(mix)
    for start in range(0, length, _BLOCK):
        block = mix[start : start + _BLOCK]
        block += np.float32(0.0016) * chance.standard_normal(block.shape, np.float32)
    places = chance.integers(0, max(1, length - 64), max(1, round(length / rate * 9)))
    click = np.exp(-np.arange(60) / 7.0) * np.cos(np.arange(60) * 1.1)
    for place in places.tolist():
        end = min(length, place + 60)
        side = chance.uniform(0.3, 1.0, 2)
        loud = 0.02 * chance.random() ** 2
        mix[place:end] += (click[: end - place, None] * side * loud).astype(np.float32)


def brighten(mix: Wave, rate: int, amount: float) -> None:
    """Lift the treble of a mix gently, about twice above 10 kHz at an amount of 0.6."""
    lift = np.float32(amount * min(1.0, rate / 44_100))
    # From the end, so that the sample before each block is still the old one.
    for start in reversed(range(1, len(mix), _BLOCK)):
        end = min(len(mix), start + _BLOCK)
        mix[start:end] += lift * (mix[start:end] - mix[start - 1 : end - 1])


def limit(mix: Wave, rate: int, loudness: float, ceiling: float) -> None:
    """Bring a mix to a loudness and hold its peaks below a ceiling.

    The gain goes down a few milliseconds before a peak and comes back slowly, so nothing is
    clipped.

    Args:
        mix: Two channels, changed in place.
        rate: Hz.
        loudness: Root mean square of the loud parts, 0 to 1.
        ceiling: The highest peak, 0 to 1.
    """
    window = max(1, min(rate // 2, len(mix)))
    powers = [
        float(np.mean(np.square(mix[start : start + window])))
        for start in range(0, len(mix) - window + 1, window)
    ]
    loud = float(np.sqrt(np.percentile(powers, 85)))
    mix *= np.float32(loudness / max(1e-6, loud))
    hop = max(1, rate // 500)
    gain = _gains(_peaks(mix, hop), ceiling, float(np.exp(-hop / (0.12 * rate))))
    centres = (np.arange(len(gain)) + 0.5) * hop
    for start in range(0, len(mix), _BLOCK):
        end = min(len(mix), start + _BLOCK)
        curve = np.interp(np.arange(start, end), centres, gain).astype(np.float32)
        mix[start:end] *= curve[:, None]


def _peaks(mix: Wave, hop: int) -> NDArray[np.float64]:
    """Return the highest sample of each hop."""
    block = hop * 4_096
    parts: list[NDArray[np.float64]] = []
    for start in range(0, len(mix), block):
        highest = np.abs(mix[start : start + block]).max(axis=1)
        parts.append(np.pad(highest, (0, -len(highest) % hop)).reshape(-1, hop).max(axis=1))
    return np.concatenate(parts).astype(np.float64)


def _gains(peaks: NDArray[np.float64], ceiling: float, back: float) -> NDArray[np.float64]:
    """Return the gain at the middle of each hop: down in time, back slowly."""
    needed = np.minimum(1.0, ceiling / np.maximum(peaks, 1e-9))
    held = needed.copy()
    for shift in (1, 2):
        held[shift:] = np.minimum(held[shift:], needed[:-shift])
        held[:-shift] = np.minimum(held[:-shift], needed[shift:])
    gain = np.empty_like(held)
    current = 1.0
    for index, wanted in enumerate(held.tolist()):
        current = min(wanted, 1 - (1 - current) * back)
        gain[index] = current
    # Between two hops the gain must meet the stronger need of both.
    low = np.minimum(gain, np.concatenate((gain[1:], gain[-1:])))
    return np.minimum(low, np.concatenate((gain[:1], gain[:-1])))
