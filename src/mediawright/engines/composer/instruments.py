"""The instruments: each turns a pitch, a length and a velocity into one note's sound."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from mediawright.engines.composer.theory import frequency
from mediawright.engines.composer.waves import (
    Curve,
    Wave,
    attack_release,
    decay,
    harmonics_below,
    noise,
    partials,
    plucked,
    saw_amplitudes,
    times,
    unit,
    vibrato,
)


@dataclass(frozen=True)
class Tone:
    """What an instrument is asked to sound."""

    hertz: float
    seconds: float
    """How long the key is held; the sound may ring on."""
    velocity: float
    rate: int
    chance: np.random.Generator


def play(instrument: str, pitch: int, seconds: float, velocity: float, rate: int) -> Wave:
    """Return one note's sound with a peak of about its velocity.

    The same arguments give the same sound.
    """
    chance = np.random.default_rng([pitch, round(seconds * 1000), round(velocity * 100)])
    tone = Tone(frequency(pitch), seconds, velocity, rate, chance)
    return unit(_INSTRUMENTS[instrument](tone)) * np.float32(velocity)


def _piano(tone: Tone) -> Curve:
    clock = times(tone.seconds + 0.35, tone.rate)
    count = harmonics_below(tone.hertz, 2_500 + 5_000 * tone.velocity, tone.rate, most=14)
    sustain = 4.5 * (261 / tone.hertz) ** 0.45
    total = np.zeros_like(clock)
    for number in range(1, count + 1):
        # Stiff strings sound a little sharp in their upper partials.
        stretched = tone.hertz * number * np.sqrt(1 + 0.00035 * number * number)
        loud = number ** -(1.9 - 0.8 * tone.velocity)
        ring = decay(clock, sustain / (0.75 + 0.25 * number))
        beat = 0.6 * np.sin(2 * np.pi * stretched * clock) + 0.4 * np.sin(
            2 * np.pi * stretched * 1.0007 * clock + 0.4
        )
        total += loud * ring * beat
    knock = noise(len(clock), tone.rate, 120, 1_800, tone.chance) * decay(clock, 0.06)
    return (total + 0.18 * knock) * attack_release(len(clock), 0.003, 0.3, tone.rate)


def _electric_piano(tone: Tone) -> Curve:
    clock = times(tone.seconds + 0.4, tone.rate)
    turn = 2 * np.pi * tone.hertz * clock
    bite = (0.5 + 1.6 * tone.velocity) * decay(clock, 1.1)
    body = np.sin(turn + bite * np.sin(turn)) * decay(clock, 4.5)
    tine = 0.16 * np.sin(turn * 7.03) * decay(clock, 0.4)
    wobble = 1 + 0.08 * np.sin(2 * np.pi * 4.6 * clock)
    return (body + tine) * wobble * attack_release(len(clock), 0.004, 0.35, tone.rate)


def _bell(tone: Tone) -> Curve:
    clock = times(tone.seconds + 1.8, tone.rate)
    turn = 2 * np.pi * tone.hertz * clock
    shimmer = 1.4 * decay(clock, 1.6) * np.sin(3.5 * turn)
    sound = np.sin(turn + shimmer) * decay(clock, 4.0) + 0.3 * np.sin(2 * turn) * decay(clock, 2.5)
    return sound * attack_release(len(clock), 0.004, 1.0, tone.rate)


def _detuned_saws(
    tone: Tone, clock: Curve, cutoff: float, cents: tuple[float, ...], shake: float
) -> Curve:
    count = harmonics_below(tone.hertz, cutoff * 2.2, tone.rate)
    amplitudes = saw_amplitudes(count, tone.hertz, cutoff)
    total = np.zeros_like(clock)
    for detune in cents:
        hertz = tone.hertz * 2 ** (detune / 1200)
        start = tone.chance.uniform(0, 2 * np.pi)
        turn = 2 * np.pi * hertz * (clock + vibrato(clock, 5.1, shake)) + start
        total += partials(turn, amplitudes)
    return total


def _pad(tone: Tone) -> Curve:
    clock = times(tone.seconds + 0.9, tone.rate)
    sound = _detuned_saws(tone, clock, 900, (-9.0, 0.0, 8.0), 0.0015)
    attack = min(0.7, tone.seconds * 0.4)
    return sound * attack_release(len(clock), attack, 0.9, tone.rate)


def _strings(tone: Tone) -> Curve:
    clock = times(tone.seconds + 0.3, tone.rate)
    sound = _detuned_saws(tone, clock, 2_200, (-7.0, -2.0, 6.0), 0.004)
    attack = min(0.14, tone.seconds * 0.3)
    return sound * attack_release(len(clock), attack, 0.3, tone.rate)


def _low_strings(tone: Tone) -> Curve:
    clock = times(tone.seconds + 0.25, tone.rate)
    sound = _detuned_saws(tone, clock, 900, (-6.0, 5.0), 0.002)
    return sound * attack_release(len(clock), 0.06, 0.25, tone.rate)


def _pizzicato(tone: Tone) -> Curve:
    ring = min(0.9, tone.seconds + 0.3)
    sound = plucked(tone.hertz, ring, tone.rate, 0.3, tone.chance)
    clock = times(ring, tone.rate)[: len(sound)]
    return sound * decay(clock, 0.9) * attack_release(len(sound), 0.002, 0.1, tone.rate)


def _brass(tone: Tone) -> Curve:
    clock = times(tone.seconds + 0.2, tone.rate)
    count = harmonics_below(tone.hertz, 5_000, tone.rate, most=18)
    opening = np.clip(clock / 0.09, 0, 1)
    # Brass opens up: the higher a partial, the later it comes.
    dampings = [opening ** (0.6 + 0.35 * number) for number in range(count)]
    amplitudes = saw_amplitudes(count, tone.hertz, 900 + 1_500 * tone.velocity)
    turn = 2 * np.pi * tone.hertz * (clock + vibrato(clock, 5.3, 0.003, 0.4))
    sound = partials(turn, amplitudes, dampings)
    return sound * attack_release(len(clock), 0.03, 0.2, tone.rate)


def _flute(tone: Tone) -> Curve:
    clock = times(tone.seconds + 0.12, tone.rate)
    turn = 2 * np.pi * tone.hertz * (clock + vibrato(clock, 5.0, 0.0035, 0.3))
    breath = noise(len(clock), tone.rate, tone.hertz * 0.8, tone.hertz * 3, tone.chance)
    puff = 0.05 + 0.12 * decay(clock, 0.25)
    sound = partials(turn, [1.0, 0.32, 0.12, 0.04]) + puff * breath
    attack = min(0.07, tone.seconds * 0.3)
    return sound * attack_release(len(clock), attack, 0.12, tone.rate)


def _guitar(tone: Tone) -> Curve:
    ring = min(3.0, tone.seconds + 0.4)
    sound = plucked(tone.hertz, ring, tone.rate, 0.55 + 0.3 * tone.velocity, tone.chance)
    return sound * attack_release(len(sound), 0.002, 0.35, tone.rate)


def _pluck(tone: Tone) -> Curve:
    clock = times(tone.seconds + 0.5, tone.rate)
    count = harmonics_below(tone.hertz, 6_000, tone.rate, most=16)
    dampings = [decay(clock, 1.4 / (0.7 + 0.45 * number)) for number in range(count)]
    amplitudes = saw_amplitudes(count, tone.hertz, 3_500)
    sound = partials(2 * np.pi * tone.hertz * clock, amplitudes, dampings)
    return sound * attack_release(len(clock), 0.003, 0.3, tone.rate)


def _driven(tone: Tone, drive: float, fifth: float) -> Curve:
    ring = min(4.0, tone.seconds + 0.06)
    sound = plucked(tone.hertz, ring, tone.rate, 0.9, tone.chance)
    if fifth:
        sound = sound + fifth * plucked(tone.hertz * 1.5, ring, tone.rate, 0.9, tone.chance)
    smooth = np.convolve(np.tanh(drive * sound), np.hanning(13) / np.hanning(13).sum(), "same")
    return smooth * attack_release(len(smooth), 0.003, 0.06, tone.rate)


def _drive_guitar(tone: Tone) -> Curve:
    return _driven(tone, 5.0, 0.0)


def _lead_guitar(tone: Tone) -> Curve:
    clock = times(tone.seconds + 0.15, tone.rate)
    count = harmonics_below(tone.hertz, 5_500, tone.rate, most=14)
    turn = 2 * np.pi * tone.hertz * (clock + vibrato(clock, 5.6, 0.006, 0.2))
    sound = np.tanh(1.6 * partials(turn, saw_amplitudes(count, tone.hertz, 2_400)))
    fade = 0.35 + 0.65 * decay(clock, 3.5)
    return sound * fade * attack_release(len(clock), 0.006, 0.15, tone.rate)


def _electric_bass(tone: Tone) -> Curve:
    clock = times(tone.seconds + 0.08, tone.rate)
    count = harmonics_below(tone.hertz, 1_600, tone.rate, most=16)
    dampings = [decay(clock, 3.0 / (1 + 0.5 * number)) for number in range(count)]
    amplitudes = saw_amplitudes(count, tone.hertz, 420)
    sound = partials(2 * np.pi * tone.hertz * clock, amplitudes, dampings)
    return sound * attack_release(len(clock), 0.005, 0.08, tone.rate)


def _upright_bass(tone: Tone) -> Curve:
    clock = times(tone.seconds + 0.2, tone.rate)
    string = plucked(tone.hertz, len(clock) / tone.rate, tone.rate, 0.25, tone.chance)[: len(clock)]
    body = np.sin(2 * np.pi * tone.hertz * clock) * decay(clock, 2.2)
    sound = 0.75 * body + 0.45 * np.pad(string, (0, len(clock) - len(string)))
    return sound * attack_release(len(clock), 0.006, 0.18, tone.rate)


def _synth_bass(tone: Tone) -> Curve:
    clock = times(tone.seconds + 0.04, tone.rate)
    count = harmonics_below(tone.hertz, 2_400, tone.rate, most=24)
    dampings = [decay(clock, 1.6 / (0.5 + 0.22 * number)) for number in range(count)]
    amplitudes = saw_amplitudes(count, tone.hertz, 700)
    sound = partials(2 * np.pi * tone.hertz * clock, amplitudes, dampings)
    return sound * attack_release(len(clock), 0.004, 0.04, tone.rate)


def _sub_bass(tone: Tone) -> Curve:
    clock = times(tone.seconds + 0.1, tone.rate)
    # A few harmonics, so that small loudspeakers let it be heard too.
    sound = np.tanh(1.3 * partials(2 * np.pi * tone.hertz * clock, [1.0, 0.25, 0.12]))
    return sound * attack_release(len(clock), 0.012, 0.1, tone.rate)


def _synth(tone: Tone) -> Curve:
    clock = times(tone.seconds + 0.25, tone.rate)
    count = harmonics_below(tone.hertz, 7_000, tone.rate, most=20)
    dampings = [0.25 + 0.75 * decay(clock, 1.2 / (0.6 + 0.2 * number)) for number in range(count)]
    amplitudes = saw_amplitudes(count, tone.hertz, 2_600)
    sound = np.zeros_like(clock)
    for detune in (-6.0, 6.0):
        turn = 2 * np.pi * tone.hertz * 2 ** (detune / 1200) * clock
        sound += partials(turn, amplitudes, dampings)
    return sound * attack_release(len(clock), 0.006, 0.22, tone.rate)


def _pulse_wave(tone: Tone, width: float, shake: float) -> Curve:
    clock = times(tone.seconds + 0.02, tone.rate)
    count = harmonics_below(tone.hertz, 9_000, tone.rate, most=30)
    amplitudes = [np.sin(np.pi * number * width) / number for number in range(1, count + 1)]
    turn = 2 * np.pi * tone.hertz * (clock + vibrato(clock, 6.0, shake, 0.15))
    sound = partials(turn, amplitudes)
    fade = 0.5 + 0.5 * decay(clock, 1.5)
    return sound * fade * attack_release(len(clock), 0.002, 0.02, tone.rate)


def _square(tone: Tone) -> Curve:
    return _pulse_wave(tone, 0.5, 0.004)


def _pulse(tone: Tone) -> Curve:
    return _pulse_wave(tone, 0.25, 0.0)


def _triangle(tone: Tone) -> Curve:
    clock = times(tone.seconds + 0.02, tone.rate)
    count = harmonics_below(tone.hertz, 4_000, tone.rate, most=15)
    amplitudes = [
        (-1) ** ((number - 1) // 2) / number**2 if number % 2 else 0.0
        for number in range(1, count + 1)
    ]
    sound = partials(2 * np.pi * tone.hertz * clock, amplitudes)
    return sound * attack_release(len(clock), 0.002, 0.02, tone.rate)


_INSTRUMENTS: dict[str, Callable[[Tone], Curve]] = {
    "piano": _piano,
    "electric piano": _electric_piano,
    "bell": _bell,
    "pad": _pad,
    "strings": _strings,
    "low strings": _low_strings,
    "strings pizzicato": _pizzicato,
    "low strings pizzicato": _pizzicato,
    "brass": _brass,
    "flute": _flute,
    "guitar": _guitar,
    "pluck": _pluck,
    "drive guitar": _drive_guitar,
    "lead guitar": _lead_guitar,
    "electric bass": _electric_bass,
    "upright bass": _upright_bass,
    "synth bass": _synth_bass,
    "sub bass": _sub_bass,
    "synth": _synth,
    "square": _square,
    "pulse": _pulse,
    "triangle": _triangle,
}


LEVELS: dict[str, float] = {
    "sub bass": 0.55,
    "triangle": 0.6,
    "synth bass": 0.85,
    "electric bass": 0.95,
    "low strings": 0.85,
    "low strings pizzicato": 1.5,
    "strings pizzicato": 1.5,
    "strings": 0.7,
    "flute": 0.6,
    "square": 0.6,
    "brass": 0.7,
    "guitar": 1.45,
    "drive guitar": 0.85,
    "lead guitar": 0.9,
}
"""How loud each is in the mix, beside 1 for those not named: long notes sound louder."""
