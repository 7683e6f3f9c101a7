"""The models that agents, built-in tools and picture classes name."""

from decimal import Decimal

import pytest

from mediawright.core.operations import MediaKind
from mediawright.core.provider import INPUT_FIELDS


def fields(checked, provider=None):
    plans = [plan for plan in checked.routes if provider in (None, plan.provider)]
    return plans[0].fields


def test_pika_1_is_served_by_its_successor(catalogue, check, adjusted):
    checked = check(catalogue, "Pika 1.0", aspect_ratio="4:5", duration=10, negative_prompt="fog")
    assert checked.model.id == "pika-2.2"
    assert adjusted(checked)["/model"] == ("replaced", "pika-2.2")
    assert [plan.upstream_id for plan in checked.routes] == ["fal-ai/pika/v2.2/text-to-video"]
    assert fields(checked) == {
        "aspect_ratio": "4:5",
        "resolution": "720p",
        "duration": 10,
        "negative_prompt": "fog",
    }
    assert checked.price.usd == Decimal("0.40")


@pytest.mark.parametrize(
    ("roles", "upstream_id"),
    [
        (["first_frame"], "fal-ai/pika/v2.2/image-to-video"),
        (["first_frame", "last_frame"], "fal-ai/pika/v2.2/pikaframes"),
        (["reference_image", "reference_image"], "fal-ai/pika/v2.2/pikascenes"),
    ],
)
def test_pika_goes_by_what_the_pictures_are_for(catalogue, check, media, roles, upstream_id):
    inputs = tuple(media(role, f"{n}.png") for n, role in enumerate(roles))
    checked = check(catalogue, "pika-2.2", inputs=inputs, resolution="1080p")
    assert [plan.upstream_id for plan in checked.routes] == [upstream_id]
    assert checked.price.usd == Decimal("0.45")
    if "last_frame" in roles:
        assert fields(checked)["transitions"] == [{"duration": 5}]
        assert fields(checked)[INPUT_FIELDS] == {
            "first_frame": "image_urls[]",
            "last_frame": "image_urls[]",
        }


@pytest.mark.parametrize(
    ("resolution", "seconds", "usd"),
    [
        ("540p", 5, "0.40"),
        ("540p", 9, "0.72"),
        ("720p", 5, "0.71"),
        ("720p", 9, "1.27"),
        ("1080p", 5, "1.59"),
        ("1080p", 9, "2.87"),
        ("4k", 5, "6.37"),
        ("4k", 9, "11.47"),
    ],
)
def test_dream_machine(catalogue, check, *, resolution, seconds, usd):
    checked = check(catalogue, "Dream Machine", resolution=resolution, duration=seconds, loop=True)
    assert checked.routes[0].upstream_id == "ray-2"
    assert fields(checked) == {
        "aspect_ratio": "16:9",
        "resolution": resolution,
        "duration": f"{seconds}s",
        "loop": True,
    }
    assert checked.price.usd == Decimal(usd)


def test_dream_machine_refuses_what_it_has_not(catalogue, problems, media):
    assert problems(catalogue, "dream-machine", duration=10) == [
        ("invalid_duration", "/parameters/duration")
    ]
    assert problems(catalogue, "dream-machine", inputs=(media("last_frame"),)) == [
        ("last_frame_without_first_frame", "/inputs")
    ]


def test_klingai(catalogue, check, problems, media):
    checked = check(catalogue, "KlingAI", sound=True, duration=10)
    assert fields(checked) == {
        "aspect_ratio": "16:9",
        "mode": "pro",
        "duration": "10",
        "sound": "on",
    }
    assert checked.price.usd == Decimal("1.4")
    assert problems(catalogue, "KlingAI", sound=True, quality="std") == [
        ("invalid_sound", "/parameters/sound")
    ]
    both = (media("first_frame", "a.png"), media("last_frame", "b.png"))
    assert check(catalogue, "KlingAI", inputs=both).routes
    assert problems(catalogue, "KlingAI", inputs=both, sound=True) == [
        ("invalid_sound", "/parameters/sound")
    ]


def test_eleven_turbo_v2_is_going_and_cheaper(catalogue, check):
    checked = check(catalogue, "eleven_turbo_v2", prompt="x" * 1000, voice="Rachel")
    assert checked.price.usd == Decimal("0.04")
    assert fields(checked)["voice_id"] == "21m00Tcm4TlvDq8ikWAM"
    assert catalogue.get("eleven_turbo_v2").lifecycle.successor == "eleven_flash_v2"


def test_aura_writes_encodings(catalogue, check, problems):
    plain = check(catalogue, "aura-asteria-en", prompt="x" * 200)
    assert fields(plain) == {"encoding": "mp3"}
    assert plain.price.usd == Decimal("0.003")
    wav = check(catalogue, "aura-asteria-en", output_format="wav", sample_rate=16000)
    assert fields(wav) == {"encoding": "linear16", "container": "wav", "sample_rate": 16000}
    opus = check(catalogue, "aura-asteria-en", output_format="opus", bit_rate=64000)
    assert fields(opus) == {"encoding": "opus", "container": "ogg", "bit_rate": 64000}
    assert problems(catalogue, "aura-asteria-en", prompt="x" * 2001) == [
        ("prompt_too_long", "/prompt")
    ]


