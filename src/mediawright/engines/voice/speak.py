"""Text to speech."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mediawright.core.errors import InvalidRequestError, UnavailableError
from mediawright.engines.requests import Report, Sound, SpeakRequest, ignore_progress
from mediawright.engines.voice import espeak, flite
from mediawright.engines.voice.speakers import Speaker, available, speaker_in_use
from mediawright.engines.voice.text import chunks
from mediawright.engines.voice.voices import Voice

SLOWEST = 0.5
FASTEST = 2.0
_PEAK = 0.7
_PAUSE_SECONDS = 0.12
_SILENCE = 0.003


def speak(request: SpeakRequest, report: Report = ignore_progress) -> Sound:
    """Return the text as it is spoken: one channel, at the voice's own rate.

    Without a voice the default of the preferred synthesiser speaks; a named voice may belong
    to any synthesiser that is installed. The same request makes the same sound.

    Args:
        request: The text, the voice and the speed (0.5 to 2).
        report: Called after each piece of a few sentences; raising in it stops the work.

    Raises:
        InvalidRequestError: `unknown_voice` with the allowed ones in its details,
            `invalid_speed`, `empty_text`, or `unspeakable_text` for a text the voice has no
            letters for.
        UnavailableError: `no_speaker` if no synthesiser is installed, `speaker_failed` if it
            fails.
    """
    if not SLOWEST <= request.speed <= FASTEST:
        raise InvalidRequestError(
            "invalid_speed",
            f"The speed {request.speed:g} is not between {SLOWEST:g} and {FASTEST:g}.",
            pointer="/parameters/speed",
        )
    speaker, voice = choose(request.voice)
    pieces = chunks(request.text)
    parts: list[NDArray[np.float32]] = []
    rate = 0
    for index, piece in enumerate(pieces):
        report(index / len(pieces), "speaking")
        part = _speak_chunk(speaker, voice, piece, request.speed)
        rate = part.sample_rate
        if parts:
            parts.append(np.zeros((round(_PAUSE_SECONDS * rate), 1), np.float32))
        parts.append(part.samples)
    samples = np.concatenate(parts)
    peak = float(np.abs(samples).max(initial=0.0))
    if peak < _SILENCE:
        raise UnavailableError("speaker_failed", f"{speaker.name} made no sound for the text.")
    report(1.0, "speaking")
    return Sound(samples=(samples * np.float32(_PEAK / peak)), sample_rate=rate)


def choose(name: str | None) -> tuple[Speaker, Voice]:
    """Return the synthesiser and the voice that a request for `name` is spoken with.

    Raises:
        InvalidRequestError: `unknown_voice`, with the allowed ones in its details.
        UnavailableError: `no_speaker` if no synthesiser is installed.
    """
    preferred = speaker_in_use()
    wanted = preferred.default_voice if name is None else name
    for speaker in available():
        voice = speaker.voice_named(wanted)
        if voice is not None:
            return speaker, voice
    allowed = [voice.name for speaker in available() for voice in speaker.voices]
    shown = ", ".join(voice.name for voice in preferred.voices[:8])
    raise InvalidRequestError(
        "unknown_voice",
        f"There is no voice {wanted!r} here.",
        pointer="/parameters/voice",
        hint=f"{preferred.name} has: {shown}. `models show` lists all of them.",
        details={"allowed": allowed},
    )


def _speak_chunk(speaker: Speaker, voice: Voice, text: str, speed: float) -> Sound:
    if speaker.name == espeak.NAME:
        return espeak.speak_chunk(text, voice.name, speed)
    program = flite.program()
    if program is None:
        raise UnavailableError("speaker_failed", "The flite program is gone.")
    return flite.speak_chunk(program, text, voice.name, speed)
