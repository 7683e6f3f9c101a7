"""Text to speech."""

from __future__ import annotations

import asyncio
import base64
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mediawright.core.media import Transcript
from mediawright.sandbox.emulators.elevenlabs.account import (
    Account,
    OverQuotaError,
    TooManyRequestsError,
)
from mediawright.sandbox.emulators.elevenlabs.alignment import alignment, pieces_of
from mediawright.sandbox.emulators.elevenlabs.audio import (
    channels_and_seconds,
    finished,
    style_of,
)
from mediawright.sandbox.emulators.elevenlabs.formats import (
    DEFAULT_FORMAT,
    SPEECH_FORMATS,
    STREAM_FORMATS,
    OutputFormat,
    parse_format,
)
from mediawright.sandbox.emulators.elevenlabs.models import SPEECH_MODEL_BY_ID, Model
from mediawright.sandbox.emulators.elevenlabs.replies import (
    check_choice,
    check_plan,
    invalid,
    json_bytes,
    malformed_json,
    over_quota,
    refuse,
    streamed,
    too_many_requests,
    voice_not_found,
)
from mediawright.sandbox.emulators.elevenlabs.rules import (
    LATENCIES,
    SPEECH,
    VOICE_SETTING_RANGES,
)
from mediawright.sandbox.emulators.elevenlabs.voices import VOICE_BY_ID, Voice
from mediawright.sandbox.kit.call import Call, Reply
from mediawright.sandbox.kit.media import SoundStyle

if TYPE_CHECKING:
    from mediawright.sandbox.emulators.elevenlabs.emulator import ElevenLabsEmulator

_DEFAULT_MODEL = "eleven_multilingual_v2"
_WITHOUT_CONTEXT = "eleven_v3"
_WAV = SoundStyle(sound_format="wav")


@dataclass(frozen=True, kw_only=True)
class Order:
    """A valid request for speech."""

    text: str
    voice: Voice
    model: Model
    speed: float
    output_format: OutputFormat
    cost: int
    """Characters of the quota."""


@dataclass(frozen=True, kw_only=True)
class Spoken:
    """A request for speech, carried out."""

    order: Order
    data: bytes
    headers: Mapping[str, str]


