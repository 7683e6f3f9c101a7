"""The shapes of the single things a prompt may name."""

from __future__ import annotations

import itertools
import math

from mediawright.engines.painter.drawing import Drawing
from mediawright.engines.painter.noise import Dice

_LAMP = "#ffc56e"


def boat(dice: Dice, tall: float) -> Drawing:
    """Return a sailing boat."""
    shape = Drawing(1.0, 1.0, tall)
    sail = dice.pick(("#f3ede0", "#e9d9c0", "#d8604a", "#f0e6d6"))
    shape.line(((0.5, 0.03), (0.5, 0.86)), 0.012, "#4a3a2e")
    shape.polygon(((0.485, 0.05), (0.485, 0.74), (0.12, 0.74), (0.3, 0.42)), sail)
    shape.polygon(((0.52, 0.12), (0.86, 0.76), (0.52, 0.74)), "#ded3c2")
    shape.polygon(((0.1, 0.82), (0.93, 0.8), (0.8, 0.97), (0.24, 0.98)), "#5a3b2c")
    shape.polygon(((0.1, 0.82), (0.93, 0.8), (0.915, 0.835), (0.12, 0.855)), "#d9cfc0")
    return shape


def lighthouse(dice: Dice, tall: float) -> Drawing:
    """Return a banded lighthouse with a keeper's house."""
    shape = Drawing(0.6, 1.0, tall)
    band = dice.pick(("#b8322c", "#2f5f8f", "#3a3a3a"))
    for place in range(6):
        top, low = 0.2 + place * 0.13, 0.2 + (place + 1) * 0.13
        half, wide = 0.05 + place * 0.0085, 0.05 + (place + 1) * 0.0085
        points = ((0.3 - half, top), (0.3 + half, top), (0.3 + wide, low), (0.3 - wide, low))
        shape.polygon(points, band if place % 2 else "#f2eee6")
    shape.box(0.23, 0.175, 0.37, 0.205, "#3d3f45")
    shape.box(0.262, 0.1, 0.338, 0.18, "#cfd8dc")
    shape.lamp(0.262, 0.1, 0.338, 0.175, "#fff2c8")
    shape.polygon(((0.25, 0.105), (0.3, 0.045), (0.35, 0.105)), band)
    shape.line(((0.3, 0.0), (0.3, 0.06)), 0.008, "#3d3f45")
    shape.box(0.4, 0.84, 0.57, 1.0, "#e8e0d2")
    shape.polygon(((0.385, 0.85), (0.485, 0.76), (0.585, 0.85)), "#8a4a3a")
    shape.lamp(0.45, 0.89, 0.5, 0.94, _LAMP)
    return shape


def house(dice: Dice, tall: float) -> Drawing:
    """Return a small house with a chimney and lit windows."""
    shape = Drawing(1.25, 1.0, tall)
    wall = dice.pick(("#b98f6c", "#e6dcc8", "#a85a48", "#8a6248"))
    shape.box(0.86, 0.12, 0.95, 0.4, "#7a4a3c")
    shape.box(0.12, 0.5, 1.13, 1.0, wall)
    shape.polygon(((0.04, 0.53), (0.3, 0.16), (0.98, 0.16), (1.21, 0.53)), "#56413a")
    shape.polygon(((0.04, 0.53), (0.3, 0.16), (0.34, 0.16), (0.52, 0.53)), "#6b5148")
    for left in (0.22, 0.68, 0.9):
        shape.box(left, 0.63, left + 0.13, 0.8, "#39424c")
        shape.lamp(left + 0.01, 0.64, left + 0.06, 0.79, _LAMP)
        shape.lamp(left + 0.07, 0.64, left + 0.12, 0.79, _LAMP)
    shape.box(0.46, 0.66, 0.59, 1.0, "#4a3226")
    return shape


def castle(dice: Dice, tall: float) -> Drawing:
    """Return a castle with several towers."""
    shape = Drawing(1.3, 1.0, tall)
    stone, dark = "#8d857c", "#756e68"
    shape.box(0.12, 0.62, 1.18, 1.0, stone)
    towers = ((0.1, 0.42, 0.15), (0.36, 0.2, 0.19), (0.66, 0.34, 0.15), (0.96, 0.46, 0.2))
    for left, top, wide in towers:
        shape.box(left, top, left + wide, 1.0, dark if dice.chance(0.5) else stone)
        roof = wide * dice.between(0.9, 1.3)
        peak = (left + wide / 2, top - roof)
        shape.polygon(((left - 0.03, top + 0.01), peak, (left + wide + 0.03, top + 0.01)),
                      "#4d5a74")  # fmt: skip
        shape.line((peak, (peak[0], peak[1] - 0.06)), 0.008, "#3d3f45")
        shape.lamp(left + wide * 0.4, top + 0.1, left + wide * 0.6, top + 0.17, _LAMP)
    for place in range(12):
        left = 0.12 + place * 0.09
        shape.box(left, 0.585, left + 0.05, 0.64, stone)
    shape.polygon(((0.58, 1.0), (0.58, 0.84), (0.64, 0.79), (0.7, 0.84), (0.7, 1.0)), "#2e2a28")
    return shape


