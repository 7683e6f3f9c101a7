"""What goes to OpenAI and what is read from it."""

from __future__ import annotations

import base64
from pathlib import Path

import msgspec
import pytest

from mediawright.core.errors import InvalidRequestError
from mediawright.core.media import Segment, Word
from mediawright.core.operations import InputRole, MediaKind, Operation
from mediawright.core.provider import (
    INPUT_FIELDS,
    Broken,
    FaultKind,
    InlineMedia,
    RemoteMedia,
    StagedMedia,
)
from mediawright.providerkit.http import (
    Expectation,
    HttpReply,
    JsonBody,
    MultipartBody,
    UnreadableReplyError,
)
from mediawright.providers.openai import OpenaiAdapter

ADAPTER = OpenaiAdapter()


def encoded(data: bytes) -> str:
    return base64.b64encode(data).decode()


def form(body):
    assert isinstance(body, MultipartBody)
    return [(part.name, part.data, part.filename, part.content_type) for part in body.parts]


def test_a_generation_sends_exactly_the_fields_it_was_given(make_call):
    call = make_call(
        Operation.TEXT_TO_IMAGE,
        upstream_id="gpt-image-2",
        fields={"size": "1536x1024", "quality": "medium", "n": 1, INPUT_FIELDS: {"mask": "m"}},
        vendor={"openai": {"quality": "high", "moderation": "low"}, "fal": {"seed": 1}},
    )

    request = ADAPTER.submit(call, {})

    assert (request.method, request.url) == (
        "POST",
        "https://api.openai.com/v1/images/generations",
    )
    assert request.expects is Expectation.JSON
    assert request.body == JsonBody(
        {
            "model": "gpt-image-2",
            "prompt": "a red kite",
            "size": "1536x1024",
            "quality": "high",
            "n": 1,
            "moderation": "low",
        }
    )


@pytest.mark.parametrize(("count", "name"), [(1, "image"), (2, "image[]")])
def test_an_edit_is_a_form_with_named_and_typed_files(make_call, make_input, count, name):
    pictures = tuple(make_input(data=bytes([n]), name=f"{n}.png") for n in range(count))
    mask = make_input(InputRole.MASK, data=b"mask", name="mask.png")
    call = make_call(
        Operation.IMAGE_TO_IMAGE,
        fields={"n": 2, "stream": False, "svg": {"model": "x", "reasoning": {"effort": "low"}}},
        inputs=(*pictures, mask),
    )

    request = ADAPTER.submit(call, {})

    assert request.url == "https://api.openai.com/v1/images/edits"
    assert form(request.body) == [
        ("model", "a-model", None, None),
        ("prompt", "a red kite", None, None),
        ("n", "2", None, None),
        ("stream", "false", None, None),
        ("svg[model]", "x", None, None),
        ("svg[reasoning][effort]", "low", None, None),
        *((name, bytes([n]), f"{n}.png", "image/png") for n in range(count)),
        ("mask", b"mask", "mask.png", "image/png"),
    ]


def test_an_edit_of_a_picture_known_by_url_only_is_json(make_call, make_input):
    pictures = (make_input(data=None, url="https://ex.test/a.png"), make_input(data=b"b"))
    mask = make_input(InputRole.MASK, data=None, url="https://ex.test/m.png")
    call = make_call(Operation.IMAGE_TO_IMAGE, inputs=(*pictures, mask))

    request = ADAPTER.submit(call, {})

    assert request.body == JsonBody(
        {
            "model": "a-model",
            "prompt": "a red kite",
            "images": [
                {"image_url": "https://ex.test/a.png"},
                {"image_url": f"data:image/png;base64,{encoded(b'b')}"},
            ],
            "mask": {"image_url": "https://ex.test/m.png"},
        }
    )


def test_pictures_come_with_their_bytes_type_and_tokens(make_call, make_reply):
    reply = make_reply(
        {
            "created": 1764000000,
            "output_format": "webp",
            "data": [{"b64_json": encoded(b"RIFF")}, {"url": "https://x/y", "revised_prompt": "z"}],
            "usage": {
                "input_tokens": 12,
                "output_tokens": 1568,
                "input_tokens_details": {"text_tokens": 10, "image_tokens": 2},
            },
        }
    )

    done = ADAPTER.read_submit(make_call(Operation.TEXT_TO_IMAGE), reply)

    assert done.outputs == (
        InlineMedia(kind=MediaKind.IMAGE, data=b"RIFF", content_type="image/webp"),
        RemoteMedia(kind=MediaKind.IMAGE, url="https://x/y", revised_prompt="z"),
    )
    assert done.usage.input_tokens == 12
    assert done.usage.output_tokens == 1568
    assert done.usage.input_image_tokens == 2
    assert done.usage.cost is None


