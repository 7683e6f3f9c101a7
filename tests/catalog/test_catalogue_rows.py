"""What the rows that ship with the package say, checked against their sources."""

from decimal import Decimal

import pytest

from mediawright.catalog.loader import load_catalogue
from mediawright.core.errors import InvalidRequestError
from mediawright.core.operations import MediaKind

TIERS = {
    ("1K", "1:1"): "1024x1024",
    ("1K", "auto"): "auto",
    ("1K", "16:9"): "1280x720",
    ("1K", "9:16"): "720x1280",
    ("1K", "4:3"): "1152x864",
    ("1K", "3:4"): "864x1152",
    ("2K", "16:9"): "2048x1152",
    ("2K", "9:16"): "1152x2048",
    ("2K", "4:3"): "2048x1536",
    ("2K", "3:4"): "1536x2048",
    ("4K", "16:9"): "3840x2160",
    ("4K", "9:16"): "2160x3840",
    ("4K", "4:3"): "3264x2448",
    ("4K", "3:4"): "2448x3264",
}
CREDITS = {"1K": 11, "2K": 15, "4K": 21}


@pytest.mark.rule(24, 43, shows=("accepts", "prices"))
@pytest.mark.parametrize(("tier", "ratio"), TIERS)
@pytest.mark.parametrize("pictures", [0, 1])
def test_gpt_image_2_tiers(check, media, pictures, tier, ratio):
    checked = check(
        load_catalogue(),
        "gpt-image-2",
        inputs=(media("reference_image"),) * pictures,
        resolution=tier,
        aspect_ratio=ratio,
    )
    assert checked.routes[0].fields["size"] == TIERS[tier, ratio]
    assert checked.routes[0].fields["quality"] == "medium"
    assert checked.price.credits == CREDITS[tier]
    assert checked.price.explanation == f"1 image x {CREDITS[tier]} credits"


@pytest.mark.rule(24, shows="refuses")
@pytest.mark.parametrize("tier", ["2K", "4K"])
@pytest.mark.parametrize("ratio", ["auto", "1:1", None])
def test_gpt_image_2_wants_a_ratio_at_the_high_tiers(catalogue, check, tier, ratio):
    words = {} if ratio is None else {"aspect_ratio": ratio}
    with pytest.raises(InvalidRequestError) as caught:
        check(catalogue, "gpt-image-2", resolution=tier, **words)
    error = caught.value
    assert error.code == "aspect_ratio_incompatible_with_high_res"
    assert error.kind.http_status == 400
    assert error.pointer == "/parameters/aspect_ratio"
    assert error.details["allowed"] == ["9:16", "16:9", "4:3", "3:4"]


@pytest.mark.rule(43, shows="prices")
def test_gpt_image_2_counts_each_picture(catalogue, check):
    price = check(catalogue, "gpt-image-2", resolution="4K", aspect_ratio="16:9", count=4).price
    assert price.credits == 84


@pytest.mark.rule(26, shows="adjusts")
def test_gpt_image_2_ignores_quality(catalogue, check, adjusted):
    checked = check(catalogue, "gpt-image-2", quality="high")
    assert adjusted(checked)["/parameters/quality"][0] == "dropped"
    assert checked.routes[0].fields["quality"] == "medium"


def test_gpt_image_2_masks_stay_with_openai(catalogue, check, media):
    inputs = (media("reference_image"), media("mask", "mask.png"))
    checked = check(catalogue, "gpt-image-2", inputs=inputs)
    assert [plan.provider for plan in checked.routes] == ["openai"]


def test_gpt_image_2_transparency(catalogue, check, problems):
    assert (
        check(catalogue, "gpt-image-2", background="transparent").routes[0].fields["background"]
        == "transparent"
    )
    assert problems(catalogue, "gpt-image-2", background="transparent", output_format="jpeg") == [
        ("invalid_background", "/parameters/background")
    ]


def test_flux_schnell_by_the_megapixel(catalogue, check):
    checked = check(catalogue, "fal-ai/flux/schnell", seed=5, count=2, steps=2)
    assert checked.routes[0].upstream_id == "fal-ai/flux/schnell"
    assert checked.routes[0].fields == {
        "image_size": {"width": 1024, "height": 1024},
        "num_images": 2,
        "seed": 5,
        "num_inference_steps": 2,
        "output_format": "jpeg",
    }
    assert checked.price.usd == Decimal("0.006")
    assert checked.price.credits == Decimal("0.6")
    larger = check(catalogue, "flux-schnell", size="landscape_16_9")
    assert larger.routes[0].fields["image_size"] == {"width": 1024, "height": 576}


