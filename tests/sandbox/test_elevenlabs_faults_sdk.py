"""The ElevenLabs emulator, driven by the vendor's own SDK: refusals and failures."""

from __future__ import annotations

import json
import time
from types import SimpleNamespace

import av
import httpx
import pytest
from elevenlabs import ElevenLabs, VoiceSettings
from elevenlabs.errors import UnprocessableEntityError
from tests.sandbox.elevenlabs_calls import GEORGE, TEXT, Connect, probe, refusal, scenario, speak

from mediawright.sandbox.background import BackgroundSandbox


@pytest.fixture
def connect(connect_elevenlabs: Connect) -> Connect:
    return connect_elevenlabs


@pytest.fixture
def client(elevenlabs_client: ElevenLabs) -> ElevenLabs:
    return elevenlabs_client


class TestFaults:
    @pytest.mark.parametrize(
        ("fields", "status_code", "status"),
        [
            ({"voice_id": "x" * 20}, 400, "voice_not_found"),
            ({"model_id": "eleven_v9"}, 404, "model_not_found"),
            ({"text": "x" * 10_001}, 400, "max_character_limit_exceeded"),
            (
                {"text": "x" * 3_001, "model_id": "eleven_v3"},
                400,
                "max_character_limit_exceeded",
            ),
            ({"text": "  "}, 400, "input_text_empty"),
            ({"model_id": "eleven_v3", "previous_text": "x"}, 400, "unsupported_model"),
            ({"voice_settings": VoiceSettings(stability=1.1)}, 400, "invalid_voice_settings"),
            ({"voice_settings": VoiceSettings(speed=1.3)}, 400, "invalid_voice_settings"),
        ],
    )
    def test_refused(self, client: ElevenLabs, fields, status_code: int, status: str):
        refused = refusal(client, **fields)
        assert refused.status_code == status_code
        assert refused.body["detail"]["status"] == status
        assert refused.body["detail"]["message"]

    @pytest.mark.parametrize(
        ("fields", "place", "kind"),
        [
            ({"seed": -1}, ["body", "seed"], "greater_than_equal"),
            ({"seed": 2**32}, ["body", "seed"], "less_than_equal"),
            ({"text": 7}, ["body", "text"], "string_type"),
            ({"text": None}, ["body", "text"], "string_type"),
            ({"previous_request_ids": ["a"] * 4}, ["body", "previous_request_ids"], "too_long"),
            ({"apply_text_normalization": "x"}, ["body", "apply_text_normalization"], "enum"),
            ({"output_format": "flac_44100"}, ["query", "output_format"], "enum"),
        ],
    )
    def test_invalid(self, client: ElevenLabs, fields, place: list[str], kind: str):
        refused = refusal(client, **fields)
        assert isinstance(refused, UnprocessableEntityError)
        (entry,) = refused.body["detail"]
        assert (entry["loc"], entry["type"]) == (place, kind)

    def test_null_stands_for_absent(self, client: ElevenLabs):
        assert speak(client, seed=None, voice_settings=None, model_id=None) == speak(client)

    def test_broken_json(self, sandbox: BackgroundSandbox):
        reply = httpx.post(
            f"{sandbox.root}/elevenlabs/v1/text-to-speech/{GEORGE}",
            content=b"{",
            headers={"xi-api-key": "sk", "content-type": "application/json"},
        )
        assert (reply.status_code, reply.json()["detail"][0]["type"]) == (422, "json_invalid")

    @pytest.mark.parametrize("key", ["sk_bad", "bad"])
    def test_bad_key(self, connect: Connect, key: str):
        refused = refusal(connect(key))
        assert (refused.status_code, refused.body["detail"]["status"]) == (401, "invalid_api_key")

    def test_missing_key(self, sandbox: BackgroundSandbox):
        assert httpx.get(f"{sandbox.root}/elevenlabs/v1/voices").status_code == 401

    def test_quota_is_exceeded(self, connect: Connect):
        client = connect("sk_free")
        refused = refusal(client, text="x" * 30_000, model_id="eleven_flash_v2")
        assert (refused.status_code, refused.body["detail"]["status"]) == (401, "quota_exceeded")
        assert "10000 credits remaining, while 15000" in refused.body["detail"]["message"]
        assert client.user.subscription.get().character_count == 0

    def test_format_needs_a_larger_plan(self, connect: Connect):
        for output_format in ("pcm_44100", "mp3_44100_192"):
            refused = refusal(connect("sk_free"), output_format=output_format)
            assert refused.status_code == 403

    def test_out_of_credit(self, client: ElevenLabs):
        refused = refusal(client, scenario("out_of_credit"))
        assert (refused.status_code, refused.body["detail"]["status"]) == (401, "quota_exceeded")

    def test_rate_limit_is_retried(
        self, client: ElevenLabs, sandbox: BackgroundSandbox, monkeypatch: pytest.MonkeyPatch
    ):
        waited: list[float] = []
        clock = SimpleNamespace(sleep=waited.append, time=time.time)
        monkeypatch.setattr("elevenlabs.core.http_client.time", clock)
        refused = refusal(client, scenario("rate_limited; seconds=3"))
        assert refused.status_code == 429
        assert refused.body["detail"]["status"] == "too_many_concurrent_requests"
        assert refused.headers["retry-after"] == "3"
        models = client.models.list(
            request_options={
                "max_retries": 1,
                "additional_headers": {"X-Sandbox-Scenario": "rate_limited; times=1; seconds=7"},
            }
        )
        assert models
        entries = sandbox.journal.entries(vendor="elevenlabs")
        assert [entry.status for entry in entries] == [429, 429, 200]
        assert waited == [7]

    def test_busy_and_broken(self, client: ElevenLabs):
        busy = refusal(client, scenario("server_error; status=429"))
        assert (busy.status_code, busy.body["detail"]["status"]) == (429, "system_busy")
        broken = refusal(client, scenario("server_error"))
        assert (broken.status_code, broken.body) == (500, {"detail": "Internal Server Error"})

    def test_moderation(self, client: ElevenLabs):
        refused = refusal(client, text="A threat. [[sandbox: moderated]]")
        assert refused.status_code == 403
        assert refused.body["detail"]["status"] == "content_against_policy"
        assert client.user.subscription.get().character_count == 0

    def test_lost_reply(self, client: ElevenLabs, sandbox: BackgroundSandbox):
        with pytest.raises(httpx.RemoteProtocolError):
            speak(client, scenario("lost_reply"))
        (entry,) = sandbox.journal.entries(vendor="elevenlabs", kind="submit")
        assert entry.status is None
        assert client.user.subscription.get().character_count == len(TEXT)

    def test_slow(self, client: ElevenLabs):
        start = time.monotonic()
        assert speak(client, scenario("slow; seconds=0.1"))
        assert time.monotonic() - start >= 0.1

    def test_truncated_file(self, client: ElevenLabs):
        with pytest.raises(httpx.RemoteProtocolError):
            speak(client, scenario("truncated_file"))
        with pytest.raises(httpx.RemoteProtocolError):
            b"".join(
                client.text_to_speech.stream(
                    GEORGE, text=TEXT, request_options=scenario("truncated_file")
                )
            )

    def test_garbage(self, client: ElevenLabs):
        with pytest.raises(av.error.FFmpegError):
            probe(speak(client, scenario("garbage")))

    def test_unknown_paths_and_methods(self, sandbox: BackgroundSandbox):
        headers = {"xi-api-key": "sk"}
        root = f"{sandbox.root}/elevenlabs"
        missing = httpx.get(f"{root}/v1/nothing", headers=headers)
        assert (missing.status_code, missing.json()) == (404, {"detail": "Not Found"})
        wrong = httpx.get(f"{root}/v1/text-to-speech/{GEORGE}", headers=headers)
        assert (wrong.status_code, wrong.json()) == (405, {"detail": "Method Not Allowed"})

    def test_secrets_stay_out_of_the_journal(self, client: ElevenLabs, sandbox: BackgroundSandbox):
        client.models.list()
        (entry,) = sandbox.journal.entries(vendor="elevenlabs")
        assert sandbox.credentials["elevenlabs"] not in json.dumps(entry.headers)
