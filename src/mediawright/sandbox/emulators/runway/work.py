"""What a task makes when its time has come."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from mediawright.sandbox.emulators.runway.deliveries import DELIVERIES
from mediawright.sandbox.emulators.runway.inputs import Inputs
from mediawright.sandbox.emulators.runway.rules import duration_of, size_of
from mediawright.sandbox.emulators.runway.wire import TaskFailureError
from mediawright.sandbox.kit.media import MediaMaker

_CONTENT_TYPES = {
    "png": "image/png",
    "jpeg": "image/jpeg",
    "mp4": "video/mp4",
    "mp3": "audio/mpeg",
}


@dataclass(frozen=True, kw_only=True)
class Output:
    """A file of a task."""

    data: bytes
    content_type: str
    extension: str

    @classmethod
    def of(cls, data: bytes, extension: str) -> Output:
        """Return a file with the usual content type of its extension."""
        return cls(data=data, content_type=_CONTENT_TYPES[extension], extension=extension)


class Studio:
    """Makes the files of tasks."""

    def __init__(self, media: MediaMaker) -> None:
        self._media = media

    async def make(
        self, operation: str, fields: Mapping[str, Any], inputs: Inputs, seed: int
    ) -> list[Output]:
        """Return the files of a task.

        Args:
            operation: The last piece of the path it was asked at.
            fields: The valid body.
            inputs: The pictures that came with it.
            seed: The body's, or one drawn for it.

        Raises:
            TaskFailureError: An input cannot be used.
        """
        if inputs.has_unreadable:
            raise TaskFailureError("ASSET.INVALID", "An input asset could not be read.")
        if operation == "text_to_image":
            return await self._pictures(fields, inputs, seed)
        if operation == "text_to_speech":
            voice: str = fields["voice"]["presetId"]
            speed = float(fields.get("speed", 1.0))
            text: str = fields["promptText"]
            return [Output.of(await self._media.speech(text, voice=voice, speed=speed), "mp3")]
        return [await self._clip(fields, inputs, seed)]

    async def _pictures(self, fields: Mapping[str, Any], inputs: Inputs, seed: int) -> list[Output]:
        width, height = size_of(fields)
        image_format: str = fields.get("outputFormat", "png")
        return [
            Output.of(
                await self._media.image(
                    fields["promptText"],
                    width,
                    height,
                    image_format=image_format,
                    seed=seed + index,
                    sources=inputs.data("reference"),
                ),
                image_format,
            )
            for index in range(int(fields.get("outputCount", 1)))
        ]

    async def _clip(self, fields: Mapping[str, Any], inputs: Inputs, seed: int) -> Output:
        width, height = size_of(fields)
        has_sound = str(fields["model"]).startswith("veo") and fields.get("audio", True)
        clip = await self._media.video(
            fields.get("promptText", ""),
            duration_of(fields),
            width,
            height,
            seed=seed,
            first_frame=next(iter(inputs.data("first")), None),
            last_frame=next(iter(inputs.data("last")), None),
            sound=has_sound,
        )
        delivery = DELIVERIES.get(fields.get("outputFormat", "mp4"))
        if delivery is None:
            return Output.of(clip, "mp4")
        profile: str = fields.get("proresProfile", "4444")
        data = await asyncio.to_thread(delivery.convert, clip, profile)
        return Output(data=data, content_type=delivery.content_type, extension=delivery.extension)