def test_a_paid_picture_is_kept_although_the_details_make_no_sense(make_call, make_reply):
    reply = make_reply(
        {"data": [{"b64_json": encoded(b"x")}], "usage": ["?"], "output_format": {"a": 1}}
    )
    call = make_call(Operation.TEXT_TO_IMAGE, fields={"output_format": "jpeg"})

    done = ADAPTER.read_submit(call, reply)

    assert done.outputs[0].content_type == "image/jpeg"
    assert done.usage.input_tokens is None


@pytest.mark.parametrize(
    "body", [b"<html>", b"", {"data": None}, {"data": [{}]}, {"data": [{"b64_json": "!!"}]}, []]
)
def test_a_reply_without_readable_pictures_is_unreadable(make_call, make_reply, body):
    with pytest.raises(UnreadableReplyError):
        ADAPTER.read_submit(make_call(Operation.TEXT_TO_IMAGE), make_reply(body))


def test_no_picture_at_all_is_a_failure(make_call, make_reply):
    read = ADAPTER.read_submit(make_call(Operation.TEXT_TO_IMAGE), make_reply({"data": []}))

    assert isinstance(read, Broken)
    assert read.fault.kind is FaultKind.FAILED


def test_speech_is_json_in_and_a_file_out(make_call):
    call = make_call(
        Operation.TEXT_TO_SPEECH,
        upstream_id="tts-1",
        prompt="Hello",
        fields={"voice": "alloy", "response_format": "wav", "speed": 1.25},
    )

    request = ADAPTER.submit(call, {})
    spooled = HttpReply(
        status=200, headers={"content-type": "application/octet-stream"}, spooled=Path("/a")
    )
    done = ADAPTER.read_submit(call, spooled)

    assert request.url.endswith("/audio/speech")
    assert request.expects is Expectation.MEDIA
    assert request.body == JsonBody(
        {
            "model": "tts-1",
            "input": "Hello",
            "voice": "alloy",
            "response_format": "wav",
            "speed": 1.25,
        }
    )
    assert done.outputs == (
        StagedMedia(kind=MediaKind.AUDIO, path=Path("/a"), content_type="audio/wav"),
    )


def test_a_web_page_is_not_speech(make_call, make_reply):
    reply = make_reply(b"<html>", content_type="text/html")

    with pytest.raises(UnreadableReplyError):
        ADAPTER.read_submit(make_call(Operation.TEXT_TO_SPEECH), reply)


def test_a_transcription_repeats_lists_and_sends_the_file_last(make_call, make_input):
    recording = make_input(
        InputRole.REFERENCE_AUDIO, data=b"RIFF", content_type="audio/wav", name="a.wav"
    )
    call = make_call(
        Operation.SPEECH_TO_TEXT,
        upstream_id="whisper-1",
        prompt=None,
        fields={
            "language": "en",
            "response_format": "verbose_json",
            "timestamp_granularities": ["word", "segment"],
            "temperature": None,
        },
        inputs=(recording,),
    )

    request = ADAPTER.submit(call, {})

    assert request.url.endswith("/audio/transcriptions")
    assert form(request.body) == [
        ("model", "whisper-1", None, None),
        ("language", "en", None, None),
        ("response_format", "verbose_json", None, None),
        ("timestamp_granularities[]", "word", None, None),
        ("timestamp_granularities[]", "segment", None, None),
        ("file", b"RIFF", "a.wav", "audio/wav"),
    ]


