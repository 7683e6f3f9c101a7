"""The ElevenLabs emulator, driven by the vendor's own SDK: transcription."""

from __future__ import annotations

import base64

import httpx
import pytest
from elevenlabs import ElevenLabs
from elevenlabs.core.api_error import ApiError
from elevenlabs.errors import UnprocessableEntityError
from tests.sandbox.elevenlabs_calls import GEORGE, NO_RETRY, TEXT, probe, speak


@pytest.fixture
def client(elevenlabs_client: ElevenLabs) -> ElevenLabs:
    return elevenlabs_client


class TestTranscripts:
    def test_own_speech_comes_back_exactly(self, client: ElevenLabs):
        speech = speak(client)
        transcript = client.speech_to_text.convert(
            model_id="scribe_v1", file=("a.mp3", speech), diarize=True, num_speakers=1
        )
        assert transcript.text == TEXT
        assert "".join(word.text for word in transcript.words) == TEXT
        assert {word.type for word in transcript.words} == {"word", "spacing"}
        assert [word.text for word in transcript.words if word.type == "word"] == TEXT.split()
        assert transcript.language_code == "eng"
        assert transcript.audio_duration_secs == pytest.approx(probe(speech)[2], abs=0.1)
        starts = [word.start for word in transcript.words]
        assert starts == sorted(starts)

    @pytest.mark.parametrize("output_format", ["wav_16000", "opus_48000_32", "mp3_22050_32"])
    def test_other_formats(self, client: ElevenLabs, output_format: str):
        speech = speak(client, output_format=output_format)
        transcript = client.speech_to_text.convert(model_id="scribe_v2", file=("speech", speech))
        assert transcript.text == TEXT

    def test_granularity(self, client: ElevenLabs):
        file = ("a.mp3", speak(client))
        by_character = client.speech_to_text.convert(
            model_id="scribe_v1", file=file, timestamps_granularity="character"
        )
        assert by_character.words[0].characters[0].text == "T"
        untimed = client.speech_to_text.convert(
            model_id="scribe_v1", file=file, timestamps_granularity="none"
        )
        assert untimed.words[0].start is None

    def test_channels(self, client: ElevenLabs):
        transcripts = client.speech_to_text.convert(
            model_id="scribe_v1", file=("a.mp3", speak(client)), use_multi_channel=True
        ).transcripts
        assert [(chunk.channel_index, chunk.text) for chunk in transcripts] == [(0, TEXT)]

    def test_by_address(self, client: ElevenLabs):
        preview = client.voices.get(GEORGE).preview_url
        data = httpx.get(preview).content
        assert client.speech_to_text.convert(model_id="scribe_v1", file=data).text == (
            "Hello, my name is George."
        )
        address = f"data:audio/mpeg;base64,{base64.b64encode(speak(client)).decode()}"
        assert client.speech_to_text.convert(model_id="scribe_v1", source_url=address).text == TEXT

    def test_later(self, client: ElevenLabs):
        promise = client.speech_to_text.convert(
            model_id="scribe_v1",
            file=speak(client),
            webhook=True,
            request_options={"additional_headers": {"X-Sandbox-Progression": "polls=1"}},
        )
        with pytest.raises(ApiError) as early:
            client.speech_to_text.transcripts.get(promise.transcription_id)
        assert early.value.status_code == 404
        assert client.speech_to_text.transcripts.get(promise.transcription_id).text == TEXT

    @pytest.mark.parametrize(
        ("fields", "status_code", "status"),
        [
            ({"model_id": "whisper", "file": b"x"}, 400, "invalid_model_id"),
            ({"model_id": "scribe_v1", "file": b"no sound at all"}, 400, "invalid_content"),
            ({"model_id": "scribe_v1", "file": b""}, 400, "invalid_content"),
            (
                {"model_id": "scribe_v1", "file": b"\0" * 1600, "file_format": "pcm_s16le_16"},
                400,
                "audio_too_short",
            ),
            (
                {"model_id": "scribe_v1", "source_url": "https://sound.example/a.mp3"},
                400,
                "invalid_source_url",
            ),
        ],
    )
    def test_refused(self, client: ElevenLabs, fields, status_code: int, status: str):
        with pytest.raises(ApiError) as refused:
            client.speech_to_text.convert(**fields, request_options=NO_RETRY)
        assert refused.value.status_code == status_code
        assert refused.value.body["detail"]["status"] == status

    def test_invalid_fields(self, client: ElevenLabs):
        for fields, place in (
            ({"num_speakers": 33, "file": b"x"}, ["body", "num_speakers"]),
            ({"temperature": 2.5, "file": b"x"}, ["body", "temperature"]),
            ({}, ["body"]),
            ({"file": b"x", "source_url": "https://sound.example"}, ["body"]),
        ):
            with pytest.raises(UnprocessableEntityError) as refused:
                client.speech_to_text.convert(model_id="scribe_v1", **fields)
            assert refused.value.body["detail"][0]["loc"] == place
