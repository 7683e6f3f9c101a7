"""OpenAI: images, speech and transcriptions, all answered at once (openai dossier)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import msgspec

from mediawright.core.errors import InvalidRequestError
from mediawright.core.media import Segment, Transcript, Word
from mediawright.core.operations import InputRole, MediaKind, Operation
from mediawright.core.provider import (
    Accepted,
    Broken,
    Done,
    Fault,
    FaultKind,
    InlineMedia,
    JsonObject,
    LoadedInput,
    MediaCall,
    Output,
    RemoteMedia,
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
    Part,
    UnreadableReplyError,
)
from mediawright.providerkit.payload import (
    call_fields,
    data_uri,
    file_part,
    form_parts,
    media_output,
    optional,
    read_leniently,
    unsupported_input,
    unsupported_operation,
)
from mediawright.providerkit.status_faults import fault_for_status

_READ_TIMEOUT = 600.0
"""Seconds; the vendor's own SDK waits as long."""

_PICTURE_ROLES = (InputRole.REFERENCE_IMAGE, InputRole.FIRST_FRAME)
_TEXT_FORMATS = frozenset({"text", "srt", "vtt"})
_AUDIO_TYPES = {
    "mp3": "audio/mpeg",
    "opus": "audio/ogg",
    "aac": "audio/aac",
    "flac": "audio/flac",
    "wav": "audio/wav",
    "pcm": "audio/pcm",
}
_FAULT_KINDS = {
    "insufficient_quota": FaultKind.OUT_OF_CREDIT,
    "billing_hard_limit_reached": FaultKind.OUT_OF_CREDIT,
    "moderation_blocked": FaultKind.REFUSED,
    "content_policy_violation": FaultKind.REFUSED,
}


class _Picture(msgspec.Struct):
    b64_json: bytes | None = None
    url: str | None = None
    revised_prompt: str | None = None


class _Pictures(msgspec.Struct):
    data: list[_Picture]
    output_format: Any = None
    usage: Any = None


class _InputTokens(msgspec.Struct):
    image_tokens: int | None = None


class _Tokens(msgspec.Struct):
    input_tokens: int | None = None
    output_tokens: int | None = None
    input_tokens_details: _InputTokens | None = None
    seconds: float | None = None


class _Word(msgspec.Struct):
    word: str
    start: float
    end: float


class _Segment(msgspec.Struct):
    text: str
    start: float
    end: float
    speaker: str | None = None


class _Language(msgspec.Struct):
    code: str


class _Transcription(msgspec.Struct):
    text: str
    language: Any = None
    languages: Any = None
    duration: Any = None
    words: Any = None
    segments: Any = None
    usage: Any = None


class _ErrorDetail(msgspec.Struct):
    message: str | None = None
    type: str | None = None
    code: str | None = None
    param: str | None = None


class _ErrorReply(msgspec.Struct):
    error: _ErrorDetail | str