class SpeechDesk:
    """Answers requests for speech."""

    def __init__(self, emulator: ElevenLabsEmulator) -> None:
        self._emulator = emulator

    async def convert(self, call: Call) -> Reply:
        """Answer a whole file."""
        spoken = await self._speak(call, SPEECH_FORMATS)
        return Reply.media(spoken.data, spoken.order.output_format.content_type, spoken.headers)

    async def stream(self, call: Call) -> Reply:
        """Answer a file, piece by piece."""
        spoken = await self._speak(call, STREAM_FORMATS)
        return streamed(call, spoken.data, spoken.order.output_format, spoken.headers)

    async def convert_with_timestamps(self, call: Call) -> Reply:
        """Answer a file and the times of its characters, as JSON."""
        spoken = await self._speak(call, SPEECH_FORMATS)
        return Reply.json(await self._with_times(call, spoken), headers=spoken.headers)

    async def stream_with_timestamps(self, call: Call) -> Reply:
        """Answer the same as JSON lines, of which there is one."""
        spoken = await self._speak(call, STREAM_FORMATS)
        line = json_bytes(await self._with_times(call, spoken)) + b"\n"
        return Reply(body=line, content_type="application/json", headers=spoken.headers)

    async def preview(self, call: Call) -> Reply:
        """Answer the sample of a voice that the voice lists point to."""
        voice = VOICE_BY_ID.get(call.match["voice_id"])
        if voice is None:
            raise voice_not_found(404, call.match["voice_id"])
        text = f"Hello, my name is {voice.name}."
        return Reply.media(
            await self._emulator.kit.media.speech(text, voice=voice.name), "audio/mpeg"
        )

    async def _with_times(self, call: Call, spoken: Spoken) -> dict[str, Any]:
        order = spoken.order
        media = self._emulator.kit.media
        wav = await media.speech(order.text, voice=order.voice.name, speed=order.speed, style=_WAV)
        _, seconds = await asyncio.to_thread(channels_and_seconds, wav)
        times = alignment(pieces_of(Transcript(text=order.text), seconds))
        data = self._emulator.inline(call, spoken.data)
        return {
            "audio_base64": base64.b64encode(data).decode(),
            "alignment": times,
            "normalized_alignment": times,
        }

    async def _speak(self, call: Call, formats: tuple[str, ...]) -> Spoken:
        order = self._read(call, formats)
        account = self._emulator.account(call)
        self._emulator.refuse_if_moderated(call)
        group = order.model.concurrency_group
        try:
            with account.place(group):
                running = account.running(group)
                account.charge(order.cost)
                data = await self._make(order)
        except OverQuotaError:
            raise over_quota(account, order.cost) from None
        except TooManyRequestsError:
            raise too_many_requests(account, group) from None
        headers = self._headers(order, account, running)
        return Spoken(order=order, data=data, headers=headers)

    async def _make(self, order: Order) -> bytes:
        data = await self._emulator.kit.media.speech(
            order.text,
            voice=order.voice.name,
            speed=order.speed,
            style=style_of(order.output_format),
        )
        return await asyncio.to_thread(finished, data, order.output_format)

    def _headers(self, order: Order, account: Account, running: int) -> dict[str, str]:
        ids = self._emulator.ids
        group = order.model.concurrency_group
        return {
            "request-id": ids.alphanumeric(20),
            "history-item-id": ids.alphanumeric(20),
            "character-cost": str(order.cost),
            "current-concurrent-requests": str(running),
            "maximum-concurrent-requests": str(account.most_running(group)),
        }

    def _read(self, call: Call, formats: tuple[str, ...]) -> Order:
        fields = _checked(call)
        format_name = call.query.get("output_format", DEFAULT_FORMAT)
        check_choice(format_name, formats, ("output_format",))
        if "optimize_streaming_latency" in call.query:
            latency = call.query["optimize_streaming_latency"]
            check_choice(latency, LATENCIES, ("optimize_streaming_latency",))
        check_plan(self._emulator.account(call), format_name)
        voice = VOICE_BY_ID.get(call.match["voice_id"])
        if voice is None:
            raise voice_not_found(400, call.match["voice_id"])
        model = _model_of(fields)
        text: str = fields["text"]
        _check_text(text, model)
        settings: dict[str, Any] = fields.get("voice_settings") or {}
        _check_settings(settings)
        return Order(
            text=text,
            voice=voice,
            model=model,
            speed=float(settings.get("speed") or 1.0),
            output_format=parse_format(format_name),
            cost=math.ceil(len(text) * model.characters_per_character),
        )


def _checked(call: Call) -> dict[str, Any]:
    if call.body.malformed:
        raise malformed_json()
    violations = list(SPEECH.check(call.body.document, ()))
    if violations:
        raise invalid(violations)
    return call.body.fields or {}


def _model_of(fields: Mapping[str, Any]) -> Model:
    model_id = fields.get("model_id") or _DEFAULT_MODEL
    model = SPEECH_MODEL_BY_ID.get(model_id)
    if model is None:
        raise refuse(404, "model_not_found", f"A model with model ID {model_id} does not exist.")
    if model_id == _WITHOUT_CONTEXT and (fields.get("previous_text") or fields.get("next_text")):
        text = f"previous_text and next_text are not supported with the model {model_id}."
        raise refuse(400, "unsupported_model", text)
    return model


def _check_text(text: str, model: Model) -> None:
    if not text.strip():
        raise refuse(400, "input_text_empty", "Input text is empty.")
    if len(text) > model.longest_text:
        message = (
            f"This request's text has {len(text)} characters and exceeds the character limit of "
            f"{model.longest_text} characters for model '{model.model_id}'."
        )
        raise refuse(400, "max_character_limit_exceeded", message)


def _check_settings(settings: Mapping[str, Any]) -> None:
    for name, (least, most) in VOICE_SETTING_RANGES.items():
        value = settings.get(name)
        if value is not None and not least <= value <= most:
            message = (
                f"Invalid setting for {name} received, expected to be greater or equal to {least} "
                f"and less or equal to {most}, received {value}."
            )
            raise refuse(400, "invalid_voice_settings", message)