def test_a_verbose_transcript_has_words_segments_and_length(make_call, make_reply):
    reply = make_reply(
        {
            "task": "transcribe",
            "language": "english",
            "duration": 1.5,
            "text": " Hello there. ",
            "segments": [{"id": 0, "start": 0.0, "end": 1.5, "text": " Hello there."}],
            "words": [{"word": "Hello", "start": 0.0, "end": 0.5}],
            "usage": {"type": "duration", "seconds": 2},
        }
    )

    done = ADAPTER.read_submit(make_call(Operation.SPEECH_TO_TEXT), reply)

    transcript = done.outputs[0].transcript
    assert transcript.text == "Hello there."
    assert transcript.language == "english"
    assert transcript.seconds == 1.5
    assert transcript.words == (Word("Hello", 0.0, 0.5),)
    assert transcript.segments == (Segment("Hello there.", 0.0, 1.5),)
    assert done.usage.seconds == 2


def test_a_diarised_transcript_names_the_speakers(make_call, make_reply):
    reply = make_reply(
        {
            "duration": 3.0,
            "text": "Hi. Hey.",
            "segments": [
                {"id": "1", "start": 0, "end": 1, "speaker": "A", "text": "Hi."},
                {"id": "2", "start": 1, "end": 2, "speaker": "B", "text": "Hey."},
            ],
        }
    )

    done = ADAPTER.read_submit(make_call(Operation.SPEECH_TO_TEXT), reply)

    assert [item.speaker for item in done.outputs[0].transcript.segments] == ["A", "B"]


def test_text_formats_are_taken_as_they_are(make_call, make_reply):
    call = make_call(Operation.SPEECH_TO_TEXT, fields={"response_format": "srt"})
    captions = "1\n00:00:00,000 --> 00:00:01,000\nHéllo"

    done = ADAPTER.read_submit(call, make_reply(captions.encode() + b"\n\n"))

    assert done.outputs[0].transcript.text == captions
    with pytest.raises(UnreadableReplyError):
        ADAPTER.read_submit(call, make_reply(b"\xff\xfe"))


@pytest.mark.parametrize(
    ("status", "error", "kind"),
    [
        (401, {"code": "invalid_api_key"}, FaultKind.BAD_CREDENTIAL),
        (404, {"code": "model_not_found"}, FaultKind.NOT_FOUND),
        (400, {"code": "invalid_value", "param": "size"}, FaultKind.INVALID_REQUEST),
        (
            400,
            {"type": "image_generation_user_error", "code": "moderation_blocked"},
            FaultKind.REFUSED,
        ),
        (400, {"code": "content_policy_violation"}, FaultKind.REFUSED),
        (429, {"code": "rate_limit_exceeded"}, FaultKind.RATE_LIMITED),
        (429, {"code": "insufficient_quota"}, FaultKind.OUT_OF_CREDIT),
        (429, {"type": "insufficient_quota", "code": None}, FaultKind.OUT_OF_CREDIT),
        (400, {"code": "billing_hard_limit_reached"}, FaultKind.OUT_OF_CREDIT),
        (503, {"type": "server_error"}, FaultKind.UNAVAILABLE),
    ],
)
def test_errors_are_told_apart_by_their_code(make_reply, status, error, kind):
    reply = make_reply({"error": {"message": "Words.", **error}}, status, retry_after="7")

    fault = ADAPTER.read_error(reply)

    assert fault.kind is kind
    assert fault.message == "Words."
    assert fault.vendor_code == (error.get("code") or error.get("type"))
    assert fault.http_status == status
    assert fault.retry_after == 7


def test_what_cannot_be_done_is_refused_before_it_is_sent(make_call, make_input):
    video = make_input(InputRole.REFERENCE_VIDEO)
    mask = make_input(InputRole.MASK)
    cases = [
        make_call(Operation.TEXT_TO_VIDEO),
        make_call(Operation.IMAGE_TO_IMAGE, inputs=(video,)),
        make_call(Operation.IMAGE_TO_IMAGE, inputs=(mask,)),
        make_call(Operation.TEXT_TO_SPEECH, inputs=(mask,)),
        make_call(Operation.SPEECH_TO_TEXT),
    ]

    for call in cases:
        with pytest.raises(InvalidRequestError):
            ADAPTER.submit(call, {})


def test_another_base_url_is_used_for_every_path(make_call):
    adapter = OpenaiAdapter({"api": "http://127.0.0.1:9/openai/v1/"})

    request = adapter.submit(make_call(Operation.TEXT_TO_IMAGE), {})

    assert request.url == "http://127.0.0.1:9/openai/v1/images/generations"
    assert msgspec.to_builtins(request.headers) == {}
