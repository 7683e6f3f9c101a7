"""Water in motion."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from mediawright.engines.painter.develop import develop
from mediawright.engines.painter.planes import Picture, Plane
from mediawright.engines.painter.view import View
from mediawright.engines.painter.water import FOAMING, Water, water

_SHINE_STEPS = 256


class MovingWater:
    """The water of a scene, frame by frame, in developed colours."""

    def __init__(self, still: Water, size: tuple[int, int]) -> None:
        """Prepare the water for frames of a size.

        Args:
            still: The painter's water; its view is larger than the frame.
            size: Of the frames, in pixels.
        """
        self._still = still
        self._size = size
        self._latest: Water | None = None
        self._shine = self._shine_table()
        light = still.view.light
        caps = _developed(light.ambient + light.sun * np.float32(0.4), still.view)
        self._caps = caps.reshape(3)

    def over(self, canvas: Image.Image, top: int, seconds: float, advance: float) -> Image.Image:
        """Return the canvas with the water over everything below row `top`.

        Args:
            canvas: What stands behind the water.
            top: The row of the water's far edge.
            seconds: When.
            advance: How far the camera has come, as a part of the picture's width.
        """
        width, height = self._size
        if top >= height:
            return canvas
        surface = self._surface(max(1, top))
        top = surface.top
        slopes = surface.slopes(seconds + advance * 6)
        rows = surface.mirror_rows(slopes, top - 1)
        place = rows * np.int32(width) + np.arange(width, dtype=np.int32)
        picture = np.array(canvas)
        share = surface.mirror_share(slopes)
        glints = self._glints(surface, slopes)
        deep = self._depths(surface)
        foam = surface.foam(slopes) if surface.choppiness > FOAMING else None
        for channel in range(3):
            source = np.ascontiguousarray(picture[:top, :, channel]).ravel()
            mirrored = source.take(place).astype(np.float32)
            shown = deep[channel] + (mirrored - deep[channel]) * share
            if foam is not None:
                shown += (self._caps[channel] - shown) * foam
            if glints is not None:
                shown += self._shine[channel].take(glints) * (1 - shown * np.float32(1 / 255))
            picture[top:, :, channel] = np.clip(shown, 0, 255)
        return Image.fromarray(picture)

    def _glints(self, surface: Water, slopes: Plane) -> NDArray[np.uint8] | None:
        scene = self._still.view.scene
        if not (scene.sun or scene.moon):
            return None
        return (surface.glints(slopes) * np.float32(_SHINE_STEPS - 1)).astype(np.uint8)

    def _surface(self, top: int) -> Water:
        """Return the water for a frame whose water begins at `top`."""
        found = self._latest
        if found is None or found.top != top:
            found = water(self._frame_view(top), top)
            self._latest = found
        return found

    def _frame_view(self, top: int) -> View:
        view = self._still.view
        width, height = self._size
        across = view.sun_across - (view.width - width) / 2
        return replace(view, width=width, height=height, horizon=float(top), sun_across=across)

    def _depths(self, surface: Water) -> Picture:
        view = surface.view
        deep = view.light.water * (0.55 + 0.35 * (1 - surface.nearness))
        return _developed(np.broadcast_to(deep, (3, len(surface.nearness), 1)), view)

    def _shine_table(self) -> Picture:
        """Return the developed colour of glints from the faintest to the brightest."""
        view = self._still.view
        steps = np.linspace(0, 1.6, _SHINE_STEPS, dtype=np.float32)[None, None, :]
        return np.ascontiguousarray(_developed(view.light.glow * steps, view)[:, 0])


def _developed(light: Picture, view: View) -> Picture:
    grade = replace(view.scene.grade, bloom=0.0)
    shown = develop(light, grade, None, vignette=False)
    return shown.transpose(2, 0, 1).astype(np.float32)
