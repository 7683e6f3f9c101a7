"""The players of chords and bass."""

# ruff: noqa: PLR2004  # beats, bars, degrees and semitones are plain numbers to a musician

from __future__ import annotations

import random
from collections.abc import Callable

from mediawright.engines.composer.score import Bar, Note
from mediawright.engines.composer.theory import Key, voiced

Voicing = tuple[int, ...]
_CHORD_CENTRE = 60

# Strokes within a bar of four: (beat, length, velocity).
_STROKES: dict[str, tuple[tuple[float, float, float], ...]] = {
    "held": ((0, 4, 0.6),),
    "lazy": ((0, 1.4, 0.62), (1.5, 1.0, 0.45), (2.75, 1.1, 0.5)),
    "offbeat": ((0.5, 0.35, 0.6), (1.5, 0.35, 0.62), (2.5, 0.35, 0.6), (3.5, 0.35, 0.64)),
    "stabs": ((0.75, 0.22, 0.6), (1.5, 0.22, 0.5), (2.75, 0.22, 0.6), (3.5, 0.22, 0.45)),
    "comping": ((0, 0.4, 0.5), (1.62, 0.5, 0.55), (3.0, 0.4, 0.42)),
    "syncopated": ((0, 0.9, 0.6), (1.5, 0.8, 0.52), (2.5, 0.45, 0.45), (3, 0.8, 0.5)),
    "eighths": tuple((half / 2, 0.46, 0.62 if half % 2 == 0 else 0.5) for half in range(8)),
}

# Which note of the voicing sounds on each step, and how long a step is in beats.
_FIGURES: dict[str, tuple[tuple[int, ...], float]] = {
    "broken": ((0, 2, 1, 2, 0, 2, 1, 2), 0.5),
    "picked": ((0, 2, 1, 3, 0, 2, 1, 2), 0.5),
    "arpeggio": ((0, 1, 2, 3, 2, 1, 0, 1, 2, 3, 2, 1, 0, 1, 2, 3), 0.25),
    "ostinato": ((0, 1, 2, 1, 0, 1, 2, 1), 0.5),
}

_WALTZ = "oom-pah-pah"


def play_chords(
    key: Key, bars: tuple[Bar, ...], pattern: str, chance: random.Random, *, beats: int, size: int
) -> list[Note]:
    """Return the chords of the bars in which the chord player plays."""
    notes: list[Note] = []
    previous: Voicing | None = None
    for bar in bars:
        previous = voiced(key.chord(bar.root, size), _CHORD_CENTRE, previous)
        if "chords" in bar.roles:
            start = float(bar.index * beats)
            notes.extend(_chord_bar(previous, start, pattern, beats, chance))
    return notes


def hold_chords(key: Key, bars: tuple[Bar, ...], beats: int, size: int) -> list[Note]:
    """Return the chords held for whole bars, as a pad plays them."""
    notes: list[Note] = []
    previous: Voicing | None = None
    for bar in bars:
        previous = voiced(key.chord(bar.root, size), _CHORD_CENTRE + 4, previous)
        if "pad" in bar.roles:
            notes.extend(Note(bar.index * beats, float(beats), pitch, 0.5) for pitch in previous)
    return notes


def play_bass(
    key: Key, bars: tuple[Bar, ...], pattern: str, beats: int, chance: random.Random
) -> list[Note]:
    """Return the bass line of the bars in which the bass plays."""
    line = _BASS_LINES[pattern]
    notes: list[Note] = []
    targets = [bar.root for bar in bars[1:]]
    for bar, target in zip(bars, [*targets, 0], strict=False):
        if "bass" in bar.roles:
            start = float(bar.index * beats)
            notes.extend(
                Note(start + note.start, note.length, note.pitch, note.velocity)
                for note in line(key, bar.root, target, beats, chance)
                if note.start < beats
            )
    return notes


def bass_pitch(key: Key, degree: int) -> int:
    """Return a degree in the bass's octave, E1 to about E3."""
    pitch = key.pitch(degree, 1)
    while pitch < 28:
        pitch += 12
    while pitch > 45:
        pitch -= 12
    return pitch


def _chord_bar(
    voicing: Voicing, start: float, pattern: str, beats: int, chance: random.Random
) -> list[Note]:
    if pattern == _WALTZ:
        return [
            Note(start + beat, 0.6, pitch, 0.5 - 0.05 * beat)
            for beat in range(1, beats)
            for pitch in voicing
        ]
    if pattern in _FIGURES:
        order, step = _FIGURES[pattern]
        reach = (*voicing, voicing[0] + 12)
        held = beats if pattern in ("broken", "picked") else step * 0.9
        return [
            Note(
                start + place * step,
                min(float(held), beats - place * step),
                reach[order[place % len(order)] % len(reach)],
                (0.62 if place % 4 == 0 else 0.46) + chance.uniform(-0.05, 0.05),
            )
            for place in range(round(beats / step))
        ]
    return [
        Note(start + beat, min(length, beats - beat), pitch, velocity)
        for beat, length, velocity in _STROKES[pattern]
        if beat < beats
        for pitch in voicing
    ]


