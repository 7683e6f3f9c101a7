"""A script that drives the espeak-ng library in a process of its own.

It needs the standard library alone and is run by `espeak.py`, not imported:
`python espeak_process.py LIBRARY DATA describe` prints JSON;
`python espeak_process.py LIBRARY DATA speak VOICE_FILE WORDS_PER_MINUTE` speaks the text on
the standard input (UTF-8) to the standard output (16-bit samples, one channel).
"""

from __future__ import annotations

import ctypes
import json
import sys
from typing import Any

_SYNCHRONOUS = 2
_DO_NOT_EXIT = 0x8000
_UTF8 = 1
_POSITION_CHARACTER = 1
_RATE = 1


class _VoiceRecord(ctypes.Structure):
    """`espeak_VOICE` of speak_lib.h."""

    _fields_ = (
        ("name", ctypes.c_char_p),
        ("languages", ctypes.c_char_p),
        ("identifier", ctypes.c_char_p),
        ("gender", ctypes.c_ubyte),
        ("age", ctypes.c_ubyte),
        ("variant", ctypes.c_ubyte),
        ("reserved", ctypes.c_ubyte),
        ("score", ctypes.c_int),
        ("spare", ctypes.c_void_p),
    )


_Callback = ctypes.CFUNCTYPE(
    ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.c_void_p
)


def _describe(library: Any, sample_rate: int) -> str:
    library.espeak_ListVoices.restype = ctypes.POINTER(ctypes.POINTER(_VoiceRecord))
    library.espeak_Info.restype = ctypes.c_char_p
    records = library.espeak_ListVoices(None)
    languages: list[dict[str, str]] = []
    while records[len(languages)]:
        record = records[len(languages)].contents
        languages.append(
            {
                # A byte of priority stands before each tag.
                "tag": bytes(record.languages)[1:].decode().lower(),
                "name": bytes(record.name).decode().strip(),
                "file": bytes(record.identifier).decode(),
            }
        )
    version = bytes(library.espeak_Info(None)).decode()
    return json.dumps({"version": version, "sample_rate": sample_rate, "languages": languages})


def _speak(library: Any, voice: str, words_per_minute: int, text: bytes) -> bytes:
    heard: list[bytes] = []

    def hear(samples: Any, count: int, events: int | None) -> int:
        del events
        if samples and count > 0:
            heard.append(ctypes.string_at(samples, count * 2))
        return 0

    # The library keeps the bare pointer, so the object must live as long as it is used.
    callback = _Callback(hear)
    library.espeak_SetSynthCallback(callback)
    if library.espeak_SetVoiceByName(voice.encode()) != 0:
        raise OSError(f"no voice {voice}")
    library.espeak_SetParameter(_RATE, words_per_minute, 0)
    data = text + b"\0"
    status = library.espeak_Synth(
        data, ctypes.c_size_t(len(data)), 0, _POSITION_CHARACTER, 0, _UTF8, None, None
    )
    if status != 0:
        raise OSError(f"espeak_Synth answered {status}")
    return b"".join(heard)


def main(arguments: list[str]) -> None:
    """Do what the arguments say."""
    path, data, command, *rest = arguments
    library = ctypes.CDLL(path)
    sample_rate = int(library.espeak_Initialize(_SYNCHRONOUS, 0, data.encode(), _DO_NOT_EXIT))
    if sample_rate <= 0:
        raise OSError("espeak_Initialize failed")
    if command == "describe":
        sys.stdout.write(_describe(library, sample_rate))
    else:
        voice, words_per_minute = rest
        text = sys.stdin.buffer.read()
        sys.stdout.buffer.write(_speak(library, voice, int(words_per_minute), text))


if __name__ == "__main__":
    main(sys.argv[1:])
