"""Picture models of other surfaces: what is sent for them, what they cost, what became of them."""

from decimal import Decimal

import pytest

from mediawright.core.provider import INPUT_FIELDS
from mediawright.providers.registry import provider_names

WITHOUT_ADAPTER = {
    "alibaba",
    "bfl",
    "bytedance",
    "deepgram",
    "google",
    "huggingface",
    "ideogram",
    "kie",
    "kling",
    "luma",
    "minimax",
    "pruna",
    "replicate",
    "stability",
    "together",
    "xai",
}
"""Providers that rows name and nothing here can speak to yet."""


def test_every_route_has_an_adapter_or_is_known_to_lack_one(catalogue):
    assert not WITHOUT_ADAPTER & set(provider_names())
    assert catalogue.providers == {"local", *provider_names()} | WITHOUT_ADAPTER


@pytest.mark.parametrize(
    ("model", "words", "usd"),
    [
        ("stable-image-ultra", {}, "0.08"),
        ("stable-image-core", {}, "0.03"),
        ("sd3.5-large", {}, "0.065"),
        ("sd3.5-large-turbo", {}, "0.04"),
        ("sd3.5-medium", {}, "0.035"),
        ("sd3.5-flash", {}, "0.025"),
        ("sdxl", {"count": 2}, "0.012"),
        ("flux-pro", {"provider": "bfl"}, "0.04"),
        ("flux-dev", {"provider": "bfl"}, "0.025"),
        ("flux-1.1-pro", {}, "0.04"),
        ("flux-1.1-ultra", {}, "0.06"),
        ("V_1", {}, "0.06"),
        ("V_1_TURBO", {}, "0.02"),
        ("V_2", {}, "0.08"),
        ("V_2_TURBO", {}, "0.05"),
        ("V_2A", {}, "0.04"),
        ("V_2A_TURBO", {"count": 3}, "0.075"),
        ("V_3", {"quality": "TURBO"}, "0.03"),
        ("V_3", {}, "0.06"),
        ("V_3", {"quality": "quality"}, "0.09"),
        ("imagen-3", {"count": 4}, "0.12"),
        ("grok-imagine-image", {}, "0.04"),
    ],
)
def test_prices(catalogue, check, model, words, usd):
    assert check(catalogue, model, **words).price.usd == Decimal(usd)


@pytest.mark.parametrize(
    ("named", "served"),
    [
        ("stable-diffusion-3", "sd3.5-large"),
        ("stable-diffusion-xl-1024-v1-0", "sdxl"),
        ("fal-ai/flux/schnell", "flux-schnell"),
        ("imagegeneration", "nano-banana-2"),
        ("grok-2-image", "grok-imagine-image"),
        ("gen2", "gen4_image"),
    ],
)
def test_other_names_and_ended_models(catalogue, check, adjusted, named, served):
    checked = check(catalogue, named)
    assert checked.model.id == served
    assert adjusted(checked)["/model"] == ("replaced", served)


@pytest.mark.parametrize(
    ("named", "served", "usd"),
    [("gen3a_turbo", "gen4_turbo", "0.5"), ("Gen-3 Alpha", "gen4.5", "1.2")],
)
def test_an_ended_video_model(catalogue, check, *, media, named, served, usd):
    frame = (media("first_frame"),)
    checked = check(catalogue, named, inputs=frame, duration=10, aspect_ratio="16:9")
    assert checked.model.id == served
    assert checked.price.usd == Decimal(usd)


def test_stability_writes_the_mode(catalogue, check, media):
    plain = check(catalogue, "sd3.5-large", aspect_ratio="21:9", guidance_scale=4, seed=1)
    assert plain.routes[0].fields == {
        "mode": "text-to-image",
        "aspect_ratio": "21:9",
        "cfg_scale": 4,
        "seed": 1,
        "output_format": "png",
    }
    after = check(catalogue, "sd3.5-flash", inputs=(media("reference_image"),))
    assert after.routes[0].fields == {
        "mode": "image-to-image",
        "strength": 0.95,
        "output_format": "png",
        INPUT_FIELDS: {"reference_image": "image"},
    }


def test_ideogram_writes_its_own_words(catalogue, check, problems, media):
    fields = (
        check(
            catalogue,
            "V_2",
            aspect_ratio="16:10",
            enhance_prompt=False,
            style="3D",
            negative_prompt="fog",
            count=2,
        )
        .routes[0]
        .fields
    )
    assert fields == {
        "aspect_ratio": "ASPECT_16_10",
        "magic_prompt_option": "OFF",
        "style_type": "RENDER_3D",
        "negative_prompt": "fog",
        "num_images": 2,
    }
    masked = (media("reference_image"), media("mask"))
    assert check(catalogue, "V_2", inputs=masked, edit_mode="inpaint").routes
    assert problems(catalogue, "V_1", inputs=masked) == [("unsupported_by_model", "/inputs/1")]
    assert check(catalogue, "V_3", aspect_ratio="2:1").routes[0].fields["aspect_ratio"] == "2x1"


def test_flux_takes_an_image_prompt_only_where_it_can(catalogue, check, media):
    words = {"inputs": (media("reference_image"),), "operation": "text-to-image"}
    assert [plan.provider for plan in check(catalogue, "flux-pro", **words).routes] == ["bfl"]
    assert [plan.provider for plan in check(catalogue, "flux-pro").routes] == ["fal", "bfl"]


def test_flux_tolerance_is_text_at_fal(catalogue, check):
    checked = check(catalogue, "flux-1.1-pro", safety_tolerance=2, size="1440x256")
    by_provider = {plan.provider: plan.fields for plan in checked.routes}
    assert by_provider["fal"]["safety_tolerance"] == "2"
    assert by_provider["bfl"]["safety_tolerance"] == 2
    assert by_provider["bfl"]["width"] == 1440
    assert "together" not in by_provider
    strictest = check(catalogue, "flux-1.1-pro", safety_tolerance=0)
    assert [plan.provider for plan in strictest.routes] == ["bfl"]
