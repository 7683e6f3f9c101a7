"""Building blocks of sound: partials, envelopes, coloured noise, plucked strings."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Wave = NDArray[np.float32]
Curve = NDArray[np.float64]

_HIGHEST_SHARE = 0.45
"""Partials above this share of the sample rate are left out, so that none folds back."""


def times(seconds: float, rate: int) -> Curve:
    """Return the time of each sample in seconds."""
    return np.arange(max(1, round(seconds * rate)), dtype=np.float64) / rate


def attack_release(length: int, attack: float, release: float, rate: int) -> Curve:
    """Return an envelope that rises, stays at 1 and falls to 0 at the end; times in seconds."""
    envelope = np.ones(length)
    rise = min(length, max(1, round(attack * rate)))
    fall = min(length, max(1, round(release * rate)))
    envelope[:rise] *= np.sin(np.linspace(0, np.pi / 2, rise)) ** 2
    envelope[-fall:] *= np.cos(np.linspace(0, np.pi / 2, fall)) ** 2
    return envelope


def partials(phase: Curve, amplitudes: list[float], dampings: list[Curve] | None = None) -> Curve:
    """Return the sum of the harmonics of a phase, by Chebyshev's recurrence.

    Args:
        phase: Phase of the fundamental in radians.
        amplitudes: Loudness of each harmonic, the fundamental first.
        dampings: An envelope for each harmonic.
    """
    twice_cosine = 2 * np.cos(phase)
    before, current = np.zeros_like(phase), np.sin(phase)
    total = np.zeros_like(phase)
    for index, amplitude in enumerate(amplitudes):
        if amplitude:
            weight = amplitude if dampings is None else amplitude * dampings[index]
            total += weight * current
        before, current = current, twice_cosine * current - before
    return total


def harmonics_below(frequency: float, limit: float, rate: int, most: int = 40) -> int:
    """Return how many harmonics of a frequency lie below a limit in Hz."""
    return max(1, min(most, int(min(limit, rate * _HIGHEST_SHARE) / frequency)))


def saw_amplitudes(count: int, frequency: float, cutoff: float) -> list[float]:
    """Return the harmonics of a saw wave behind a low-pass filter of two poles."""
    return [
        1 / number / (1 + (number * frequency / cutoff) ** 4) ** 0.5
        for number in range(1, count + 1)
    ]


def vibrato(clock: Curve, rate_hertz: float, depth: float, delay: float = 0.25) -> Curve:
    """Return the phase that a slow vibrato adds, per radian per second of the note."""
    swell = np.clip((clock - delay) / 0.4, 0, 1)
    return depth * swell * -np.cos(2 * np.pi * rate_hertz * clock) / (2 * np.pi * rate_hertz)


def noise(length: int, rate: int, low: float, high: float, chance: np.random.Generator) -> Curve:
    """Return noise between two frequencies in Hz, with a peak of 1."""
    size = 1 << max(4, (length - 1).bit_length())
    spectrum = np.fft.rfft(chance.standard_normal(size))
    frequencies = np.fft.rfftfreq(size, 1 / rate)
    safe = np.maximum(frequencies, 1e-3)
    spectrum *= 1 / np.sqrt(1 + (low / safe) ** 6) / np.sqrt(1 + (safe / high) ** 6)
    sound = np.fft.irfft(spectrum, size)[:length]
    return sound / max(1e-9, float(np.abs(sound).max()))


def plucked(
    frequency: float, seconds: float, rate: int, brightness: float, chance: np.random.Generator
) -> Curve:
    """Return a plucked string (Karplus and Strong), tuned exactly, with a peak near 1.

    Args:
        frequency: Hz.
        seconds: How long the string is left to ring.
        rate: Hz.
        brightness: 0 (a thumb) to 1 (a plectrum).
        chance: Source of the pluck's noise.
    """
    # Averaging two neighbours delays by half a sample; the string is cut for that, and the
    # whole is read at a slightly other speed to hit the pitch.
    period = max(2, round(rate / frequency - 0.5))
    count = round(seconds * rate)
    excitation = chance.uniform(-1, 1, period)
    for _ in range(round((1 - brightness) * 6)):
        excitation = 0.5 * (excitation + np.roll(excitation, 1))
    excitation -= excitation.mean()
    loops = count // period + 3
    loss = 0.5 ** (1 / (frequency * (0.35 + 220 / frequency)))
    rows = np.empty((loops, period))
    rows[0] = excitation
    for row in range(1, loops):
        current = rows[row - 1]
        shifted = np.concatenate((rows[row - 2][-1:] if row > 1 else current[-1:], current[:-1]))
        rows[row] = loss * 0.5 * (current + shifted)
    string = rows.ravel()
    positions = np.arange(count) * (frequency * (period + 0.5) / rate)
    sound = np.interp(positions, np.arange(len(string)), string)
    return sound / max(1e-9, float(np.abs(sound).max()))


def decay(clock: Curve, seconds: float) -> Curve:
    """Return an exponential decay that falls by 60 dB in so many seconds."""
    return np.exp(-6.9 * clock / seconds)


def unit(sound: Curve) -> Wave:
    """Return a sound scaled to a peak of 1, as 32-bit floats."""
    return (sound / max(1e-9, float(np.abs(sound).max()))).astype(np.float32)
