"""What is written down: notes, parts, drum hits, and the form of a piece."""

# ruff: noqa: PLR2004  # beats, bars, degrees and semitones are plain numbers to a musician

from __future__ import annotations

import random
from dataclasses import dataclass

from mediawright.engines.composer.theory import CADENCES, PROGRESSIONS, Key

SECTION_BARS = 4
_MOST_HASTE = 1.07


@dataclass(frozen=True)
class Note:
    """One note of a part."""

    start: float
    """Beats from the beginning."""
    length: float
    """Beats."""
    pitch: int
    """MIDI number."""
    velocity: float
    """How hard it is played, 0 to 1."""


@dataclass(frozen=True, kw_only=True)
class Part:
    """What one instrument plays."""

    role: str
    """`chords`, `pad`, `bass` or `melody`."""
    instrument: str
    notes: tuple[Note, ...]


@dataclass(frozen=True)
class Hit:
    """One stroke on a drum."""

    start: float
    """Beats from the beginning."""
    drum: str
    velocity: float


@dataclass(frozen=True)
class Bar:
    """What all players know about one bar."""

    index: int
    root: int
    """Degree of the chord's root."""
    section: int
    section_bar: int
    roles: frozenset[str]
    """Who plays in it."""


@dataclass(frozen=True, kw_only=True)
class Score:
    """A whole piece."""

    key: Key
    tempo: float
    """Beats per minute."""
    beats_per_bar: int
    bars: tuple[Bar, ...]
    parts: tuple[Part, ...]
    hits: tuple[Hit, ...]
    seconds: float

    @property
    def beat_seconds(self) -> float:
        """How long a beat lasts."""
        return 60 / self.tempo

    @property
    def ending_beat(self) -> float:
        """Where the final chord falls, in beats."""
        return float(len(self.bars) * self.beats_per_bar)


@dataclass(frozen=True)
class Form:
    """How many bars fit, at which tempo."""

    bar_count: int
    tempo: float


def fit_form(seconds: float, tempo: float, beats_per_bar: int, *, fixed: bool) -> Form:
    """Return the bars that leave room for a final chord within the seconds.

    A tempo that nobody asked for gives way by up to 7 % so that the last bar ends on time.
    """
    bar = beats_per_bar * 60 / tempo
    tail = min(max(1.4, bar), 3.2, 0.45 * seconds)
    room = (seconds - tail) / bar
    count = int(room) if fixed else round(room)
    # Phrases come in pairs of bars; an odd one at the end sounds cut off.
    if count > 4 and count % 2:
        count += 1 if not fixed and room > count else -1
    while count and not fixed and count > room * _MOST_HASTE:
        count -= 1
    if not count or fixed:
        return Form(count, tempo)
    fitted = count * beats_per_bar * 60 / (seconds - tail)
    return Form(count, min(tempo * _MOST_HASTE, max(tempo / _MOST_HASTE, fitted)))


def plan_bars(
    count: int,
    key: Key,
    progressions: tuple[tuple[int, ...], ...],
    roles: frozenset[str],
    chance: random.Random,
) -> tuple[Bar, ...]:
    """Return the bars with their chords and players: A A B A, thinner where it begins."""
    choices = progressions or PROGRESSIONS[key.scale]
    first = chance.choice(choices)
    others = [choice for choice in choices if choice != first]
    second = chance.choice(others) if others else first
    sections = max(1, -(-count // SECTION_BARS))
    bars: list[Bar] = []
    for index in range(count):
        section, place = divmod(index, SECTION_BARS)
        contrast = section % 4 == 2
        roots = second if contrast else first
        # Progressions of eight bars run on over two sections.
        root = roots[(index if len(roots) > SECTION_BARS else place) % len(roots)]
        if index == count - 1 and count > 1:
            root = CADENCES[key.scale]
        playing = _playing(roles, section, sections, place)
        bars.append(Bar(index, root, section, place, playing))
    return tuple(bars)


def _playing(roles: frozenset[str], section: int, sections: int, place: int) -> frozenset[str]:
    if sections >= 4 and section == 0:
        return roles - ({"melody", "drums"} if place < SECTION_BARS // 2 else {"melody"})
    if sections >= 7 and section % 8 == 6:
        return roles - {"drums", "bass"}
    if sections == 3 and section == 0 and place < SECTION_BARS // 2:
        return roles - {"melody"}
    return roles
