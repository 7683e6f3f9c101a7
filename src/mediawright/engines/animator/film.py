"""Filming a painted scene: its layers move against each other."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from PIL import Image, ImageChops

from mediawright.engines.animator.camera import Move, ease
from mediawright.engines.animator.sheets import Fall, Sheet, Twinkle, Window, bytes_of, fall_of
from mediawright.engines.animator.waves import MovingWater
from mediawright.engines.painter.compose import Composition
from mediawright.engines.painter.develop import develop, to_image, vignette_of
from mediawright.engines.painter.planes import Picture
from mediawright.engines.painter.view import Layer, Motion
from mediawright.engines.painter.water import Water

OVERSCAN = 1.22
"""How much larger than the frame the filmed scene is, to leave room for the camera."""

_FALLING = frozenset({Motion.RAIN, Motion.SNOW})
_FLASH_SECONDS = 0.45


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
        backdrop = composition.backdrop
        if any(isinstance(layer, Water) for layer in composition.layers):
            # Below the horizon there is nothing of it to be seen.
            backdrop = backdrop[:, : round(self._view.horizon) + 2]
        sky = self._develop(backdrop, bloom=True)
        self._parts: list[Sheet | Fall | MovingWater] = [
            Sheet(image=sky, cover=None, top=0, depth=0.0, motion=Motion.STILL, shines=False)
        ]
        for layer in composition.layers:
            if isinstance(layer, Water):
                self._parts.append(MovingWater(layer, size))
            elif layer.motion in _FALLING:
                self._parts.append(self._fall(layer))
            else:
                self._parts.append(self._sheet(layer))
        shade = bytes_of(vignette_of(*size))
        self._vignette = Image.merge("RGB", [shade] * 3)
        self._twinkle = Twinkle(self._view.dice("twinkle"), *size)
        dice = self._view.dice("flashes")
        self._flashes = [dice.between(0.2, 1.2)]
        while self._flashes[-1] < self._seconds:
            self._flashes.append(self._flashes[-1] + dice.between(0.9, 2.8))

    def frame(self, seconds: float) -> Image.Image:
        """Return the frame at this time, as RGB."""
        part = ease(seconds / self._seconds)
        canvas = Image.new("RGB", self._size)
        for sheet in self._parts:
            if isinstance(sheet, MovingWater):
                top = self._view.horizon - self._window(0.0, part).top
                canvas = sheet.over(canvas, round(top), seconds, part * self._move.push)
            elif isinstance(sheet, Fall):
                sheet.over(canvas, seconds)
            elif sheet.motion is Motion.TWINKLE:
                self._stars(canvas, sheet, seconds, part)
            else:
                power = self._flash(seconds) if sheet.motion is Motion.FLASH else 1.0
                sheet.over(canvas, self._window(sheet.depth, part), seconds, power)
        return ImageChops.multiply(canvas, self._vignette)

    def _stars(self, canvas: Image.Image, sheet: Sheet, seconds: float, part: float) -> None:
        steady = canvas.copy()
        sheet.over(canvas, self._window(0.0, part), seconds, 1.0)
        canvas.paste(Image.composite(canvas, steady, self._twinkle.at(seconds)))

    def _flash(self, seconds: float) -> float:
        """Return how bright lightning is: sudden, flickering, soon gone."""
        since = [seconds - flash for flash in self._flashes if seconds - flash >= 0]
        if not since or since[-1] > _FLASH_SECONDS:
            return 0.0
        fade = 1 - since[-1] / _FLASH_SECONDS
        return fade * (0.55 + 0.45 * abs(np.cos(since[-1] * 40)))

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
            image=self._develop(layer.colour),
            # Light is added as it is; only what covers needs to say how much.
            cover=None if layer.shines and layer.cover.min() >= 1 else bytes_of(layer.cover),
            top=layer.top,
            depth=layer.depth,
            motion=layer.motion,
            shines=layer.shines,
            drift=drift,
            tint=self._tint(layer) if layer.flat else None,
        )

    def _tint(self, layer: Layer) -> tuple[int, int, int]:
        """Return the developed colour of a layer that has only one."""
        grade = replace(self._view.scene.grade, bloom=0.0)
        red, green, blue = develop(layer.colour[:, :1, :1], grade, None, vignette=False)[0, 0]
        return int(red), int(green), int(blue)

    def _fall(self, layer: Layer) -> Fall:
        cover = bytes_of(layer.cover).resize(self._size, Image.Resampling.BOX)
        weather = self._view.scene.weather
        return fall_of(weather, layer.motion, layer.depth, self._tint(layer), cover)

    def _window(self, depth: float, part: float) -> Window:
        """Return what the camera sees at a depth after a part of its move."""
        width, height = self._size
        near = 0.25 + 0.75 * depth
        # Coming closer begins with the whole frame, going away ends with it.
        closer = self._move.push * part if self._move.push > 0 else self._move.push * (part - 1)
        scale = 1 - closer * near
        middle = self._view.width / 2 + self._move.pan * (part - 0.5) * near * width
        neutral = (self._view.height - height) / 2
        tilt = -self._move.tilt * (part - 0.5) * height
        return Window(
            left=middle - width * scale / 2,
            # The horizon is where one goes: it stays where it is.
            top=self._view.horizon - (self._view.horizon - neutral) * scale + tilt,
            scale=scale,
        )
