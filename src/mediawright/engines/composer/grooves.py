"""Drum grooves, written on a grid of sixteenths."""

from __future__ import annotations

import random

from mediawright.engines.composer.score import SECTION_BARS, Bar, Hit

_STRENGTHS = {"X": 1.0, "x": 0.8, "o": 0.5, "-": 0.28}

# One or two bars each; "." rests.
GROOVES: dict[str, dict[str, str]] = {
    "boom bap": {
        "kick": "X.......x.x.....X..x....x.......",
        "snare": "....X.......X.......X.......X..-",
        "hat": "o.o.o.o.o.o.o.o.o.o.o.o-o.o.o.o.",
    },
    "half-time": {
        "kick": "X.....x.........X.........x.....",
        "snare": "........X...............X.......",
        "hat": "o.-.o.-.o.-.o.-.o.-.o.-.o.-.o.o.",
    },
    "rock": {
        "kick": "X.......X.x.....X.....x.X.......",
        "snare": "....X.......X.......X.......X...",
        "hat": "x.o.x.o.x.o.x.o.x.o.x.o.x.o.x.o.",
    },
    "rock open": {
        "kick": "X.x.....X.......X.x.....X.x.....",
        "snare": "....X.......X.......X.......X...",
        "ride": "x.o.x.o.x.o.x.o.x.o.x.o.x.o.x.o.",
    },
    "four on the floor": {
        "kick": "X...X...X...X...",
        "clap": "....x.......x...",
        "hat": "-.-.-.-.-.-.-.-.",
        "open hat": "..o...o...o...o.",
    },
    "techno": {
        "kick": "X...X...X...X...",
        "rim": "......o....o......o...o....o....",
        "hat": "-.-.-.-.-.-.-.-.",
        "open hat": "..o...o...o...o.",
        "clap": "............x...",
    },
    "swing": {
        "ride": "x...x.o.x...x.o.",
        "foot hat": "....o.......o...",
        "kick": "o.......-.......",
        "brush": "......-.......-.......-....-....",
    },
    "war drums": {
        "tom": "X..o..x.X.......X..o..x.x.o.x.o.",
        "low tom": "X...............X.......X.......",
    },
    "shaker": {
        "shaker": "o-x-o-x-o-x-o-x-",
        "soft kick": "o.......o.......",
    },
    "chip": {
        "chip kick": "X.....x.X.......",
        "chip snare": "....X.......X..o",
        "chip hat": "o.o.o.o.o.o.o.o.",
    },
    "pop": {
        "kick": "X.....x.X.......X.....x.X.x.....",
        "snare": "....X.......X.......X.......X...",
        "hat": "o.-.o.-.o.-.o.-.o.-.o.-.o.-.o.x.",
        "shaker": "-.-.-.-.-.-.-.-.",
    },
}

_FILL_DRUMS = {
    "boom bap": ("snare",),
    "rock": ("snare", "tom", "low tom"),
    "rock open": ("snare", "tom", "low tom"),
    "pop": ("snare", "tom"),
    "chip": ("chip snare",),
    "war drums": ("tom", "low tom"),
}
_CRASHING = frozenset({"rock", "rock open", "pop", "four on the floor", "techno", "war drums"})


def play_drums(bars: tuple[Bar, ...], groove: str, beats: int, chance: random.Random) -> list[Hit]:
    """Return the strokes of the bars in which the drummer plays, with fills and crashes."""
    hits: list[Hit] = []
    steps = beats * 4
    played_before = False
    for bar in bars:
        if "drums" not in bar.roles:
            played_before = False
            continue
        start = float(bar.index * beats)
        fills = bar.section_bar == SECTION_BARS - 1 and groove in _FILL_DRUMS
        limit = steps - 4 if fills else steps
        for drum, pattern in GROOVES[groove].items():
            offset = bar.index * steps
            for step in range(limit if drum != "hat" else steps):
                strength = _STRENGTHS.get(pattern[(offset + step) % len(pattern)], 0.0)
                if strength:
                    velocity = strength * chance.uniform(0.9, 1.0)
                    hits.append(Hit(start + step / 4, drum, velocity))
        if fills:
            hits.extend(_fill(groove, start + beats - 1, chance))
        if groove in _CRASHING and (bar.section_bar == 0 or not played_before):
            hits.append(Hit(start, "crash", 0.6))
        played_before = True
    return hits


def last_hits(groove: str, beat: float) -> list[Hit]:
    """Return the strokes under the final chord."""
    first = next(iter(GROOVES[groove]))
    hits = [Hit(beat, first, 0.9)]
    return [*hits, Hit(beat, "crash", 0.7)] if groove in _CRASHING else hits


def _fill(groove: str, start: float, chance: random.Random) -> list[Hit]:
    drums = _FILL_DRUMS[groove]
    strokes = chance.choice(((0, 1, 2, 3), (0, 2, 3), (1, 2, 3), (0, 2)))
    return [
        Hit(
            start + stroke / 4,
            drums[min(len(drums) - 1, stroke * len(drums) // 4)],
            0.55 + stroke / 10,
        )
        for stroke in strokes
    ]
