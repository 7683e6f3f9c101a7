"""From a score to sound: every note played, placed, put into a room and levelled."""

from __future__ import annotations

import random

import numpy as np

from mediawright.engines.composer import drums
from mediawright.engines.composer.effects import add_crackle, add_echo, add_room, brighten, limit
from mediawright.engines.composer.instruments import LEVELS, play
from mediawright.engines.composer.score import Note, Part, Score
from mediawright.engines.composer.styles import Style
from mediawright.engines.composer.waves import Wave
from mediawright.engines.requests import Report

_LEVELS = {"chords": 0.21, "pad": 0.085, "bass": 0.36, "melody": 0.25}
_PLACES = {"chords": -0.18, "pad": 0.0, "bass": 0.0, "melody": 0.16}
_ECHOING = frozenset({"melody", "chords"})
_LOUDNESS = 0.17
_CEILING = 0.82
"""Below full scale, because lossy formats overshoot."""
_TREBLE = 0.6
_FADE_SECONDS = 1.6
_NOTES_PER_REPORT = 12
_EIGHTH = 0.5
"""Beats."""


class _Desk:
    """The mixing desk: a dry bus, a bus that the kick ducks, and the sends."""

    def __init__(self, frames: int, rate: int, style: Style) -> None:
        self.rate = rate
        self.dry: Wave = np.zeros((frames, 2), np.float32)
        self.ducked: Wave = np.zeros((frames, 2), np.float32) if style.ducking else self.dry
        self.room: Wave = np.zeros(frames, np.float32)
        self.echo: Wave = np.zeros(frames if style.echo else 0, np.float32)

    def add(
        self, sound: Wave, start: float, place: float, room: float, *, echo: float, ducks: bool
    ) -> None:
        """Add a sound that begins at so many seconds, standing at a place from -1 to 1."""
        begin = max(0, round(start * self.rate))
        end = min(len(self.dry), begin + len(sound))
        if end <= begin:
            return
        heard = sound[: end - begin]
        angle = (place + 1) * np.pi / 4
        sides = np.array([np.cos(angle), np.sin(angle)], np.float32)
        bus = self.ducked if ducks else self.dry
        bus[begin:end] += heard[:, None] * sides
        self.room[begin:end] += heard * np.float32(room)
        if echo and len(self.echo):
            self.echo[begin:end] += heard * np.float32(echo)


def mix_down(score: Score, style: Style, rate: int, number: int, report: Report) -> Wave:
    """Return the sound of a score in two channels, exactly as long as the score says.

    Args:
        score: What is played.
        style: How it is played and in which room.
        rate: Hz.
        number: Source of all chance, such as how far players stray from the beat.
        report: Called now and then with the part done.
    """
    frames = round(score.seconds * rate)
    desk = _Desk(frames, rate, style)
    chance = random.Random(number)  # noqa: S311  # music, not secrets
    total = sum(len(part.notes) for part in score.parts) + 1
    done = 0
    for part in score.parts:
        for start in range(0, len(part.notes), _NOTES_PER_REPORT):
            group = part.notes[start : start + _NOTES_PER_REPORT]
            _play_notes(desk, score, style, chance, part=part, notes=group)
            done += len(group)
            report(0.05 + 0.75 * done / total, f"playing {part.instrument}")
    _play_drums(desk, score, style, chance)
    report(0.82, "mixing")
    if style.ducking:
        desk.ducked *= _ducking(score, style, rate, frames)[:, None]
        desk.dry += desk.ducked
    mix, seed = desk.dry, number % (1 << 32)
    add_room(mix, desk.room, rate, seconds=style.room_seconds, level=style.reverb, seed=seed)
    report(0.92, "mixing")
    if style.echo:
        add_echo(mix, desk.echo, rate, step=0.75 * score.beat_seconds, level=style.echo)
    brighten(mix, rate, _TREBLE)
    limit(mix, rate, _LOUDNESS, _CEILING)
    if style.crackle:
        add_crackle(mix, rate, seed)
    _fade(mix, score, rate)
    return mix


def _play_notes(
    desk: _Desk,
    score: Score,
    style: Style,
    chance: random.Random,
    *,
    part: Part,
    notes: tuple[Note, ...],
) -> None:
    level = _LEVELS[part.role] * LEVELS.get(part.instrument, 1.0)
    place = _PLACES[part.role]
    for note in notes:
        velocity = min(1.0, round(note.velocity * chance.uniform(0.92, 1.04), 1))
        seconds = round(note.length * score.beat_seconds, 2)
        sound = play(part.instrument, note.pitch, seconds, velocity, desk.rate)
        spread = (note.pitch - 60) / 90 if part.role == "chords" else 0.0
        desk.add(
            sound * np.float32(level),
            _moment(note.start, score, style, chance),
            max(-0.8, min(0.8, place + spread)),
            0.25 if part.role == "bass" else 1.0,
            echo=1.0 if part.role in _ECHOING else 0.0,
            ducks=part.role != "melody",
        )


def _play_drums(desk: _Desk, score: Score, style: Style, chance: random.Random) -> None:
    for hit in score.hits:
        sound = drums.strike(hit.drum, desk.rate)
        desk.add(
            sound * np.float32(drums.LEVELS[hit.drum] * hit.velocity),
            _moment(hit.start, score, style, chance),
            drums.PLACES.get(hit.drum, 0.0),
            0.1 if "kick" in hit.drum else 0.45,
            echo=0.0,
            ducks=False,
        )


def _moment(beat: float, score: Score, style: Style, chance: random.Random) -> float:
    """Return when something written for a beat is played, in seconds."""
    whole, part = divmod(beat, 1.0)
    if style.swing:
        # The second eighth of each beat comes late, and what is around it is stretched.
        late = _EIGHTH * (1 + 0.5 * style.swing)
        if part < _EIGHTH:
            part *= late / _EIGHTH
        else:
            part = late + (part - _EIGHTH) / _EIGHTH * (1 - late)
    strayed = chance.gauss(0.0, style.human) if style.human else 0.0
    return max(0.0, (whole + part) * score.beat_seconds + strayed)


def _ducking(score: Score, style: Style, rate: int, frames: int) -> Wave:
    """Return the gain of the bus that steps back at each kick."""
    gain = np.ones(frames, np.float32)
    length = round(min(0.3, score.beat_seconds * 0.8) * rate)
    dip = 1 - style.ducking * np.exp(-np.arange(length) / (0.3 * length)) * np.linspace(
        1, 0, length
    )
    for hit in score.hits:
        if hit.drum == "kick":
            begin = round(hit.start * score.beat_seconds * rate)
            end = min(frames, begin + length)
            if begin < end:
                gain[begin:end] = np.minimum(gain[begin:end], dip[: end - begin])
    return gain


def _fade(mix: Wave, score: Score, rate: int) -> None:
    """Let the mix fade to silence while its last chord rings."""
    ringing = score.seconds - score.ending_beat * score.beat_seconds
    length = min(len(mix), max(1, round(min(_FADE_SECONDS, 0.7 * ringing) * rate)))
    mix[-length:] *= (np.cos(np.linspace(0, np.pi / 2, length)) ** 2).astype(np.float32)[:, None]
