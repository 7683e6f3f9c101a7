"""The image models of fal that are imitated."""

from __future__ import annotations

from mediawright.sandbox.emulators.fal.endpoint import (
    AUTO,
    DEFAULT_IMAGE_SIZE,
    SAFETY_TOLERANCE,
    SIZE,
    SIZE_OR_AUTO,
    Application,
    OutputForm,
    image_fields,
    rules,
    urls,
)
from mediawright.sandbox.kit.fields import (
    Choice,
    Field,
    Flag,
    ListOf,
    Number,
    Record,
    Text,
    Whole,
)

_FLUX_RATIOS = ("21:9", "16:9", "4:3", "3:2", "1:1", "2:3", "3:4", "9:16", "9:21")
_NANO_RATIOS = (
    "auto", "21:9", "16:9", "3:2", "4:3", "5:4", "1:1", "4:5", "3:4", "2:3", "9:16",
    "4:1", "1:4", "8:1", "1:8",
)  # fmt: skip
_FIRST_NANO_RATIOS = _NANO_RATIOS[:11]
_GROK_RATIOS = ("2:3", "3:2", "1:1", "16:9", "9:16")


def _flux(
    *required: str, most_steps: int, least_guidance: float = 0.0, **optional: Field
) -> Application:
    from_picture = "image_url" in required
    return Application(
        rules=rules(
            *required,
            **image_fields("jpeg", "png"),
            num_inference_steps=Whole(least=1, most=most_steps),
            guidance_scale=Number(least=least_guidance, most=20),
            enable_safety_checker=Flag(),
            acceleration=Choice(("none", "regular", "high")),
            **optional,
        ),
        form=OutputForm.FLUX,
        defaults={
            "output_format": "jpeg",
            "strength": 0.95,
            **({} if from_picture else {"image_size": DEFAULT_IMAGE_SIZE}),
        },
        pictures=("image_url",) if from_picture else (),
        has_safety_checker=True,
    )


def _flux_pro(*required: str, **optional: Field) -> Application:
    from_picture = "image_url" in required
    return Application(
        rules=rules(
            *required,
            **image_fields("jpeg", "png"),
            safety_tolerance=SAFETY_TOLERANCE,
            enhance_prompt=Flag(),
            **optional,
        ),
        form=OutputForm.FLUX,
        defaults={
            "output_format": "jpeg",
            "strength": 0.6,
            **({} if from_picture else {"image_size": DEFAULT_IMAGE_SIZE}),
        },
        pictures=("image_url",) if from_picture else (),
    )


def _ultra() -> Application:
    return Application(
        rules=rules(
            "prompt",
            **image_fields("jpeg", "png"),
            safety_tolerance=SAFETY_TOLERANCE,
            enhance_prompt=Flag(),
            aspect_ratio=Choice(_FLUX_RATIOS),
            raw=Flag(),
            image_url=Text(shortest=1),
            image_prompt_strength=Number(least=0, most=1),
        ),
        form=OutputForm.FLUX,
        # It has no tiers, and makes about four megapixels.
        defaults={"output_format": "jpeg", "aspect_ratio": "16:9", "resolution": "2K"},
        pictures=("image_url",),
    )


def _flux_2_pro(*required: str) -> Application:
    edits = "image_urls" in required
    return Application(
        rules=rules(
            *required,
            image_size=SIZE_OR_AUTO if edits else SIZE,
            safety_tolerance=Choice(("1", "2", "3", "4", "5")),
            seed=Whole(),
            output_format=Choice(("jpeg", "png")),
            sync_mode=Flag(),
            enable_safety_checker=Flag(),
        ),
        form=OutputForm.SEEDED_IMAGES,
        defaults={"output_format": "jpeg", "image_size": AUTO if edits else DEFAULT_IMAGE_SIZE},
        pictures=("image_urls",) if edits else (),
    )


def _nano_banana(
    *required: str,
    ratios: tuple[str, ...] = _NANO_RATIOS,
    resolutions: tuple[str, ...] = ("0.5K", "1K", "2K", "4K"),
) -> Application:
    return Application(
        rules=rules(
            *required,
            **image_fields("jpeg", "png", "webp"),
            aspect_ratio=Choice(ratios),
            resolution=Choice(resolutions),
            safety_tolerance=SAFETY_TOLERANCE,
            limit_generations=Flag(),
            enable_web_search=Flag(),
        ),
        form=OutputForm.DESCRIBED_IMAGES,
        defaults={
            "output_format": "png",
            "aspect_ratio": AUTO,
            "resolution": "1K",
            "strength": 0.6,
        },
        pictures=("image_urls",) if "image_urls" in required else (),
    )


def _gpt_image(*required: str) -> Application:
    edits = "image_urls" in required
    optional: dict[str, Field] = {"image_urls": urls(16), "mask_url": Text(shortest=1)}
    return Application(
        rules=rules(
            *required,
            image_size=SIZE_OR_AUTO,
            quality=Choice(("auto", "low", "medium", "high")),
            num_images=Whole(least=1, most=4),
            output_format=Choice(("jpeg", "png", "webp")),
            sync_mode=Flag(),
            **(optional if edits else {}),
        ),
        form=OutputForm.BARE_IMAGES,
        defaults={"output_format": "png", "image_size": AUTO if edits else DEFAULT_IMAGE_SIZE},
        pictures=("image_urls",) if edits else (),
    )


