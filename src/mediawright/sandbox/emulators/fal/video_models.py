"""The video models of fal that are imitated."""

from __future__ import annotations

from collections.abc import Mapping

from mediawright.sandbox.emulators.fal.endpoint import (
    AUTO,
    SAFETY_TOLERANCE,
    URL,
    Application,
    OutputForm,
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

_KLING_RATIOS = ("16:9", "9:16", "1:1")
_SEEDANCE_RATIOS = ("auto", "21:9", "16:9", "4:3", "1:1", "3:4", "9:16")
_PIKA_RATIOS = ("16:9", "9:16", "1:1", "4:5", "5:4", "3:2", "2:3")
_GROK_RATIOS = ("2:3", "3:2", "1:1", "16:9", "9:16", "4:3", "3:4")
_NO_FIELDS: Mapping[str, Field] = {}
_PICTURE_FIELDS = ("image_url", "start_image_url", "first_frame_url", "image_urls")


def _begins_with(required: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(name for name in _PICTURE_FIELDS if name in required)


def _pika(*required: str, seconds: tuple[int, ...], **optional: Field) -> Application:
    return Application(
        rules=rules(
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
        pictures=_begins_with(required),
    )


def _pika_frames() -> Application:
    transition = Record(optional={"prompt": Text(), "duration": Whole(least=1)}, closed=False)
    return Application(
        rules=rules(
            "image_urls",
            image_urls=urls(5, fewest=2),
            prompt=Text(),
            negative_prompt=Text(),
            seed=Whole(),
            resolution=Choice(("720p", "1080p")),
            transitions=ListOf(item=transition, fewest=1, most=4),
        ),
        form=OutputForm.VIDEO,
        defaults={"prompt": "", "duration": 5, "resolution": "720p", "aspect_ratio": AUTO},
        pictures=("image_urls",),
        last_picture="image_urls",
    )


def _veo(*required: str, last_picture: str | None = None) -> Application:
    from_picture = bool(_begins_with(required))
    ratios = ("16:9", "9:16", "auto") if from_picture else ("16:9", "9:16")
    return Application(
        rules=rules(
            *required,
            duration=Choice(("4s", "6s", "8s")),
            resolution=Choice(("720p", "1080p", "4k")),
            aspect_ratio=Choice(ratios),
            generate_audio=Flag(),
            negative_prompt=Text(),
            seed=Whole(),
            auto_fix=Flag(),
            safety_tolerance=SAFETY_TOLERANCE,
        ),
        form=OutputForm.VIDEO,
        defaults={
            "duration": "8s",
            "resolution": "720p",
            "aspect_ratio": "16:9",
            "generate_audio": True,
        },
        pictures=_begins_with(required),
        last_picture=last_picture,
    )


def _kling(
    *required: str,
    seconds: tuple[int, ...],
    resolution: str = "1080p",
    has_sound: bool = True,
    **optional: Field,
) -> Application:
    ends = [name for name in ("end_image_url", "tail_image_url") if name in optional]
    sound: dict[str, Field] = {"generate_audio": Flag()} if has_sound else {}
    return Application(
        rules=rules(
            *required,
            duration=Choice(tuple(str(second) for second in seconds)),
            negative_prompt=Text(),
            cfg_scale=Number(least=0, most=1),
            **sound,
            **optional,
        ),
        form=OutputForm.VIDEO,
        # The resolution goes by the endpoint.
        defaults={
            "duration": "5",
            "resolution": resolution,
            "aspect_ratio": "16:9",
            "generate_audio": has_sound,
        },
        pictures=_begins_with(required),
        last_picture=ends[0] if ends else None,
    )


def _motion_control(resolution: str) -> Application:
    return Application(
        rules=rules(
            "image_url",
            "video_url",
            "character_orientation",
            character_orientation=Choice(("image", "video")),
            prompt=Text(),
            keep_original_sound=Flag(),
        ),
        form=OutputForm.VIDEO,
        defaults={"prompt": "", "resolution": resolution, "aspect_ratio": AUTO},
        pictures=("image_url",),
        files=("video_url",),
        clip="video_url",
    )


def _seedance(
    *required: str,
    seconds: range = range(4, 16),
    resolutions: tuple[str, ...] = ("480p", "720p", "1080p"),
    pictures: tuple[str, ...] = (),
    files: tuple[str, ...] = (),
    optional: Mapping[str, Field] = _NO_FIELDS,
) -> Application:
    return Application(
        rules=rules(
            *required,
            duration=Choice(tuple(str(second) for second in seconds)),
            resolution=Choice(resolutions),
            aspect_ratio=Choice(_SEEDANCE_RATIOS),
            generate_audio=Flag(),
            seed=Whole(),
            **optional,
        ),
        form=OutputForm.VIDEO,
        defaults={
            "duration": "5",
            "resolution": "720p",
            "aspect_ratio": AUTO,
            "generate_audio": True,
        },
        pictures=pictures,
        last_picture="end_image_url" if "end_image_url" in optional else None,
        files=files,
    )


def _seedance_2(owner: str, *resolutions: str) -> dict[str, Application]:
    """Return the three endpoints of Seedance 2, or of its fast version."""
    references: dict[str, Field] = {
        "image_urls": urls(9),
        "video_urls": urls(3),
        "audio_urls": urls(3),
    }
    return {
        f"{owner}/text-to-video": _seedance("prompt", resolutions=resolutions),
        f"{owner}/image-to-video": _seedance(
            "prompt",
            "image_url",
            resolutions=resolutions,
            pictures=("image_url",),
            optional={"end_image_url": URL},
        ),
        f"{owner}/reference-to-video": _seedance(
            "prompt",
            resolutions=resolutions,
            pictures=("image_urls",),
            files=("video_urls", "audio_urls"),
            optional=references,
        ),
    }


def _wan(*required: str, **optional: Field) -> Application:
    return Application(
        rules=rules(
            *required,
            duration=Choice(("5", "10")),
            resolution=Choice(("480p", "720p", "1080p")),
            negative_prompt=Text(longest=500),
            enable_prompt_expansion=Flag(),
            audio_url=URL,
            seed=Whole(),
            **optional,
        ),
        form=OutputForm.VIDEO,
        defaults={
            "duration": "5",
            "resolution": "1080p",
            "aspect_ratio": "16:9",
            "generate_audio": True,
        },
        pictures=_begins_with(required),
    )


def _grok_video(*required: str, **optional: Field) -> Application:
    from_picture = bool(_begins_with(required))
    return Application(
        rules=rules(
            *required,
            duration=Whole(least=1, most=15),
            resolution=Choice(("480p", "720p")),
            **optional,
        ),
        form=OutputForm.VIDEO,
        defaults={
            "duration": 6,
            "resolution": "720p",
            "aspect_ratio": AUTO if from_picture else "16:9",
            "generate_audio": True,
        },
        pictures=_begins_with(required),
    )


_PIKA_RATIO: Field = Choice(_PIKA_RATIOS)
_KLING_RATIO: Field = Choice(_KLING_RATIOS)
_KLING_3_SECONDS = tuple(range(3, 16))
_FRAMES = ("first_frame_url", "last_frame_url")

VIDEO_MODELS = {
    "fal-ai/kling-video/v2.5-turbo/pro/text-to-video": _kling(
        "prompt", seconds=(5, 10), has_sound=False, aspect_ratio=_KLING_RATIO
    ),
    "fal-ai/kling-video/v2.5-turbo/pro/image-to-video": _kling(
        "prompt", "image_url", seconds=(5, 10), has_sound=False, tail_image_url=URL
    ),
    "fal-ai/kling-video/v2.6/pro/text-to-video": _kling(
        "prompt", seconds=(5, 10), aspect_ratio=_KLING_RATIO
    ),
    "fal-ai/kling-video/v2.6/pro/image-to-video": _kling(
        "prompt", "start_image_url", seconds=(5, 10), end_image_url=URL
    ),
    "fal-ai/kling-video/v2.6/standard/motion-control": _motion_control("720p"),
    "fal-ai/kling-video/v2.6/pro/motion-control": _motion_control("1080p"),
    "fal-ai/kling-video/v3/standard/text-to-video": _kling(
        "prompt", seconds=_KLING_3_SECONDS, resolution="720p", aspect_ratio=_KLING_RATIO
    ),
    "fal-ai/kling-video/v3/standard/image-to-video": _kling(
        "prompt", "start_image_url", seconds=_KLING_3_SECONDS, resolution="720p", end_image_url=URL
    ),
    "fal-ai/kling-video/v3/standard/motion-control": _motion_control("720p"),
    "fal-ai/kling-video/v3/pro/text-to-video": _kling(
        "prompt", seconds=_KLING_3_SECONDS, aspect_ratio=_KLING_RATIO
    ),
    "fal-ai/kling-video/v3/pro/image-to-video": _kling(
        "prompt", "start_image_url", seconds=_KLING_3_SECONDS, end_image_url=URL
    ),
    "fal-ai/kling-video/v3/pro/motion-control": _motion_control("1080p"),
    **_seedance_2("bytedance/seedance-2.0", "480p", "720p", "1080p"),
    **_seedance_2("bytedance/seedance-2.0/fast", "480p", "720p"),
    "fal-ai/bytedance/seedance/v1.5/pro/text-to-video": _seedance("prompt", seconds=range(4, 13)),
    "fal-ai/bytedance/seedance/v1.5/pro/image-to-video": _seedance(
        "prompt",
        "image_url",
        seconds=range(4, 13),
        pictures=("image_url",),
        optional={"end_image_url": URL},
    ),
    "fal-ai/bytedance/seedance/v1/pro/fast/image-to-video": _seedance(
        "prompt",
        "image_url",
        seconds=range(2, 13),
        pictures=("image_url",),
        optional={"camera_fixed": Flag()},
    ),
    "fal-ai/pika/v2.2/text-to-video": _pika("prompt", seconds=(5, 10), aspect_ratio=_PIKA_RATIO),
    "fal-ai/pika/v2.2/image-to-video": _pika("prompt", "image_url", seconds=(5, 10)),
    "fal-ai/pika/v2.2/pikascenes": _pika(
        "prompt",
        "image_urls",
        seconds=(5, 10),
        aspect_ratio=_PIKA_RATIO,
        ingredients_mode=Choice(("precise", "creative")),
    ),
    "fal-ai/pika/v2.2/pikaframes": _pika_frames(),
    "fal-ai/pika/v2.1/text-to-video": _pika("prompt", seconds=(5,), aspect_ratio=_PIKA_RATIO),
    "fal-ai/pika/v2.1/image-to-video": _pika("prompt", "image_url", seconds=(5,)),
    "fal-ai/pika/v2/turbo/text-to-video": _pika("prompt", seconds=(5,), aspect_ratio=_PIKA_RATIO),
    "fal-ai/pika/v2/turbo/image-to-video": _pika("prompt", "image_url", seconds=(5,)),
    "fal-ai/veo3.1": _veo("prompt"),
    "fal-ai/veo3.1/image-to-video": _veo("prompt", "image_url"),
    "fal-ai/veo3.1/first-last-frame-to-video": _veo(
        "prompt", *_FRAMES, last_picture="last_frame_url"
    ),
    "fal-ai/veo3.1/reference-to-video": _veo("prompt", "image_urls"),
    "fal-ai/veo3.1/fast": _veo("prompt"),
    "fal-ai/veo3.1/fast/image-to-video": _veo("prompt", "image_url"),
    "fal-ai/veo3.1/fast/first-last-frame-to-video": _veo(
        "prompt", *_FRAMES, last_picture="last_frame_url"
    ),
    "fal-ai/wan-25-preview/text-to-video": _wan("prompt", aspect_ratio=_KLING_RATIO),
    "fal-ai/wan-25-preview/image-to-video": _wan("prompt", "image_url"),
    "xai/grok-imagine-video/text-to-video": _grok_video(
        "prompt", aspect_ratio=Choice(_GROK_RATIOS)
    ),
    "xai/grok-imagine-video/image-to-video": _grok_video("prompt", "image_url"),
}
"""By endpoint id."""
