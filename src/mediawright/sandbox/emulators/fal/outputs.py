"""What models make, in the form of their replies."""

from __future__ import annotations

import base64
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from mediawright.core.errors import InvalidRequestError
from mediawright.sandbox.emulators.fal.clips import clip_seconds
from mediawright.sandbox.emulators.fal.endpoint import (
    AUTO,
    IMAGE_SIZES,
    Application,
    OutputForm,
)
from mediawright.sandbox.emulators.fal.storage import Storage
from mediawright.sandbox.emulators.fal.wire import model_error, refusal
from mediawright.sandbox.kit.call import Call
from mediawright.sandbox.kit.emulator import Emulator
from mediawright.sandbox.kit.pictures import PictureFacts, picture_facts
from mediawright.sandbox.kit.scenario import ScenarioName
from mediawright.sandbox.kit.shelf import FetchError

_CONTENT_TYPES = {"jpeg": "image/jpeg", "png": "image/png", "webp": "image/webp"}
_SIDE_STEP = 16
_MEGAPIXEL = 1024 * 1024
_RESOLUTION_PIXELS = {"0.5K": 0.25, "1K": 1.0, "2K": 4.0, "4K": 16.0}
"""Megapixels."""
_SHORT_SIDES = {"480p": 480, "720p": 720, "1080p": 1080, "4k": 2160}


@dataclass(frozen=True, kw_only=True)
class _Picture:
    data: bytes
    facts: PictureFacts


class Outputs:
    """Makes what a valid input asks for."""

    def __init__(self, emulator: Emulator, storage: Storage) -> None:
        """Belong to an emulator, whose storage inputs may name."""
        self._emulator = emulator
        self._storage = storage

    async def make(
        self, call: Call, application: Application, given: Mapping[str, Any]
    ) -> dict[str, Any]:
        """Return a model's output.

        Raises:
            FalError: If an input picture cannot be had, or if the request is to be refused.
        """
        fields = {**application.defaults, **{k: v for k, v in given.items() if v is not None}}
        moderated = call.scenario.name is ScenarioName.MODERATED
        blackens = application.has_safety_checker and call.scenario.status is None
        if moderated and not blackens:
            raise refusal(fields["prompt"])
        pictures = await self._pictures(application.pictures, fields)
        files = await self._files(application, fields)
        fields.setdefault("seed", self._emulator.ids.number(2**31))
        try:
            if application.form is OutputForm.VIDEO:
                if application.clip is not None:
                    fields["duration"] = await self._clip_seconds(application.clip, files)
                return await self._video(call, application, fields, pictures)
            unsafe = moderated and fields.get("enable_safety_checker", True)
            return await self._images(call, application, fields, pictures, unsafe=unsafe)
        except InvalidRequestError as error:
            raise model_error("image_load_error", error.message) from None

    async def _files(
        self, application: Application, fields: Mapping[str, Any]
    ) -> dict[str, list[bytes]]:
        """Return what fields name that are no pictures, by field."""
        found: dict[str, list[bytes]] = {}
        for name in application.files:
            value = fields.get(name, ())
            if isinstance(value, str):
                found[name] = [await self._file(value, ("body", name))]
            else:
                found[name] = [
                    await self._file(url, ("body", name, index)) for index, url in enumerate(value)
                ]
        return found

    @staticmethod
    async def _clip_seconds(name: str, files: Mapping[str, list[bytes]]) -> float:
        seconds = await clip_seconds(files[name][0])
        if seconds is None:
            message = "Failed to load the video. Please ensure the video file is not corrupted."
            raise model_error("unsupported_video_format", message, location=("body", name))
        return seconds

    async def _pictures(
        self, names: tuple[str, ...], fields: Mapping[str, Any]
    ) -> tuple[_Picture, ...]:
        found: list[_Picture] = []
        for name in names:
            # What must be there has been checked.
            value = fields.get(name, ())
            if isinstance(value, str):
                found.append(await self._picture(value, ("body", name)))
            else:
                for index, url in enumerate(value):
                    found.append(await self._picture(url, ("body", name, index)))
        return tuple(found)

    async def _picture(self, url: str, location: tuple[str | int, ...]) -> _Picture:
        data = await self._file(url, location)
        facts = picture_facts(data)
        if facts is None:
            message = "Failed to load the image. Please ensure the image file is not corrupted."
            raise model_error("image_load_error", message, location=location, value=url)
        return _Picture(data=data, facts=facts)

    async def _file(self, url: str, location: tuple[str | int, ...]) -> bytes:
        try:
            return (await self._storage.fetch(url)).data
        except FetchError as error:
            message = f"Failed to download the file: {error}."
            raise model_error(
                "file_download_error", message, location=location, value=url
            ) from None

    async def _images(
        self,
        call: Call,
        application: Application,
        fields: Mapping[str, Any],
        pictures: tuple[_Picture, ...],
        *,
        unsafe: bool,
    ) -> dict[str, Any]:
        width, height = _image_size(fields, pictures)
        count = int(fields.get("num_images", 1))
        started = self._emulator.kit.clock.now()
        images: list[dict[str, Any]] = []
        for index in range(count):
            data = await self._emulator.kit.media.image(
                fields["prompt"],
                width,
                height,
                image_format=_format(fields),
                seed=fields["seed"] + index,
                sources=tuple(picture.data for picture in pictures),
                strength=float(fields.get("strength", 0.6)),
                black=unsafe,
            )
            images.append(self._image(call, fields, data, (width, height)))
        seconds = (self._emulator.kit.clock.now() - started).total_seconds()
        match application.form:
            case OutputForm.DESCRIBED_IMAGES:
                return {"images": images, "description": ""}
            case OutputForm.REVISED_IMAGES:
                return {"images": images, "revised_prompt": fields["prompt"]}
            case OutputForm.SEEDED_IMAGES:
                return {"images": images, "seed": fields["seed"]}
            case OutputForm.BARE_IMAGES:
                return {"images": images}
            case _:
                pass
        return {
            "images": images,
            "timings": {"inference": round(seconds, 3)},
            "seed": fields["seed"],
            "has_nsfw_concepts": [unsafe] * count,
            "prompt": fields["prompt"],
        }

    def _image(
        self, call: Call, fields: Mapping[str, Any], data: bytes, size: tuple[int, int]
    ) -> dict[str, Any]:
        extension = _format(fields)
        content_type = _CONTENT_TYPES[extension]
        if fields.get("sync_mode"):
            coded = base64.b64encode(self._emulator.inline(call, data)).decode()
            url = f"data:{content_type};base64,{coded}"
        else:
            url = self._emulator.publish(call, data, content_type, extension)
        return {"url": url, "width": size[0], "height": size[1], "content_type": content_type}

    async def _video(
        self,
        call: Call,
        application: Application,
        fields: Mapping[str, Any],
        pictures: tuple[_Picture, ...],
    ) -> dict[str, Any]:
        width, height = _video_size(fields, pictures)
        last: tuple[_Picture, ...] = ()
        if application.last_picture is not None:
            last = await self._pictures((application.last_picture,), fields)
        data = await self._emulator.kit.media.video(
            fields["prompt"],
            _seconds(fields),
            width,
            height,
            seed=fields["seed"],
            first_frame=pictures[0].data if pictures else None,
            last_frame=last[-1].data if last else None,
            sound=bool(fields.get("generate_audio", False)),
        )
        return {
            "video": {
                "url": self._emulator.publish(call, data, "video/mp4", "mp4"),
                "content_type": "video/mp4",
                "file_name": "output.mp4",
                "file_size": len(data),
            }
        }


