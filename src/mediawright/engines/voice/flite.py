"""Speech through the flite program, run as a process of its own."""

from __future__ import annotations

import re
import shutil
import subprocess
import tempfile
from functools import cache
from pathlib import Path

from mediawright.core.errors import UnavailableError
from mediawright.engines.requests import Sound
from mediawright.engines.sound_files import read_sound
from mediawright.engines.voice.text import to_ascii
from mediawright.engines.voice.voices import Voice

NAME = "flite"
_PREFERRED = ("slt", "rms", "awb", "kal16", "kal")
_DESCRIPTIONS = {
    "slt": "a woman, American",
    "rms": "a man, American; the easiest to transcribe",
    "awb": "a man, Scottish",
    "kal16": "a man, American, diphones at 16 kHz",
    "kal": "a man, American, diphones at 8 kHz",
}
_CLOCK_VOICES = frozenset({"awb_time"})
_ANSWER_SECONDS = 10.0
_SPEAK_SECONDS = 120.0


def program() -> str | None:
    """Return the path of the flite program, or `None` where it is not installed."""
    return shutil.which("flite")


@cache
def version(path: str) -> str:
    """Return the program's version, such as `2.2`."""
    found = re.search(r"flite-(\d[\w.]*)", _ask(path, "--version"))
    return found.group(1) if found else "unknown"


@cache
def voices(path: str) -> tuple[Voice, ...]:
    """Return the voices built into the program, the best first.

    Raises:
        UnavailableError: `speaker_failed` if it names none.
    """
    _, _, listed = _ask(path, "-lv").partition("Voices available:")
    names = [name for name in listed.split() if name not in _CLOCK_VOICES]
    if not names:
        raise UnavailableError(
            "speaker_failed",
            "The flite program names no voices.",
            hint="Reinstall the package flite.",
        )
    ranked = sorted(names, key=lambda name: (_rank(name), name))
    return tuple(
        Voice(name=name, language="en-us", description=_DESCRIPTIONS.get(name, "built into flite"))
        for name in ranked
    )


def default_voice(path: str) -> str:
    """Return the voice used where none is named."""
    return voices(path)[0].name


def speak_chunk(path: str, text: str, voice: str, speed: float) -> Sound:
    """Return one piece of text as it is spoken.

    Raises:
        InvalidRequestError: `unspeakable_text` if there is no Latin letter in it.
        UnavailableError: `speaker_failed` if the program fails.
    """
    with tempfile.TemporaryDirectory(prefix="mediawright-flite-") as folder:
        # The text goes by file, so that nothing in it can be taken for an option.
        source, target = Path(folder, "text.txt"), Path(folder, "speech.wav")
        source.write_text(to_ascii(text) + "\n", encoding="ascii")
        stretch = f"duration_stretch={1 / speed:.4f}"
        arguments = ("-voice", voice, "--setf", stretch, "-f", str(source), "-o", str(target))
        _run(path, arguments, _SPEAK_SECONDS)
        if not target.is_file():
            raise UnavailableError("speaker_failed", "The flite program made no sound.")
        return read_sound(target)


def _rank(name: str) -> int:
    return _PREFERRED.index(name) if name in _PREFERRED else len(_PREFERRED)


def _ask(path: str, argument: str) -> str:
    return _run(path, (argument,), _ANSWER_SECONDS)


def _run(path: str, arguments: tuple[str, ...], seconds: float) -> str:
    try:
        finished = subprocess.run(  # noqa: S603  # no shell, and the text is not an argument
            [path, *arguments],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=seconds,
            check=False,
            text=True,
            errors="replace",
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise UnavailableError(
            "speaker_failed", f"The flite program did not finish: {type(error).__name__}."
        ) from error
    return finished.stdout + finished.stderr
