"""Scales, chords and progressions, in MIDI numbers and scale degrees counted from 0."""

# ruff: noqa: PLR2004  # beats, bars, degrees and semitones are plain numbers to a musician

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise, product

SCALES: dict[str, tuple[int, ...]] = {
    "major": (0, 2, 4, 5, 7, 9, 11),
    "minor": (0, 2, 3, 5, 7, 8, 10),
    "dorian": (0, 2, 3, 5, 7, 9, 10),
    "mixolydian": (0, 2, 4, 5, 7, 9, 10),
    "lydian": (0, 2, 4, 6, 7, 9, 11),
    "phrygian": (0, 1, 3, 5, 7, 8, 10),
}
"""Semitones above the tonic."""

PROGRESSIONS: dict[str, tuple[tuple[int, ...], ...]] = {
    "major": ((0, 4, 5, 3), (0, 5, 3, 4), (5, 3, 0, 4), (0, 3, 1, 4), (0, 2, 3, 4)),
    "minor": ((0, 5, 2, 6), (0, 3, 5, 6), (0, 6, 5, 6), (0, 2, 6, 3), (0, 5, 3, 4)),
    "dorian": ((0, 3, 0, 3), (0, 3, 6, 0), (0, 2, 3, 0), (0, 6, 3, 0)),
    "mixolydian": ((0, 6, 3, 0), (0, 3, 6, 3), (0, 6, 0, 3)),
    "lydian": ((0, 1, 0, 4), (0, 1, 5, 4), (0, 5, 1, 0)),
    "phrygian": ((0, 1, 0, 1), (0, 1, 2, 1), (0, 6, 1, 0)),
}
"""Chords of four bars by the degree of their root."""

CADENCES = {"major": 4, "minor": 6, "dorian": 3, "mixolydian": 6, "lydian": 4, "phrygian": 1}
"""The degree of the chord that leads home."""

_NOTE_NAMES = {"c": 0, "d": 2, "e": 4, "f": 5, "g": 7, "a": 9, "b": 11}
_SHARP_NAMES = ("C", "C#", "D", "Eb", "E", "F", "F#", "G", "Ab", "A", "Bb", "B")


@dataclass(frozen=True)
class Key:
    """A tonic and a scale."""

    tonic: int
    """Pitch class, 0 (C) to 11 (B)."""
    scale: str
    """A name of `SCALES`."""

    @property
    def name(self) -> str:
        """Such as `C major`."""
        return f"{_SHARP_NAMES[self.tonic]} {self.scale}"

    @property
    def pitch_classes(self) -> frozenset[int]:
        """The seven pitch classes of the scale."""
        return frozenset((self.tonic + step) % 12 for step in SCALES[self.scale])

    def pitch(self, degree: int, octave: int) -> int:
        """Return the MIDI number of a degree; degrees beyond the seventh go up octaves."""
        steps = SCALES[self.scale]
        return 12 * (octave + 1 + degree // 7) + self.tonic + steps[degree % 7]

    def chord(self, root: int, size: int = 3) -> tuple[int, ...]:
        """Return the pitch classes of the chord of thirds on a degree."""
        return tuple(self.pitch(root + 2 * place, 0) % 12 for place in range(size))

    def nearest(self, pitch: float, allowed: frozenset[int] | None = None) -> int:
        """Return the MIDI number of the scale (or of the allowed pitch classes) next to it."""
        classes = self.pitch_classes if allowed is None else allowed
        around = range(round(pitch) - 7, round(pitch) + 8)
        candidates = [number for number in around if number % 12 in classes]
        return min(candidates, key=lambda number: (abs(number - pitch), number))


def tonic_named(letter: str, accidental: str) -> int:
    """Return the pitch class of a note name, such as `f` and `#`."""
    shift = {"#": 1, "sharp": 1, "b": -1, "flat": -1}.get(accidental, 0)
    return (_NOTE_NAMES[letter] + shift) % 12


def frequency(pitch: float) -> float:
    """Return the frequency of a MIDI number in Hz, A4 being 440."""
    return 440.0 * 2.0 ** ((pitch - 69) / 12)


def voiced(
    chord: tuple[int, ...], centre: int, previous: tuple[int, ...] | None
) -> tuple[int, ...]:
    """Return the chord's notes around a MIDI number, moving little from the chord before."""
    places = [
        [number for number in range(centre - 8, centre + 9) if number % 12 == pitch_class]
        for pitch_class in chord
    ]
    choices = [tuple(sorted(choice)) for choice in product(*places)]
    spread = [choice for choice in choices if choice[-1] - choice[0] <= 14]

    def cost(choice: tuple[int, ...]) -> float:
        crowding = sum(2.0 for low, high in pairwise(choice) if high - low < 2)
        if previous is None or len(previous) != len(choice):
            return crowding + abs(sum(choice) / len(choice) - centre)
        return crowding + sum(abs(a - b) for a, b in zip(choice, previous, strict=True))

    return min(spread or choices, key=lambda choice: (cost(choice), choice))