def _image_size(fields: Mapping[str, Any], pictures: tuple[_Picture, ...]) -> tuple[int, int]:
    megapixels = _RESOLUTION_PIXELS[fields.get("resolution", "1K")]
    ratio = fields.get("aspect_ratio")
    if ratio and ratio != AUTO:
        across, down = (int(part) for part in ratio.split(":"))
        return _size_of(across / down, megapixels)
    size = fields.get("image_size", AUTO)
    if size != AUTO:
        named = isinstance(size, str)
        return IMAGE_SIZES[size] if named else (int(size["width"]), int(size["height"]))
    if pictures:
        facts = pictures[0].facts
        return _size_of(facts.width / facts.height, megapixels)
    return _size_of(1.0, megapixels)


def _format(fields: Mapping[str, Any]) -> str:
    """Return the file format, which one model calls by another name."""
    return str(fields.get("format") or fields["output_format"])


def _seconds(fields: Mapping[str, Any]) -> float:
    """Return how long a video is to be: as long as its transitions, where it has some."""
    transitions = fields.get("transitions")
    if transitions:
        return float(sum(item.get("duration", 5) for item in transitions))
    return float(str(fields["duration"]).removesuffix("s"))


def _size_of(ratio: float, megapixels: float) -> tuple[int, int]:
    height = math.sqrt(megapixels * _MEGAPIXEL / ratio)
    width, height = (max(1, round(side / _SIDE_STEP)) for side in (height * ratio, height))
    return width * _SIDE_STEP, height * _SIDE_STEP


def _video_size(fields: Mapping[str, Any], pictures: tuple[_Picture, ...]) -> tuple[int, int]:
    short = _SHORT_SIDES[fields["resolution"]]
    named = fields["aspect_ratio"]
    if pictures and named in (AUTO, "16:9"):
        facts = pictures[0].facts
        ratio = facts.width / facts.height
    else:
        across, down = (int(part) for part in ("16:9" if named == AUTO else named).split(":"))
        ratio = across / down
    long = round(short * max(ratio, 1 / ratio) / 2) * 2
    return (long, short) if ratio >= 1 else (short, long)
