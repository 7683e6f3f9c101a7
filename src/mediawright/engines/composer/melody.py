"""The melody: short motifs, repeated, varied and answered."""

# ruff: noqa: PLR2004  # beats, bars, degrees and semitones are plain numbers to a musician

from __future__ import annotations

import random
from dataclasses import dataclass

from mediawright.engines.composer.score import SECTION_BARS, Bar, Note
from mediawright.engines.composer.theory import Key

# Rhythms of one bar of four as (beat, length), from sparse to busy.
_RHYTHMS: tuple[tuple[tuple[float, float], ...], ...] = (
    ((0.0, 3.0),),
    ((0.0, 1.5), (2.0, 2.0)),
    ((0.0, 2.0), (2.5, 0.5), (3.0, 1.0)),
    ((0.5, 1.0), (1.5, 0.5), (2.0, 1.75)),
    ((0.0, 1.5), (1.5, 0.5), (2.0, 1.0), (3.0, 0.75)),
    ((0.0, 1.0), (1.0, 0.5), (1.5, 1.0), (2.5, 0.5), (3.0, 1.0)),
    ((0.0, 0.5), (0.5, 0.5), (1.0, 1.0), (2.0, 0.5), (2.5, 0.5), (3.0, 0.75)),
    ((0.0, 0.75), (0.75, 0.75), (1.5, 0.5), (2.0, 0.75), (2.75, 0.75), (3.5, 0.5)),
    ((0.0, 0.5), (0.5, 0.5), (1.0, 0.5), (1.5, 0.5), (2.0, 0.5), (2.5, 0.5), (3.0, 1.0)),
)
_RHYTHMS_OF_THREE: tuple[tuple[tuple[float, float], ...], ...] = (
    ((0.0, 3.0),),
    ((0.0, 2.0), (2.0, 1.0)),
    ((0.0, 1.0), (1.0, 1.0), (2.0, 1.0)),
    ((0.0, 1.5), (1.5, 0.5), (2.0, 1.0)),
    ((0.0, 1.0), (1.0, 0.5), (1.5, 0.5), (2.0, 1.0)),
    ((0.0, 0.5), (0.5, 0.5), (1.0, 0.5), (1.5, 0.5), (2.0, 1.0)),
)
_STEPS = (-2, -1, -1, -1, 0, 1, 1, 1, 2, 3)
_REACH = 9
"""Semitones above and below the middle of its range."""


@dataclass(frozen=True)
class _Motif:
    rhythm: tuple[tuple[float, float], ...]
    steps: tuple[int, ...]
    """Movements in degrees of the scale."""


def play_melody(
    key: Key,
    bars: tuple[Bar, ...],
    chance: random.Random,
    *,
    octave: int,
    density: float,
    beats: int,
) -> list[Note]:
    """Return the melody of the bars in which it is played.

    Each section states a motif twice and answers it; strong beats fall on chord notes, and
    everything stays in the scale.
    """
    middle = key.nearest(12 * (octave + 1) + 4)
    theme = _phrase(density, beats, chance)
    contrast = _phrase(min(0.9, density + 0.1), beats, chance)
    notes: list[Note] = []
    pitch = key.nearest(middle, frozenset(key.chord(0)))
    for bar in bars:
        if "melody" not in bar.roles:
            continue
        second = bar.section % 4 == 2
        motif = (contrast if second else theme)[bar.section_bar]
        lift = 4 if second else 0
        is_close = bar.section_bar == SECTION_BARS - 1
        written = _bar(key, bar, motif, before=pitch, middle=middle + lift, beats=beats)
        if is_close or bar.index == len(bars) - 1:
            written = _closed(key, written, bar, beats)
        if written:
            pitch = written[-1].pitch
        notes.extend(written)
    return notes


def _phrase(density: float, beats: int, chance: random.Random) -> tuple[_Motif, ...]:
    statement, answer = _motif(density, beats, chance), _motif(density, beats, chance)
    varied = _Motif(statement.rhythm, _bent(statement.steps, chance))
    close = _motif(max(0.1, density - 0.25), beats, chance)
    return (statement, answer, varied, close)


def _motif(density: float, beats: int, chance: random.Random) -> _Motif:
    rhythms = _RHYTHMS_OF_THREE if beats == 3 else _RHYTHMS
    wanted = density * (len(rhythms) - 1) + chance.uniform(-1.2, 1.2)
    rhythm = rhythms[min(len(rhythms) - 1, max(0, round(wanted)))]
    return _Motif(rhythm, tuple(chance.choice(_STEPS) for _ in rhythm))


def _bent(steps: tuple[int, ...], chance: random.Random) -> tuple[int, ...]:
    place = chance.randrange(len(steps))
    return (*steps[:place], steps[place] + chance.choice((-1, 1)), *steps[place + 1 :])


def _bar(key: Key, bar: Bar, motif: _Motif, *, before: int, middle: int, beats: int) -> list[Note]:
    chord = frozenset(key.chord(bar.root, 3))
    scale = sorted(number for number in range(24, 109) if number % 12 in key.pitch_classes)
    pitch = before
    notes: list[Note] = []
    for (beat, length), step in zip(motif.rhythm, motif.steps, strict=True):
        place = scale.index(key.nearest(pitch)) + step
        wanted = scale[min(len(scale) - 1, max(0, place))]
        if wanted > middle + _REACH:
            wanted -= 7
        elif wanted < middle - _REACH:
            wanted += 7
        is_strong = beat in (0.0, 2.0) or length >= 1.5
        # A movement that snaps back to where it came from would sound stuck.
        left = frozenset({pitch % 12}) if step and notes else frozenset[int]()
        pitch = key.nearest(wanted, (chord if is_strong else key.pitch_classes) - left)
        velocity = 0.72 if is_strong else 0.58
        notes.append(Note(bar.index * beats + beat, length, pitch, velocity))
    return notes


def _closed(key: Key, notes: list[Note], bar: Bar, beats: int) -> list[Note]:
    """Return the bar ending on a long chord note, with room to breathe after it."""
    if not notes:
        return notes
    last = notes[-1]
    end = (bar.index + 1) * beats - 0.5
    chord = frozenset(key.chord(bar.root, 3))
    length = max(0.5, end - last.start)
    return [*notes[:-1], Note(last.start, length, key.nearest(last.pitch, chord), last.velocity)]
