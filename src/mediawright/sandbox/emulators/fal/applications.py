"""Which models fal runs here, and what they take."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

from mediawright.sandbox.kit.fields import (
    Choice,
    Fault,
    Field,
    Flag,
    ListOf,
    Number,
    Path,
    Record,
    Text,
    TextOr,
    Violation,
    Whole,
)

IMAGE_SIZES = {
    "square_hd": (1024, 1024),
    "square": (512, 512),
    "portrait_4_3": (768, 1024),
    "portrait_16_9": (576, 1024),
    "landscape_4_3": (1024, 768),
    "landscape_16_9": (1024, 576),
}
DEFAULT_IMAGE_SIZE = "landscape_4_3"
FLUX_RATIOS = ("21:9", "16:9", "4:3", "3:2", "1:1", "2:3", "3:4", "9:16", "9:21")
NANO_RATIOS = (
    "auto", "21:9", "16:9", "3:2", "4:3", "5:4", "1:1", "4:5", "3:4", "2:3", "9:16",
    "4:1", "1:4", "8:1", "1:8",
)  # fmt: skip
FIRST_NANO_RATIOS = NANO_RATIOS[:11]
KLING_RATIOS = ("16:9", "9:16", "1:1")
SEEDANCE_RATIOS = ("auto", "21:9", "16:9", "4:3", "1:1", "3:4", "9:16")
PIKA_RATIOS = ("16:9", "9:16", "1:1", "4:5", "5:4", "3:2", "2:3")
_LONGEST_SIDE = 14_142
_MOST_PIXELS = 4096 * 4096


class OutputForm(Enum):
    """How a model writes its output."""

    FLUX = "flux"
    """Images with timings, seed, safety flags and prompt."""
    DESCRIBED_IMAGES = "described_images"
    """Images and a description."""
    VIDEO = "video"


@dataclass(frozen=True, kw_only=True)
class Application:
    """One model endpoint."""

    rules: Record
    form: OutputForm
    defaults: Mapping[str, Any]
    """Values of fields that are left out and decide what is made."""
    pictures: tuple[str, ...] = ()
    """Fields that name input pictures by URL, the one to change or begin with first."""
    files: tuple[str, ...] = ()
    """Fields that name other files by URL."""
    has_safety_checker: bool = False
    """Whether it answers black pictures where others refuse."""


def _check_pixels(body: Mapping[str, Any], path: Path) -> Iterator[Violation]:
    if body["width"] * body["height"] > _MOST_PIXELS:
        message = f"the image must have at most {_MOST_PIXELS} pixels"
        yield Violation(fault=Fault.RULE, path=path, value=dict(body), message=message)


_PROMPT = Text(shortest=1)
_SIZE = TextOr(
    Choice(tuple(IMAGE_SIZES)),
    Record(
        required={
            "width": Whole(least=1, most=_LONGEST_SIDE),
            "height": Whole(least=1, most=_LONGEST_SIDE),
        },
        closed=False,
        rules=(_check_pixels,),
    ),
)
_SAFETY_TOLERANCE = Choice(("1", "2", "3", "4", "5", "6"))


def _image_fields(*formats: str) -> dict[str, Field]:
    return {
        "seed": Whole(),
        "num_images": Whole(least=1, most=4),
        "output_format": Choice(formats),
        "sync_mode": Flag(),
    }


def _rules(*required: str, **optional: Field) -> Record:
    """Return the rules of an input; fal ignores fields that it does not know."""
    known: dict[str, Field] = {
        "prompt": _PROMPT,
        "image_url": Text(shortest=1),
        "image_urls": ListOf(item=Text(shortest=1), fewest=1, most=10),
        "start_image_url": Text(shortest=1),
    }
    return Record(
        required={name: known[name] for name in required},
        optional=optional,
        closed=False,
        null_is_absent=True,
    )


def _flux(
    *required: str, most_steps: int, least_guidance: float = 0.0, **optional: Field
) -> Application:
    return Application(
        rules=_rules(
            *required,
            **_image_fields("jpeg", "png"),
            num_inference_steps=Whole(least=1, most=most_steps),
            guidance_scale=Number(least=least_guidance, most=20),
            enable_safety_checker=Flag(),
            acceleration=Choice(("none", "regular", "high")),
            **optional,
        ),
        form=OutputForm.FLUX,
        defaults={"output_format": "jpeg", "image_size": DEFAULT_IMAGE_SIZE, "strength": 0.95},
        pictures=("image_url",) if "image_url" in required else (),
        has_safety_checker=True,
    )


def _flux_pro(*required: str, **optional: Field) -> Application:
    return Application(
        rules=_rules(
            *required,
            **_image_fields("jpeg", "png"),
            safety_tolerance=_SAFETY_TOLERANCE,
            enhance_prompt=Flag(),
            **optional,
        ),
        form=OutputForm.FLUX,
        defaults={
            "output_format": "jpeg",
            "image_size": DEFAULT_IMAGE_SIZE,
            "aspect_ratio": None,
            "strength": 0.6,
        },
        pictures=("image_url",) if "image_url" in required else (),
    )


def _nano_banana(
    *required: str,
    ratios: tuple[str, ...] = NANO_RATIOS,
    resolutions: tuple[str, ...] = ("0.5K", "1K", "2K", "4K"),
) -> Application:
    return Application(
        rules=_rules(
            *required,
            **_image_fields("jpeg", "png", "webp"),
            aspect_ratio=Choice(ratios),
            resolution=Choice(resolutions),
            safety_tolerance=_SAFETY_TOLERANCE,
            limit_generations=Flag(),
            enable_web_search=Flag(),
        ),
        form=OutputForm.DESCRIBED_IMAGES,
        defaults={
            "output_format": "png",
            "aspect_ratio": "auto",
            "resolution": "1K",
            "strength": 0.6,
        },
        pictures=("image_urls",) if "image_urls" in required else (),
    )


def _pika(*required: str, seconds: tuple[int, ...], **optional: Field) -> Application:
    return Application(
        rules=_rules(
            *required,
            negative_prompt=Text(),
            seed=Whole(),
            resolution=Choice(("720p", "1080p")),
            # Its own default is written as text.
            duration=Choice((*seconds, *(str(second) for second in seconds))),
            **optional,
        ),
        form=OutputForm.VIDEO,
        defaults={"duration": 5, "resolution": "720p", "aspect_ratio": "16:9"},
        pictures=("image_url",) if "image_url" in required else (),
    )


def _veo(*required: str) -> Application:
    ratios = ("16:9", "9:16", "auto") if "image_url" in required else ("16:9", "9:16")
    return Application(
        rules=_rules(
            *required,
            duration=Choice(("4s", "6s", "8s")),
            resolution=Choice(("720p", "1080p", "4k")),
            aspect_ratio=Choice(ratios),
            generate_audio=Flag(),
            negative_prompt=Text(),
            seed=Whole(),
            auto_fix=Flag(),
            safety_tolerance=_SAFETY_TOLERANCE,
        ),
        form=OutputForm.VIDEO,
        defaults={
            "duration": "8s",
            "resolution": "720p",
            "aspect_ratio": "16:9",
            "generate_audio": True,
        },
        pictures=("image_url",) if "image_url" in required else (),
    )


def _kling(*required: str, seconds: tuple[int, ...], **optional: Field) -> Application:
    return Application(
        rules=_rules(
            *required,
            duration=Choice(tuple(str(second) for second in seconds)),
            generate_audio=Flag(),
            negative_prompt=Text(),
            cfg_scale=Number(least=0, most=1),
            **optional,
        ),
        form=OutputForm.VIDEO,
        defaults={
            "duration": "5",
            "resolution": "1080p",
            "aspect_ratio": "16:9",
            "generate_audio": True,
        },
        pictures=("start_image_url",) if "start_image_url" in required else (),
    )


def _seedance(
    *required: str, pictures: tuple[str, ...] = (), files: tuple[str, ...] = (), **optional: Field
) -> Application:
    return Application(
        rules=_rules(
            *required,
            duration=Choice(tuple(str(second) for second in range(4, 16))),
            resolution=Choice(("480p", "720p", "1080p")),
            aspect_ratio=Choice(SEEDANCE_RATIOS),
            generate_audio=Flag(),
            seed=Whole(),
            **optional,
        ),
        form=OutputForm.VIDEO,
        defaults={
            "duration": "5",
            "resolution": "720p",
            "aspect_ratio": "auto",
            "generate_audio": True,
        },
        pictures=pictures,
        files=files,
    )


def _seedance_family(owner: str) -> dict[str, Application]:
    """Return the three endpoints of Seedance 2, or of its fast version."""
    urls = {
        name: ListOf(item=Text(shortest=1), fewest=1, most=most)
        for name, most in (("image_urls", 9), ("video_urls", 3), ("audio_urls", 3))
    }
    return {
        f"{owner}/text-to-video": _seedance("prompt"),
        f"{owner}/image-to-video": _seedance(
            "prompt", "image_url", pictures=("image_url",), end_image_url=Text(shortest=1)
        ),
        f"{owner}/reference-to-video": _seedance(
            "prompt", pictures=("image_urls",), files=("video_urls", "audio_urls"), **urls
        ),
    }


_RATIO: Field = Choice(PIKA_RATIOS)
_KLING_RATIO: Field = Choice(KLING_RATIOS)
_KLING_3_SECONDS = tuple(range(3, 16))
_KONTEXT = _flux_pro(
    "prompt", "image_url", aspect_ratio=Choice(FLUX_RATIOS), guidance_scale=Number(least=1, most=20)
)

APPLICATIONS = {
    "fal-ai/flux/schnell": _flux("prompt", most_steps=12, image_size=_SIZE),
    "fal-ai/flux/dev": _flux("prompt", most_steps=50, least_guidance=1, image_size=_SIZE),
    "fal-ai/flux/dev/image-to-image": _flux(
        "prompt", "image_url", most_steps=50, least_guidance=1, strength=Number(least=0.01, most=1)
    ),
    "fal-ai/flux-pro/v1.1": _flux_pro("prompt", image_size=_SIZE),
    "fal-ai/flux-pro/kontext": _KONTEXT,
    "fal-ai/flux-pro/kontext/max": _KONTEXT,
    "fal-ai/nano-banana": _nano_banana("prompt", ratios=FIRST_NANO_RATIOS, resolutions=("1K",)),
    "fal-ai/nano-banana/edit": _nano_banana(
        "prompt", "image_urls", ratios=FIRST_NANO_RATIOS, resolutions=("1K",)
    ),
    "fal-ai/nano-banana-2": _nano_banana("prompt"),
    "fal-ai/nano-banana-2/edit": _nano_banana("prompt", "image_urls"),
    "fal-ai/kling-video/v2.6/pro/text-to-video": _kling(
        "prompt", seconds=(5, 10), aspect_ratio=_KLING_RATIO
    ),
    "fal-ai/kling-video/v2.6/pro/image-to-video": _kling(
        "prompt", "start_image_url", seconds=(5, 10)
    ),
    "fal-ai/kling-video/v3/standard/text-to-video": _kling(
        "prompt", seconds=_KLING_3_SECONDS, aspect_ratio=_KLING_RATIO
    ),
    "fal-ai/kling-video/v3/standard/image-to-video": _kling(
        "prompt", "start_image_url", seconds=_KLING_3_SECONDS, end_image_url=Text(shortest=1)
    ),
    "fal-ai/kling-video/v3/pro/text-to-video": _kling(
        "prompt", seconds=_KLING_3_SECONDS, aspect_ratio=_KLING_RATIO
    ),
    "fal-ai/kling-video/v3/pro/image-to-video": _kling(
        "prompt", "start_image_url", seconds=_KLING_3_SECONDS, end_image_url=Text(shortest=1)
    ),
    **_seedance_family("bytedance/seedance-2.0"),
    **_seedance_family("bytedance/seedance-2.0/fast"),
    "fal-ai/pika/v2.2/text-to-video": _pika("prompt", seconds=(5, 10), aspect_ratio=_RATIO),
    "fal-ai/pika/v2.2/image-to-video": _pika("prompt", "image_url", seconds=(5, 10)),
    "fal-ai/pika/v2.1/text-to-video": _pika("prompt", seconds=(5,), aspect_ratio=_RATIO),
    "fal-ai/pika/v2.1/image-to-video": _pika("prompt", "image_url", seconds=(5,)),
    "fal-ai/pika/v2/turbo/text-to-video": _pika("prompt", seconds=(5,), aspect_ratio=_RATIO),
    "fal-ai/pika/v2/turbo/image-to-video": _pika("prompt", "image_url", seconds=(5,)),
    "fal-ai/veo3.1": _veo("prompt"),
    "fal-ai/veo3.1/fast": _veo("prompt"),
    "fal-ai/veo3.1/image-to-video": _veo("prompt", "image_url"),
}
"""The endpoints by id."""

_NAMESPACES = ("workflows", "comfy")


def short_id(endpoint_id: str) -> str:
    """Return what follow-up paths keep of an endpoint id: owner and alias."""
    steps = endpoint_id.split("/")
    return "/".join(steps[: 3 if steps[0] in _NAMESPACES else 2])


KNOWN_SHORT_IDS = frozenset(short_id(endpoint_id) for endpoint_id in APPLICATIONS)
