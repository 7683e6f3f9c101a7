"""What goes to ElevenLabs and what is read from it."""

from __future__ import annotations

from pathlib import Path

import pytest

from mediawright.core.errors import InvalidRequestError
from mediawright.core.media import Word
from mediawright.core.operations import InputRole, MediaKind, Operation
from mediawright.core.provider import FaultKind, StagedMedia
from mediawright.providerkit.http import (
    Expectation,
    HttpReply,
    JsonBody,
    MultipartBody,
    UnreadableReplyError,
)
from mediawright.providers.elevenlabs import ElevenlabsAdapter

ADAPTER = ElevenlabsAdapter()


def form(body):
    assert isinstance(body, MultipartBody)
    return [(part.name, part.data, part.filename, part.content_type) for part in body.parts]


def test_speech_names_the_voice_in_the_path_and_the_format_in_the_query(make_call):
    call = make_call(
        Operation.TEXT_TO_SPEECH,
        upstream_id="eleven_multilingual_v2",
        prompt="Hello",
        fields={
            "voice_id": "21m00Tcm4TlvDq8ikWAM",
            "output_format": "wav_24000",
            "voice_settings": {"speed": 1.1},
            "seed": 3,
        },
        vendor={"elevenlabs": {"enable_logging": False, "previous_text": "Well."}},
    )

    request = ADAPTER.submit(call, {})
    reply = HttpReply(
        status=200,
        headers={"content-type": "audio/mpeg", "character-cost": "5"},
        spooled=Path("/a"),
    )
    done = ADAPTER.read_submit(call, reply)

    assert request.url == ("https://api.elevenlabs.io/v1/text-to-speech/21m00Tcm4TlvDq8ikWAM")
    assert request.query == {"output_format": "wav_24000", "enable_logging": "false"}
    assert request.expects is Expectation.MEDIA
    assert request.body == JsonBody(
        {
            "text": "Hello",
            "model_id": "eleven_multilingual_v2",
            "voice_settings": {"speed": 1.1},
            "seed": 3,
            "previous_text": "Well.",
        }
    )
    assert done.outputs == (
        StagedMedia(kind=MediaKind.AUDIO, path=Path("/a"), content_type="audio/wav"),
    )
    assert done.usage.characters == 5


def test_music_is_asked_for_by_its_length_in_milliseconds(make_call, make_input):
    call = make_call(
        Operation.TEXT_TO_MUSIC,
        upstream_id="music_v1",
        prompt="a slow waltz",
        fields={
            "music_length_ms": 20_000,
            "force_instrumental": True,
            "output_format": "opus_48000_128",
        },
    )

    request = ADAPTER.submit(call, {})
    done = ADAPTER.read_submit(call, HttpReply(status=200, headers={}, body=b"OggS"))

    assert request.url == "https://api.elevenlabs.io/v1/music"
    assert request.query == {"output_format": "opus_48000_128"}
    assert request.expects is Expectation.MEDIA
    assert request.body == JsonBody(
        {
            "prompt": "a slow waltz",
            "model_id": "music_v1",
            "music_length_ms": 20_000,
            "force_instrumental": True,
        }
    )
    assert done.outputs[0].content_type == "audio/ogg"
    recording = (make_input(InputRole.REFERENCE_AUDIO),)
    with pytest.raises(InvalidRequestError) as raised:
        ADAPTER.submit(make_call(Operation.TEXT_TO_MUSIC, inputs=recording), {})
    assert raised.value.code == "unsupported_input"


@pytest.mark.parametrize("headers", [{}, {"character-cost": "many"}])
def test_speech_without_a_readable_cost_is_still_speech(make_call, headers):
    call = make_call(Operation.TEXT_TO_SPEECH, fields={"voice_id": "v"})

    done = ADAPTER.read_submit(call, HttpReply(status=200, headers=headers, body=b"ID3"))

    assert done.outputs[0].content_type == "audio/mpeg"
    assert done.usage.characters is None


def test_a_transcription_sends_the_file_or_its_url(make_call, make_input):
    fields = {"language_code": "en", "diarize": True, "keyterms": ["kite", "dune"]}
    fields["additional_formats"] = [{"format": "srt"}]
    recording = make_input(
        InputRole.REFERENCE_AUDIO, data=b"RIFF", content_type="audio/wav", name="a.wav"
    )
    remote = make_input(InputRole.REFERENCE_AUDIO, data=None, url="https://ex.test/a.wav")

    sent = ADAPTER.submit(
        make_call(Operation.SPEECH_TO_TEXT, prompt=None, fields=fields, inputs=(recording,)), {}
    )
    named = ADAPTER.submit(make_call(Operation.SPEECH_TO_TEXT, inputs=(remote,)), {})

    assert sent.url == "https://api.elevenlabs.io/v1/speech-to-text"
    assert form(sent.body) == [
        ("model_id", "a-model", None, None),
        ("language_code", "en", None, None),
        ("diarize", "true", None, None),
        ("keyterms", "kite", None, None),
        ("keyterms", "dune", None, None),
        ("additional_formats", '[{"format":"srt"}]', None, None),
        ("file", b"RIFF", "a.wav", "audio/wav"),
    ]
    assert form(named.body) == [
        ("model_id", "a-model", None, None),
        ("source_url", "https://ex.test/a.wav", None, None),
    ]


