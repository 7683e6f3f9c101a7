"""Water in motion."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from PIL import Image

from mediawright.engines.painter.develop import develop
from mediawright.engines.painter.planes import Picture
from mediawright.engines.painter.view import View
from mediawright.engines.painter.water import Water, water


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
        glints = surface.glints(slopes) if self._shining() else None
        deep, glow = self._colours(surface)
        for channel in range(3):
            source = np.ascontiguousarray(picture[:top, :, channel]).ravel()
            mirrored = source.take(place).astype(np.float32)
            shown = deep[channel] + (mirrored - deep[channel]) * share
            if glints is not None:
                shown += glints * glow[channel] * (1 - shown * np.float32(1 / 255))
            picture[top:, :, channel] = np.clip(shown, 0, 255)
        return Image.fromarray(picture)

    def _shining(self) -> bool:
        scene = self._still.view.scene
        return scene.sun or scene.moon

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

    def _colours(self, surface: Water) -> tuple[Picture, Picture]:
        view = surface.view
        deep = view.light.water * (0.55 + 0.35 * (1 - surface.nearness))
        glow = view.light.glow * np.float32(1.6)
        grade = replace(view.scene.grade, bloom=0.0)
        shown = [
            develop(np.broadcast_to(part, (3, part.shape[1], 1)), grade, None, vignette=False)
            .transpose(2, 0, 1)
            .astype(np.float32)
            for part in (deep, glow)
        ]
        return shown[0], shown[1]
