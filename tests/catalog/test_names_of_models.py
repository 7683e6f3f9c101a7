"""Every name of the public model lists leads to a model."""

import pytest

from mediawright.core.errors import InvalidRequestError

PICTURES = (
    "nano-banana",
    "nano-banana-edit",
    "nano-banana-pro",
    "nano-banana-2",
    "imagen-4",
    "imagen-4-fast",
    "imagen-4-ultra",
    "seedream-v4",
    "seedream-v4-edit",
    "seedream-v4-5",
    "seedream-v4-5-edit",
    "5-lite-text-to-image",
    "5-lite-image-to-image",
    "flux-2",
    "flux-2-edit",
    "gpt-1.5-image-medium",
    "gpt-1.5-image-high",
    "gpt-image-2",
    "p-image",
    "p-image-edit",
    "grok-imagine-image",
)
"""Picture models of the media tools."""

VIDEOS = (
    "kling-2-6-text-to-video",
    "kling-2-6-image-to-video",
    "kling-2-6-motion-control-720p",
    "kling-2-6-motion-control-1080p",
    "kling-2-5-image-to-video-pro",
    "kling-2-5-text-to-video-pro",
    "kling-3-0-std",
    "kling-3-0-std-audio",
    "kling-3-0-pro",
    "kling-3-0-pro-audio",
    "kling-3-0-motion-control-720p",
    "kling-3-0-motion-control-1080p",
    "wan-2-5",
    "v1-pro-fast-i2v",
    "seedance-1-5-pro",
    "seedance-2-480p",
    "seedance-2-480p-video-ref",
    "seedance-2-720p",
    "seedance-2-720p-video-ref",
    "seedance-2-1080p",
    "seedance-2-1080p-video-ref",
    "seedance-2-fast-480p",
    "seedance-2-fast-480p-video-ref",
    "seedance-2-fast-720p",
    "seedance-2-fast-720p-video-ref",
    "sora-2",
    "sora-2-pro",
    "sora-2-pro-storyboard",
    "grok-text-to-video-6s",
    "grok-image-to-video",
    "veo3-1",
    "veo3-1-fast",
    "p-video-720p",
    "p-video-1080p",
    "p-video-720p-draft",
    "p-video-1080p-draft",
)
"""Video models of the media tools."""

TIERS = (
    "Flagship (seedance-2-0)",
    "Flagship fast (seedance-2-0-fast)",
    "Pro (seedance-1-5-pro)",
    "Lite i2v (seedance-1-0-lite-i2v)",
    "Lite t2v (seedance-1-0-lite-t2v)",
)
"""Tiers of the video tool."""

OTHERS = (
    "dall-e-2",
    "dall-e-3",
    "gpt-image-1",
    "stable-image-ultra",
    "stable-image-core",
    "sd3.5-large",
    "sd3.5-large-turbo",
    "sd3.5-medium",
    "sd3.5-flash",
    "stable diffusion (fal)",
    "stable-diffusion-3",
    "sdxl",
    "stable-diffusion-xl-1024-v1-0",
    "flux-pro",
    "flux-dev",
    "flux-schnell",
    "flux/schnell",
    "fal-ai/flux/schnell",
    "flux-1.1-pro",
    "flux-1.1-ultra",
    "imagen-3",
    "imagegeneration",
    "grok-2-image",
    "hf diffusion models",
    "replicate FLUX / SDXL",
    "kandinsky",
    "playground",
    "together images",
    "V_1",
    "V_1_TURBO",
    "V_2",
    "V_2_TURBO",
    "V_2A",
    "V_2A_TURBO",
    "V_3",
    "gen3a_turbo",
    "Gen-3 Alpha",
    "gen2",
    "gen4_turbo",
    "gen4.5",
    "gen4_image",
    "Pika 1.0",
    "Dream Machine",
    "KlingAI",
    "eleven_multilingual_v2",
    "eleven_turbo_v2",
    "aura-asteria-en",
    "nova-2",
    "elevenlabs music",
    "stable audio",
    "minimax music",
)
"""Models of the built-in tools, of agents and of the picture classes."""

LABELS = (
    "seedance-2",
    "seedance-2-fast",
    "p-video",
    "kling-3-0-motion-control",
    "kling-2-6-motion-control",
)
"""Families, which are no models."""

NAMES = (*PICTURES, *VIDEOS, *TIERS, *OTHERS)


def test_there_are_as_many_as_the_lists_have():
    assert [len(part) for part in (PICTURES, VIDEOS, TIERS, OTHERS)] == [21, 36, 5, 51]
    assert len(set(NAMES)) == 113


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.rule(2, shows="accepts")
def test_a_name_leads_to_a_model(catalogue, name):
    found, problem = catalogue.find(name)
    assert problem is None
    assert found[0].operations
    assert name in {found[0].id, *found[0].aliases, *found[0].presets}


@pytest.mark.parametrize("label", LABELS)
@pytest.mark.rule(30, shows="refuses")
def test_a_label_asks_for_a_variant(catalogue, label):
    with pytest.raises(InvalidRequestError) as caught:
        catalogue.get(label)
    assert caught.value.code == "variant_required"
    assert set(caught.value.details["available_variants"]) <= set(NAMES)


def test_no_two_names_lead_to_different_tiers(catalogue):
    found = {name: catalogue.get(name).id for name in TIERS}
    assert len(set(found.values())) == 5
    assert "seedance-1-5-pro" not in found.values()