class OpenaiAdapter(Adapter):
    """The Images, Speech and Transcriptions endpoints of the OpenAI API."""

    name = "openai"
    title = "OpenAI"
    documentation = "https://platform.openai.com/docs/api-reference"
    credential = CredentialRule(
        variables=("OPENAI_API_KEY",), header="Authorization", prefix="Bearer "
    )
    default_base_urls: ClassVar[Mapping[str, str]] = {"api": "https://api.openai.com/v1"}

    def submit(self, call: MediaCall, uploads: Mapping[int, str]) -> HttpCall:
        """Describe the request; nothing is ever uploaded first."""
        del uploads
        match call.operation:
            case Operation.TEXT_TO_IMAGE | Operation.IMAGE_TO_IMAGE:
                return self._edit(call) if call.inputs else self._generate(call)
            case Operation.TEXT_TO_SPEECH:
                return self._speak(call)
            case Operation.SPEECH_TO_TEXT:
                return self._transcribe(call)
            case _:
                raise unsupported_operation(call, self.title)

    def read_submit(self, call: MediaCall, reply: HttpReply) -> Accepted | Done | Broken:
        """Read pictures, a sound file or a transcript."""
        fields = call_fields(call, self.name)
        if call.operation is Operation.TEXT_TO_SPEECH:
            content_type = _AUDIO_TYPES.get(str(fields.get("response_format", "mp3")))
            return Done(outputs=(media_output(MediaKind.AUDIO, reply, content_type),))
        if call.operation is Operation.SPEECH_TO_TEXT:
            return _read_transcription(reply, str(fields.get("response_format", "json")))
        return _read_pictures(reply, fields.get("output_format"))

    def read_error(self, reply: HttpReply) -> Fault:
        """Tell quota from rate limit and moderation from mistakes, by the code (section 7)."""
        body = read_leniently(reply, _ErrorReply)
        error = body.error if body else _ErrorDetail()
        if isinstance(error, str):
            error = _ErrorDetail(message=error)
        code = error.code or error.type
        kind = _FAULT_KINDS.get(code or "")
        return fault_for_status(
            reply,
            error.message or "",
            synchronous=True,
            vendor_code=code,
            kinds={reply.status: kind} if kind else None,
        )

    def _generate(self, call: MediaCall) -> HttpCall:
        return self._json("/images/generations", self._prompted(call))

    def _edit(self, call: MediaCall) -> HttpCall:
        pictures = call.inputs_for(*_PICTURE_ROLES)
        masks = call.inputs_for(InputRole.MASK)
        for index, item in enumerate(call.inputs):
            if item.role not in (*_PICTURE_ROLES, InputRole.MASK):
                raise unsupported_input(item.role, index)
        if not pictures or len(masks) > 1:
            raise InvalidRequestError(
                "missing_input" if not pictures else "too_many_inputs",
                "An edit takes one picture or more, and one mask at most.",
                pointer="/inputs",
            )
        fields = self._prompted(call)
        if all(item.data is not None for item in call.inputs):
            name = "image" if len(pictures) == 1 else "image[]"
            files = [file_part(name, picture) for picture in pictures]
            files += [file_part("mask", mask) for mask in masks]
            return self._form("/images/edits", (*form_parts(fields), *files))
        fields["images"] = [_picture_reference(picture) for picture in pictures]
        if masks:
            fields["mask"] = _picture_reference(masks[0])
        return self._json("/images/edits", fields)

    def _speak(self, call: MediaCall) -> HttpCall:
        if call.inputs:
            raise unsupported_input(call.inputs[0].role, 0)
        fields = call_fields(call, self.name)
        body = {"model": call.upstream_id, "input": call.prompt or "", **fields}
        return self._json("/audio/speech", body, Expectation.MEDIA)

    def _transcribe(self, call: MediaCall) -> HttpCall:
        recordings = call.inputs_for(InputRole.REFERENCE_AUDIO, InputRole.REFERENCE_VIDEO)
        if len(recordings) != 1 or len(call.inputs) != 1 or recordings[0].data is None:
            raise InvalidRequestError(
                "missing_input",
                "A transcription takes exactly one recording, as a file.",
                pointer="/inputs",
            )
        fields = self._prompted(call)
        return self._form(
            "/audio/transcriptions", (*form_parts(fields), file_part("file", recordings[0]))
        )

    def _prompted(self, call: MediaCall) -> JsonObject:
        prompt = {} if call.prompt is None else {"prompt": call.prompt}
        return {"model": call.upstream_id, **prompt, **call_fields(call, self.name)}

    def _json(
        self, path: str, fields: JsonObject, expects: Expectation = Expectation.JSON
    ) -> HttpCall:
        return self._post(path, JsonBody(fields), expects)

    def _form(self, path: str, parts: tuple[Part, ...]) -> HttpCall:
        return self._post(path, MultipartBody(parts), Expectation.JSON)

    def _post(self, path: str, body: JsonBody | MultipartBody, expects: Expectation) -> HttpCall:
        return HttpCall(
            method="POST",
            url=f"{self.base_urls['api']}{path}",
            body=body,
            expects=expects,
            read_timeout=_READ_TIMEOUT,
        )


def _picture_reference(picture: LoadedInput) -> JsonObject:
    if picture.url is not None:
        return {"image_url": picture.url}
    return {"image_url": data_uri(picture.data or b"", picture.content_type)}


def _read_pictures(reply: HttpReply, requested_format: Any) -> Done | Broken:
    body: _Pictures = reply.json_as(_Pictures)
    picture_format = optional(body.output_format, str) or requested_format or "png"
    content_type = "image/svg+xml" if picture_format == "svg" else f"image/{picture_format}"
    outputs = tuple(_picture_output(picture, content_type) for picture in body.data)
    if not outputs:
        fault = Fault(kind=FaultKind.FAILED, message="The reply holds no picture.")
        return Broken(fault=fault, usage=_usage(body.usage))
    return Done(outputs=outputs, usage=_usage(body.usage))


def _picture_output(picture: _Picture, content_type: str) -> Output:
    if picture.b64_json:
        return InlineMedia(
            kind=MediaKind.IMAGE,
            data=picture.b64_json,
            content_type=content_type,
            revised_prompt=picture.revised_prompt,
        )
    if picture.url:
        return RemoteMedia(
            kind=MediaKind.IMAGE, url=picture.url, revised_prompt=picture.revised_prompt
        )
    raise UnreadableReplyError("the reply names a picture without its data")


def _usage(value: Any) -> Usage:
    tokens = optional(value, _Tokens)
    if tokens is None:
        return Usage()
    details = tokens.input_tokens_details
    return Usage(
        input_tokens=tokens.input_tokens,
        output_tokens=tokens.output_tokens,
        input_image_tokens=details.image_tokens if details else None,
        seconds=tokens.seconds,
    )


def _read_transcription(reply: HttpReply, response_format: str) -> Done:
    if response_format in _TEXT_FORMATS:
        try:
            transcript = Transcript(text=reply.body.decode().strip())
        except UnicodeDecodeError as error:
            raise UnreadableReplyError("the transcript is not UTF-8 text") from error
        return Done(outputs=(TranscriptOutput(transcript=transcript),))
    body: _Transcription = reply.json_as(_Transcription)
    languages = optional(body.languages, list[_Language]) or []
    transcript = Transcript(
        text=body.text.strip(),
        language=optional(body.language, str) or next((item.code for item in languages), None),
        seconds=optional(body.duration, float),
        words=tuple(
            Word(item.word, item.start, item.end)
            for item in optional(body.words, list[_Word]) or ()
        ),
        segments=tuple(
            Segment(item.text.strip(), item.start, item.end, item.speaker)
            for item in optional(body.segments, list[_Segment]) or ()
        ),
    )
    return Done(outputs=(TranscriptOutput(transcript=transcript),), usage=_usage(body.usage))
