"""Blades of grass and flowers at the viewer's feet."""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageDraw

from mediawright.engines.painter.noise import Dice, octaves_1d
from mediawright.engines.painter.planes import colour, mix
from mediawright.engines.painter.terrain import hazed
from mediawright.engines.painter.view import Layer, Motion, View

_FLOWERS = ("#e8443a", "#f4d03f", "#f5f1e6", "#b77fe0", "#f08bb0", "#5f8fe8")


def grass(view: View) -> list[Layer | None]:
    """Return two rows of grass along the lower edge, with flowers where the scene has them."""
    rows = ((0.075, 0.13, 1500, 0.8), (0.11, 0.02, 900, 0.92))
    return [
        _row(view, f"grass {place}", tall=tall, lift=lift, count=count, depth=depth)
        for place, (tall, lift, count, depth) in enumerate(rows)
    ]


def _row(
    view: View, name: str, *, tall: float, lift: float, count: int, depth: float
) -> Layer | None:
    dice = view.dice(name)
    reach = int((tall * 1.4 + lift) * view.scale)
    top = max(0, view.height - reach)
    rows = view.height - top
    if rows < 8:  # noqa: PLR2004 - too low for blades to be seen
        return None
    finer = 2
    size = (view.width * finer, rows * finer)
    shade, cover = Image.new("L", size, 90), Image.new("L", size)
    draws = ImageDraw.Draw(shade), ImageDraw.Draw(cover)
    blades = dice.uniform((5, int(count * max(1.0, view.width / view.scale))))
    clumps = 0.8 + 0.55 * octaves_1d(dice, size[0], 5 * view.width / view.scale, 4)
    lean = 0.25 + 0.5 * view.scene.weather.wind
    for x, y, height, bend, light in blades.T[np.argsort(blades[1])]:
        foot = (float(x) * size[0], size[1] - (1 - float(y)) ** 1.5 * lift * view.scale * finer)
        length = (
            tall
            * (0.35 + 0.75 * float(height))
            * float(clumps[min(size[0] - 1, int(foot[0]))])
            * view.scale
            * finer
        )
        sway = (float(bend) - 0.35) * lean * length
        half = max(1.0, view.scale * 0.0022 * finer)
        middle = (foot[0] + sway * 0.3, foot[1] - length * 0.6)
        tip = (foot[0] + sway, foot[1] - length)
        shape = [(foot[0] - half, foot[1]), (middle[0] - half * 0.7, middle[1]), tip,
                 (middle[0] + half * 0.7, middle[1]), (foot[0] + half, foot[1])]  # fmt: skip
        draws[0].polygon(shape, fill=int(45 + 190 * float(light)))
        draws[1].polygon(shape, fill=255)
    flowers = _flowers(view, dice, cover, tall, lift) if view.scene.flowers else None
    small = (view.width, rows)
    light = np.asarray(shade.resize(small, Image.Resampling.BOX), np.float32) / np.float32(255)
    share = np.asarray(cover.resize(small, Image.Resampling.BOX), np.float32) / np.float32(255)
    green = mix(colour("#3c5a22"), colour("#93a548"), light)
    picture = green * (view.light.sun * (light * np.float32(0.9)) + view.light.ambient * 0.8)
    if flowers is not None:
        body, petals = flowers
        bright = body * (view.light.sun * np.float32(0.8) + view.light.ambient)
        picture = mix(picture, bright, petals)
    picture = hazed(view, picture.astype(np.float32), 0.35, 0.06)
    return Layer(name=name, colour=picture, cover=share, top=top, depth=depth, motion=Motion.SWAY)


def _flowers(
    view: View, dice: Dice, cover: Image.Image, tall: float, lift: float
) -> tuple[np.ndarray, np.ndarray]:
    """Draw flower heads over the grass and return their colours and where they are."""
    width, height = cover.size
    heads = Image.new("L", cover.size)
    index = Image.new("L", cover.size)
    draws = ImageDraw.Draw(heads), ImageDraw.Draw(index), ImageDraw.Draw(cover)
    count = int(150 * max(1.0, view.width / view.scale))
    kinds = [dice.pick(_FLOWERS) for _ in range(3)]
    for x, y, size, kind in dice.uniform((4, count)).T:
        radius = view.scale * 0.0065 * (0.6 + 0.9 * float(size)) * 2
        middle = (float(x) * width, height - float(y) * (tall + lift) * view.scale * 2)
        box = (middle[0] - radius, middle[1] - radius * 0.75,
               middle[0] + radius, middle[1] + radius * 0.75)  # fmt: skip
        draws[0].ellipse(box, fill=255)
        draws[1].ellipse(box, fill=int(float(kind) * 3))
        draws[2].ellipse(box, fill=255)
    small = (width // 2, height // 2)
    petals = np.asarray(heads.resize(small, Image.Resampling.BOX), np.float32) / np.float32(255)
    choice = np.asarray(index.resize(small, Image.Resampling.NEAREST))
    palette = np.concatenate([colour(kind) for kind in kinds], axis=2)
    return palette[:, 0, :][:, np.minimum(choice, 2)], petals
