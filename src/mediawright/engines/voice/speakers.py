"""The speech synthesisers of this machine and their voices."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from mediawright.core.errors import UnavailableError
from mediawright.engines.voice import espeak, flite
from mediawright.engines.voice.voices import Voice


@dataclass(frozen=True, kw_only=True)
class Speaker:
    """A speech synthesiser that can be used here."""

    name: str
    """`flite` or `espeak-ng`."""
    version: str
    voices: tuple[Voice, ...]
    default_voice: str
    note: str
    """What to expect of it, in one sentence."""

    def voice_named(self, name: str) -> Voice | None:
        """Return the voice of that name, if it has one."""
        return next((voice for voice in self.voices if voice.name == name), None)


def available() -> tuple[Speaker, ...]:
    """Return the synthesisers that can be used here, the preferred one first."""
    speakers: list[Speaker] = []
    program = flite.program()
    if program is not None:
        speakers.append(_flite_speaker(program))
    if espeak.is_installed():
        speakers.append(_espeak_speaker())
    return tuple(speakers)


def speaker_in_use() -> Speaker:
    """Return the synthesiser that speaks where no voice is named.

    Raises:
        UnavailableError: `no_speaker` if this machine has none.
    """
    speakers = available()
    if not speakers:
        raise UnavailableError(
            "no_speaker",
            "No speech synthesiser is installed.",
            hint="Run: pip install 'mediawright[speech]', or install the package flite"
            " (Debian: apt install flite; Homebrew: brew install flite).",
        )
    return speakers[0]


@cache
def _flite_speaker(program: str) -> Speaker:
    return Speaker(
        name=flite.NAME,
        version=flite.version(program),
        voices=flite.voices(program),
        default_voice=flite.default_voice(program),
        note="Small recorded voices, English only; clear enough to be transcribed.",
    )


@cache
def _espeak_speaker() -> Speaker:
    return Speaker(
        name=espeak.NAME,
        version=espeak.version(),
        voices=espeak.voices(),
        default_voice=espeak.DEFAULT_VOICE,
        note="Formant synthesis in many languages: robotic, and hard to transcribe.",
    )