def palm(dice: Dice, tall: float) -> Drawing:
    """Return a leaning palm."""
    shape = Drawing(1.0, 1.0, tall)
    lean = dice.between(-0.16, 0.16)
    stem = [(0.5 + lean * (part**1.7 - 0.5), 1.0 - 0.66 * part) for part in _steps(14)]
    for place, (start, end) in enumerate(itertools.pairwise(stem)):
        shape.line((start, end), 0.04 - 0.0016 * place, "#6d5540")
    crown = stem[-1]
    for frond in range(11):
        angle = -math.pi * (0.02 + frond / 10 * 0.96) + dice.between(-0.1, 0.1)
        reach = dice.between(0.3, 0.42)
        curve = [
            (
                crown[0] + math.cos(angle) * reach * part,
                crown[1] + math.sin(angle) * reach * part * 0.75 + 0.3 * reach * part**2.2,
            )
            for part in _steps(12)
        ]
        green = dice.pick(("#3f6b32", "#4d7d3a", "#335a2c"))
        shape.line(curve, 0.01, green)
        for place, (x, y) in enumerate(curve[1:], start=1):
            hang = 0.075 * math.sin(math.pi * min(1.0, place / 12 + 0.12))
            for side in (-0.5, 0.0, 0.5):
                shape.line(((x, y), (x + side * hang, y + hang)), 0.009, green)
    return shape


def person(dice: Dice, tall: float) -> Drawing:
    """Return a standing figure seen from behind."""
    shape = Drawing(0.5, 1.0, tall)
    coat = dice.pick(("#6b2f2a", "#2f3f5a", "#4a4438", "#b9862f"))
    shape.box(0.2, 0.58, 0.245, 0.99, "#2a2c33")
    shape.box(0.258, 0.58, 0.303, 0.99, "#2a2c33")
    shape.polygon(((0.17, 0.2), (0.33, 0.2), (0.365, 0.66), (0.14, 0.66)), coat)
    shape.line(((0.18, 0.23), (0.115, 0.42), (0.135, 0.58)), 0.055, coat)
    shape.line(((0.32, 0.23), (0.385, 0.42), (0.37, 0.58)), 0.055, coat)
    shape.oval((0.25, 0.11), 0.062, 0.085, "#4a382c")
    shape.box(0.225, 0.17, 0.275, 0.22, "#4a382c")
    return shape


def kite(dice: Dice, tall: float) -> Drawing:
    """Return a kite with its tail."""
    shape = Drawing(0.8, 1.0, tall)
    first, second = dice.pick((("#e0442f", "#f5c242"), ("#2f7fd0", "#f0efe8"),
                               ("#d04fa0", "#53c8c0")))  # fmt: skip
    top, left, right, low = (0.45, 0.02), (0.2, 0.2), (0.7, 0.24), (0.4, 0.58)
    middle = (0.43, 0.22)
    shape.polygon((top, left, middle), first)
    shape.polygon((top, right, middle), second)
    shape.polygon((left, low, middle), second)
    shape.polygon((right, low, middle), first)
    tail = [(0.4 + 0.06 * math.sin(part * 9), 0.58 + 0.4 * part) for part in _steps(16)]
    shape.line(tail, 0.008, "#5a5a5a")
    for place in (4, 8, 12):
        x, y = tail[place]
        shape.polygon(((x - 0.04, y - 0.02), (x + 0.04, y + 0.02), (x + 0.04, y - 0.02),
                       (x - 0.04, y + 0.02)), first)  # fmt: skip
    return shape


def balloon(dice: Dice, tall: float) -> Drawing:
    """Return a hot-air balloon with coloured gores."""
    shape = Drawing(0.8, 1.0, tall)
    first, second = dice.pick((("#d8412f", "#f6c445"), ("#2f6fc0", "#f3efe4"),
                               ("#7d3fb0", "#f29a3f"), ("#1f8f7a", "#f5e6b8")))  # fmt: skip
    gores = 10
    for gore in range(gores):
        edges = [-math.cos(math.pi * (gore + step) / gores) for step in (0, 1)]
        left = [(0.4 + edges[0] * _girth(part), 0.02 + 0.74 * part) for part in _steps(24)]
        right = [(0.4 + edges[1] * _girth(part), 0.02 + 0.74 * part) for part in _steps(24)]
        shape.polygon([*left, *reversed(right)], second if gore % 2 else first)
    for side in (-1, 1):
        shape.line(((0.4 + side * 0.075, 0.76), (0.4 + side * 0.045, 0.9)), 0.006, "#4a3a2e")
    shape.polygon(((0.35, 0.895), (0.45, 0.895), (0.44, 0.985), (0.36, 0.985)), "#7a5230")
    return shape


def _girth(part: float) -> float:
    """Return the balloon's radius after a part of the way down."""
    if part < 0.42:  # noqa: PLR2004 - its widest place
        return 0.38 * math.sin(math.pi / 2 * (part / 0.42) ** 0.62)
    return 0.075 + 0.305 * math.cos(math.pi / 2 * ((part - 0.42) / 0.58) ** 1.25)


def bird(dice: Dice, tall: float) -> Drawing:
    """Return a bird on the wing."""
    shape = Drawing(2.0, 1.0, tall)
    lift = dice.between(0.05, 0.5)
    for side in (-1, 1):
        tip = (1 + side * 0.92, lift)
        bend = (1 + side * 0.42, lift * 0.45 + 0.08)
        shape.polygon(((1, 0.52), bend, tip, (1 + side * 0.4, lift * 0.45 + 0.24), (1, 0.68)),
                      "#2d2f36")  # fmt: skip
    shape.oval((1.0, 0.6), 0.1, 0.09, "#2d2f36")
    return shape


def _steps(count: int) -> list[float]:
    return [place / (count - 1) for place in range(count)]
