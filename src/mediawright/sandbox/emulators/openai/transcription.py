"""Speech to text."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Any

from mediawright.core.errors import InvalidRequestError
from mediawright.core.media import Transcript
from mediawright.sandbox.emulators.openai import transcript_forms as forms
from mediawright.sandbox.emulators.openai.models import TRANSCRIPTION_FORMATS
from mediawright.sandbox.emulators.openai.wire import (
    broken_rule,
    error_reply,
    invalid,
    model_not_found,
)
from mediawright.sandbox.kit.bodies import Part
from mediawright.sandbox.kit.call import Call, Reply, VendorError, event
from mediawright.sandbox.kit.emulator import Emulator, Endpoint
from mediawright.sandbox.kit.fields import Choice, Field, Flag, ListOf, Number, Record, Text
from mediawright.sandbox.kit.scenario import RequestKind

_EXTENSIONS = ("flac", "m4a", "mp3", "mp4", "mpeg", "mpga", "oga", "ogg", "wav", "webm")
_LARGEST_FILE = 25 * 1024 * 1024
_FORMATS = ("json", "text", "srt", "verbose_json", "vtt", "diarized_json")
_LONGEST_UNCHUNKED = 30.0
"""Seconds that the diarizing model takes without a chunking strategy."""

_LISTS = (
    "languages", "keywords", "timestamp_granularities", "include",
    "known_speaker_names", "known_speaker_references",
)  # fmt: skip
_SHARED: dict[str, Field] = {
    "prompt": Text(),
    "response_format": Choice(_FORMATS),
    "temperature": Number(least=0, most=1),
}
_TRANSCRIPTION = Record(
    required={"model": Text()},
    optional={
        **_SHARED,
        "language": Text(shortest=2),
        "stream": Flag(),
        "chunking_strategy": Record(closed=False),
        "timestamp_granularities": ListOf(item=Choice(("word", "segment"))),
        "include": ListOf(item=Choice(("logprobs",))),
        "languages": ListOf(item=Text(shortest=2)),
        "keywords": ListOf(item=Text(shortest=1)),
        "known_speaker_names": ListOf(item=Text(shortest=1), most=4),
        "known_speaker_references": ListOf(item=Text(shortest=1), most=4),
    },
)
_TRANSLATION = Record(required={"model": Text()}, optional=_SHARED)


@dataclass(frozen=True, kw_only=True)
class _Order:
    file: Part
    model: str
    fields: dict[str, Any]
    task: str

    @property
    def response_format(self) -> str:
        return self.fields.get("response_format", "json")

    @property
    def by_time(self) -> bool:
        return self.model == "whisper-1"


class Transcription:
    """The paths of transcription and translation."""

    def __init__(self, emulator: Emulator) -> None:
        """Belong to an emulator."""
        self._emulator = emulator

    def endpoints(self) -> Sequence[Endpoint]:
        """Return the paths."""
        return (
            Endpoint(
                method="POST",
                path="/v1/audio/transcriptions",
                handler=self._transcribe,
                kind=RequestKind.SUBMIT,
            ),
            Endpoint(
                method="POST",
                path="/v1/audio/translations",
                handler=self._translate,
                kind=RequestKind.SUBMIT,
            ),
        )

    async def _transcribe(self, call: Call) -> Reply:
        order = _read(call, _TRANSCRIPTION, "transcribe")
        _check_model(order)
        transcript = await self._hear(call, order)
        if order.fields.get("stream") and not order.by_time:
            return Reply.events(_stream(order, transcript))
        return _answer(order, transcript)

    async def _translate(self, call: Call) -> Reply:
        order = _read(call, _TRANSLATION, "translate")
        if not order.by_time:
            raise model_not_found(order.model)
        _check_format(order)
        return _answer(order, await self._hear(call, order))

    async def _hear(self, call: Call, order: _Order) -> Transcript:
        self._emulator.refuse_if_moderated(call)
        try:
            transcript = await self._emulator.kit.media.transcript(order.file.data)
        except InvalidRequestError:
            message = "Audio file might be corrupted or unsupported"
            raise invalid(message, "file") from None
        seconds = transcript.seconds or 0.0
        diarizes = order.model.endswith("diarize")
        if diarizes and seconds > _LONGEST_UNCHUNKED and "chunking_strategy" not in order.fields:
            message = "chunking_strategy is required for diarization models on long audio."
            raise invalid(message, "chunking_strategy")
        return transcript


def _read(call: Call, rules: Record, task: str) -> _Order:
    files = call.body.files("file")
    if not files:
        raise invalid("Missing required parameter: 'file'.", "file", "missing_required_parameter")
    fields = _fields(call)
    for violation in rules.check(fields):
        raise broken_rule(violation)
    if len(files[0].data) > _LARGEST_FILE:
        message = (
            f"Maximum content size limit ({_LARGEST_FILE}) exceeded ({len(files[0].data)} bytes "
            "read)"
        )
        raise VendorError(error_reply(413, message))
    extension = (files[0].filename or "").rpartition(".")[2].lower()
    if extension not in _EXTENSIONS:
        message = f"Invalid file format. Supported formats: {list(_EXTENSIONS)}"
        raise invalid(message, "file", None)
    return _Order(file=files[0], model=fields["model"], fields=fields, task=task)


def _fields(call: Call) -> dict[str, Any]:
    fields: dict[str, Any] = {}
    for part in call.body.parts:
        name = part.name.removesuffix("[]")
        if part.filename is not None:
            continue
        if name in _LISTS:
            fields.setdefault(name, []).append(part.text)
        elif name.startswith("chunking_strategy"):
            fields["chunking_strategy"] = {}
        else:
            fields[name] = _typed(name, part.text)
    return fields


def _typed(name: str, text: str) -> Any:
    if name == "temperature":
        try:
            return float(text)
        except ValueError:
            return text
    if name == "stream":
        return {"true": True, "false": False}.get(text.lower(), text)
    return text


def _check_format(order: _Order) -> None:
    formats = TRANSCRIPTION_FORMATS[order.model]
    if order.response_format not in formats:
        message = (
            f"response_format '{order.response_format}' is not compatible with model "
            f"'{order.model}'. Use {' or '.join(repr(name) for name in formats)} instead."
        )
        raise invalid(message, "response_format", "unsupported_value")


def _check_model(order: _Order) -> None:
    if order.model not in TRANSCRIPTION_FORMATS:
        raise model_not_found(order.model)
    _check_format(order)
    fields = order.fields
    if "timestamp_granularities" in fields and order.response_format != "verbose_json":
        message = "timestamp_granularities requires response_format to be 'verbose_json'."
        raise invalid(message, "timestamp_granularities")
    of_gpt_4o = order.model.startswith(("gpt-4o-transcribe", "gpt-4o-mini")) and not (
        order.model.endswith("diarize")
    )
    unsupported = {
        "include": not of_gpt_4o,
        "prompt": order.model.endswith("diarize"),
        "keywords": order.model != "gpt-transcribe",
        "languages": order.model != "gpt-transcribe",
        "known_speaker_names": not order.model.endswith("diarize"),
        "known_speaker_references": not order.model.endswith("diarize"),
    }
    for name, refused in unsupported.items():
        if refused and name in fields:
            message = f"'{name}' is not supported with the model '{order.model}'."
            raise invalid(message, name, "unsupported_parameter")
    names, references = (
        len(fields.get(name, ())) for name in ("known_speaker_names", "known_speaker_references")
    )
    if names != references:
        message = "known_speaker_names and known_speaker_references must have the same length."
        raise invalid(message, "known_speaker_names")


def _answer(order: _Order, transcript: Transcript) -> Reply:
    match order.response_format:
        case "text":
            return Reply.text(f"{transcript.text}\n")
        case "srt" | "vtt" as subtitles:
            return forms.subtitles(transcript, subtitles)
        case "verbose_json":
            granularities = order.fields.get("timestamp_granularities", [])
            return forms.verbose(transcript, order.task, granularities)
        case "diarized_json":
            return forms.diarized(transcript)
        case _:
            return Reply.json({"text": transcript.text, **_details(order, transcript)})


def _details(order: _Order, transcript: Transcript) -> dict[str, Any]:
    if order.by_time:
        return {"usage": forms.duration_usage(transcript)}
    details: dict[str, Any] = {"usage": forms.token_usage(transcript)}
    if order.model == "gpt-transcribe":
        details["languages"] = [{"code": transcript.language or "en"}]
    if "include" in order.fields:
        details["logprobs"] = forms.logprobs(transcript)
    return details


async def _stream(order: _Order, transcript: Transcript) -> AsyncIterator[bytes]:
    for index, word in enumerate(transcript.words):
        delta = f" {word.text}" if index else word.text
        yield event({"type": "transcript.text.delta", "delta": delta}, "transcript.text.delta")
    if order.response_format == "diarized_json":
        for value in forms.spoken_segments(transcript):
            yield event(value, "transcript.text.segment")
    done = {"type": "transcript.text.done", "text": transcript.text}
    yield event({**done, **_details(order, transcript)}, "transcript.text.done")
