"""Reading a scene out of a prompt."""

from __future__ import annotations

import hashlib
import itertools
import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import TypeVar

from mediawright.engines.painter import vocabulary
from mediawright.engines.painter.scene import Feature, Grade, Ground, Hour, Scene, Subject, Weather

_Meaning = TypeVar("_Meaning")
_FOLIAGE = "#527a34"
_WATER = frozenset({Ground.SEA, Ground.LAKE})


def fingerprint(text: str) -> int:
    """Return a number of 64 bits that is the same for equal text on every machine."""
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest())


def read_scene(prompt: str) -> Scene:
    """Return the scene `prompt` describes.

    What the prompt leaves open is decided by its hash, so that every prompt, known words
    or not, has a scene of its own.

    Args:
        prompt: Any text, also empty.
    """
    words = _words(prompt)
    mark = fingerprint(" ".join(prompt.lower().split()))
    features = frozenset(_meanings(words, vocabulary.FEATURES))
    subjects = _unique(_meanings(words, vocabulary.SUBJECTS))
    weather = _weather(words, mark)
    hour = _hour(words, weather, mark)
    ground, features = _lie_of_the_land(words, features, subjects, mark)
    dark = hour in {Hour.NIGHT, Hour.DUSK}
    moon = not vocabulary.MOON.isdisjoint(words)
    aurora = 1.0 if not vocabulary.AURORA.isdisjoint(words) else 0.0
    return Scene(
        hour=hour,
        ground=ground,
        features=features,
        subjects=subjects,
        weather=weather,
        grade=_grade(words, hour),
        sun=not vocabulary.SUN.isdisjoint(words) or not dark,
        moon=moon or (hour is Hour.NIGHT and not aurora and mark % 3 == 0),
        stars=_stars(words, hour),
        aurora=aurora,
        rainbow=1.0 if not vocabulary.RAINBOW.isdisjoint(words) else 0.0,
        snow_cover=_snow_cover(words, ground),
        foliage=next(iter(_meanings(words, vocabulary.FOLIAGE)), _FOLIAGE),
        flowers=not vocabulary.FLOWERS.isdisjoint(words),
        colours=_colours(words),
        fingerprint=mark,
    )


def _words(prompt: str) -> list[str]:
    text = prompt.lower()
    for phrase, word in vocabulary.PHRASES.items():
        text = text.replace(phrase, word)
    words: list[str] = []
    skip = False
    for word in re.findall(r"[a-z]+", text):
        if not skip:
            words.append(word)
            # "dunes" and "cities" are known by their singular.
            if word.endswith("ies"):
                words.append(word[:-3] + "y")
            elif word.endswith("s") and word != "trees":
                words.append(word[:-1])
        skip = word in vocabulary.NEGATIONS
    return words


def _meanings(words: Iterable[str], meanings: Mapping[str, _Meaning]) -> list[_Meaning]:
    return [meanings[word] for word in words if word in meanings]


def _unique(values: Iterable[_Meaning]) -> tuple[_Meaning, ...]:
    return tuple(dict.fromkeys(values))


def _weather(words: list[str], mark: int) -> Weather:
    # Who names the stars wants to see them.
    starry = any(word in vocabulary.STARS or word in vocabulary.AURORA for word in words)
    weather = Weather(cloud=0.08 if starry else 0.2 + (mark >> 8) % 40 / 100)
    for amounts in _meanings(words, vocabulary.WEATHERS):
        named = {name: amount for name, amount in amounts.items() if name in {"cloud", "wind"}}
        rest = {
            name: max(amount, getattr(weather, name))
            for name, amount in amounts.items()
            if name not in named
        }
        weather = replace(weather, **named, **rest)
    return weather


def _hour(words: list[str], weather: Weather, mark: int) -> Hour:
    named = _meanings(words, vocabulary.HOURS)
    if named:
        # "a starry sunset" is a sunset: words for the hour itself come before hints at it.
        return named[0]
    known = set(words)
    if known & (vocabulary.MOON | vocabulary.AURORA | vocabulary.STARS.keys()):
        return Hour.NIGHT
    if weather.storm or weather.rain:
        return (Hour.NOON, Hour.DUSK, Hour.MORNING)[mark % 3]
    if known & {"lighthouse", "cyberpunk", "neon", "firework"}:
        return Hour.DUSK
    return (Hour.DAWN, Hour.MORNING, Hour.NOON, Hour.GOLDEN, Hour.SUNSET, Hour.DUSK)[mark % 6]


def _lie_of_the_land(
    words: list[str], features: frozenset[Feature], subjects: tuple[Subject, ...], mark: int
) -> tuple[Ground, frozenset[Feature]]:
    grounds = _meanings(words, vocabulary.GROUNDS)
    if grounds:
        named = next((ground for ground in grounds if ground in _WATER), grounds[0])
        if named is Ground.LAKE and not features:
            features = frozenset({Feature.MOUNTAINS, Feature.FOREST})
        return named, features
    if {Subject.BOAT, Subject.LIGHTHOUSE, Subject.PALM} & set(subjects):
        return Ground.SEA, features
    if Feature.CITY in features:
        return Ground.LAKE, features
    if features:
        return Ground.MEADOW, features
    if subjects:
        return Ground.MEADOW, frozenset({Feature.HILLS})
    return _invent(mark)


def _invent(mark: int) -> tuple[Ground, frozenset[Feature]]:
    """Choose a land for a prompt that names none."""
    choices: tuple[tuple[Ground, frozenset[Feature]], ...] = (
        (Ground.LAKE, frozenset({Feature.MOUNTAINS, Feature.FOREST})),
        (Ground.MEADOW, frozenset({Feature.MOUNTAINS, Feature.HILLS})),
        (Ground.SEA, frozenset({Feature.HILLS})),
        (Ground.DESERT, frozenset({Feature.MOUNTAINS})),
        (Ground.MEADOW, frozenset({Feature.MOUNTAINS, Feature.FOREST})),
        (Ground.LAKE, frozenset({Feature.MOUNTAINS})),
        (Ground.SEA, frozenset()),
        (Ground.DESERT, frozenset()),
    )
    return choices[(mark >> 16) % len(choices)]


def _grade(words: list[str], hour: Hour) -> Grade:
    # In the dark the eye sees little colour.
    grade = Grade(saturation=0.84 if hour is Hour.NIGHT else 1.0)
    for changes in _meanings(words, vocabulary.MOODS):
        grade = replace(grade, **changes)
    return grade


def _colours(words: list[str]) -> tuple[str, ...]:
    """Return the colours of the whole scene, not those of single things in it."""
    found: list[str] = []
    for word, after in itertools.pairwise([*words, ""]):
        thing = after if after.endswith("ss") else after.removesuffix("s")
        of_thing = thing in vocabulary.SUBJECTS or thing in vocabulary.FEATURES
        # Nobody says "green meadow" or "blue sky" to have the rest tinted as well.
        natural = f"{word} {thing}" in vocabulary.NATURAL
        if word in vocabulary.COLOURS and not of_thing and not natural:
            found.append(vocabulary.COLOURS[word])
    return _unique(found)


def _stars(words: list[str], hour: Hour) -> float:
    named = _meanings(words, vocabulary.STARS)
    if named:
        return max(named)
    return {Hour.NIGHT: 0.5, Hour.DUSK: 0.2}.get(hour, 0.0)


def _snow_cover(words: list[str], ground: Ground) -> float:
    named = _meanings(words, vocabulary.SNOW_COVER)
    if ground is Ground.SNOWFIELD:
        named.append(1.0)
    return max(named, default=0.0)
