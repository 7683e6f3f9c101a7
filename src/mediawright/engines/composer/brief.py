"""A prompt read as a musician's brief: style, key, tempo, mood."""

from __future__ import annotations

import random
import re
from dataclasses import dataclass, replace

from mediawright.engines.composer.styles import STYLES, STYLES_BY_NAME, Style
from mediawright.engines.composer.theory import SCALES, Key, tonic_named

SLOWEST_TEMPO = 40
FASTEST_TEMPO = 220
_TEMPO = re.compile(r"(\d{2,3})\s*bpm", re.IGNORECASE)
_KEY = re.compile(
    r"\b([a-g])\s*(#|b|sharp|flat)?[\s-]+(major|minor|dorian|mixolydian|lydian|phrygian)\b",
    re.IGNORECASE,
)
_WORD = re.compile(r"[a-z0-9][a-z0-9/'-]*")
_NO_DRUMS = re.compile(r"\b(no|without)\s+(drums?|percussion|beats?)\b|\b(drumless|beatless)\b")


@dataclass(frozen=True, kw_only=True)
class Mood:
    """What a feeling does to a piece."""

    words: tuple[str, ...]
    scale: str | None = None
    tempo: float = 1.0
    """Factor."""
    density: float = 0.0
    """Added to the melody's."""
    octave: int = 0
    """Added to the melody's."""
    reverb: float = 0.0
    """Added to the style's."""
    style: str = "pop"
    """What is played if no genre is named."""


_MOODS = (
    Mood(
        words=("happy", "joyful", "joy", "cheerful", "bright", "sunny", "playful", "uplifting"),
        scale="major",
        tempo=1.06,
        density=0.1,
        style="folk",
    ),
    Mood(
        words=("sad", "melancholy", "melancholic", "lonely", "sorrow", "rain", "rainy", "grief"),
        scale="minor",
        tempo=0.86,
        density=-0.1,
        reverb=0.06,
        style="piano",
    ),
    Mood(
        words=("calm", "peaceful", "gentle", "soft", "relaxing", "relaxed", "quiet", "dreamy"),
        tempo=0.9,
        density=-0.12,
        reverb=0.06,
        style="ambient",
    ),
    Mood(
        words=("epic", "heroic", "triumphant", "powerful", "majestic", "battle", "dramatic"),
        scale="minor",
        tempo=1.04,
        reverb=0.05,
        style="cinematic",
    ),
    Mood(
        words=("dark", "ominous", "scary", "horror", "sinister", "tense", "mysterious", "night"),
        scale="phrygian",
        tempo=0.92,
        density=-0.1,
        octave=-1,
        reverb=0.08,
        style="cinematic",
    ),
    Mood(
        words=("energetic", "fast", "driving", "intense", "exciting", "wild"),
        tempo=1.1,
        density=0.12,
        style="house",
    ),
    Mood(
        words=("slow", "romantic", "tender", "love", "nostalgic", "warm"),
        tempo=0.88,
        density=-0.05,
        style="piano",
    ),
)

_MELODY_INSTRUMENTS = {
    "piano": "piano",
    "guitar": "guitar",
    "violin": "strings",
    "strings": "strings",
    "flute": "flute",
    "bell": "bell",
    "bells": "bell",
    "music-box": "bell",
    "trumpet": "brass",
    "brass": "brass",
    "horn": "brass",
    "synth": "synth",
    "harp": "pluck",
    "kalimba": "pluck",
}


@dataclass(frozen=True, kw_only=True)
class Brief:
    """What is to be played."""

    style: Style
    key: Key
    tempo: float
    """Beats per minute."""
    tempo_is_fixed: bool
    """Whether the prompt named the tempo."""
    drums: str | None
    """The name of the drum groove, if there are drums."""


def read_brief(prompt: str, chance: random.Random) -> Brief:
    """Return what the words of a prompt ask for; what they leave open is drawn by lot."""
    lowered = prompt.lower()
    words = _WORD.findall(lowered)
    moods = [mood for mood in _MOODS if set(mood.words) & set(words)]
    style = _dressed(_style(words, moods), words, moods)
    named_key, named_tempo = _named_key(prompt), _TEMPO.search(lowered)
    tempo = chance.uniform(*style.tempo)
    for mood in moods:
        tempo *= mood.tempo
    if named_tempo is not None:
        tempo = float(named_tempo.group(1))
    drawn_key = Key(chance.choice((0, 2, 4, 5, 7, 9, 10, 3)), _scale(style, moods, chance))
    drums = chance.choice(style.drums) if style.drums else None
    return Brief(
        style=style,
        key=named_key or drawn_key,
        tempo=min(float(FASTEST_TEMPO), max(float(SLOWEST_TEMPO), tempo)),
        tempo_is_fixed=named_tempo is not None,
        drums=None if _NO_DRUMS.search(lowered) else drums,
    )


def _style(words: list[str], moods: list[Mood]) -> Style:
    for word in words:
        for style in STYLES:
            if word in style.words and word not in _MELODY_INSTRUMENTS:
                return style
    for word in words:
        for style in STYLES:
            if word in style.words:
                return style
    return STYLES_BY_NAME[moods[0].style if moods else "pop"]


def _dressed(style: Style, words: list[str], moods: list[Mood]) -> Style:
    """Return the style with the mood's colour and the named instrument."""
    melody = next((_MELODY_INSTRUMENTS[word] for word in words if word in _MELODY_INSTRUMENTS), "")
    density = style.density + sum(mood.density for mood in moods)
    return replace(
        style,
        melody=melody or style.melody,
        density=min(0.9, max(0.1, density)),
        melody_octave=style.melody_octave + min((mood.octave for mood in moods), default=0),
        reverb=min(0.6, style.reverb + sum(mood.reverb for mood in moods)),
    )


def _scale(style: Style, moods: list[Mood], chance: random.Random) -> str:
    asked = next((mood.scale for mood in moods if mood.scale is not None), None)
    drawn = chance.choice(style.scales)
    return asked if asked is not None else drawn


def _named_key(prompt: str) -> Key | None:
    found = _KEY.search(prompt)
    if found is None:
        return None
    letter, accidental, scale = (part.lower() if part else "" for part in found.groups())
    # "a minor detail" is rarely a key; a capital or a word such as "in" before it is.
    before = prompt[: found.start()].rstrip().lower()
    if found.group(1) == "a" and not before.endswith((" in", "key of")) and before != "in":
        return None
    return Key(tonic_named(letter, accidental), scale) if scale in SCALES else None
