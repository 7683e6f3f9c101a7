"""Speech through the espeak-ng library that the `espeakng-loader` package ships.

The C library is not thread-safe, and what it spoke before changes what it speaks next. So
each piece of text is spoken by a process of its own (some 40 ms more), and the same text
always sounds the same.
"""

from __future__ import annotations

import importlib
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from mediawright.core.errors import UnavailableError
from mediawright.engines.requests import Sound
from mediawright.engines.voice.voices import Voice

NAME = "espeak-ng"
DEFAULT_VOICE = "en-us"
_NORMAL_RATE = 175
"""Words per minute at speed 1: the library's own default."""
_ANSWER_SECONDS = 30.0
_SPEAK_SECONDS = 120.0
_ENGLISH_TIMBRES = {
    "f2": "a woman",
    "f3": "a woman, higher",
    "f4": "a woman, softer",
    "m1": "a man",
    "m3": "a man, deeper",
    "m7": "a man, brighter",
    "whisper": "whispered",
}
_WITHOUT_DICTIONARY = frozenset({"fo", "kaa", "xex"})
"""Listed by the library, but the package lacks their dictionaries."""


class _Language(msgspec.Struct, frozen=True):
    tag: str
    name: str
    file: str


class _Description(msgspec.Struct, frozen=True):
    version: str
    sample_rate: int
    languages: tuple[_Language, ...]


def is_installed() -> bool:
    """Whether the library and its data are here and can be used."""
    return _description() is not None


def version() -> str:
    """Return the library's version, such as `1.52.0`.

    Raises:
        UnavailableError: `no_speaker` if it is not installed.
    """
    return _described().version


def voices() -> tuple[Voice, ...]:
    """Return the voices: American English in several timbres first, then by language.

    Raises:
        UnavailableError: `no_speaker` if the library is not installed.
    """
    names = {tag: language.name for tag, language in _languages().items()}
    english = names.pop(DEFAULT_VOICE, "English (America)")
    first = [Voice(name=DEFAULT_VOICE, language=DEFAULT_VOICE, description=english)]
    timbres = [
        Voice(
            name=f"{DEFAULT_VOICE}+{timbre}",
            language=DEFAULT_VOICE,
            description=f"{english}, {described}",
        )
        for timbre, described in _ENGLISH_TIMBRES.items()
    ]
    others = [
        Voice(name=tag, language=tag, description=name)
        for tag, name in sorted(names.items(), key=lambda item: (item[0][:2] != "en", item[0]))
    ]
    return tuple(first + timbres + others)


def speak_chunk(text: str, voice: str, speed: float) -> Sound:
    """Return one piece of text as it is spoken.

    Raises:
        UnavailableError: `no_speaker` if the library is not installed, `speaker_failed` if
            it fails.
    """
    tag, plus, timbre = voice.partition("+")
    language = _languages().get(tag)
    if language is None:
        raise UnavailableError("speaker_failed", f"espeak-ng has no voice {voice}.")
    rate = round(_NORMAL_RATE * speed)
    heard = _run(("speak", language.file + plus + timbre, str(rate)), text.encode(), _SPEAK_SECONDS)
    samples = np.frombuffer(heard[: len(heard) // 2 * 2], dtype="<i2").astype(np.float32)
    samples = (samples / np.float32(32_768)).astype(np.float32)
    return Sound(samples=samples.reshape(-1, 1), sample_rate=_described().sample_rate)


def _described() -> _Description:
    description = _description()
    if description is None:
        raise UnavailableError(
            "no_speaker",
            "The espeak-ng library is not installed.",
            hint="Run: pip install 'mediawright[speech]'.",
        )
    return description


@cache
def _description() -> _Description | None:
    try:
        answer = _run(("describe",), b"", _ANSWER_SECONDS)
        return msgspec.json.decode(answer, type=_Description)
    except (ImportError, RuntimeError, UnavailableError, msgspec.DecodeError):
        return None


@cache
def _languages() -> dict[str, _Language]:
    found: dict[str, _Language] = {}
    for language in _described().languages:
        if language.tag not in _WITHOUT_DICTIONARY:
            found.setdefault(language.tag, language)
    return found


def _run(arguments: tuple[str, ...], text: bytes, seconds: float) -> bytes:
    loader: Any = importlib.import_module("espeakng_loader")
    script = str(Path(__file__).with_name("espeak_process.py"))
    # Isolated and without site packages: the script needs neither, and starts faster.
    command = (sys.executable, "-I", "-S", script)
    library, data = str(loader.get_library_path()), str(loader.get_data_path())
    try:
        finished = subprocess.run(  # noqa: S603  # no shell; the text goes by standard input
            [*command, library, data, *arguments],
            input=text,
            capture_output=True,
            timeout=seconds,
            check=True,
        )
    except (OSError, subprocess.SubprocessError) as error:
        raise UnavailableError(
            "speaker_failed", f"espeak-ng failed: {type(error).__name__}."
        ) from error
    return finished.stdout
