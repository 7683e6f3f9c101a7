"""Filming a painted scene: its layers move against each other."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from PIL import Image, ImageChops

from mediawright.engines.animator.camera import Move, ease
from mediawright.engines.animator.waves import MovingWater
from mediawright.engines.painter.compose import Composition
from mediawright.engines.painter.develop import develop, to_image, vignette_of
from mediawright.engines.painter.planes import Picture, Plane
from mediawright.engines.painter.view import Layer, Motion
from mediawright.engines.painter.water import Water

OVERSCAN = 1.22
"""How much larger than the frame the filmed scene is, to leave room for the camera."""


@dataclass(frozen=True, kw_only=True)
class Sheet:
    """A developed layer, ready to be laid over a frame."""

    image: Image.Image
    cover: Image.Image | None
    top: int
    depth: float
    drift: float
    """Pixels a second to the right."""
    shines: bool


class Film:
    """The frames of a scene in motion."""

    def __init__(
        self, composition: Composition, move: Move, size: tuple[int, int], seconds: float
    ) -> None:
        """Develop the layers.

        Args:
            composition: The scene, larger than the frame by `OVERSCAN`.
            move: What the camera does.
            size: Of the frames, in pixels.
            seconds: How long the clip is.
        """
        self._view = composition.view
        self._move = move
        self._size = size
        self._seconds = max(seconds, 1e-3)
        self._parts: list[Sheet | MovingWater] = [
            Sheet(image=self._develop(composition.backdrop, bloom=True), cover=None, top=0,
                  depth=0.0, drift=0.0, shines=False)
        ]  # fmt: skip
        for layer in composition.layers:
            if isinstance(layer, Water):
                self._parts.append(MovingWater(layer, size))
            else:
                self._parts.append(self._sheet(layer))
        shade = np.clip(vignette_of(*size) * np.float32(255), 0, 255).astype(np.uint8)
        self._vignette = Image.merge("RGB", [Image.fromarray(shade)] * 3)

    def frame(self, seconds: float) -> Image.Image:
        """Return the frame at this time, as RGB."""
        part = ease(seconds / self._seconds)
        canvas = Image.new("RGB", self._size)
        for sheet in self._parts:
            if isinstance(sheet, MovingWater):
                top = self._view.horizon - self._corner(0.0, part)[1]
                canvas = sheet.over(canvas, round(top), seconds, part * self._move.push)
            else:
                self._lay(canvas, sheet, seconds, part)
        return ImageChops.multiply(canvas, self._vignette)

    def _develop(self, picture: Picture, *, bloom: bool = False) -> Image.Image:
        grade = self._view.scene.grade
        grade = grade if bloom else replace(grade, bloom=0.0)
        dice = self._view.dice("grain")
        return to_image(develop(picture, grade, dice, vignette=False))

    def _sheet(self, layer: Layer) -> Sheet:
        drift = 0.0
        if layer.motion is Motion.DRIFT:
            room = self._size[0] * (OVERSCAN - 1) * 0.2
            speed = self._size[0] * (0.004 + 0.012 * self._view.scene.weather.wind)
            drift = min(speed, room / self._seconds)
        return Sheet(
            image=self._develop(layer.colour), cover=_bytes(layer.cover), top=layer.top,
            depth=layer.depth, drift=drift, shines=layer.shines,
        )  # fmt: skip

    def _corner(self, depth: float, part: float) -> tuple[float, float, float]:
        """Return the left and upper corner of what the camera sees, and its scale."""
        width, height = self._size
        near = 0.25 + 0.75 * depth
        scale = 1 - self._move.push * (part - (0 if self._move.push > 0 else 1)) * near
        if self._move.push < 0:
            scale = 1 + self._move.push * (1 - part) * near
        middle = self._view.width / 2 + self._move.pan * (part - 0.5) * near * width
        left = middle - width * scale / 2
        neutral = (self._view.height - height) / 2
        tilt = -self._move.tilt * (part - 0.5) * height
        top = self._view.horizon - (self._view.horizon - neutral) * scale + tilt
        return left, top, scale

    def _lay(self, canvas: Image.Image, sheet: Sheet, seconds: float, part: float) -> None:
        width, height = self._size
        left, top, scale = self._corner(sheet.depth, part)
        left -= sheet.drift * seconds
        rows = sheet.image.height
        first = max(0, int(np.floor((sheet.top - top) / scale)))
        last = min(height, int(np.ceil((sheet.top + rows - top) / scale)))
        if first >= last:
            return
        above, below = top + first * scale - sheet.top, top + last * scale - sheet.top
        # A row that reaches over the sheet's edge is drawn from the edge.
        box = (
            float(np.clip(left, 0, sheet.image.width - 1)),
            max(0.0, above),
            float(np.clip(left + width * scale, 1, sheet.image.width)),
            min(float(rows), below),
        )
        if box[3] - box[1] < 1e-3:  # noqa: PLR2004 - nothing of the sheet is in sight
            return
        size = (width, last - first)
        image = sheet.image.resize(size, Image.Resampling.BILINEAR, box)
        cover = (
            None
            if sheet.cover is None
            else sheet.cover.resize(size, Image.Resampling.BILINEAR, box)
        )
        if sheet.shines:
            place = (0, first, width, last)
            canvas.paste(ImageChops.screen(canvas.crop(place), image), (0, first), cover)
        else:
            canvas.paste(image, (0, first), cover)


def _bytes(plane: Plane) -> Image.Image:
    return Image.fromarray(
        np.clip(plane * np.float32(255) + np.float32(0.5), 0, 255).astype(np.uint8)
    )
