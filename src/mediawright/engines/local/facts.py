"""What there is to know about the engines on this machine, for people to read."""

from __future__ import annotations

import importlib.util

from mediawright.core.errors import UnavailableError
from mediawright.engines.composer.styles import STYLES
from mediawright.engines.sound_files import FORMATS
from mediawright.engines.voice.speakers import Speaker, available, speaker_in_use

_NATURE = "procedural, for trying and testing"
_MANY_VOICES = 12


def facts_of(upstream_id: str) -> dict[str, str]:
    """Return the facts about an engine; every engine says honestly what it is."""
    facts = {"nature": _NATURE}
    if upstream_id == "voice":
        facts |= _voice()
    elif upstream_id == "listener":
        installed = importlib.util.find_spec("pocketsphinx") is not None
        facts["recogniser"] = "pocketsphinx" if installed else "none is installed"
        facts["language"] = "English"
    elif upstream_id == "sketch-music":
        facts["styles"] = ", ".join(style.name for style in STYLES)
        facts["formats"] = ", ".join(FORMATS)
    return facts


def _voice() -> dict[str, str]:
    try:
        speaker = speaker_in_use()
    except UnavailableError as error:
        return {"speaker": f"none is installed. {error.hint}"}
    facts = {
        "speaker": f"{speaker.name} {speaker.version}",
        "note": speaker.note,
        "default_voice": speaker.default_voice,
        "voices": _listed(speaker),
    }
    others = [other for other in available() if other.name != speaker.name]
    if others:
        facts["also"] = "; ".join(
            f"{other.name} {other.version} with {_listed(other)}" for other in others
        )
    return facts


def _listed(speaker: Speaker) -> str:
    names = [voice.name for voice in speaker.voices]
    shown = ", ".join(names[:_MANY_VOICES])
    more = len(names) - _MANY_VOICES
    return f"{shown} and {more} more" if more > 0 else shown
