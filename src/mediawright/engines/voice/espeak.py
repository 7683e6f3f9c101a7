"""Speech through the espeak-ng library that the `espeakng-loader` package ships.

The C library keeps one state per process and is not thread-safe: everything that touches
it holds one lock.
"""

from __future__ import annotations

import ctypes
import importlib
import threading
from functools import cache
from pathlib import Path
from typing import Any, ClassVar, cast

import numpy as np

from mediawright.core.errors import UnavailableError
from mediawright.engines.requests import Sound
from mediawright.engines.voice.voices import Voice

NAME = "espeak-ng"
DEFAULT_VOICE = "en-us"
_NORMAL_RATE = 175
"""Words per minute at speed 1: the library's own default."""
_SYNCHRONOUS = 2
_DO_NOT_EXIT = 0x8000
_UTF8 = 1
_POSITION_CHARACTER = 1
_RATE = 1
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

_lock = threading.Lock()


class _VoiceRecord(ctypes.Structure):
    """`espeak_VOICE` of speak_lib.h."""

    _fields_: ClassVar[list[tuple[str, Any]]] = [  # pyright: ignore[reportIncompatibleVariableOverride]  # a list is what ctypes asks for
        ("name", ctypes.c_char_p),
        ("languages", ctypes.c_char_p),
        ("identifier", ctypes.c_char_p),
        ("gender", ctypes.c_ubyte),
        ("age", ctypes.c_ubyte),
        ("variant", ctypes.c_ubyte),
        ("reserved", ctypes.c_ubyte),
        ("score", ctypes.c_int),
        ("spare", ctypes.c_void_p),
    ]


_Callback = ctypes.CFUNCTYPE(
    ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.c_void_p
)


class _Library:
    """The loaded library; used under the module's lock only."""

    def __init__(self, path: str, data: str) -> None:
        self._calls = ctypes.CDLL(path)
        self._calls.espeak_ListVoices.restype = ctypes.POINTER(ctypes.POINTER(_VoiceRecord))
        self._calls.espeak_Info.restype = ctypes.c_char_p
        options = (_SYNCHRONOUS, 0, data.encode(), _DO_NOT_EXIT)
        self.sample_rate = int(self._calls.espeak_Initialize(*options))
        if self.sample_rate <= 0:
            raise OSError("espeak_Initialize failed")
        self._heard: list[bytes] = []
        # The library keeps the bare pointer, so the object must live as long as it.
        self._callback = _Callback(self._hear)
        self._calls.espeak_SetSynthCallback(self._callback)

    def version(self) -> str:
        return cast(bytes, self._calls.espeak_Info(None)).decode()

    def languages(self) -> dict[str, tuple[str, str]]:
        """Return the readable name and the voice file of each language tag."""
        records = self._calls.espeak_ListVoices(None)
        found: dict[str, tuple[str, str]] = {}
        index = 0
        while records[index]:
            record = records[index].contents
            # A byte of priority stands before each tag.
            tag = bytes(record.languages)[1:].decode().lower()
            name, file = bytes(record.name).decode().strip(), bytes(record.identifier).decode()
            if tag not in _WITHOUT_DICTIONARY:
                found.setdefault(tag, (name, file))
            index += 1
        return found

    def speak(self, text: str, voice: str, words_per_minute: int) -> bytes:
        self._heard.clear()
        if self._calls.espeak_SetVoiceByName(voice.encode()) != 0:
            raise OSError(f"espeak-ng has no voice {voice}")
        self._calls.espeak_SetParameter(_RATE, words_per_minute, 0)
        data = text.encode() + b"\0"
        status = self._calls.espeak_Synth(
            data, ctypes.c_size_t(len(data)), 0, _POSITION_CHARACTER, 0, _UTF8, None, None
        )
        if status != 0:
            raise OSError(f"espeak_Synth answered {status}")
        return b"".join(self._heard)

    def _hear(self, samples: Any, count: int, events: int | None) -> int:
        del events
        if samples and count > 0:
            self._heard.append(ctypes.string_at(samples, count * 2))
        return 0


def is_installed() -> bool:
    """Whether the library and its data are here and can be loaded."""
    with _lock:
        return _library() is not None


@cache
def version() -> str:
    """Return the library's version, such as `1.52.0`."""
    with _lock:
        return _loaded().version()


@cache
def voices() -> tuple[Voice, ...]:
    """Return the voices: American English in several timbres first, then by language."""
    names = {tag: name for tag, (name, _) in _languages().items()}
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
        UnavailableError: `speaker_failed` if the library fails.
    """
    tag, plus, timbre = voice.partition("+")
    _, file = _languages().get(tag, ("", tag))
    with _lock:
        library = _loaded()
        try:
            heard = library.speak(text, file + plus + timbre, round(_NORMAL_RATE * speed))
        except OSError as error:
            raise UnavailableError("speaker_failed", f"espeak-ng failed: {error}.") from error
    samples = np.frombuffer(heard, dtype="<i2").astype(np.float32) / np.float32(32_768)
    return Sound(samples=samples.reshape(-1, 1).astype(np.float32), sample_rate=library.sample_rate)


@cache
def _languages() -> dict[str, tuple[str, str]]:
    with _lock:
        return _loaded().languages()


def _loaded() -> _Library:
    library = _library()
    if library is None:
        raise UnavailableError(
            "no_speaker",
            "The espeak-ng library is not installed.",
            hint="Run: pip install 'mediawright[speech]'.",
        )
    return library


@cache
def _library() -> _Library | None:
    try:
        loader: Any = importlib.import_module("espeakng_loader")
        path, data = str(loader.get_library_path()), str(loader.get_data_path())
        return _Library(path, str(Path(data))) if Path(path).is_file() else None
    except (ImportError, OSError, RuntimeError):
        return None
