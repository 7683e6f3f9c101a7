"""Trees, from single ones to whole forests."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw

from mediawright.engines.painter.noise import Dice, octaves_1d
from mediawright.engines.painter.planes import (
    Floats,
    Plane,
    colour,
    mix,
    smoothstep,
)
from mediawright.engines.painter.terrain import hazed
from mediawright.engines.painter.view import Layer, View

_SPRITE = (120, 260)
_VARIANTS = 6
_MOSTLY = 0.5
_LEAST_SCALE = 48
"""Pixels; trees in smaller pictures would be specks."""


@dataclass(frozen=True, kw_only=True)
class Tree:
    """A tree cut out: how light and how snowy each pixel is, and what it covers."""

    shade: Image.Image
    snow: Image.Image
    cover: Image.Image


def conifer(dice: Dice, *, lit_from_left: bool) -> Tree:
    """Return a spruce with drooping boughs."""
    width, height = _SPRITE[0] * 2, _SPRITE[1] * 2
    shade, snow, cover = (Image.new("L", (width, height)) for _ in range(3))
    draws = [ImageDraw.Draw(image) for image in (shade, snow, cover)]
    middle = width / 2
    draws[2].rectangle((middle - 5, height * 0.5, middle + 5, height), fill=255)
    draws[0].rectangle((middle - 5, height * 0.5, middle + 5, height), fill=40)
    levels = 26
    slim = dice.between(0.32, 0.47)
    for level in range(levels):
        # From the lowest bough up, so that upper ones lie over lower ones.
        part = 1 - level / levels
        row = height * (0.03 + 0.9 * part)
        spread = width * slim * part ** dice.between(0.8, 0.95)
        for _ in range(5):
            side = dice.between(-1, 1)
            reach = spread * (0.35 + 0.65 * abs(side)) * dice.between(0.75, 1.1)
            tip = middle + math.copysign(reach, side)
            droop = height * (0.018 + 0.05 * part) * dice.between(0.7, 1.3)
            thick = height * 0.024 * (0.5 + part)
            shape = [(middle, row - thick), (tip, row + droop), (middle, row + thick * 1.4)]
            facing = (-side if lit_from_left else side) * 0.5 + 0.5
            light = int(50 + 150 * facing * dice.between(0.5, 1.0) + 30 * (1 - part))
            draws[0].polygon(shape, fill=light)
            draws[2].polygon(shape, fill=255)
            draws[1].polygon(shape, fill=int(30 * dice.between(0, 1)))
            top = [(middle, row - thick), (tip, row + droop), (middle, row + thick * 0.1)]
            draws[1].polygon(top, fill=int(255 * dice.between(0.55, 1.0)))
    draws[2].polygon([(middle - 4, 40), (middle, 2), (middle + 4, 40)], fill=255)
    shapes = [image.resize(_SPRITE, Image.Resampling.BOX) for image in (shade, snow, cover)]
    return Tree(shade=shapes[0], snow=shapes[1], cover=shapes[2])


def broadleaf(dice: Dice, *, lit_from_left: bool) -> Tree:
    """Return a tree with a round crown of many leaves."""
    size = 560
    shade, snow, cover = (Image.new("L", (size, size)) for _ in range(3))
    draws = [ImageDraw.Draw(image) for image in (shade, snow, cover)]
    tips = _branches(dice, draws, size)
    count = 5200
    spots = dice.normal((2, count))
    lights = dice.uniform(count)
    chosen = dice.generator.integers(0, len(tips), count)
    order: list[tuple[float, float, float]] = []
    for index in range(count):
        x, y = tips[int(chosen[index])]
        x += float(spots[0, index]) * size * 0.045
        y += float(spots[1, index]) * size * 0.05
        if y < size * 0.8:
            order.append((x, y, float(lights[index])))
    side = -1 if lit_from_left else 1
    for x, y, chance in sorted(order, key=lambda spot: -spot[1]):
        radius = size * 0.0085 * (0.6 + 0.8 * chance)
        facing = 0.5 + side * (x / size - 0.5) * 0.9 + (0.45 - y / size) * 0.9
        light = int(max(15, min(255, 25 + 190 * facing * (0.55 + 0.65 * chance))))
        box = (x - radius, y - radius * 0.8, x + radius, y + radius * 0.8)
        draws[0].ellipse(box, fill=light)
        draws[2].ellipse(box, fill=255)
        draws[1].ellipse(box, fill=int(220 * max(0.0, min(1.0, facing)) * chance))
    half = size // 2
    shapes = [image.resize((half, half), Image.Resampling.BOX) for image in (shade, snow, cover)]
    return Tree(shade=shapes[0], snow=shapes[1], cover=shapes[2])


def _branches(dice: Dice, draws: list[ImageDraw.ImageDraw], size: int) -> list[tuple[float, float]]:
    """Draw trunk and boughs, and return where the twigs end."""
    tips: list[tuple[float, float]] = []
    grown = [(size * 0.5, size * 0.995, -math.pi / 2, size * 0.19, size * 0.03, 0)]
    while grown:
        x, y, angle, length, thick, depth = grown.pop()
        end = (x + math.cos(angle) * length, y + math.sin(angle) * length)
        for draw, fill in zip(draws, (46, 0, 255), strict=True):
            draw.line(((x, y), end), fill=fill, width=max(2, round(thick)))
        if depth >= 5:  # noqa: PLR2004 - twigs of twigs would not be seen
            tips.append(end)
            continue
        if depth >= 2:  # noqa: PLR2004 - leaves begin here
            tips.append(end)
        for spread in (-1, 1) if depth else (-1, 0, 1):
            turn = angle + spread * dice.between(0.28, 0.72) + dice.between(-0.12, 0.12)
            # Boughs strive back up to the light.
            turn += (-math.pi / 2 - turn) * 0.12
            grown.append((*end, turn, length * dice.between(0.66, 0.84), thick * 0.66, depth + 1))
    return tips


def paste(canvas: tuple[Image.Image, ...], tree: Tree, foot: tuple[float, float], tall: float,
          *, flip: bool = False) -> None:  # fmt: skip
    """Put a tree of a height in pixels into the canvases of shade, snow and cover."""
    width = max(1, round(tall * tree.cover.width / tree.cover.height))
    height = max(1, round(tall))
    corner = (round(foot[0] - width / 2), round(foot[1] - height))
    parts = [
        part.resize((width, height), Image.Resampling.BILINEAR, reducing_gap=2)
        for part in (tree.shade, tree.snow, tree.cover)
    ]
    if flip:
        parts = [part.transpose(Image.Transpose.FLIP_LEFT_RIGHT) for part in parts]
    mask = parts[2]
    for target, part in zip(canvas, (*parts[:2], Image.new("L", mask.size, 255)), strict=True):
        target.paste(part, corner, mask)


def treeline(
    view: View,
    name: str,
    *,
    row: float,
    tall: float,
    distance: float,
    depth: float,
    bottom: int,
    rough: float = 0.05,
    opening: float = 0.0,
    sides: float | None = None,
) -> Layer | None:
    """Return a line of conifers across the whole picture, filled below.

    Args:
        view: The scene's frame.
        name: Of the layer.
        row: About where the trees stand, in pixels.
        tall: How tall they are, in pixels.
        distance: How far away, in units, for the haze.
        depth: The layer's depth.
        bottom: The first row that need not be filled.
        rough: How far the ground rises and falls, in units of the scale.
        opening: How much lower the line is in the direction of the sun, as a part.
        sides: Trees stand only this far in from either edge, as a part of the width, on
            ground of another layer; `None` for everywhere, on ground of their own.
    """
    if tall < 2:  # noqa: PLR2004 - too small to be seen
        return None
    dice = view.dice(name)
    line = octaves_1d(dice, view.width, 1.6 * view.width / view.scale, 4)
    across = (np.arange(view.width, dtype=np.float32) - np.float32(view.sun_across)) / np.float32(
        view.scale
    )
    gap = 1 - opening * np.exp(-((across / 0.34) ** 2))
    feet = row - (line * rough + rough * 1.5 * (gap - 1 + opening)) * view.scale
    top = max(0, int(feet.min() - tall * 1.35))
    bottom = min(view.height, bottom if sides is None else int(feet.max() + tall * 0.4))
    if top >= bottom:
        return None
    canvas = tuple(Image.new("L", (view.width, bottom - top), fill) for fill in (48, 20, 0))
    from_left = view.sun_across < view.width / 2
    kinds = [conifer(dice, lit_from_left=from_left) for _ in range(_VARIANTS)]
    count = min(900, max(4, int(view.width / tall * 9)))
    places = dice.uniform((4, count))
    behind = np.argsort(places[3])
    for index in (int(place) for place in behind):
        x = float(places[0, index]) * view.width
        if sides is not None:
            x = _aside(x, view.width, sides)
        column = min(view.width - 1, int(x))
        size = tall * (0.55 + 0.6 * float(places[1, index])) * (0.75 + 0.25 * float(gap[column]))
        foot = (x, float(feet[column]) - top + tall * (0.05 + 0.3 * float(places[3, index])))
        paste(canvas, kinds[index % _VARIANTS], foot, size, flip=bool(places[2, index] > 0.5))  # noqa: PLR2004 - one in two
    ground = feet - top if sides is None else np.full(view.width, view.height, np.float32)
    return _coloured(view, name, canvas, ground, top=top, distance=distance, depth=depth)


def _aside(x: float, width: int, sides: float) -> float:
    """Return a place that is moved towards the nearer edge, thinning out inwards."""
    part = x / width * 2
    if part < 1:
        return width * sides * part**1.4
    return width * (1 - sides * (2 - part) ** 1.4)


def _coloured(
    view: View, name: str, canvas: tuple[Image.Image, ...], feet: Floats, *, top: int,
    distance: float, depth: float,
) -> Layer:  # fmt: skip
    shade, snow, cover = (np.asarray(image, np.float32) / np.float32(255) for image in canvas)
    rows = np.arange(len(cover), dtype=np.float32)[:, None]
    cover = np.maximum(cover, np.clip(rows - feet[None, :], 0, 1))
    picture = lit_tree(view, shade, snow, colour("#2c4a2c"))
    # Mist gathers between the trunks.
    low = smoothstep(-0.06, 0.1, (rows - feet[None, :]) / np.float32(view.scale))
    fog = np.float32(0.12 + 0.7 * view.scene.weather.fog) * low
    picture = mix(hazed(view, picture, distance, 0.1), view.light.haze, fog)
    return Layer(name=name, colour=picture, cover=cover, top=top, depth=depth)


def lit_tree(view: View, shade: Plane, snow: Plane, leaves: Floats) -> Plane:
    """Return the colours of trees in the scene's light."""
    albedo = mix(leaves, colour("#e9eff8"), snow * np.float32(view.scene.snow_cover * 0.95))
    # Against a low sun we see the trees' dark side.
    low = 1.0 - min(1.0, max(0.0, view.light.height) * 1.6)
    sun = view.light.sun * (shade * shade * np.float32(1.3 - 0.8 * low))
    return albedo * (sun + view.light.ambient * (0.35 + 0.75 * shade))