@pytest.mark.parametrize(
    ("ratio", "written"),
    [
        (None, "1280:720"),
        ("16:9", "1280:720"),
        ("832:1104", "832:1104"),
        ("1:1", "960:960"),
        ("21:9", "1584:672"),
    ],
)
def test_runway_video_ratios(catalogue, check, media, ratio, written):
    words = {} if ratio is None else {"aspect_ratio": ratio}
    checked = check(catalogue, "gen4_turbo", inputs=(media("first_frame"),), duration=10, **words)
    assert checked.routes[0].fields == {"ratio": written, "duration": 10}
    assert checked.price.usd == Decimal("0.5")
    assert checked.price.credits == 50


@pytest.mark.parametrize("model", ["gen4_turbo", "gen4.5"])
@pytest.mark.parametrize(("duration", "fine"), [(2, True), (10, True), (1, False), (11, False)])
def test_runway_durations(problems, media, model, duration, fine):
    catalogue = load_catalogue()
    found = problems(catalogue, model, inputs=(media("first_frame"),), duration=duration)
    assert found == ([] if fine else [("invalid_duration", "/parameters/duration")])


def test_gen4_5_text_to_video_has_two_ratios(catalogue, check, problems):
    assert check(catalogue, "gen4.5", aspect_ratio="9:16").price.usd == Decimal("0.6")
    assert problems(catalogue, "gen4.5", aspect_ratio="1:1") == [
        ("invalid_aspect_ratio", "/parameters/aspect_ratio")
    ]


def test_gen4_image_prices_by_ratio(catalogue, check, problems, media):
    assert check(catalogue, "gen4_image", aspect_ratio="16:9").price.usd == Decimal("0.05")
    assert check(catalogue, "gen4_image", aspect_ratio="1920:1080").price.usd == Decimal("0.08")
    three = tuple(media("reference_image", f"{n}.png") for n in range(3))
    referenced = check(catalogue, "gen4_image", inputs=three)
    assert [plan.upstream_id for plan in referenced.routes] == ["gen4_image", "gen4_image_turbo"]
    assert problems(catalogue, "gen4_image", inputs=(*three, media("reference_image"))) == [
        ("invalid_media_count", "/inputs")
    ]


@pytest.mark.parametrize(
    ("voice", "voice_id"),
    [
        (None, "JBFqnCBsd6RMkjVDRZzb"),
        ("Rachel", "21m00Tcm4TlvDq8ikWAM"),
        ("rachel", "21m00Tcm4TlvDq8ikWAM"),
        ("EXAVITQu4vr4xnSDxMaL", "EXAVITQu4vr4xnSDxMaL"),
    ],
)
def test_elevenlabs_voices(catalogue, check, voice, voice_id):
    words = {} if voice is None else {"voice": voice}
    checked = check(catalogue, "eleven_multilingual_v2", prompt="x" * 250, speed=1.1, **words)
    assert checked.routes[0].fields == {
        "voice_id": voice_id,
        "voice_settings": {"speed": 1.1},
        "output_format": "mp3_44100_128",
    }
    assert checked.price.usd == Decimal("0.02")


def test_elevenlabs_keeps_own_voice_settings(catalogue, check):
    vendor = {"elevenlabs": {"voice_settings": {"stability": 0.3}}}
    checked = check(catalogue, "eleven_multilingual_v2", speed=1.1, vendor=vendor)
    assert checked.routes[0].fields["voice_settings"] == {"speed": 1.1, "stability": 0.3}


def test_an_unknown_voice_is_refused(catalogue, problems):
    assert problems(catalogue, "eleven_multilingual_v2", voice="Nobody at all") == [
        ("invalid_voice", "/parameters/voice")
    ]


def test_openai_speech(catalogue, check):
    checked = check(
        catalogue,
        "gpt-4o-mini-tts",
        prompt="x" * 900,
        voice="coral",
        instructions="calmly",
        output_format="wav",
    )
    assert checked.routes[0].fields == {
        "voice": "coral",
        "instructions": "calmly",
        "response_format": "wav",
    }
    assert Decimal("0.01") < checked.price.usd < Decimal("0.02")


