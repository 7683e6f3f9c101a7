"""The painter and the animator, as the local provider asks them."""

from __future__ import annotations

from pathlib import Path

from mediawright.core.operations import InputRole, MediaKind, Operation
from mediawright.core.provider import InlineMedia, Output, ProgressReport
from mediawright.engines.animator.animate import animate
from mediawright.engines.composer.ambience import ambience
from mediawright.engines.local.job import (
    NOTE,
    Job,
    Made,
    bytes_of,
    missing_input,
    require_prompt,
    staged,
)
from mediawright.engines.painter.encode import encode
from mediawright.engines.painter.paint import paint
from mediawright.engines.painter.sources import read_picture
from mediawright.engines.requests import AnimateRequest, PaintRequest, Sound

_PICTURE_SIDES = (1024, 1024)
_VIDEO_SIDES = (1280, 720)
_VIDEO_LONG_SIDE = 1280
_VIDEO_SECONDS = 4.0
_SOUND_SHARE = 0.1
"""The part of a video's work that its sound takes."""
_SOUND_RATE = 48_000


def make_image(job: Job) -> Made:
    """Return painted or repainted pictures."""
    sources = tuple(bytes_of(item) for item in job.call.inputs_for(InputRole.REFERENCE_IMAGE))
    masks = tuple(bytes_of(item) for item in job.call.inputs_for(InputRole.MASK))
    if job.call.operation is Operation.IMAGE_TO_IMAGE and not sources:
        raise missing_input("reference_image")
    if not sources:
        require_prompt(job)
    own = _size_of(sources[0]) if sources else _PICTURE_SIDES
    output_format = (job.fields.output_format or "png").lower().replace("jpg", "jpeg")
    outputs: list[Output] = []
    for index in range(job.fields.count):
        seed = job.seed + index
        request = PaintRequest(
            prompt=job.prompt,
            width=job.fields.width or own[0],
            height=job.fields.height or own[1],
            seed=seed,
            sources=sources,
            mask=masks[0] if masks else None,
            strength=job.fields.strength,
        )
        picture = paint(request, job.part(index))
        outputs.append(
            InlineMedia(
                kind=MediaKind.IMAGE,
                data=encode(picture, output_format, prompt=job.prompt),
                content_type=f"image/{output_format}",
                seed=seed,
            )
        )
    return Made(outputs=tuple(outputs))


def make_video(job: Job) -> Made:
    """Return animated scenes or pictures, with ambience if sound is asked for."""
    first = [bytes_of(item) for item in job.call.inputs_for(InputRole.FIRST_FRAME)]
    last = [bytes_of(item) for item in job.call.inputs_for(InputRole.LAST_FRAME)]
    if job.call.operation is Operation.IMAGE_TO_VIDEO and not first:
        raise missing_input("first_frame")
    if not first:
        require_prompt(job)
    own = _video_size(first[0]) if first else _VIDEO_SIDES
    asked = job.fields.sound
    with_sound = bool(job.call.parameters.sound) if asked is None else asked
    seconds = job.fields.seconds or _VIDEO_SECONDS

    def write(path: Path, seed: int, report: ProgressReport) -> None:
        sound: Sound | None = None
        share = _SOUND_SHARE if with_sound else 0.0
        if with_sound:
            report(0.0, "sound")
            sound = ambience(job.prompt, seconds, seed, _SOUND_RATE)
        request = AnimateRequest(
            prompt=job.prompt,
            seconds=seconds,
            width=_even(job.fields.width or own[0]),
            height=_even(job.fields.height or own[1]),
            seed=seed,
            first_frame=first[0] if first else None,
            last_frame=last[0] if last else None,
            sound=sound,
            comment=f"{NOTE}: {job.prompt}",
        )
        animate(request, path, lambda done, stage: report(share + (1 - share) * done, stage))

    outputs = staged(job, MediaKind.VIDEO, ".mp4", "video/mp4", write)
    return Made(outputs=outputs, seconds=seconds)


def _size_of(data: bytes) -> tuple[int, int]:
    # Decoded as the painter decodes it, because a photograph may be stored on its side.
    return read_picture(data, "/inputs/0").size


def _video_size(data: bytes) -> tuple[int, int]:
    width, height = _size_of(data)
    scale = min(1.0, _VIDEO_LONG_SIDE / max(width, height))
    return round(width * scale), round(height * scale)


def _even(side: int) -> int:
    return max(16, side - side % 2)