_BassLine = Callable[[Key, int, int, int, random.Random], list[Note]]


def _held(key: Key, root: int, target: int, beats: int, chance: random.Random) -> list[Note]:
    del target, chance
    return [Note(0.0, float(beats), bass_pitch(key, root), 0.7)]


def _lazy(key: Key, root: int, target: int, beats: int, chance: random.Random) -> list[Note]:
    pitch = bass_pitch(key, root)
    notes = [Note(0.0, 1.4, pitch, 0.8), Note(2.5, 0.9, pitch, 0.6)]
    if chance.random() < 0.5:
        notes.append(Note(3.5, 0.45, _towards(key, pitch, bass_pitch(key, target)), 0.55))
    return [note for note in notes if note.start < beats]


def _offbeat(key: Key, root: int, target: int, beats: int, chance: random.Random) -> list[Note]:
    del target, chance
    pitch = bass_pitch(key, root)
    return [Note(beat + 0.5, 0.42, pitch, 0.8) for beat in range(beats)]


def _eighths(key: Key, root: int, target: int, beats: int, chance: random.Random) -> list[Note]:
    del chance
    pitch = bass_pitch(key, root)
    notes = [Note(half / 2, 0.44, pitch, 0.8 - 0.12 * (half % 2)) for half in range(beats * 2 - 1)]
    last = _towards(key, pitch, bass_pitch(key, target))
    return [*notes, Note(beats - 0.5, 0.44, last, 0.66)]


def _sixteenths(key: Key, root: int, target: int, beats: int, chance: random.Random) -> list[Note]:
    del target, chance
    pitch = bass_pitch(key, root)
    return [
        Note(step / 4, 0.2, pitch + (12 if step % 8 == 7 else 0), 0.75 - 0.1 * (step % 2))
        for step in range(beats * 4)
        if step % 4
    ]


def _octaves(key: Key, root: int, target: int, beats: int, chance: random.Random) -> list[Note]:
    del target, chance
    pitch = bass_pitch(key, root)
    return [Note(half / 2, 0.4, pitch + 12 * (half % 2), 0.75) for half in range(beats * 2)]


def _pulse(key: Key, root: int, target: int, beats: int, chance: random.Random) -> list[Note]:
    del target, chance
    pitch = bass_pitch(key, root)
    return [Note(float(beat), 0.9, pitch, 0.75 if beat == 0 else 0.55) for beat in range(beats)]


def _syncopated(key: Key, root: int, target: int, beats: int, chance: random.Random) -> list[Note]:
    del chance
    pitch = bass_pitch(key, root)
    last = _towards(key, pitch, bass_pitch(key, target))
    notes = [(0.0, 1.2, pitch), (1.5, 0.9, pitch), (2.5, 0.4, pitch + 12), (3.0, 0.45, pitch)]
    placed = [Note(start, length, tone, 0.75) for start, length, tone in notes if start < beats]
    return [*placed, Note(beats - 0.5, 0.4, last, 0.6)]


def _root_and_fifth(
    key: Key, root: int, target: int, beats: int, chance: random.Random
) -> list[Note]:
    del target, chance
    first = bass_pitch(key, root)
    notes = [Note(0.0, 0.95, first, 0.8)]
    if beats >= 4:
        notes.append(Note(2.0, 0.95, bass_pitch(key, root + 4), 0.65))
    return notes


def _walking(key: Key, root: int, target: int, beats: int, chance: random.Random) -> list[Note]:
    chord = frozenset(key.chord(root, 4))
    pitch, goal = bass_pitch(key, root), bass_pitch(key, target)
    notes = [Note(0.0, 0.92, pitch, 0.78)]
    for beat in range(1, beats):
        if beat == beats - 1:
            pitch = _towards(key, goal + (2 if pitch > goal else -2), goal)
        else:
            leap = chance.choice((-5, -3, 3, 4, 5))
            pitch = key.nearest(min(47, max(30, pitch + leap)), chord)
        notes.append(Note(float(beat), 0.92, pitch, 0.66))
    return notes


def _towards(key: Key, pitch: int, goal: int) -> int:
    """Return the note of the scale next to the goal, on the side one comes from."""
    side = 2 if pitch > goal else -2
    return key.nearest(goal + side, key.pitch_classes - {goal % 12})


_BASS_LINES: dict[str, _BassLine] = {
    "held": _held,
    "lazy": _lazy,
    "offbeat": _offbeat,
    "eighths": _eighths,
    "sixteenths": _sixteenths,
    "octaves": _octaves,
    "pulse": _pulse,
    "syncopated": _syncopated,
    "root and fifth": _root_and_fifth,
    "walking": _walking,
}
