"""ElevenLabs: speech, music and transcripts, answered at once (elevenlabs dossier)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar
from urllib.parse import quote

import msgspec

from mediawright.core.errors import InvalidRequestError
from mediawright.core.media import Transcript, Word
from mediawright.core.operations import MediaKind, Operation
from mediawright.core.provider import (
    Done,
    Fault,
    FaultKind,
    JsonObject,
    MediaCall,
    TranscriptOutput,
    Usage,
)
from mediawright.providerkit.adapter import Adapter, CredentialRule
from mediawright.providerkit.http import (
    Expectation,
    HttpCall,
    HttpReply,
    JsonBody,
    MultipartBody,
    UnreadableReplyError,
)
from mediawright.providerkit.payload import (
    at_field,
    call_fields,
    file_part,
    form_parts,
    media_output,
    optional,
    read_leniently,
    unsupported_input,
    unsupported_operation,
)
from mediawright.providerkit.status_faults import fault_for_status

_READ_TIMEOUT = 300.0
"""Seconds; the vendor's own SDK waits 240."""

_SPEECH_QUERY = ("output_format", "enable_logging", "optimize_streaming_latency")
_TRANSCRIPTION_QUERY = ("enable_logging",)
_MUSIC_QUERY = ("output_format",)
_LONGEST_COMPOSING = 900.0
"""Seconds for a song, which takes longer than speech."""
_JSON_TEXT_FIELDS = ("additional_formats", "webhook_metadata")
"""Form fields of a transcription that hold JSON."""
_AUDIO_TYPES = {
    "mp3": "audio/mpeg",
    "wav": "audio/wav",
    "opus": "audio/ogg",
    "pcm": "audio/pcm",
    "ulaw": "audio/basic",
    "alaw": "audio/x-alaw-basic",
}
"""By the codec that an `output_format` such as `mp3_44100_128` begins with."""
_DEFAULT_OUTPUT_FORMAT = "mp3_44100_128"
_FAULT_KINDS = {
    "quota_exceeded": FaultKind.OUT_OF_CREDIT,
    "payment_required": FaultKind.OUT_OF_CREDIT,
    "invalid_api_key": FaultKind.BAD_CREDENTIAL,
    "missing_permissions": FaultKind.BAD_CREDENTIAL,
    "needs_authorization": FaultKind.BAD_CREDENTIAL,
    "detected_unusual_activity": FaultKind.BAD_CREDENTIAL,
    "bad_prompt": FaultKind.REFUSED,
    "voice_not_found": FaultKind.INVALID_REQUEST,
    "max_character_limit_exceeded": FaultKind.INVALID_REQUEST,
}
_REFUSAL_WORDS = ("moderat", "policy", "violation", "safety")
"""The status word of a text refusal is not published; these tell it by its parts."""


class _Word(msgspec.Struct):
    text: str
    type: str
    start: float | None = None
    end: float | None = None
    speaker_id: str | None = None


class _Transcription(msgspec.Struct):
    text: str
    language_code: Any = None
    words: Any = None
    audio_duration_secs: Any = None


class _Channels(msgspec.Struct):
    transcripts: list[_Transcription]


class _Mistake(msgspec.Struct):
    msg: str = ""
    loc: list[str | int] = []


class _Detail(msgspec.Struct):
    status: str | None = None
    code: str | None = None
    message: str | None = None


class _ErrorReply(msgspec.Struct):
    detail: Any


