"""The sound of a place, from the words of a prompt."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from mediawright.core.errors import InvalidRequestError
from mediawright.engines.composer.effects import add_room, limit
from mediawright.engines.composer.instruments import play
from mediawright.engines.composer.waves import Curve, Wave, noise
from mediawright.engines.requests import Sound

LONGEST_SECONDS = 600.0
_LOUDNESS = 0.09
_CEILING = 0.7
_EDGE_SECONDS = 0.35
_LOOP_SECONDS = 24.0
"""Noise is made this long and laid end to end, with a crossfade."""


@dataclass(frozen=True)
class _Place:
    frames: int
    rate: int
    chance: np.random.Generator

    @property
    def seconds(self) -> float:
        return self.frames / self.rate

    @property
    def clock(self) -> Curve:
        return np.arange(self.frames, dtype=np.float64) / self.rate


def ambience(prompt: str, seconds: float, seed: int, sample_rate: int = 44_100) -> Sound:
    """Return the sounds that belong to a scene: waves, wind, rain, birds, a city, crickets.

    A scene that names no sound gets a soft chord. Two channels, exactly as long as asked,
    faded in and out; the same arguments give the same sound.

    Args:
        prompt: The scene in words.
        seconds: Length, more than 0 and at most 600.
        seed: Chooses among equally fitting sounds.
        sample_rate: Hz.

    Raises:
        InvalidRequestError: `invalid_duration`.
    """
    if not 0 < seconds <= LONGEST_SECONDS:
        raise InvalidRequestError(
            "invalid_duration",
            f"A sound of {seconds:g} seconds cannot be made.",
            pointer="/parameters/duration",
            hint=f"Ask for more than 0 and at most {LONGEST_SECONDS:g} seconds.",
        )
    words = set(re.findall(r"[a-z]+", prompt.lower()))
    digest = hashlib.sha256(f"{seed}:{' '.join(sorted(words))}".encode()).digest()
    chance = np.random.default_rng(int.from_bytes(digest[:8], "big"))
    place = _Place(max(1, round(seconds * sample_rate)), sample_rate, chance)
    heard = sounds_of(words)
    mix = np.zeros((place.frames, 2), np.float32)
    for name, level in heard:
        mix += np.float32(level) * _SOUNDS[name](place)
    limit(mix, sample_rate, _LOUDNESS, _CEILING)
    edge = min(place.frames // 2, round(_EDGE_SECONDS * sample_rate))
    if edge:
        ramp = (np.sin(np.linspace(0, np.pi / 2, edge)) ** 2).astype(np.float32)[:, None]
        mix[:edge] *= ramp
        mix[-edge:] *= ramp[::-1]
    return Sound(samples=mix, sample_rate=sample_rate)


def sounds_of(words: set[str]) -> tuple[tuple[str, float], ...]:
    """Return the names and levels of the sounds that the words call for."""
    found = [(name, level) for name, level, asked in _WORDS if asked & words]
    names = {name for name, _ in found}
    if words & _NIGHT:
        found = [(name, level) for name, level in found if name != "birds"]
        if not names & {"waves", "rain", "city", "thunder", "space"}:
            found.append(("crickets", 0.35))
    return tuple(dict.fromkeys(found)) or (("pad", 1.0),)


_NIGHT = frozenset({"night", "moon", "moonlit", "moonlight", "midnight", "starry", "stars"})

_WORDS: tuple[tuple[str, float, frozenset[str]], ...] = (
    (
        "waves",
        1.0,
        frozenset({"sea", "ocean", "waves", "wave", "beach", "shore", "coast", "surf", "bay"}),
    ),
    ("stream", 0.7, frozenset({"river", "stream", "brook", "waterfall", "creek", "fountain"})),
    ("rain", 0.9, frozenset({"rain", "rainy", "drizzle", "downpour", "storm", "thunderstorm"})),
    ("thunder", 0.9, frozenset({"thunder", "thunderstorm", "lightning", "storm"})),
    (
        "wind",
        0.7,
        frozenset(
            {
                *("wind", "windy", "breeze", "desert", "dunes", "mountain", "mountains", "snow"),
                *("snowy", "blizzard", "storm", "tundra", "plains", "cliff", "hills"),
            }
        ),
    ),
    (
        "birds",
        0.4,
        frozenset(
            {
                *("bird", "birds", "forest", "woods", "garden", "meadow", "spring", "morning"),
                *("dawn", "sunrise", "park", "jungle", "trees"),
            }
        ),
    ),
    ("crickets", 0.4, frozenset({"crickets", "cricket", "cicadas", "dusk", "summer"})),
    (
        "city",
        0.9,
        frozenset({"city", "street", "traffic", "town", "downtown", "skyline", "urban", "road"}),
    ),
    ("fire", 0.8, frozenset({"fire", "campfire", "fireplace", "bonfire", "flames", "embers"})),
    ("space", 0.9, frozenset({"space", "galaxy", "spaceship", "nebula", "planet", "cosmos"})),
)


def _steady(place: _Place, low: float, high: float) -> Wave:
    """Return two channels of noise between two frequencies, with a loudness of 1."""
    length = min(place.frames, round(_LOOP_SECONDS * place.rate))
    sides: list[Curve] = []
    for _ in range(2):
        sound = noise(length, place.rate, low, high, place.chance)
        sides.append(_repeated(sound / np.sqrt(np.mean(np.square(sound))), place.frames))
    return np.stack(sides, axis=1).astype(np.float32)


def _repeated(sound: Curve, frames: int) -> Curve:
    if len(sound) >= frames:
        return sound[:frames]
    cross = len(sound) // 8
    ramp = np.sqrt(np.linspace(0, 1, cross))
    result = np.zeros(frames + len(sound))
    for start in range(0, frames, len(sound) - cross):
        piece = sound.copy()
        if start:
            piece[:cross] *= ramp
        piece[-cross:] *= ramp[::-1]
        result[start : start + len(sound)] += piece
    return result[:frames]


def _swell(place: _Place, slowest: float, fastest: float, depth: float) -> Curve:
    """Return a wandering gain between 1 - depth and 1, with periods in seconds."""
    clock = place.clock
    total = np.zeros(place.frames)
    for period in place.chance.uniform(fastest, slowest, 3):
        total += np.sin(2 * np.pi * (clock / period + place.chance.random()))
    return 1 - depth * (0.5 - total / 6)


def _waves(place: _Place) -> Wave:
    clock = place.clock
    wash = _steady(place, 250, 3_500)
    rumble = _steady(place, 40, 220)
    gain, deep = np.full(place.frames, 0.12), np.full(place.frames, 0.15)
    start = -place.chance.uniform(1.0, 4.0)
    while start < place.seconds:
        height, rise = place.chance.uniform(0.6, 1.0), place.chance.uniform(1.8, 2.8)
        age = clock - start
        shape = np.where(age < rise, np.clip(age / rise, 0, 1) ** 2, np.exp((rise - age) / 2.2))
        gain += height * shape
        deep += 0.6 * height * np.where(age < rise * 1.1, shape, shape**2)
        start += place.chance.uniform(4.5, 7.0)
    both = wash * gain[:, None] + 0.9 * rumble * deep[:, None]
    return both.astype(np.float32)


def _wind(place: _Place) -> Wave:
    low, high = _steady(place, 90, 420), _steady(place, 420, 1_300)
    gust, whistle = _swell(place, 11, 4, 0.75), _swell(place, 8, 3, 0.95)
    return (low * gust[:, None] + 0.5 * high * (whistle * gust)[:, None]).astype(np.float32)


def _rain(place: _Place) -> Wave:
    patter, body = _steady(place, 2_500, 9_500), _steady(place, 500, 2_500)
    sound = (0.7 * patter + 0.4 * body) * _swell(place, 9, 4, 0.25)[:, None].astype(np.float32)
    count = round(place.seconds * 45)
    for begin in place.chance.integers(0, place.frames, count).tolist():
        length = min(round(0.02 * place.rate), place.frames - begin)
        clock = np.arange(length) / place.rate
        drop = np.sin(2 * np.pi * place.chance.uniform(1_800, 5_000) * clock) * np.exp(
            -clock / 0.003
        )
        sides = place.chance.uniform(0.2, 1.6, 2)
        sound[begin : begin + length] += (drop[:, None] * sides).astype(np.float32)
    return sound.astype(np.float32)


def _stream(place: _Place) -> Wave:
    sound = 0.8 * _steady(place, 400, 2_800)
    for begin in place.chance.integers(0, place.frames, round(place.seconds * 22)).tolist():
        length = min(round(0.09 * place.rate), place.frames - begin)
        clock = np.arange(length) / place.rate
        rising = place.chance.uniform(500, 1_300) * (1 + 3 * clock)
        bubble = np.sin(2 * np.pi * np.cumsum(rising) / place.rate) * np.exp(-clock / 0.02)
        bubble *= np.clip(clock / 0.004, 0, 1)
        sides = place.chance.uniform(0.1, 0.9, 2)
        sound[begin : begin + length] += (bubble[:, None] * sides).astype(np.float32)
    return sound.astype(np.float32)


def _thunder(place: _Place) -> Wave:
    rumble = _steady(place, 25, 140)
    gain = np.zeros(place.frames)
    start = place.chance.uniform(0.4, 2.0)
    while start < place.seconds:
        age = place.clock - start
        gain += np.where(age > 0, np.clip(age / 0.15, 0, 1) * np.exp(-np.maximum(age, 0) / 2.2), 0)
        start += place.chance.uniform(7, 14)
    return (1.6 * rumble * gain[:, None]).astype(np.float32)


def _birds(place: _Place) -> Wave:
    sound = np.float32(0.12) * _steady(place, 300, 1_800)
    start = place.chance.uniform(0.1, 0.6)
    while start < place.seconds - 0.2:
        base, side = place.chance.uniform(2_200, 4_200), place.chance.uniform(0.1, 0.9)
        for _ in range(int(place.chance.integers(2, 7))):
            length = place.chance.uniform(0.05, 0.13)
            clock = np.arange(round(length * place.rate)) / place.rate
            bend = place.chance.uniform(-0.35, 0.35)
            hertz = base * (1 + bend * clock / length + 0.04 * np.sin(2 * np.pi * 28 * clock))
            chirp = np.sin(2 * np.pi * np.cumsum(hertz) / place.rate)
            chirp *= np.sin(np.pi * clock / length) ** 2
            begin = round(start * place.rate)
            end = min(place.frames, begin + len(chirp))
            if begin < end:
                heard = chirp[: end - begin, None] * np.array([1 - side, side]) * 2.2
                sound[begin:end] += heard.astype(np.float32)
            start += length + place.chance.uniform(0.02, 0.09)
        start += place.chance.uniform(0.5, 2.0)
    add_room(sound, sound.mean(axis=1), place.rate, seconds=1.2, level=0.35, seed=7)
    return sound


def _crickets(place: _Place) -> Wave:
    clock = place.clock
    sound = 0.08 * _steady(place, 200, 900).astype(np.float64)
    for _ in range(4):
        hertz, trill = place.chance.uniform(3_900, 4_900), place.chance.uniform(26, 34)
        phrase = np.clip(
            np.sin(2 * np.pi * (clock * place.chance.uniform(0.9, 1.6) + place.chance.random()))
            * 4,
            0,
            1,
        )
        pulses = np.clip(np.sin(2 * np.pi * trill * clock), 0, 1) ** 2
        song = np.sin(2 * np.pi * hertz * clock) * pulses * phrase
        side = place.chance.uniform(0.15, 0.85)
        sound += song[:, None] * np.array([1 - side, side])
    return sound.astype(np.float32)


def _city(place: _Place) -> Wave:
    hum, hiss = _steady(place, 50, 320), _steady(place, 500, 2_200)
    passing = np.full(place.frames, 0.15)
    start = place.chance.uniform(-1.0, 1.5)
    while start < place.seconds:
        width = place.chance.uniform(0.8, 1.8)
        passing += place.chance.uniform(0.3, 0.8) * np.exp(-(((place.clock - start) / width) ** 2))
        start += place.chance.uniform(1.5, 4.5)
    return (hum * _swell(place, 12, 5, 0.3)[:, None] + 0.5 * hiss * passing[:, None]).astype(
        np.float32
    )


def _fire(place: _Place) -> Wave:
    sound = 0.5 * _steady(place, 60, 500) * _swell(place, 3, 0.7, 0.4)[:, None].astype(np.float32)
    for begin in place.chance.integers(0, place.frames, round(place.seconds * 14)).tolist():
        length = min(round(0.03 * place.rate), place.frames - begin)
        clock = np.arange(length) / place.rate
        snap = place.chance.standard_normal(length) * np.exp(
            -clock / place.chance.uniform(0.001, 0.006)
        )
        sides = place.chance.uniform(0.2, 1.0, 2) * place.chance.random() ** 2 * 4
        sound[begin : begin + length] += (snap[:, None] * sides).astype(np.float32)
    return sound.astype(np.float32)


def _space(place: _Place) -> Wave:
    return (0.5 * _pad(place) + 0.35 * _steady(place, 30, 160)).astype(np.float32)


def _pad(place: _Place) -> Wave:
    root = int(place.chance.choice((45, 47, 48, 50, 52)))
    sound = np.zeros((place.frames, 2), np.float32)
    for index, step in enumerate((0, 7, 12, 16, 19)):
        tone = play("pad", root + step, min(12.0, place.seconds), 0.5, place.rate)
        held = _repeated(tone.astype(np.float64), place.frames).astype(np.float32)
        held = np.pad(held, (0, place.frames - len(held)))
        side = 0.3 + 0.1 * index
        sound += held[:, None] * np.array([1 - side, side], np.float32)
    return sound * _swell(place, 9, 5, 0.35)[:, None].astype(np.float32)


_SOUNDS: dict[str, Callable[[_Place], Wave]] = {
    "waves": _waves,
    "stream": _stream,
    "rain": _rain,
    "thunder": _thunder,
    "wind": _wind,
    "birds": _birds,
    "crickets": _crickets,
    "city": _city,
    "fire": _fire,
    "space": _space,
    "pad": _pad,
}
