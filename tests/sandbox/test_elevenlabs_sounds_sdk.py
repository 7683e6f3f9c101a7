"""The ElevenLabs emulator, driven by the vendor's own SDK: sound effects and music."""

from __future__ import annotations

from typing import Any

import pytest
from elevenlabs import ElevenLabs
from elevenlabs.core.api_error import ApiError
from elevenlabs.errors import UnprocessableEntityError
from tests.sandbox.elevenlabs_calls import Connect, probe


@pytest.fixture
def connect(connect_elevenlabs: Connect) -> Connect:
    return connect_elevenlabs


@pytest.fixture
def client(elevenlabs_client: ElevenLabs) -> ElevenLabs:
    return elevenlabs_client


class TestSounds:
    def test_effect(self, client: ElevenLabs):
        with client.text_to_sound_effects.with_raw_response.convert(
            text="rain on a roof", duration_seconds=1.5, output_format="mp3_24000_48"
        ) as reply:
            data = b"".join(reply.data)
            assert reply.headers["character-cost"] == "60"
        codec, rate, seconds = probe(data)
        assert (codec, rate) == ("mp3float", 24_000)
        assert seconds == pytest.approx(1.5, abs=0.05)

    @pytest.mark.parametrize(
        ("fields", "place"),
        [
            ({"duration_seconds": 0.4}, "duration_seconds"),
            ({"duration_seconds": 31}, "duration_seconds"),
            ({"prompt_influence": 1.1}, "prompt_influence"),
        ],
    )
    def test_effect_out_of_range(self, client: ElevenLabs, fields, place: str):
        with pytest.raises(UnprocessableEntityError) as refused:
            b"".join(client.text_to_sound_effects.convert(text="rain", **fields))
        assert refused.value.body["detail"][0]["loc"] == ["body", place]

    @pytest.mark.parametrize(
        ("model", "rate"), [(None, 44_100), ("music_v1", 44_100), ("music_v2", 48_000)]
    )
    def test_song(self, client: ElevenLabs, model: str | None, rate: int):
        fields = {"model_id": model} if model else {}
        with client.music.with_raw_response.compose(
            prompt="calm piano", music_length_ms=3000, **fields
        ) as reply:
            data = b"".join(reply.data)
            assert len(reply.headers["song-id"]) == 20
            assert reply.headers["content-type"] == "audio/mpeg"
        assert probe(data)[1] == rate
        assert probe(data)[2] == pytest.approx(3, abs=0.05)

    def test_song_by_plan(self, client: ElevenLabs):
        def section(name: str) -> dict[str, Any]:
            return {
                "section_name": name,
                "positive_local_styles": ["calm"],
                "negative_local_styles": [],
                "duration_ms": 3000,
                "lines": [],
            }

        plan = {
            "positive_global_styles": ["piano"],
            "negative_global_styles": [],
            "sections": [section("Intro"), section("Outro")],
        }
        data = b"".join(client.music.compose(composition_plan=plan))
        assert probe(data)[2] == pytest.approx(6, abs=0.05)

    def test_song_with_details(self, client: ElevenLabs):
        reply = client.music.compose_detailed(prompt="calm piano", music_length_ms=3000)
        assert reply.json["song_metadata"]["description"] == "calm piano"
        assert reply.json["composition_plan"]["sections"][0]["duration_ms"] == 3000
        assert reply.filename == f"{reply.song_id}.mp3"
        assert probe(reply.audio)[2] == pytest.approx(3, abs=0.05)

    @pytest.mark.parametrize(
        ("fields", "place"),
        [
            ({}, ["body"]),
            ({"prompt": "x", "music_length_ms": 2999}, ["body", "music_length_ms"]),
            ({"prompt": "x", "music_length_ms": 600_001}, ["body", "music_length_ms"]),
            ({"prompt": "x" * 4101}, ["body", "prompt"]),
            ({"prompt": "x", "model_id": "music_v9"}, ["body", "model_id"]),
        ],
    )
    def test_song_refused(self, client: ElevenLabs, fields, place: list[str]):
        with pytest.raises(UnprocessableEntityError) as refused:
            b"".join(client.music.compose(**fields))
        assert refused.value.body["detail"][0]["loc"] == place

    def test_song_needs_a_paid_plan(self, connect: Connect):
        with pytest.raises(ApiError) as refused:
            b"".join(connect("sk_free").music.compose(prompt="calm piano"))
        assert refused.value.status_code == 402

    def test_moderated_song(self, client: ElevenLabs):
        with pytest.raises(ApiError) as refused:
            b"".join(client.music.compose(prompt="like that band [[sandbox: moderated]]"))
        assert refused.value.status_code == 400
        detail = refused.value.body["detail"]
        assert detail["status"] == "bad_prompt"
        assert detail["data"]["prompt_suggestion"]
