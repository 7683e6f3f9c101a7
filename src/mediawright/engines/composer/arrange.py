"""From a brief to a score."""

from __future__ import annotations

import random

from mediawright.engines.composer.accompaniment import (
    bass_pitch,
    hold_chords,
    play_bass,
    play_chords,
)
from mediawright.engines.composer.brief import Brief
from mediawright.engines.composer.grooves import last_hits, play_drums
from mediawright.engines.composer.melody import play_melody
from mediawright.engines.composer.score import Note, Part, Score, fit_form, plan_bars
from mediawright.engines.composer.theory import voiced


def arrange(brief: Brief, seconds: float, chance: random.Random) -> Score:
    """Return a piece that ends, final chord included, after exactly so many seconds."""
    style, key, beats = brief.style, brief.key, brief.style.beats_per_bar
    form = fit_form(seconds, brief.tempo, beats, fixed=brief.tempo_is_fixed)
    roles = {"chords", "bass", "melody"}
    roles |= {"pad"} if style.pad else set()
    roles |= {"drums"} if brief.drums else set()
    bars = plan_bars(form.bar_count, key, style.progressions, frozenset(roles), chance)
    size = 4 if style.sevenths else 3
    ending = float(form.bar_count * beats)
    left = seconds * form.tempo / 60 - ending
    chords = play_chords(key, bars, style.chord_pattern, chance, beats=beats, size=size)
    bass = play_bass(key, bars, style.bass_pattern, beats, chance)
    melody = play_melody(
        key, bars, chance, octave=style.melody_octave, density=style.density, beats=beats
    )
    final = voiced(key.chord(0, 3), 60, None)
    # Rolled from the bottom, as hands do it.
    roll = min(0.05, left / 20)
    chords += [
        Note(ending + place * roll, left - place * roll, pitch, 0.6)
        for place, pitch in enumerate(final)
    ]
    bass.append(Note(ending, left, bass_pitch(key, 0), 0.75))
    last = melody[-1].pitch if melody else 12 * (style.melody_octave + 1)
    melody.append(Note(ending, left, key.nearest(last, frozenset({key.tonic})), 0.6))
    parts = [
        Part(role="chords", instrument=style.chords, notes=tuple(chords)),
        Part(role="bass", instrument=style.bass, notes=tuple(bass)),
        Part(role="melody", instrument=style.melody, notes=tuple(melody)),
    ]
    if style.pad:
        held = hold_chords(key, bars, beats, 3) + [Note(ending, left, p, 0.5) for p in final]
        parts.append(Part(role="pad", instrument=style.pad, notes=tuple(held)))
    hits = play_drums(bars, brief.drums, beats, chance) if brief.drums else []
    if brief.drums:
        hits += last_hits(brief.drums, ending)
    return Score(
        key=key,
        tempo=form.tempo,
        beats_per_bar=beats,
        bars=bars,
        parts=tuple(parts),
        hits=tuple(hits),
        seconds=seconds,
    )
