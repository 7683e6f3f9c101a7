"""Text to speech."""

from __future__ import annotations

import base64
import math
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any

from mediawright.core.errors import InvalidRequestError
from mediawright.sandbox.emulators.openai.image_rules import json_fields
from mediawright.sandbox.emulators.openai.models import PLAIN_SPEECH_MODELS, SPEECH_MODELS
from mediawright.sandbox.emulators.openai.wire import (
    broken_rule,
    invalid,
    model_not_found,
    supported_values,
)
from mediawright.sandbox.kit.call import Call, Reply, event
from mediawright.sandbox.kit.emulator import Emulator, Endpoint
from mediawright.sandbox.kit.fields import Choice, Number, Record, Text, TextOr
from mediawright.sandbox.kit.media import SoundStyle
from mediawright.sandbox.kit.scenario import RequestKind

PLAIN_VOICES = (
    "alloy", "ash", "coral", "echo", "fable", "onyx", "nova", "sage", "shimmer",
)  # fmt: skip
VOICES = (*PLAIN_VOICES, "ballad", "verse", "marin", "cedar")

_STYLES = {
    "mp3": (SoundStyle(sound_format="mp3"), "audio/mpeg"),
    "opus": (SoundStyle(sound_format="opus"), "audio/opus"),
    "aac": (SoundStyle(sound_format="aac"), "audio/aac"),
    "flac": (SoundStyle(sound_format="flac"), "audio/flac"),
    "wav": (SoundStyle(sound_format="wav", sample_rate=24_000), "audio/wav"),
    "pcm": (SoundStyle(sound_format="pcm", sample_rate=24_000), "audio/pcm"),
}
_RULES = Record(
    required={
        "model": Text(),
        "input": Text(shortest=1, longest=4096),
        "voice": TextOr(Text(), Record(required={"id": Text(shortest=1)})),
    },
    optional={
        "instructions": Text(longest=4096),
        "response_format": Choice(tuple(_STYLES)),
        "speed": Number(least=0.25, most=4.0),
        "stream_format": Choice(("audio", "sse")),
    },
    null_is_absent=True,
)
_PIECE = 8192
_CHARACTERS_PER_TOKEN = 4
_BYTES_PER_TOKEN = 800


class Speech:
    """The path of speech."""

    def __init__(self, emulator: Emulator) -> None:
        """Belong to an emulator."""
        self._emulator = emulator

    def endpoints(self) -> Sequence[Endpoint]:
        """Return the paths."""
        return (
            Endpoint(
                method="POST",
                path="/v1/audio/speech",
                handler=self._speak,
                kind=RequestKind.SUBMIT,
            ),
        )

    async def _speak(self, call: Call) -> Reply:
        fields = json_fields(call)
        _check(fields)
        self._emulator.refuse_if_moderated(call)
        style, content_type = _STYLES[fields.get("response_format") or "mp3"]
        voice = fields["voice"]
        try:
            data = await self._emulator.kit.media.speech(
                fields["input"],
                voice=voice if isinstance(voice, str) else voice["id"],
                speed=float(fields.get("speed") or 1.0),
                style=style,
            )
        except InvalidRequestError as error:
            raise invalid(error.message, "input") from None
        if fields.get("stream_format") == "sse":
            return Reply.events(_stream(self._emulator.inline(call, data), fields["input"]))
        return Reply.media(data, content_type)


def _check(fields: Mapping[str, Any]) -> None:
    for violation in _RULES.check(fields):
        raise broken_rule(violation)
    model, voice = fields["model"], fields["voice"]
    if model not in SPEECH_MODELS:
        raise model_not_found(model)
    plain = model in PLAIN_SPEECH_MODELS
    voices = PLAIN_VOICES if plain else VOICES
    if isinstance(voice, str) and voice not in voices:
        raise supported_values(voice, voices, "voice")
    if plain and fields.get("stream_format") == "sse":
        message = f"'stream_format' 'sse' is not supported with the model '{model}'."
        raise invalid(message, "stream_format")


async def _stream(data: bytes, text: str) -> AsyncIterator[bytes]:
    for start in range(0, len(data), _PIECE):
        audio = base64.b64encode(data[start : start + _PIECE]).decode()
        yield event({"type": "speech.audio.delta", "audio": audio}, "speech.audio.delta")
    heard = math.ceil(len(text) / _CHARACTERS_PER_TOKEN)
    made = math.ceil(len(data) / _BYTES_PER_TOKEN)
    usage = {"input_tokens": heard, "output_tokens": made, "total_tokens": heard + made}
    yield event({"type": "speech.audio.done", "usage": usage}, "speech.audio.done")