def grove(view: View, ground: Layer) -> Layer | None:
    """Return broadleaf trees scattered over distant open ground.

    Args:
        view: The scene's frame.
        ground: The land they stand on.
    """
    dice = view.dice("grove")
    covered = ground.cover > _MOSTLY
    crest = ground.top + np.argmax(covered, axis=0)
    bottom = min(view.height, int(crest.max() + 0.12 * view.scale))
    top = max(0, int(crest.min() - 0.1 * view.scale))
    if top >= bottom or view.scale < _LEAST_SCALE:
        return None
    canvas = tuple(Image.new("L", (view.width, bottom - top), fill) for fill in (40, 0, 0))
    from_left = view.sun_across < view.width / 2
    kinds = [broadleaf(dice, lit_from_left=from_left) for _ in range(2)]
    clumps = [dice.between(0, 1) * view.width for _ in range(dice.whole(3, 6))]
    spots: list[tuple[float, float]] = []
    for _ in range(dice.whole(16, 30)):
        spread = float(dice.normal(1)[0]) * 0.1 * view.scale
        spots.append((dice.pick(clumps) + spread, dice.between(0, 1) ** 1.6))
    for place, (across, nearness) in enumerate(sorted(spots, key=lambda spot: spot[1])):
        column = int(min(max(across, 0), view.width - 1))
        tall = view.scale * (0.026 + 0.05 * nearness) * dice.between(0.75, 1.2)
        foot = float(crest[column]) - top + view.scale * (0.006 + 0.09 * nearness)
        paste(canvas, kinds[place % 2], (across, foot), tall, flip=dice.chance(0.5))
    shade, snow, cover = (np.asarray(image, np.float32) / np.float32(255) for image in canvas)
    picture = lit_tree(view, shade, snow, colour(view.scene.foliage))
    picture = hazed(view, picture, 2.4, 0.09)
    return Layer(name="grove", colour=picture, cover=cover, top=top, depth=ground.depth)
