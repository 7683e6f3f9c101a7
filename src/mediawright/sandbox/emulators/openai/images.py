"""Making and editing images."""

from __future__ import annotations

import base64
import math
from collections.abc import AsyncIterator, Sequence
from typing import Any

from mediawright.core.errors import InvalidRequestError
from mediawright.sandbox.emulators.openai.files import FileStore
from mediawright.sandbox.emulators.openai.image_inputs import (
    Pictures,
    form_fields,
    form_pictures,
    json_pictures,
)
from mediawright.sandbox.emulators.openai.image_rules import (
    EDIT_FORM,
    EDIT_JSON,
    GENERATION,
    ImageOrder,
    json_fields,
    read_order,
)
from mediawright.sandbox.emulators.openai.wire import invalid
from mediawright.sandbox.kit.call import Call, Reply, event
from mediawright.sandbox.kit.emulator import Emulator, Endpoint
from mediawright.sandbox.kit.pictures import picture_facts
from mediawright.sandbox.kit.scenario import RequestKind

_OUTPUT_TOKENS = {"low": 200, "medium": 1767, "high": 7033, "xhigh": 10_550, "max": 14_066}
"""Tokens of a picture of 1024x1024, from the published prices per picture and per token."""
_PIXELS = 1024 * 1024
_TILE = 512
_TOKENS_PER_TILE = 129
_TOKENS_PER_IMAGE = 65
_CHARACTERS_PER_TOKEN = 4
_EDIT_STRENGTH = 0.6
_DRAFT_PART = 4
"""How many times smaller than the picture its drafts are."""


class Images:
    """The paths of images."""

    def __init__(self, emulator: Emulator, files: FileStore) -> None:
        """Belong to an emulator, whose uploaded files edits may name."""
        self._emulator = emulator
        self._files = files

    def endpoints(self) -> Sequence[Endpoint]:
        """Return the paths."""
        return (
            Endpoint(
                method="POST",
                path="/v1/images/generations",
                handler=self._generate,
                kind=RequestKind.SUBMIT,
            ),
            Endpoint(
                method="POST",
                path="/v1/images/edits",
                handler=self._edit,
                kind=RequestKind.SUBMIT,
            ),
        )

    async def _generate(self, call: Call) -> Reply:
        order = read_order(json_fields(call), GENERATION)
        return await self._answer(call, order, Pictures(images=()), "image_generation")

    async def _edit(self, call: Call) -> Reply:
        if call.body.parts:
            order = read_order(form_fields(call.body), EDIT_FORM)
            pictures = form_pictures(call.body, order.model)
        else:
            fields = json_fields(call)
            order = read_order(fields, EDIT_JSON)
            pictures = await json_pictures(fields, self._files, self._emulator.kit.shelf)
        return await self._answer(call, order, pictures, "image_edit")

    async def _answer(
        self, call: Call, order: ImageOrder, pictures: Pictures, event_type: str
    ) -> Reply:
        self._emulator.refuse_if_moderated(call)
        seed = self._emulator.ids.number(2**31)
        created = int(self._emulator.kit.clock.now().timestamp())
        images = [
            await self._paint(call, order, pictures, seed + index) for index in range(order.count)
        ]
        facts: dict[str, Any] = {
            "background": order.background,
            "output_format": order.output_format,
            "quality": order.quality,
            "size": order.size,
        }
        usage = _usage(order, pictures)
        owner = {"safety_identifier": order.safety_identifier}
        if not order.streams:
            data = [{"b64_json": image} for image in images]
            return Reply.json({"created": created, **facts, **owner, "data": data, "usage": usage})
        drafts = [
            await self._paint(call, order, pictures, seed, parts=_DRAFT_PART + index)
            for index in range(order.partial_images, 0, -1)
        ]
        facts["created_at"] = created
        finish = {**facts, **owner, "usage": usage}
        return Reply.events(_stream(event_type, drafts, images, facts, finish))

    async def _paint(
        self, call: Call, order: ImageOrder, pictures: Pictures, seed: int, parts: int = 1
    ) -> str:
        try:
            data = await self._emulator.kit.media.image(
                order.prompt,
                max(1, order.width // parts),
                max(1, order.height // parts),
                image_format=order.output_format,
                seed=seed,
                sources=pictures.images,
                mask=pictures.mask,
                strength=_EDIT_STRENGTH,
                transparent=order.transparent,
            )
        except InvalidRequestError:
            message = "Invalid image file or mode for image 1, please check your image file."
            raise invalid(message, "image", "invalid_image_file") from None
        return base64.b64encode(self._emulator.inline(call, data)).decode()


async def _stream(
    event_type: str,
    drafts: list[str],
    images: list[str],
    facts: dict[str, Any],
    finish: dict[str, Any],
) -> AsyncIterator[bytes]:
    for index, draft in enumerate(drafts):
        name = f"{event_type}.partial_image"
        value = {"type": name, "b64_json": draft, "partial_image_index": index, **facts}
        yield event(value, name)
    for image in images:
        name = f"{event_type}.completed"
        yield event({"type": name, "b64_json": image, **finish}, name)


def _usage(order: ImageOrder, pictures: Pictures) -> dict[str, Any]:
    text = math.ceil(len(order.prompt) / _CHARACTERS_PER_TOKEN)
    seen = sum(_image_tokens(data) for data in pictures.images)
    each = math.ceil(_OUTPUT_TOKENS[order.quality] * order.width * order.height / _PIXELS)
    made = each * order.count
    return {
        "input_tokens": text + seen,
        "output_tokens": made,
        "total_tokens": text + seen + made,
        "input_tokens_details": {"text_tokens": text, "image_tokens": seen},
        "output_tokens_details": {"text_tokens": 0, "image_tokens": made},
    }


def _image_tokens(data: bytes) -> int:
    facts = picture_facts(data)
    if facts is None:
        return 0
    tiles = math.ceil(facts.width / _TILE) * math.ceil(facts.height / _TILE)
    return _TOKENS_PER_IMAGE + tiles * _TOKENS_PER_TILE
