"""Cities: rows of towers with windows."""

from __future__ import annotations

import numpy as np

from mediawright.engines.painter.noise import Dice
from mediawright.engines.painter.planes import Picture, Plane, colour, mix, smoothstep
from mediawright.engines.painter.terrain import hazed
from mediawright.engines.painter.view import Layer, View

_LAMPS = ("#ffd48a", "#ffc06a", "#fff0d0", "#cfe2ff", "#ffb060")
_NEON = ("#ff3ea5", "#2de2ff", "#b14bff", "#ffd48a", "#38f0b0")


def skyline(view: View) -> list[Layer | None]:
    """Return the city as three rows of buildings, from far to near, and its glow."""
    bottom = min(view.height, round(view.horizon))
    rows = ((0.20, 3.2, 0.22, 0.7), (0.27, 1.7, 0.3, 1.0), (0.2, 0.8, 0.38, 1.35))
    layers: list[Layer | None] = [_glow(view, bottom)]
    for place, (tall, distance, depth, wide) in enumerate(rows):
        layers.append(
            _row(view, f"city {place}", tall=tall, distance=distance, depth=depth, wide=wide,
                 bottom=bottom)
        )  # fmt: skip
    return layers


def _glow(view: View, bottom: int) -> Layer | None:
    """Return the light that a city throws up into the air by night."""
    power = view.light.lamps * (0.25 + 0.75 * view.light.night)
    top = max(0, int(bottom - 0.55 * view.scale))
    if power < 0.2 or top >= bottom:  # noqa: PLR2004 - by day there is none to be seen
        return None
    rows = np.arange(top, bottom, dtype=np.float32)[:, None]
    height = (np.float32(bottom) - rows) / np.float32(view.scale)
    across = np.arange(view.width, dtype=np.float32)[None, :] / np.float32(view.width) - 0.5
    cover = np.exp(-height * 6.5) * np.exp(-((across * 1.5) ** 2)) * smoothstep(0.55, 0.4, height)
    shape = (3, bottom - top, view.width)
    picture = np.broadcast_to(colour("#ff9a5c") * np.float32(0.34 * power), shape)
    return Layer(name="city glow", colour=picture.astype(np.float32),
                 cover=cover.astype(np.float32), top=top, depth=0.2, shines=True)  # fmt: skip


def _row(
    view: View, name: str, *, tall: float, distance: float, depth: float, wide: float, bottom: int
) -> Layer | None:
    dice = view.dice(name)
    reach = int(tall * 1.75 * view.scale)
    top = max(0, bottom - reach)
    if top >= bottom:
        return None
    rows = bottom - top
    albedo = np.zeros((3, rows, view.width), np.float32)
    lamps = np.zeros((3, rows, view.width), np.float32)
    cover = np.zeros((rows, view.width), np.float32)
    unit = view.scale * 0.05 * wide
    centre = view.width * dice.between(0.3, 0.7)
    left = -unit
    while left < view.width:
        width = unit * dice.between(0.55, 1.5)
        # The tallest towers stand together in the middle of the town.
        near = np.exp(-(((left + width / 2 - centre) / (0.42 * view.scale)) ** 2))
        height = view.scale * tall * (0.22 + 0.3 * dice.between(0, 1) + float(near)
                                      * dice.between(0.25, 1.0))  # fmt: skip
        _tower(
            view,
            dice,
            (albedo, lamps, cover),
            left=left,
            width=width,
            height=min(height, rows - 1.0),
        )
        left += width * dice.between(0.82, 1.12)
    picture = _lit(view, albedo)
    picture = hazed(view, picture, distance, 0.16) + lamps * np.float32(1.1 - 0.2 * distance)
    low = smoothstep(0.16, 0.0, (rows - np.arange(rows, dtype=np.float32)[:, None])
                     / np.float32(view.scale))  # fmt: skip
    fog = np.float32(0.25 + 0.6 * view.scene.weather.fog) * low
    picture = mix(picture, view.light.haze, fog)
    return Layer(name=name, colour=picture, cover=cover, top=top, depth=depth)


def _lit(view: View, albedo: Picture) -> Picture:
    low = 1.0 - min(1.0, max(0.0, view.light.height) * 1.6)
    return albedo * (view.light.sun * np.float32(0.75 - 0.6 * low) + view.light.ambient * 1.1)


def _tower(
    view: View, dice: Dice, planes: tuple[Picture, Picture, Plane], *, left: float, width: float,
    height: float,
) -> None:  # fmt: skip
    """Draw one building, with a narrower upper part on some, and a mast on few."""
    tone = dice.between(0.55, 1.25)
    tint = mix(colour("#7d828c"), colour("#9a8574"), dice.between(0, 1)) * np.float32(tone)
    grid = max(2.0, view.scale * dice.between(0.0065, 0.0095))
    _block(view, dice, planes, (left, width, height), tint=tint, grid=grid)
    if dice.chance(0.4):
        part = dice.between(0.45, 0.75)
        more = height * dice.between(1.08, 1.3)
        inset = left + width * (1 - part) / 2
        _block(view, dice, planes, (inset, width * part, more), tint=tint, grid=grid)
        if dice.chance(0.4):
            mast = max(1.0, view.scale * 0.003)
            _block(
                view, dice, planes, (left + width / 2, mast, more * 1.2), tint=tint * 0.6, grid=1e9
            )


def _block(
    view: View, dice: Dice, planes: tuple[Picture, Picture, Plane],
    place: tuple[float, float, float], *, tint: Picture, grid: float,
) -> None:  # fmt: skip
    albedo, lamps, cover = planes
    left, width, height = place
    rows = cover.shape[0]
    first, last = (
        max(0, round(left)),
        min(cover.shape[1], max(round(left + width), round(left) + 1)),
    )
    top = max(0, round(rows - height))
    if first >= last or top >= rows:
        return
    across = np.arange(first, last, dtype=np.float32)[None, :] - np.float32(min(left, first))
    down = np.arange(top, rows, dtype=np.float32)[:, None] - np.float32(top)
    side = across / np.float32(max(width, 1))
    lit = 1.15 - 0.45 * (side if view.sun_across < left else 1 - side)
    window = _windows(across, down, grid)
    cover[top:, first:last] = 1
    albedo[:, top:, first:last] = tint * lit * (1 - 0.4 * window)
    columns = int((last - left) / grid) + 2
    lines = int((rows - top) / grid) + 2
    share = view.light.lamps * dice.between(0.25, 0.7)
    burning = (dice.uniform((lines, columns)) < share) * (0.35 + 0.65 * dice.uniform(
        (lines, columns)) ** 2)  # fmt: skip
    neon = "#d03fd0" in view.scene.colours
    shine = colour(dice.pick(_NEON if neon else _LAMPS)) * np.float32(0.9 * view.light.lamps)
    cell = burning[(down / grid).astype(int), (across / grid).astype(int)]
    lamps[:, top:, first:last] = shine * (window * cell).astype(np.float32)


def _windows(across: Plane, down: Plane, grid: float) -> Plane:
    """Return 1 where there is glass and 0 where there is wall, soft when panes are small."""
    pane_across = (across / np.float32(grid)) % 1
    pane_down = (down / np.float32(grid)) % 1
    inside = smoothstep(0.08, 0.3, np.minimum(pane_across, 1 - pane_across))
    return inside * smoothstep(0.08, 0.34, np.minimum(pane_down, 1 - pane_down))