@pytest.mark.parametrize(
    ("words", "name"),
    [
        ({"output_format": "mp3", "sample_rate": 16000}, "sample_rate"),
        ({"output_format": "flac", "sample_rate": 24000}, "sample_rate"),
        ({"output_format": "mp3", "bit_rate": 64000}, "bit_rate"),
        ({"output_format": "wav", "bit_rate": 32000}, "bit_rate"),
        ({"output_format": "aac", "bit_rate": 300000}, "bit_rate"),
    ],
)
def test_aura_refuses_what_does_not_go_together(catalogue, problems, words, name):
    assert problems(catalogue, "aura-asteria-en", **words) == [
        (f"invalid_{name}", f"/parameters/{name}")
    ]


def test_nova_passes_on_what_a_transcript_should_be(catalogue, check, media, clip_facts):
    checked = check(
        catalogue,
        "nova-2",
        prompt=None,
        inputs=(media("reference_audio", "a.mp3"),),
        facts={0: clip_facts(120, MediaKind.AUDIO, "audio/mpeg")},
        language="en-GB",
        punctuate=True,
        smart_format=True,
        diarize=True,
        utterances=False,
    )
    assert fields(checked) == {
        "language": "en-GB",
        "punctuate": True,
        "smart_format": True,
        "diarize": True,
        "utterances": False,
    }
    assert checked.price.usd == Decimal("0.0086")


@pytest.mark.rule(69, shows="adjusts")
@pytest.mark.parametrize(
    ("model", "given", "applied"),
    [
        ("elevenlabs music", 1, 3),
        ("elevenlabs music", 900, 600),
        ("elevenlabs music", None, 30),
        ("stable audio", 900, 190),
        ("stable audio", 0.2, 1),
        ("stable audio", None, 30),
    ],
)
def test_music_is_clamped_into_the_providers_range(
    catalogue, check, *, adjusted, model, given, applied
):
    words = {} if given is None else {"duration": given}
    checked = check(catalogue, model, **words)
    assert checked.applied.values["duration"] == applied
    kind = "defaulted" if given is None else "clamped"
    assert adjusted(checked)["/parameters/duration"] == (kind, applied)


@pytest.mark.rule(70, shows=("accepts", "adjusts"))
def test_words_to_sing(catalogue, check, adjusted):
    song = check(catalogue, "elevenlabs music", lyrics="la la", duration=20)
    assert fields(song) == {
        "music_length_ms": 20_000,
        "lyrics_text": "la la",
        "output_format": "mp3_44100_128",
    }
    minimax = check(catalogue, "minimax music", lyrics="la la", duration=20, bit_rate=256000)
    assert fields(minimax) == {
        "lyrics": "la la",
        "lyrics_optimizer": True,
        "audio_setting": {"format": "mp3", "bitrate": 256000},
    }
    assert adjusted(minimax)["/parameters/duration"][0] == "dropped"
    stable = check(catalogue, "stable audio", lyrics="la la", steps=8)
    assert "lyrics" not in fields(stable)
    assert adjusted(stable)["/parameters/lyrics"] == ("dropped", None)
    assert stable.price.usd == Decimal("0.20")


@pytest.mark.rule(70, shows="adjusts")
@pytest.mark.parametrize("model", ["elevenlabs music", "minimax music", "stable audio"])
def test_instrumental_music_has_no_words(catalogue, check, adjusted, model):
    checked = check(catalogue, model, lyrics="la la", instrumental=True)
    assert adjusted(checked)["/parameters/lyrics"] == ("dropped", None)
    assert "lyrics" not in checked.applied.values
    again = check(catalogue, model, instrumental=True)
    assert again.routes[0].fields == checked.routes[0].fields


def test_minimax_covers_a_recording(catalogue, check, media, clip_facts):
    checked = check(
        catalogue,
        "minimax-music",
        inputs=(media("reference_audio", "a.mp3"),),
        facts={0: clip_facts(30, MediaKind.AUDIO, "audio/mpeg")},
    )
    assert checked.operation.value == "audio-to-audio"
    assert [plan.upstream_id for plan in checked.routes] == ["music-cover"]


@pytest.mark.rule(84, shows="accepts")
def test_loras_go_to_the_endpoint_that_takes_them(catalogue, check, problems):
    lora = {"path": "https://h.test/a.safetensors", "scale": 0.5}
    checked = check(catalogue, "flux-dev", loras=(lora, {"path": "owner/weights"}))
    assert [plan.upstream_id for plan in checked.routes] == ["fal-ai/flux-lora"]
    assert fields(checked)["loras"] == [lora, {"path": "owner/weights", "scale": 1.0}]
    assert check(catalogue, "flux-dev").routes[0].upstream_id == "fal-ai/flux/dev"
    for wrong in ((), ({"scale": 1.0},), ({"path": "x", "more": 1},), ("x",), (lora,) * 9):
        assert problems(catalogue, "flux-dev", loras=wrong) == [
            ("invalid_loras", "/parameters/loras")
        ]


@pytest.mark.parametrize(
    ("name", "provider", "upstream_id"),
    [
        ("hf diffusion models", "huggingface", "black-forest-labs/FLUX.1-schnell"),
        ("replicate FLUX / SDXL", "replicate", "black-forest-labs/flux-schnell"),
        ("together images", "together", "black-forest-labs/FLUX.1-schnell"),
        ("stable diffusion (fal)", "fal", "fal-ai/stable-diffusion-v35-large"),
    ],
)
def test_names_of_providers_choices(catalogue, check, name, provider, upstream_id):
    plan = check(catalogue, name).routes[0]
    assert (plan.provider, plan.upstream_id) == (provider, upstream_id)
