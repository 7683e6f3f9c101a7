"""Works out pixels from size, aspect ratio and resolution."""

from __future__ import annotations

import math
from typing import Any

from mediawright.catalog.model import DimensionRule, SizeRule
from mediawright.catalog.values import read_ratio, read_size

FOLLOWS_PICTURE = frozenset({"auto", "adaptive"})
"""Aspect ratios that mean: as the input picture."""

SAME_RATIO = 0.03
"""Two ratios this close (relative) are taken for the same."""


def pixels_of(
    rule: DimensionRule | None, values: dict[str, Any], picture: tuple[int, int] | None
) -> tuple[int, int] | None:
    """Return width and height in pixels, or `None` if they cannot be told.

    Args:
        rule: The model's rule; an explicit size needs none.
        values: The applied parameters.
        picture: Width and height of the first input picture, where known.
    """
    size = values.get("size")
    if isinstance(size, str):
        return read_size(size)
    if rule is None:
        return None
    resolution = values.get(rule.tier_parameter) or rule.default_resolution
    if resolution is None:
        return None
    aspect_ratio = values.get("aspect_ratio")
    if aspect_ratio is not None:
        listed = rule.table.get(resolution, {}).get(aspect_ratio)
        if listed is not None:
            return read_size(listed)
    ratio = _ratio_of(rule, aspect_ratio, picture)
    side = rule.sides.get(resolution)
    if ratio is None or side is None:
        return None
    return _from_side(rule, ratio, side)


def tier_of(rule: DimensionRule | None, width: int, height: int) -> str | None:
    """Return the resolution an explicit size counts as, if the model says so."""
    if rule is None:
        return None
    for tier, pixels in rule.up_to.items():
        if width * height <= pixels:
            return tier
    return None


def size_fault(rule: SizeRule, width: int, height: int) -> str | None:
    """Return what is wrong with a size, or `None` if it is fine."""
    shorter, longer = sorted((width, height))
    pixels = width * height
    if width % rule.multiple_of or height % rule.multiple_of:
        return f"both sides must be multiples of {rule.multiple_of}"
    if shorter < rule.min_side:
        return f"the shorter side must be at least {rule.min_side} pixels"
    if rule.max_side is not None and longer > rule.max_side:
        return f"the longer side may be {rule.max_side} pixels at most"
    if rule.min_pixels is not None and pixels < rule.min_pixels:
        return f"there must be at least {rule.min_pixels} pixels in all"
    if rule.max_pixels is not None and pixels > rule.max_pixels:
        return f"there may be {rule.max_pixels} pixels in all at most"
    if rule.max_ratio is not None and longer > shorter * rule.max_ratio:
        return f"one side may be {rule.max_ratio:g} times the other at most"
    return None


def _ratio_of(
    rule: DimensionRule, aspect_ratio: Any, picture: tuple[int, int] | None
) -> float | None:
    if isinstance(aspect_ratio, str) and aspect_ratio not in FOLLOWS_PICTURE:
        return read_ratio(aspect_ratio)
    if picture is not None and min(picture) > 0:
        return picture[0] / picture[1]
    return read_ratio(rule.fallback_ratio) if rule.fallback_ratio else None


def _from_side(rule: DimensionRule, ratio: float, side: int) -> tuple[int, int]:
    if rule.measure == "area":
        width, height = side * math.sqrt(ratio), side / math.sqrt(ratio)
    elif ratio >= 1:
        width, height = side * ratio, float(side)
    else:
        width, height = float(side), side / ratio
    return _snapped(width, rule.multiple_of), _snapped(height, rule.multiple_of)


def _snapped(length: float, multiple: int) -> int:
    return max(multiple, multiple * math.floor(length / multiple + 0.5))