class ElevenlabsAdapter(Adapter):
    """Text to speech, text to music and speech to text."""

    name = "elevenlabs"
    title = "ElevenLabs"
    documentation = "https://elevenlabs.io/docs/api-reference"
    credential = CredentialRule(variables=("ELEVENLABS_API_KEY",), header="xi-api-key")
    default_base_urls: ClassVar[Mapping[str, str]] = {"api": "https://api.elevenlabs.io"}

    def submit(self, call: MediaCall, uploads: Mapping[int, str]) -> HttpCall:
        """Describe the request; nothing is ever uploaded first."""
        del uploads
        match call.operation:
            case Operation.TEXT_TO_SPEECH:
                return self._speak(call)
            case Operation.SPEECH_TO_TEXT:
                return self._transcribe(call)
            case Operation.TEXT_TO_MUSIC:
                return self._compose(call)
            case _:
                raise unsupported_operation(call, self.title)

    def read_submit(self, call: MediaCall, reply: HttpReply) -> Done:
        """Read a sound file or a transcript."""
        if call.operation is Operation.SPEECH_TO_TEXT:
            return _read_transcription(reply)
        fields = call_fields(call, self.name)
        codec = str(fields.get("output_format", _DEFAULT_OUTPUT_FORMAT)).partition("_")[0]
        output = media_output(MediaKind.AUDIO, reply, _AUDIO_TYPES.get(codec))
        characters = optional(reply.headers.get("character-cost"), int)
        return Done(outputs=(output,), usage=Usage(characters=characters))

    def read_error(self, reply: HttpReply) -> Fault:
        """Read `detail` in its three shapes; an empty quota is a 401 here."""
        body = read_leniently(reply, _ErrorReply)
        message, word = _explain(body.detail if body else None)
        kind = _fault_kind(word)
        return fault_for_status(
            reply,
            message,
            synchronous=True,
            vendor_code=word,
            kinds={reply.status: kind} if kind else None,
        )

    def _speak(self, call: MediaCall) -> HttpCall:
        if call.inputs:
            raise unsupported_input(call.inputs[0].role, 0)
        fields = call_fields(call, self.name)
        voice = fields.pop("voice_id", None)
        if not voice:
            raise InvalidRequestError(
                "missing_voice", "ElevenLabs needs a voice.", pointer="/parameters/voice"
            )
        query = _take_query(fields, _SPEECH_QUERY)
        return self._post(
            f"/v1/text-to-speech/{quote(str(voice), safe='')}",
            JsonBody({"text": call.prompt or "", "model_id": call.upstream_id, **fields}),
            query,
            Expectation.MEDIA,
        )

    def _compose(self, call: MediaCall) -> HttpCall:
        if call.inputs:
            raise unsupported_input(call.inputs[0].role, 0)
        fields = call_fields(call, self.name)
        query = _take_query(fields, _MUSIC_QUERY)
        return self._post(
            "/v1/music",
            JsonBody({"prompt": call.prompt or "", "model_id": call.upstream_id, **fields}),
            query,
            Expectation.MEDIA,
            read_timeout=_LONGEST_COMPOSING,
        )

    def _transcribe(self, call: MediaCall) -> HttpCall:
        if len(call.inputs) != 1 or call.inputs[0].kind not in (MediaKind.AUDIO, MediaKind.VIDEO):
            raise InvalidRequestError(
                "missing_input", "A transcription takes exactly one recording.", pointer="/inputs"
            )
        recording = call.inputs[0]
        fields = {"model_id": call.upstream_id, **call_fields(call, self.name)}
        query = _take_query(fields, _TRANSCRIPTION_QUERY)
        fields.update(
            {name: _as_text(fields[name]) for name in _JSON_TEXT_FIELDS if name in fields}
        )
        if recording.data is None:
            parts = form_parts({**fields, "source_url": recording.url}, list_suffix="")
        else:
            parts = (*form_parts(fields, list_suffix=""), file_part("file", recording))
        return self._post("/v1/speech-to-text", MultipartBody(parts), query, Expectation.JSON)

    def _post(
        self,
        path: str,
        body: JsonBody | MultipartBody,
        query: Mapping[str, str],
        expects: Expectation,
        *,
        read_timeout: float = _READ_TIMEOUT,
    ) -> HttpCall:
        return HttpCall(
            method="POST",
            url=f"{self.base_urls['api']}{path}",
            query=query,
            body=body,
            expects=expects,
            read_timeout=read_timeout,
        )


def _take_query(fields: JsonObject, names: tuple[str, ...]) -> dict[str, str]:
    return {name: _as_text(fields.pop(name)) for name in names if name in fields}


def _as_text(value: Any) -> str:
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()


def _explain(detail: Any) -> tuple[str, str | None]:
    """Return the message and the status word of an error's `detail`."""
    if isinstance(detail, str):
        return detail, None
    mistakes = optional(detail, list[_Mistake])
    if mistakes is not None:
        return "; ".join(at_field(mistake.loc, mistake.msg) for mistake in mistakes), None
    known = optional(detail, _Detail) or _Detail()
    return known.message or "", known.status or known.code


def _fault_kind(word: str | None) -> FaultKind | None:
    if word is None:
        return None
    if any(part in word for part in _REFUSAL_WORDS):
        return FaultKind.REFUSED
    return _FAULT_KINDS.get(word)


def _read_transcription(reply: HttpReply) -> Done:
    channels = read_leniently(reply, _Channels)
    parts: list[_Transcription] = (
        channels.transcripts if channels else [reply.json_as(_Transcription)]
    )
    if not parts:
        raise UnreadableReplyError("the reply holds no transcript")
    lengths = [optional(part.audio_duration_secs, float) for part in parts]
    seconds = max((length for length in lengths if length is not None), default=None)
    words = sorted((word for part in parts for word in _words(part)), key=lambda word: word.start)
    transcript = Transcript(
        text="\n".join(part.text.strip() for part in parts),
        language=optional(parts[0].language_code, str),
        seconds=seconds,
        words=tuple(words),
    )
    return Done(outputs=(TranscriptOutput(transcript=transcript),), usage=Usage(seconds=seconds))


def _words(part: _Transcription) -> list[Word]:
    return [
        Word(word.text, word.start, word.end, word.speaker_id)
        for word in optional(part.words, list[_Word]) or []
        if word.type == "word" and word.start is not None and word.end is not None
    ]
