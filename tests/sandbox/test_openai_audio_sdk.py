"""The OpenAI emulator's speech and transcription as OpenAI's own SDK sees them."""

from __future__ import annotations

import io
import wave
from typing import Any

import openai
import pytest
from openai import OpenAI

# The SDK still has the methods of retiring models, and says so.
DEPRECATED_METHOD = pytest.mark.filterwarnings("ignore:deprecated:DeprecationWarning")


@pytest.fixture
def client(openai_client: OpenAI) -> OpenAI:
    return openai_client


@pytest.mark.parametrize(
    ("response_format", "start", "content_type"),
    [
        ("mp3", (b"ID3", b"\xff"), "audio/mpeg"),
        ("opus", (b"OggS",), "audio/opus"),
        ("aac", (b"ID3", b"\xff"), "audio/aac"),
        ("flac", (b"fLaC",), "audio/flac"),
        ("wav", (b"RIFF",), "audio/wav"),
        ("pcm", (b"",), "audio/pcm"),
    ],
)
def test_speaks(
    client: OpenAI, response_format: Any, start: tuple[bytes, ...], content_type: str
) -> None:
    reply = client.audio.speech.create(
        model="gpt-4o-mini-tts", voice="marin", input="Good evening.",
        response_format=response_format, instructions="warmly",
    )  # fmt: skip
    assert reply.response.headers["content-type"] == content_type
    assert reply.content.startswith(start)
    assert len(reply.content) > 1000


def test_speaks_pcm_at_24_kilohertz(client: OpenAI) -> None:
    order: Any = {"model": "tts-1", "voice": "alloy", "input": "One two three four."}
    pcm = client.audio.speech.create(**order, response_format="pcm").content
    wav = client.audio.speech.create(**order, response_format="wav").content
    with wave.open(io.BytesIO(wav)) as file:
        assert (file.getframerate(), file.getnchannels(), file.getsampwidth()) == (24_000, 1, 2)
        assert file.readframes(file.getnframes()) == pcm


def test_streams_speech(client: OpenAI) -> None:
    with client.audio.speech.with_streaming_response.create(
        model="gpt-4o-mini-tts", voice="sage", input="Good evening.", stream_format="sse"
    ) as reply:
        lines = list(reply.iter_lines())
    assert any('"speech.audio.delta"' in line for line in lines)
    assert '"total_tokens"' in [line for line in lines if line.startswith("data:")][-1]


@pytest.mark.parametrize(
    ("settings", "param"),
    [
        ({"voice": "nobody"}, "voice"),
        ({"voice": "marin"}, "voice"),
        ({"speed": 5}, "speed"),
        ({"response_format": "ogg"}, "response_format"),
        ({"stream_format": "sse"}, "stream_format"),
        ({"input": "x" * 4097}, "input"),
        ({"extra_body": {"pitch": 2}}, "pitch"),
    ],
)
def test_refuses_bad_speech(client: OpenAI, settings: dict[str, Any], param: str) -> None:
    order = {"model": "tts-1", "voice": "alloy", "input": "Good evening."}
    with pytest.raises(openai.BadRequestError) as caught:
        client.audio.speech.create(**{**order, **settings})
    assert caught.value.param == param


TEXT = "Good evening. The train leaves at nine."


@pytest.fixture(scope="module")
def spoken(openai_connected: OpenAI) -> tuple[str, bytes, str]:
    reply = openai_connected.audio.speech.create(model="tts-1", voice="alloy", input=TEXT)
    return ("spoken.mp3", reply.content, "audio/mpeg")


@pytest.mark.parametrize("model", ["gpt-transcribe", "gpt-4o-transcribe", "whisper-1"])
def test_transcribes(client: OpenAI, spoken: Any, model: str) -> None:
    reply = client.audio.transcriptions.create(model=model, file=spoken)
    assert reply.text == TEXT
    assert reply.usage
    assert reply.usage.type == ("duration" if model == "whisper-1" else "tokens")
    if model == "gpt-transcribe":
        assert [language.code for language in reply.languages or ()] == ["en"]


def test_transcribes_with_times(client: OpenAI, spoken: Any) -> None:
    reply = client.audio.transcriptions.create(
        model="whisper-1", file=spoken, response_format="verbose_json",
        timestamp_granularities=["word", "segment"],
    )  # fmt: skip
    assert reply.language == "english"
    assert [word.word for word in reply.words or ()] == TEXT.split()
    assert [segment.text.strip() for segment in reply.segments or ()] == [
        "Good evening.",
        "The train leaves at nine.",
    ]
    ends = [word.end for word in reply.words or ()]
    assert ends == sorted(ends)
    assert ends[-1] <= reply.duration


def test_transcribes_to_subtitles(client: OpenAI, spoken: Any) -> None:
    order: Any = {"model": "whisper-1", "file": spoken}
    text = client.audio.transcriptions.create(**order, response_format="text")
    srt = client.audio.transcriptions.create(**order, response_format="srt")
    vtt = client.audio.transcriptions.create(**order, response_format="vtt")
    assert text == f"{TEXT}\n"
    assert srt.startswith("1\n00:00:00,000 --> 00:00:")
    assert "\n\n2\n" in srt
    assert vtt.startswith("WEBVTT\n\n00:00:00.000 --> 00:00:")


def test_tells_speakers_apart(client: OpenAI, spoken: Any) -> None:
    reply = client.audio.transcriptions.create(
        model="gpt-4o-transcribe-diarize", file=spoken, response_format="diarized_json"
    )
    assert [segment.speaker for segment in reply.segments] == ["A", "A"]


def test_streams_a_transcript(client: OpenAI, spoken: Any) -> None:
    events = list(
        client.audio.transcriptions.create(
            model="gpt-4o-mini-transcribe", file=spoken, stream=True, include=["logprobs"]
        )
    )
    assert "".join(event.delta for event in events[:-1]) == TEXT
    assert events[-1].type == "transcript.text.done"
    assert events[-1].text == TEXT
    assert events[-1].logprobs


@DEPRECATED_METHOD
def test_translates(client: OpenAI, spoken: Any) -> None:
    assert client.audio.translations.create(model="whisper-1", file=spoken).text == TEXT


@pytest.mark.parametrize(
    ("settings", "param"),
    [
        ({"file": ("a.txt", b"hello", "text/plain")}, "file"),
        ({"file": ("a.mp3", b"not a sound", "audio/mpeg")}, "file"),
        ({"response_format": "srt"}, "response_format"),
        ({"temperature": 2}, "temperature"),
        ({"timestamp_granularities": ["word"]}, "timestamp_granularities"),
        ({"keywords": ["train"]}, "keywords"),
        ({"model": "whisper-1", "include": ["logprobs"]}, "include"),
    ],
)
def test_refuses_bad_transcription(
    client: OpenAI, spoken: Any, settings: dict[str, Any], param: str
) -> None:
    with pytest.raises(openai.BadRequestError) as caught:
        client.audio.transcriptions.create(
            **{"model": "gpt-4o-transcribe", "file": spoken, **settings}
        )
    assert caught.value.param == param


def test_refuses_unknown_audio_models(client: OpenAI, spoken: Any) -> None:
    with pytest.raises(openai.NotFoundError):
        client.audio.transcriptions.create(model="gpt-ears", file=spoken)
    with pytest.raises(openai.NotFoundError):
        client.audio.speech.create(model="gpt-mouth", voice="alloy", input="hello")
