"""The ElevenLabs emulator, driven by the vendor's own SDK: speech."""

from __future__ import annotations

import base64
import io

import av
import httpx
import numpy as np
import pytest
from elevenlabs import ElevenLabs, VoiceSettings
from elevenlabs.client import AsyncElevenLabs
from tests.sandbox.elevenlabs_calls import GEORGE, TEXT, probe, speak

from mediawright.sandbox.background import BackgroundSandbox


@pytest.fixture
def client(elevenlabs_client: ElevenLabs) -> ElevenLabs:
    return elevenlabs_client


class TestSpeech:
    def test_default_format(self, client: ElevenLabs):
        with client.text_to_speech.with_raw_response.convert(GEORGE, text=TEXT) as reply:
            codec, rate, seconds = probe(b"".join(reply.data))
            headers = reply.headers
        assert codec.startswith("mp3")
        assert rate == 44_100
        assert seconds > 2
        assert headers["content-type"] == "audio/mpeg"
        assert headers["character-cost"] == str(len(TEXT))
        assert headers["current-concurrent-requests"] == "1"
        assert headers["maximum-concurrent-requests"] == "10"
        assert len(headers["request-id"]) == len(headers["history-item-id"]) == 20

    @pytest.mark.parametrize(
        ("output_format", "codec", "rate", "content_type"),
        [
            ("mp3_22050_32", "mp3float", 22_050, "audio/mpeg"),
            ("mp3_24000_48", "mp3float", 24_000, "audio/mpeg"),
            ("mp3_44100_192", "mp3float", 44_100, "audio/mpeg"),
            ("wav_8000", "pcm_s16le", 8_000, "audio/wav"),
            ("wav_48000", "pcm_s16le", 48_000, "audio/wav"),
            ("opus_48000_64", "opus", 48_000, "audio/opus"),
        ],
    )
    def test_formats_with_a_header(
        self, client: ElevenLabs, output_format: str, codec: str, rate: int, content_type: str
    ):
        with client.text_to_speech.with_raw_response.convert(
            GEORGE, text="Good morning.", output_format=output_format
        ) as reply:
            found = probe(b"".join(reply.data))
            assert reply.headers["content-type"] == content_type
        assert found[:2] == (codec, rate)

    @pytest.mark.parametrize("kilobits", [32, 64, 96, 128, 192])
    def test_bit_rates(self, client: ElevenLabs, kilobits: int):
        data = speak(client, output_format=f"mp3_44100_{kilobits}")
        with av.open(io.BytesIO(data)) as container:
            assert container.streams.audio[0].codec_context.bit_rate == kilobits * 1000

    @pytest.mark.parametrize("rate", [8_000, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000])
    def test_bare_samples_last_as_long_as_the_file(self, client: ElevenLabs, rate: int):
        samples = np.frombuffer(speak(client, output_format=f"pcm_{rate}"), "<i2")
        _, _, seconds = probe(speak(client, output_format="wav_16000"))
        assert len(samples) / rate == pytest.approx(seconds, abs=0.01)
        assert np.abs(samples).max() > 1000

    @pytest.mark.parametrize(("name", "codec"), [("ulaw", "mulaw"), ("alaw", "alaw")])
    def test_telephone_codecs(self, client: ElevenLabs, name: str, codec: str):
        coded = speak(client, output_format=f"{name}_8000")
        wav = speak(client, output_format="wav_8000")
        with av.open(io.BytesIO(coded), format=codec, options={"sample_rate": "8000"}) as container:
            blocks = [frame.to_ndarray() for frame in container.decode(audio=0)]
        heard = np.concatenate(blocks, axis=1)[0].astype(float)
        with av.open(io.BytesIO(wav)) as container:
            blocks = [frame.to_ndarray() for frame in container.decode(audio=0)]
        meant = np.concatenate(blocks, axis=1)[0].astype(float)
        assert len(coded) == len(meant)
        assert np.corrcoef(heard, meant)[0, 1] > 0.99

    def test_stream(self, client: ElevenLabs):
        with client.text_to_speech.with_raw_response.stream(GEORGE, text=TEXT) as reply:
            pieces = list(reply.data)
            assert "content-length" not in reply.headers
        assert len(pieces) > 1
        assert b"".join(pieces) == speak(client)

    def test_with_timestamps(self, client: ElevenLabs):
        reply = client.text_to_speech.convert_with_timestamps(GEORGE, text=TEXT)
        audio = base64.b64decode(reply.audio_base_64)
        times = reply.alignment
        assert "".join(times.characters) == TEXT
        assert len(times.characters) == len(times.character_end_times_seconds)
        assert times.character_start_times_seconds == sorted(times.character_start_times_seconds)
        assert times.character_end_times_seconds[-1] == pytest.approx(probe(audio)[2], abs=0.1)

    def test_stream_with_timestamps(self, client: ElevenLabs):
        pieces = list(client.text_to_speech.stream_with_timestamps(GEORGE, text=TEXT))
        assert "".join(pieces[0].alignment.characters) == TEXT
        assert b"".join(base64.b64decode(piece.audio_base_64) for piece in pieces) == speak(client)

    def test_speed_is_heard(self, client: ElevenLabs):
        slow, fast = (
            probe(speak(client, voice_settings=VoiceSettings(speed=speed)))[2]
            for speed in (0.7, 1.2)
        )
        assert slow > fast * 1.3

    async def test_async_client(self, sandbox: BackgroundSandbox):
        async with httpx.AsyncClient() as http:
            client = AsyncElevenLabs(
                api_key="sk_async",
                base_url=sandbox.base_urls["elevenlabs"]["api"],
                httpx_client=http,
            )
            pieces = [piece async for piece in client.text_to_speech.convert(GEORGE, text="Hi.")]
        assert probe(b"".join(pieces))[1] == 44_100