def _grok_image(*required: str) -> Application:
    edits = "image_urls" in required
    return Application(
        rules=rules(
            *required,
            num_images=Whole(least=1, most=4),
            aspect_ratio=Choice(_GROK_RATIOS),
            output_format=Choice(("jpeg", "png", "webp")),
            sync_mode=Flag(),
            **({"image_urls": urls(5)} if edits else {}),
        ),
        form=OutputForm.REVISED_IMAGES,
        defaults={"output_format": "jpeg", "aspect_ratio": AUTO if edits else "1:1"},
        pictures=("image_urls",) if edits else (),
    )


def _seedream(*required: str) -> Application:
    edits = "image_urls" in required
    return Application(
        rules=rules(
            *required,
            image_size=SIZE_OR_AUTO,
            num_images=Whole(least=1, most=6),
            max_images=Whole(least=1, most=6),
            seed=Whole(),
            sync_mode=Flag(),
            enable_safety_checker=Flag(),
        ),
        form=OutputForm.SEEDED_IMAGES,
        # There is no field for the format.
        defaults={"output_format": "png", "image_size": AUTO if edits else "square_hd"},
        pictures=("image_urls",) if edits else (),
    )


def _stable_diffusion(format_field: str, most_steps: int) -> Application:
    return Application(
        rules=rules(
            "prompt",
            negative_prompt=Text(),
            image_size=SIZE,
            num_inference_steps=Whole(least=1, most=most_steps),
            guidance_scale=Number(least=0, most=20),
            num_images=Whole(least=1, most=8),
            seed=Whole(),
            sync_mode=Flag(),
            enable_safety_checker=Flag(),
            **{format_field: Choice(("jpeg", "png"))},
        ),
        form=OutputForm.FLUX,
        defaults={"output_format": "jpeg", "image_size": "square_hd"},
        has_safety_checker=True,
    )


_KONTEXT = _flux_pro(
    "prompt",
    "image_url",
    aspect_ratio=Choice(_FLUX_RATIOS),
    guidance_scale=Number(least=1, most=20),
)

_LORAS = ListOf(
    item=Record(required={"path": Text(shortest=1)}, optional={"scale": Number()}, closed=False)
)

IMAGE_MODELS = {
    "fal-ai/flux/schnell": _flux("prompt", most_steps=12, image_size=SIZE),
    "fal-ai/flux/dev": _flux("prompt", most_steps=50, least_guidance=1, image_size=SIZE),
    "fal-ai/flux/dev/image-to-image": _flux(
        "prompt", "image_url", most_steps=50, least_guidance=1, strength=Number(least=0.01, most=1)
    ),
    "fal-ai/flux-lora": _flux("prompt", most_steps=50, image_size=SIZE, loras=_LORAS),
    "fal-ai/flux-lora/image-to-image": _flux(
        "prompt", "image_url", most_steps=50, strength=Number(least=0.01, most=1), loras=_LORAS
    ),
    "fal-ai/flux-pro/v1.1": _flux_pro("prompt", image_size=SIZE),
    "fal-ai/flux-pro/v1.1-ultra": _ultra(),
    "fal-ai/flux-pro/kontext": _KONTEXT,
    "fal-ai/flux-pro/kontext/max": _KONTEXT,
    "fal-ai/flux-2-pro": _flux_2_pro("prompt"),
    "fal-ai/flux-2-pro/edit": _flux_2_pro("prompt", "image_urls"),
    "fal-ai/nano-banana": _nano_banana("prompt", ratios=_FIRST_NANO_RATIOS, resolutions=("1K",)),
    "fal-ai/nano-banana/edit": _nano_banana(
        "prompt", "image_urls", ratios=_FIRST_NANO_RATIOS, resolutions=("1K",)
    ),
    "fal-ai/nano-banana-pro": _nano_banana(
        "prompt", ratios=_FIRST_NANO_RATIOS, resolutions=("1K", "2K", "4K")
    ),
    "fal-ai/nano-banana-pro/edit": _nano_banana(
        "prompt", "image_urls", ratios=_FIRST_NANO_RATIOS, resolutions=("1K", "2K", "4K")
    ),
    "fal-ai/nano-banana-2": _nano_banana("prompt"),
    "fal-ai/nano-banana-2/edit": _nano_banana("prompt", "image_urls"),
    "openai/gpt-image-2": _gpt_image("prompt"),
    "openai/gpt-image-2/edit": _gpt_image("prompt", "image_urls"),
    "xai/grok-imagine-image": _grok_image("prompt"),
    "xai/grok-imagine-image/edit": _grok_image("prompt", "image_urls"),
    "fal-ai/bytedance/seedream/v4/text-to-image": _seedream("prompt"),
    "fal-ai/bytedance/seedream/v4/edit": _seedream("prompt", "image_urls"),
    "fal-ai/bytedance/seedream/v4.5/text-to-image": _seedream("prompt"),
    "fal-ai/bytedance/seedream/v4.5/edit": _seedream("prompt", "image_urls"),
    "bytedance/seedream/v5/lite/text-to-image": _seedream("prompt"),
    "bytedance/seedream/v5/lite/edit": _seedream("prompt", "image_urls"),
    "fal-ai/stable-diffusion-v35-large": _stable_diffusion("output_format", 50),
    "fal-ai/fast-sdxl": _stable_diffusion("format", 50),
}
"""By endpoint id."""
