"""The ElevenLabs emulator, driven by the vendor's own SDK: voices, models and the account."""

from __future__ import annotations

import pytest
from elevenlabs import ElevenLabs
from elevenlabs.core.api_error import ApiError
from elevenlabs.errors import UnprocessableEntityError
from tests.sandbox.elevenlabs_calls import GEORGE, TEXT, speak


@pytest.fixture
def client(elevenlabs_client: ElevenLabs) -> ElevenLabs:
    return elevenlabs_client


class TestLists:
    def test_voices(self, client: ElevenLabs):
        voices = client.voices.get_all().voices
        assert {voice.name: voice.voice_id for voice in voices}["George"] == GEORGE
        assert all(len(voice.voice_id) == 20 for voice in voices)
        assert client.voices.get(GEORGE).settings.stability == 0.5

    def test_voices_by_page(self, client: ElevenLabs):
        names: list[str] = []
        token = None
        while True:
            page = client.voices.search(page_size=5, next_page_token=token)
            names += [voice.name for voice in page.voices]
            token = page.next_page_token
            if not page.has_more:
                break
        assert len(names) == len(set(names)) == page.total_count == 13
        assert token is None
        british = client.voices.search(search="british")
        assert {voice.name for voice in british.voices} == {"George", "Daniel", "Dave"}
        assert client.voices.search(category="cloned").voices == []

    def test_page_size(self, client: ElevenLabs):
        with pytest.raises(UnprocessableEntityError) as refused:
            client.voices.search(page_size=101)
        assert refused.value.body["detail"][0]["loc"] == ["query", "page_size"]

    def test_unknown_voice(self, client: ElevenLabs):
        with pytest.raises(ApiError) as refused:
            client.voices.get("x" * 20)
        assert (refused.value.status_code, refused.value.body["detail"]["status"]) == (
            404,
            "voice_not_found",
        )

    def test_models(self, client: ElevenLabs):
        models = {model.model_id: model for model in client.models.list()}
        flash = models["eleven_flash_v2_5"]
        assert flash.maximum_text_length_per_request == 40_000
        assert flash.model_rates.character_cost_multiplier == 0.5
        assert len(models["eleven_multilingual_v2"].languages) == 29

    def test_quota_is_counted(self, client: ElevenLabs):
        assert client.user.subscription.get().character_count == 0
        speak(client)
        speak(client, model_id="eleven_flash_v2_5")
        assert client.user.subscription.get().character_count == len(TEXT) + 28
        assert client.user.get().subscription.tier == "pro"
