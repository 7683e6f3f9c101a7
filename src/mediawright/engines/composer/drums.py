"""The drums: tuned sweeps and filtered noise."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import numpy as np

from mediawright.engines.composer.waves import (
    Curve,
    Wave,
    attack_release,
    decay,
    noise,
    times,
    unit,
)


@cache
def strike(drum: str, rate: int) -> Wave:
    """Return the sound of one full stroke, with a peak of 1."""
    sound = _DRUMS[drum](rate)
    return unit(sound * attack_release(len(sound), 0.0008, 0.02, rate))


def _sweep(rate: int, seconds: float, low: float, high: float, fall: float) -> Curve:
    clock = times(seconds, rate)
    # The pitch falls from high to low; its integral is the phase.
    phase = 2 * np.pi * (low * clock + (high - low) * fall * (1 - np.exp(-clock / fall)))
    return np.sin(phase) * decay(clock, seconds)


def _hiss(rate: int, seconds: float, low: float, high: float, seed: int) -> Curve:
    clock = times(seconds, rate)
    top = min(high, rate * 0.45)
    sound = noise(len(clock), rate, min(low, top * 0.8), top, np.random.default_rng(seed))
    return sound * decay(clock, seconds)


def _mixed(first: Curve, second: Curve) -> Curve:
    length = max(len(first), len(second))
    return np.pad(first, (0, length - len(first))) + np.pad(second, (0, length - len(second)))


def _kick(rate: int) -> Curve:
    return _mixed(_sweep(rate, 0.36, 48, 190, 0.028), 0.25 * _hiss(rate, 0.012, 1_500, 6_000, 1))


def _soft_kick(rate: int) -> Curve:
    return _sweep(rate, 0.3, 55, 110, 0.03)


def _snare(rate: int) -> Curve:
    return _mixed(0.55 * _sweep(rate, 0.16, 175, 260, 0.02), _hiss(rate, 0.2, 1_200, 9_000, 2))


def _brush(rate: int) -> Curve:
    sound = _hiss(rate, 0.22, 1_800, 7_000, 3)
    return sound * np.clip(times(0.22, rate) / 0.04, 0, 1)


def _clap(rate: int) -> Curve:
    total = np.zeros(round(0.26 * rate))
    for start, seconds in ((0.0, 0.02), (0.011, 0.02), (0.022, 0.2)):
        burst = _hiss(rate, seconds, 900, 5_500, 4)
        begin = round(start * rate)
        total[begin : begin + len(burst)] += burst[: len(total) - begin]
    return total


def _rim(rate: int) -> Curve:
    return _mixed(_sweep(rate, 0.05, 820, 1_400, 0.004), 0.4 * _hiss(rate, 0.02, 2_000, 8_000, 5))


def _hat(rate: int) -> Curve:
    return _hiss(rate, 0.06, 7_000, 15_000, 6)


def _open_hat(rate: int) -> Curve:
    return _hiss(rate, 0.3, 6_500, 15_000, 7)


def _foot_hat(rate: int) -> Curve:
    return _hiss(rate, 0.045, 5_000, 12_000, 8)


def _metal(rate: int, seconds: float, base: float) -> Curve:
    clock = times(seconds, rate)
    ratios = (1.0, 1.41, 1.73, 2.27, 2.71, 3.33)
    tones = [np.sin(2 * np.pi * base * ratio * clock + 7 * ratio) for ratio in ratios]
    return np.sum(tones, axis=0) / len(ratios) * decay(clock, seconds)


def _ride(rate: int) -> Curve:
    return _mixed(0.35 * _metal(rate, 0.7, 2_300), 0.7 * _hiss(rate, 0.4, 5_500, 14_000, 9))


def _crash(rate: int) -> Curve:
    return _mixed(0.2 * _metal(rate, 1.2, 1_900), _hiss(rate, 1.8, 3_500, 14_000, 10))


def _shaker(rate: int) -> Curve:
    sound = _hiss(rate, 0.09, 5_000, 11_000, 11)
    return sound * np.clip(times(0.09, rate) / 0.02, 0, 1)


def _tom(rate: int) -> Curve:
    return _mixed(_sweep(rate, 0.5, 98, 150, 0.05), 0.2 * _hiss(rate, 0.08, 300, 2_000, 12))


def _low_tom(rate: int) -> Curve:
    return _mixed(_sweep(rate, 0.9, 62, 105, 0.06), 0.2 * _hiss(rate, 0.12, 200, 1_500, 13))


def _chip_kick(rate: int) -> Curve:
    return np.sign(_sweep(rate, 0.14, 50, 320, 0.025)) * decay(times(0.14, rate), 0.16)


def _chip_noise(rate: int, seconds: float, hold: int, seed: int) -> Curve:
    clock = times(seconds, rate)
    steps = np.random.default_rng(seed).uniform(-1, 1, len(clock) // hold + 1)
    return np.repeat(steps, hold)[: len(clock)] * decay(clock, seconds)


def _chip_snare(rate: int) -> Curve:
    return _chip_noise(rate, 0.16, 5, 14)


def _chip_hat(rate: int) -> Curve:
    return _chip_noise(rate, 0.04, 2, 15)


_DRUMS: dict[str, Callable[[int], Curve]] = {
    "kick": _kick,
    "soft kick": _soft_kick,
    "snare": _snare,
    "brush": _brush,
    "clap": _clap,
    "rim": _rim,
    "hat": _hat,
    "open hat": _open_hat,
    "foot hat": _foot_hat,
    "ride": _ride,
    "crash": _crash,
    "shaker": _shaker,
    "tom": _tom,
    "low tom": _low_tom,
    "chip kick": _chip_kick,
    "chip snare": _chip_snare,
    "chip hat": _chip_hat,
}

LEVELS: dict[str, float] = {
    "kick": 0.85,
    "soft kick": 0.5,
    "snare": 0.55,
    "brush": 0.42,
    "clap": 0.45,
    "rim": 0.3,
    "hat": 0.26,
    "open hat": 0.24,
    "foot hat": 0.18,
    "ride": 0.3,
    "crash": 0.3,
    "shaker": 0.3,
    "tom": 0.6,
    "low tom": 0.6,
    "chip kick": 0.4,
    "chip snare": 0.32,
    "chip hat": 0.12,
}
"""How loud each is in the mix."""

PLACES: dict[str, float] = {
    "hat": 0.25,
    "open hat": 0.28,
    "foot hat": 0.2,
    "ride": -0.3,
    "crash": -0.2,
    "shaker": 0.4,
    "tom": -0.25,
    "low tom": 0.2,
    "rim": -0.35,
    "clap": 0.05,
}
"""Where each stands, from -1 (left) to 1 (right); the others are in the middle."""
