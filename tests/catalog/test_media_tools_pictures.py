"""Rules of the picture models of the media tools."""

from decimal import Decimal

import pytest

from mediawright.catalog.preflight import PreflightSettings
from mediawright.core.provider import INPUT_FIELDS


@pytest.mark.rule(26, shows=("accepts", "adjusts"))
def test_imagen_quality_names_the_model(catalogue, check, adjusted):
    """Rule 26 with the decision that `standard` keeps the model that was named."""
    for model, quality, served in (
        ("imagen-4", None, "imagen-4"),
        ("imagen-4", "standard", "imagen-4"),
        ("imagen-4", "ultra", "imagen-4-ultra"),
        ("imagen-4-fast", "standard", "imagen-4-fast"),
        ("imagen-4-fast", "ultra", "imagen-4-ultra"),
        ("imagen-4-ultra", "fast", "imagen-4-fast"),
    ):
        words = {} if quality is None else {"quality": quality}
        checked = check(catalogue, model, **words)
        assert checked.model.id == served
        assert ("/model" in adjusted(checked)) is (served != model)
    price = {name: check(catalogue, name).price.usd for name in ("imagen-4-fast", "imagen-4-ultra")}
    assert price == {"imagen-4-fast": Decimal("0.02"), "imagen-4-ultra": Decimal("0.06")}


@pytest.mark.rule(26, shows="adjusts")
def test_a_quality_without_meaning_is_left_out(catalogue, check, adjusted):
    """The description's own example asks nano-banana for the quality `pro`."""
    checked = check(catalogue, "nano-banana", quality="pro", aspect_ratio="16:9")
    assert adjusted(checked)["/parameters/quality"][0] == "dropped"
    assert checked.request.parameters.aspect_ratio == "16:9"


@pytest.mark.rule(35, shows=("accepts", "refuses", "adjusts"))
def test_p_image_edit(catalogue, check, problems, media, adjusted):
    """Rule 35, and eight pictures where the provider speaks of five."""
    pictures = tuple(media("reference_image", f"{n}.png") for n in range(6))
    checked = check(catalogue, "p-image-edit", inputs=pictures[:5], aspect_ratio="auto")
    assert checked.routes[0].fields == {
        "aspect_ratio": "match_input_image",
        "turbo": True,
        "disable_safety_checker": True,
        INPUT_FIELDS: {"reference_image": "images[]"},
    }
    assert "/inputs" not in adjusted(checked)
    assert adjusted(check(catalogue, "p-image-edit", inputs=pictures))["/inputs"][0] == "warned"
    strict = check(
        catalogue,
        "p-image-edit",
        inputs=pictures[:1],
        turbo=False,
        disable_safety_checker=False,
        seed=7,
    )
    assert strict.routes[0].fields["disable_safety_checker"] is False
    assert strict.routes[0].fields["turbo"] is False
    assert strict.routes[0].fields["seed"] == 7
    assert problems(catalogue, "p-image-edit", operation="text-to-image") == [
        ("unsupported_generation_type", "/operation")
    ]


def test_p_image_takes_pixels_of_its_own(catalogue, check, problems):
    fields = check(catalogue, "p-image", size="1024x640").routes[0].fields
    assert fields == {"aspect_ratio": "custom", "width": 1024, "height": 640}
    assert check(catalogue, "p-image").routes[0].fields == {"aspect_ratio": "1:1"}
    found = problems(catalogue, "p-image", size="1024x1456")
    assert found == [("invalid_size", "/parameters/size")]


@pytest.mark.parametrize(
    ("model", "quality", "size"),
    [
        ("seedream-v4", None, "1280x720"),
        ("seedream-v4", "4K", "5504x3040"),
        ("seedream-v4-5", "standard", "2848x1600"),
        ("seedream-v4-5", "high", "5504x3040"),
        ("5-lite-text-to-image", "high", "4096x2304"),
    ],
)
def test_seedream_pixels(catalogue, check, model, quality, size):
    words = {} if quality is None else {"quality": quality}
    checked = check(catalogue, model, aspect_ratio="16:9", **words)
    by_provider = {plan.provider: plan.fields for plan in checked.routes}
    assert by_provider["bytedance"] == {"size": size, "watermark": False}
    width, height = (int(side) for side in size.split("x"))
    assert by_provider["fal"] == {"image_size": {"width": width, "height": height}}


def test_the_largest_tier_differs_by_provider(catalogue, check, adjusted):
    checked = check(catalogue, "5-lite-text-to-image", quality="high")
    assert adjusted(checked)["/parameters/quality"][0] == "warned"
    assert next(p for p in checked.routes if p.provider == "kie").fields["quality"] == "ultra"


def test_flux_2_charges_pictures_handed_in(catalogue, check, media, image_facts):
    picture = (media("reference_image"),)
    facts = {0: image_facts(1024, 1024)}
    words = {"provider": "fal", "inputs": picture}
    assert check(catalogue, "flux-2", provider="fal").price.usd == Decimal("0.03")
    assert check(catalogue, "flux-2", provider="fal", resolution="2K").price.usd == Decimal("0.075")
    known = check(catalogue, "flux-2-edit", facts=facts, **words).price
    assert known.usd == Decimal("0.045")
    unknown = check(catalogue, "flux-2-edit", **words).price
    assert unknown.usd == Decimal("0.03") + (Decimal("0.015") * 4 / Decimal("1.048576")).quantize(
        Decimal("0.000001")
    )
    assert unknown.basis.value == "estimated"


@pytest.mark.parametrize("resolution", ["1K", "2K"])
def test_flux_2_sizes_stay_within_their_tier(catalogue, check, resolution):
    most = {"1K": 1024 * 1024, "2K": 4 * 1024 * 1024}[resolution]
    for ratio in catalogue.get("flux-2").parameters["aspect_ratio"].values:
        checked = check(catalogue, "flux-2", aspect_ratio=ratio, resolution=resolution)
        fields = checked.routes[0].fields
        assert most * 0.9 < fields["width"] * fields["height"] <= most
        assert fields["width"] % 16 == fields["height"] % 16 == 0


def test_gpt_1_5_gives_way_to_its_successor(catalogue, check, adjusted, now):
    """It is warned of before its end and then served by gpt-image-2, unless another serves it."""
    settings = PreflightSettings(adapters=frozenset({"openai", "fal"}))
    checked = check(catalogue, "gpt-1.5-image-high", aspect_ratio="3:2", settings=settings)
    assert adjusted(checked)["/model"][0] == "warned"
    assert checked.routes[0].fields == {"quality": "high", "size": "1536x1024"}
    assert checked.price.usd == Decimal("0.2")
    later = now.replace(month=12, day=2)
    after = check(catalogue, "gpt-1.5-image-high", settings=settings, when=later)
    assert after.model.id == "gpt-image-2"
    assert adjusted(after)["/model"] == ("replaced", "gpt-image-2")
    elsewhere = check(catalogue, "gpt-1.5-image-high", when=later)
    assert [plan.provider for plan in elsewhere.routes] == ["kie"]


@pytest.mark.parametrize("model", ["dall-e-2", "dall-e-3", "gpt-image-1"])
def test_ended_openai_models_are_served_by_gpt_image_2(catalogue, check, adjusted, model):
    checked = check(catalogue, model, size="1024x1024")
    assert checked.model.id == "gpt-image-2"
    assert adjusted(checked)["/model"] == ("replaced", "gpt-image-2")
