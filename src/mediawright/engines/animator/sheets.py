"""Developed layers, and how each is laid over a frame."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageChops

from mediawright.engines.painter.noise import Dice, fractal_pair
from mediawright.engines.painter.planes import Plane
from mediawright.engines.painter.scene import Weather
from mediawright.engines.painter.view import Motion
from mediawright.engines.painter.weather import rain_lean

FrameAt = Callable[[float], Image.Image]
"""What gives the frame at a time in seconds, as RGB."""


@dataclass(frozen=True, kw_only=True)
class Window:
    """The part of a larger scene that the camera sees at one depth."""

    left: float
    top: float
    scale: float
    """Pixels of the scene for one pixel of the frame."""


@dataclass(frozen=True, kw_only=True)
class Sheet:
    """A developed layer, ready to be laid over frames."""

    image: Image.Image
    cover: Image.Image | None
    top: int
    depth: float
    motion: Motion
    shines: bool
    drift: float = 0.0
    """Pixels a second to the right."""
    tint: tuple[int, int, int] | None = None
    """The one colour of a sheet of one colour, which is faster to lay."""

    def over(self, canvas: Image.Image, window: Window, seconds: float, power: float) -> None:
        """Lay the sheet over `canvas`, in place.

        Args:
            canvas: The frame, RGB.
            window: What the camera sees at the sheet's depth.
            seconds: When.
            power: How much of it is seen, 0 to 1.
        """
        placed = self._placed(canvas.size, window, seconds)
        if placed is None or power <= 0:
            return
        (first, last), box = placed
        width = canvas.width
        size = (width, last - first)
        cover = self.cover and self.cover.resize(size, Image.Resampling.BILINEAR, box)
        if self.tint is not None and cover is not None:
            canvas.paste(self.tint, (0, first, width, last), cover)
            return
        image = self.image.resize(size, Image.Resampling.BILINEAR, box)
        if cover is not None and self.motion is Motion.SWAY:
            image, cover = _swayed(image, seconds), _swayed(cover, seconds)
        if power < 1:
            cover = (cover or Image.new("L", size, 255)).point(
                [round(v * power) for v in range(256)]
            )
        if self.shines:
            below = canvas.crop((0, first, width, last))
            image = ImageChops.screen(below, image)
        canvas.paste(image, (0, first), cover)

    def _placed(
        self, size: tuple[int, int], window: Window, seconds: float
    ) -> tuple[tuple[int, int], tuple[float, float, float, float]] | None:
        """Return the frame's rows the sheet fills, and the box of the sheet to be shown."""
        width, height = size
        left = window.left - self.drift * seconds
        rows = self.image.height
        first = max(0, math.floor((self.top - window.top) / window.scale))
        last = min(height, math.ceil((self.top + rows - window.top) / window.scale))
        above = window.top + first * window.scale - self.top
        below = window.top + last * window.scale - self.top
        # A row of the frame that reaches over the sheet's edge is drawn from that edge.
        box = (
            min(max(left, 0.0), self.image.width - 1.0),
            max(0.0, above),
            max(1.0, min(left + width * window.scale, float(self.image.width))),
            min(float(rows), below),
        )
        if first >= last or box[3] - box[1] < 0.01 or box[2] - box[0] < 0.01:  # noqa: PLR2004 - pixels
            return None
        return (first, last), box


def _swayed(image: Image.Image, seconds: float) -> Image.Image:
    """Return the sheet bent by the wind, still at its lower edge."""
    height = image.height
    bend = 0.05 * math.sin(seconds * 2.1) + 0.025 * math.sin(seconds * 4.7 + 1)
    # The affine map takes each place of the result to its place in the source.
    matrix = (1, bend, -bend * height, 0, 1, 0)
    return image.transform(image.size, Image.Transform.AFFINE, matrix, Image.Resampling.BILINEAR)


@dataclass(frozen=True, kw_only=True)
class Fall:
    """Rain or snow: a tile that falls for ever."""

    tint: tuple[int, int, int]
    cover: Image.Image
    across: float
    """Pixels a second to the right."""
    down: float
    """Pixels a second downwards."""
    sway: float
    """Pixels to either side."""

    def over(self, canvas: Image.Image, seconds: float) -> None:
        """Lay the drops or flakes over `canvas`, in place."""
        across = self.across * seconds + self.sway * math.sin(seconds * 1.3 + self.down)
        moved = ImageChops.offset(self.cover, round(across), round(self.down * seconds))
        canvas.paste(self.tint, (0, 0, *canvas.size), moved)


def fall_of(
    weather: Weather, motion: Motion, near: float, tint: tuple[int, int, int], cover: Image.Image
) -> Fall:
    """Return the fall of rain or snow at a nearness between 0 and 1."""
    side = min(cover.size)
    if motion is Motion.RAIN:
        down = side * (1.3 + 1.5 * near)
        return Fall(tint=tint, cover=cover, across=-down * rain_lean(weather), down=down, sway=0)
    down = side * (0.07 + 0.2 * near)
    wind = -down * 1.6 * (weather.wind - 0.2)
    return Fall(tint=tint, cover=cover, across=wind, down=down, sway=side * 0.02 * (0.3 + near))


def bytes_of(plane: Plane) -> Image.Image:
    """Return a plane of values between 0 and 1 as an image of mode L."""
    values = np.clip(plane * np.float32(255) + np.float32(0.5), 0, 255)
    return Image.fromarray(values.astype(np.uint8))


class Twinkle:
    """A grain that passes over the stars and lets each shine unsteadily."""

    def __init__(self, dice: Dice, width: int, height: int) -> None:
        """Make a grain for frames of a width and stars down to a height."""
        grain, _ = fractal_pair(dice, 256, 0.3, lowest=12)
        values = bytes_of(np.clip(0.72 + 0.34 * grain, 0.12, 1))
        self._tile = Image.new("L", (width, height))
        for left in range(0, width, 256):
            for top in range(0, height, 256):
                self._tile.paste(values, (left, top))

    def at(self, seconds: float) -> Image.Image:
        """Return how strongly stars shine at this moment, everywhere in the frame."""
        return ImageChops.offset(self._tile, round(seconds * 23), round(seconds * 9))
