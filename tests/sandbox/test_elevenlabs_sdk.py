"""The ElevenLabs emulator, driven by the vendor's own SDK."""

from __future__ import annotations

import base64
import io
import json
import time
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import av
import httpx
import numpy as np
import pytest
from elevenlabs import ElevenLabs, VoiceSettings
from elevenlabs.client import AsyncElevenLabs
from elevenlabs.core.api_error import ApiError
from elevenlabs.errors import UnprocessableEntityError

from mediawright.sandbox.background import BackgroundSandbox

GEORGE = "JBFqnCBsd6RMkjVDRZzb"
TEXT = "The quick brown fox, they say, jumps over 12 lazy dogs!"
NO_RETRY: Any = {"max_retries": 0}
Connect = Callable[..., ElevenLabs]


@pytest.fixture
def connect(sandbox: BackgroundSandbox) -> Iterator[Connect]:
    opened: list[httpx.Client] = []

    def open_client(key: str | None = None) -> ElevenLabs:
        # The SDK has no way to close its own connections.
        http = httpx.Client()
        opened.append(http)
        return ElevenLabs(
            api_key=key or sandbox.credentials["elevenlabs"],
            base_url=sandbox.base_urls["elevenlabs"]["api"],
            httpx_client=http,
        )

    yield open_client
    for http in opened:
        http.close()


@pytest.fixture
def client(connect: Connect) -> ElevenLabs:
    return connect()


def scenario(text: str) -> Any:
    return {**NO_RETRY, "additional_headers": {"X-Sandbox-Scenario": text}}


def speak(client: ElevenLabs, options: Any = NO_RETRY, **fields: Any) -> bytes:
    body = {"voice_id": GEORGE, "text": TEXT, **fields}
    return b"".join(client.text_to_speech.convert(**body, request_options=options))


def refusal(client: ElevenLabs, options: Any = NO_RETRY, **fields: Any) -> ApiError:
    with pytest.raises(ApiError) as refused:
        speak(client, options, **fields)
    return refused.value


def probe(data: bytes) -> tuple[str, int, float]:
    with av.open(io.BytesIO(data)) as container:
        stream = container.streams.audio[0]
        return stream.codec_context.name, stream.rate, container.duration / 1_000_000


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