def test_transcription_fields(catalogue, check, media, adjusted):
    words = {"inputs": (media("reference_audio", "a.mp3"),), "prompt": None}

    def fields(model, **more):
        return check(catalogue, model, **words, **more).routes[0].fields

    assert fields("whisper-1") == {
        "response_format": "verbose_json",
        "timestamp_granularities": ["word"],
    }
    assert fields("whisper-1", timestamps="none", language="de") == {
        "response_format": "json",
        "language": "de",
    }
    assert fields("gpt-transcribe", timestamps="word") == {"response_format": "json"}
    assert fields("scribe_v2") == {"timestamps_granularity": "word"}


def test_transcription_prices(catalogue, check, media, clip_facts):
    words = {"inputs": (media("reference_audio", "a.mp3"),), "prompt": None}
    facts = {0: clip_facts(120, MediaKind.AUDIO, "audio/mpeg")}

    def usd(model):
        return check(catalogue, model, facts=facts, **words).price.usd

    assert usd("whisper-1") == Decimal("0.012")
    assert usd("gpt-transcribe") == Decimal("0.009")
    assert usd("scribe_v2") == Decimal("0.007333")
    assert check(catalogue, "whisper-1", **words).price.usd is None


def test_transcription_formats(catalogue, problems, media):
    recording = (media("reference_audio", "a.aac"),)
    assert problems(catalogue, "whisper-1", prompt=None, inputs=recording) == [
        ("unsupported_format", "/inputs/0")
    ]


@pytest.mark.parametrize(
    ("words", "size"),
    [
        ({}, (1024, 1024)),
        ({"aspect_ratio": "16:9"}, (1368, 768)),
        ({"aspect_ratio": "3:1"}, (1776, 592)),
        ({"aspect_ratio": "9:16", "resolution": "2K"}, (1536, 2728)),
        ({"size": "17x4096"}, (17, 4096)),
    ],
)
def test_local_picture_sizes(catalogue, check, words, size):
    fields = check(catalogue, "local-sketch-image", **words).routes[0].fields
    assert (fields["width"], fields["height"]) == size


@pytest.mark.parametrize("size", ["15x100", "4097x100"])
def test_local_picture_size_limits(catalogue, problems, size):
    assert problems(catalogue, "local-sketch-image", size=size) == [
        ("invalid_size", "/parameters/size")
    ]


def test_a_local_edit_keeps_the_shape_of_its_picture(catalogue, check, media, image_facts):
    words = {"inputs": (media("reference_image"),)}
    wide = check(catalogue, "local-sketch-image", facts={0: image_facts(800, 400)}, **words)
    assert wide.routes[0].fields["width"] == 1448
    assert wide.routes[0].fields["height"] == 728
    unknown = check(catalogue, "local-sketch-image", **words)
    assert unknown.routes[0].fields["width"] == unknown.routes[0].fields["height"] == 1024


@pytest.mark.parametrize(
    ("words", "size"),
    [
        ({}, (1280, 720)),
        ({"resolution": "360p"}, (640, 360)),
        ({"resolution": "480p"}, (856, 480)),
        ({"resolution": "1080p", "aspect_ratio": "9:16"}, (1080, 1920)),
        ({"aspect_ratio": "1:1"}, (720, 720)),
        ({"size": "854x480"}, (854, 480)),
    ],
)
def test_local_video_sizes(catalogue, check, words, size):
    fields = check(catalogue, "local-sketch-video", **words).routes[0].fields
    assert (fields["width"], fields["height"]) == size
    assert fields["seconds"] == 4
    assert fields["sound"] is False


def test_local_models_cost_nothing_and_say_what_they_are(catalogue, check, media):
    heard = (media("reference_audio", "a.wav"),)
    for model in catalogue.models(provider="local"):
        words = {"inputs": heard, "prompt": None} if model.id == "local-listener" else {}
        checked = check(catalogue, model.id, **words)
        assert checked.price.credits == 0
        assert checked.price.usd == 0
        assert checked.routes[0].synchronous
        assert "for trying and testing" in model.summary


def test_local_music_drops_lyrics(catalogue, check, adjusted):
    checked = check(
        catalogue, "local-sketch-music", lyrics="la la", instrumental=True, duration=900, seed=1
    )
    assert checked.routes[0].fields == {"seconds": 600, "seed": 1, "output_format": "mp3"}
    assert adjusted(checked)["/parameters/lyrics"][0] == "dropped"
    assert checked.request.parameters.instrumental is True
