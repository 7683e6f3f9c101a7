"""Drawing single things with smooth edges, to be lit by the scene they stand in."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw

from mediawright.engines.painter.planes import (
    Floats,
    Picture,
    Plane,
    to_linear,
)

_FINER = 3

Point = tuple[float, float]


class Drawing:
    """A small drawing whose coordinates run from 0 to 1 along its longer side.

    Body colours are lit by the scene; lamps shine by themselves where it is dark.
    """

    def __init__(self, width: float, height: float, tall: float) -> None:
        """Start an empty drawing.

        Args:
            width: Its extent across, in its own coordinates.
            height: Its extent down, in its own coordinates.
            tall: The pixels that its height will measure.
        """
        self._unit = max(2.0, tall / height) * _FINER
        size = max(_FINER, round(width * self._unit)), max(_FINER, round(height * self._unit))
        self.width, self.height = width, height
        self._body = Image.new("RGB", size)
        self._cover = Image.new("L", size)
        self._lamps = Image.new("RGB", size)

    def polygon(self, points: Sequence[Point], colour: str) -> None:
        """Fill a polygon."""
        placed = self._placed(points)
        ImageDraw.Draw(self._body).polygon(placed, fill=colour)
        ImageDraw.Draw(self._cover).polygon(placed, fill=255)

    def box(self, left: float, top: float, right: float, bottom: float, colour: str) -> None:
        """Fill a rectangle."""
        self.polygon(((left, top), (right, top), (right, bottom), (left, bottom)), colour)

    def oval(self, middle: Point, across: float, down: float, colour: str) -> None:
        """Fill an ellipse given by its middle and radii."""
        box = self._placed(
            ((middle[0] - across, middle[1] - down), (middle[0] + across, middle[1] + down))
        )
        ImageDraw.Draw(self._body).ellipse(box, fill=colour)
        ImageDraw.Draw(self._cover).ellipse(box, fill=255)

    def line(self, points: Sequence[Point], thick: float, colour: str) -> None:
        """Draw a line of a thickness in the drawing's own coordinates."""
        width = max(_FINER - 1, round(thick * self._unit))
        placed = self._placed(points)
        ImageDraw.Draw(self._body).line(placed, fill=colour, width=width, joint="curve")
        ImageDraw.Draw(self._cover).line(placed, fill=255, width=width, joint="curve")

    def lamp(self, left: float, top: float, right: float, bottom: float, colour: str) -> None:
        """Make a rectangle shine."""
        placed = self._placed(((left, top), (right, top), (right, bottom), (left, bottom)))
        ImageDraw.Draw(self._lamps).polygon(placed, fill=colour)

    def finish(self) -> tuple[Picture, Plane, Picture]:
        """Return body colour, cover and lamps, in linear light."""
        size = (
            max(1, self._body.width // _FINER),
            max(1, self._body.height // _FINER),
        )
        cover = self._cover.resize(size, Image.Resampling.BOX)
        share = np.asarray(cover, np.float32) / np.float32(255)
        body = _planes(self._body.resize(size, Image.Resampling.BOX))
        lamps = _planes(self._lamps.resize(size, Image.Resampling.BOX))
        # At the edges the average contains empty background, which is taken out again.
        body = np.clip(body / np.maximum(share, np.float32(1e-3)), 0, 1)
        return to_linear(body), share, to_linear(lamps)

    def _placed(self, points: Sequence[Point]) -> list[Point]:
        return [(x * self._unit, y * self._unit) for x, y in points]


def _planes(image: Image.Image) -> Floats:
    values = np.asarray(image, np.float32) / np.float32(255)
    return np.ascontiguousarray(values.transpose(2, 0, 1))
