"""Cuts the pictures that open and close a video to the ratio that was asked for (rule 62)."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import msgspec

from mediawright.assets.cropping import Box, centred_box, crop
from mediawright.catalog.values import read_ratio
from mediawright.core.operations import InputRole, Operation
from mediawright.core.request import Adjustment, AdjustmentKind

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from mediawright.app.runtime import Runtime
    from mediawright.catalog.preflight import Checked
    from mediawright.core.generation import RoutePlan
    from mediawright.core.media import MediaFacts

_FRAMES = frozenset({InputRole.FIRST_FRAME, InputRole.LAST_FRAME})


class Fitted(msgspec.Struct, frozen=True, kw_only=True):
    """A request, and what is cut off its pictures."""

    checked: Checked
    """With each cut among its adjustments."""
    boxes: dict[int, Box]
    """What is left of a picture, by its place among the inputs."""


def fit_pictures(
    checked: Checked,
    routes: Sequence[RoutePlan],
    facts: Mapping[int, MediaFacts],
    wanted: str | None,
) -> Fitted:
    """Return what is to be cut off a request's pictures; nothing is cut yet.

    A picture is cut when the caller asks for another ratio than it has, and there is a provider
    among the routes that takes its ratio from the picture instead of being told.

    Args:
        checked: The request.
        routes: The routes that may be taken.
        facts: What is known about its inputs, by their index.
        wanted: The ratio that the caller named, if one was named.
    """
    request = checked.request
    ratio = read_ratio(request.parameters.aspect_ratio or "") if wanted else None
    boxes: dict[int, Box] = {}
    if (
        ratio is None
        or checked.operation is not Operation.IMAGE_TO_VIDEO
        or all(_is_told_the_ratio(checked, route) for route in routes)
    ):
        return Fitted(checked=checked, boxes=boxes)
    adjustments: list[Adjustment] = []
    for index, item in enumerate(request.inputs):
        known = facts.get(index)
        if item.role not in _FRAMES or known is None or not known.width or not known.height:
            continue
        box = centred_box(known.width, known.height, ratio)
        if box is None:
            continue
        boxes[index] = box
        adjustments.append(
            Adjustment(
                kind=AdjustmentKind.REPLACED,
                pointer=f"/inputs/{index}",
                reason=f"cut around its centre to {request.parameters.aspect_ratio}, because the "
                "video takes its ratio from the picture; the original is kept",
                requested=f"{known.width}x{known.height}",
                applied=f"{box.width}x{box.height}",
            )
        )
    fitted = msgspec.structs.replace(checked, adjustments=(*checked.adjustments, *adjustments))
    return Fitted(checked=fitted, boxes=boxes)


async def cut(runtime: Runtime, source: Path, box: Box) -> Path:
    """Return a new file in the staging folder with a part of a picture.

    Raises:
        InvalidRequestError: The picture cannot be read.
        UnavailableError: `staging_unwritable`.
    """
    target = await asyncio.to_thread(runtime.staging.new_path)
    try:
        await asyncio.to_thread(crop, source, box, target)
    except BaseException:
        await asyncio.to_thread(target.unlink, missing_ok=True)
        raise
    return target


def _is_told_the_ratio(checked: Checked, plan: RoutePlan) -> bool:
    """Tell whether a provider gets the ratio as a field of its own, and so fits pictures to it."""
    route = checked.model.find_route(plan.provider, plan.upstream_id, checked.operation)
    if route is None:
        return True
    named = {name for table in route.tables for name in table.parameters}
    return "aspect_ratio" in route.fields or "aspect_ratio" in named