def test_a_transcript_keeps_words_and_leaves_out_spaces_and_noises(make_call, make_reply):
    reply = make_reply(
        {
            "language_code": "eng",
            "text": "Hello (laughs) world!",
            "words": [
                {"text": "Hello", "start": 0.0, "end": 0.5, "type": "word", "speaker_id": "s0"},
                {"text": " ", "start": 0.5, "end": 0.6, "type": "spacing"},
                {"text": "(laughs)", "start": 0.6, "end": 0.9, "type": "audio_event"},
                {"text": "world!", "start": 0.9, "end": 1.2, "type": "word", "logprob": -0.1},
            ],
            "audio_duration_secs": 1.2,
        }
    )

    done = ADAPTER.read_submit(make_call(Operation.SPEECH_TO_TEXT), reply)

    transcript = done.outputs[0].transcript
    assert transcript.text == "Hello (laughs) world!"
    assert transcript.language == "eng"
    assert transcript.words == (Word("Hello", 0.0, 0.5, "s0"), Word("world!", 0.9, 1.2))
    assert transcript.seconds == done.usage.seconds == 1.2


def test_channels_become_one_transcript_in_time(make_call, make_reply):
    def channel(text: str, start: float) -> dict:
        word = {"text": text, "start": start, "end": start + 1, "type": "word"}
        return {"text": text, "words": [word], "audio_duration_secs": 4}

    reply = make_reply({"transcripts": [channel("Hey", 1.0), channel("Hi", 0.0)]})

    transcript = (
        ADAPTER.read_submit(make_call(Operation.SPEECH_TO_TEXT), reply).outputs[0].transcript
    )

    assert transcript.text == "Hey\nHi"
    assert [word.text for word in transcript.words] == ["Hi", "Hey"]


@pytest.mark.parametrize("body", [{"message": "Request accepted."}, {"transcripts": []}, b""])
def test_a_reply_without_text_is_unreadable(make_call, make_reply, body):
    with pytest.raises(UnreadableReplyError):
        ADAPTER.read_submit(make_call(Operation.SPEECH_TO_TEXT), make_reply(body))


def test_json_is_not_speech(make_call, make_reply):
    with pytest.raises(UnreadableReplyError):
        ADAPTER.read_submit(make_call(Operation.TEXT_TO_SPEECH), make_reply({"a": 1}))


@pytest.mark.parametrize(
    ("status", "detail", "kind", "message"),
    [
        (401, {"status": "invalid_api_key", "message": "No"}, FaultKind.BAD_CREDENTIAL, "No"),
        (401, {"status": "quota_exceeded", "message": "No"}, FaultKind.OUT_OF_CREDIT, "No"),
        (402, {"code": "payment_required", "message": "No"}, FaultKind.OUT_OF_CREDIT, "No"),
        (400, {"status": "bad_prompt", "message": "No"}, FaultKind.REFUSED, "No"),
        (400, {"status": "content_policy_violation", "message": "No"}, FaultKind.REFUSED, "No"),
        (404, {"status": "voice_not_found", "message": "No"}, FaultKind.INVALID_REQUEST, "No"),
        (429, {"status": "system_busy", "message": "No"}, FaultKind.RATE_LIMITED, "No"),
        (400, "Plain words", FaultKind.INVALID_REQUEST, "Plain words"),
        (
            422,
            [{"loc": ["body", "text"], "msg": "field required", "type": "missing"}],
            FaultKind.INVALID_REQUEST,
            "body.text: field required",
        ),
    ],
)
def test_the_detail_is_read_in_all_its_shapes(make_reply, status, detail, kind, message):
    fault = ADAPTER.read_error(make_reply({"detail": detail}, status))

    assert (fault.kind, fault.message) == (kind, message)


def test_what_cannot_be_done_is_refused_before_it_is_sent(make_call, make_input):
    cases = [
        make_call(Operation.TEXT_TO_IMAGE),
        make_call(Operation.TEXT_TO_SPEECH),
        make_call(Operation.TEXT_TO_SPEECH, fields={"voice_id": "v"}, inputs=(make_input(),)),
        make_call(Operation.SPEECH_TO_TEXT),
        make_call(Operation.SPEECH_TO_TEXT, inputs=(make_input(),)),
    ]

    for call in cases:
        with pytest.raises(InvalidRequestError):
            ADAPTER.submit(call, {})
