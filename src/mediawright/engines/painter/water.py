"""Water: it mirrors what stands behind it, broken by waves."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mediawright.engines.painter.noise import fractal_pair
from mediawright.engines.painter.planes import Picture, Plane, mix, smoothstep
from mediawright.engines.painter.view import View

_TILE = 512
FOAMING = 0.6
"""The choppiness from which waves break."""


@dataclass(frozen=True, kw_only=True)
class Water:
    """A sheet of water from `top` down to the picture's lower edge.

    `slopes` gives its waves at any moment, which is how a film of it moves.
    """

    view: View
    top: int
    choppiness: float
    texture: Plane
    nearness: Plane
    """0 at the horizon, 1 at the lower edge; shape (rows, 1)."""
    columns: tuple[NDArray[np.int32], ...]
    """The texel of each pixel in each train of waves, along a row of the texture."""
    rows: tuple[NDArray[np.int32], ...]
    """The texture's row for each row of pixels, in each train of waves."""

    def slopes(self, seconds: float = 0.0) -> Plane:
        """Return how much the surface leans at each pixel, about -2 to 2."""
        total: Plane | None = None
        moves = ((9.0, 26.0), (-14.0, 19.0), (5.0, -33.0))
        for (across, down), columns, rows in zip(moves, self.columns, self.rows, strict=True):
            shift = int(across * seconds)
            place = ((columns + shift) & (_TILE - 1)) + (
                ((rows + int(down * seconds)) & (_TILE - 1)) * _TILE
            )
            wave = self.texture.ravel().take(place)
            total = wave if total is None else total + wave
        if total is None:
            return np.zeros_like(self.nearness)
        return total * np.float32(0.577)

    def mirror_rows(self, slopes: Plane, limit: int) -> NDArray[np.int32]:
        """Return for each pixel the row of the scene that it mirrors.

        Args:
            slopes: What `slopes` gave.
            limit: The lowest row that is mirrored.
        """
        rows = len(self.nearness)
        below = np.arange(rows, dtype=np.float32)[:, None]
        reach = self.view.scale * (0.012 + 0.16 * self.choppiness) * self.nearness
        stretch = 1.0 + 0.35 * self.choppiness
        source = np.float32(limit) - below * np.float32(stretch) - 1 + slopes * reach
        return np.clip(np.abs(source), 0, limit).astype(np.int32)

    def mirror_share(self, slopes: Plane) -> Plane:
        """Return how much of the mirrored scene each pixel shows; the rest is depth."""
        steep = self.nearness * np.float32(0.55 + 0.25 * self.choppiness)
        share = 0.95 - steep + slopes * np.float32(0.05 + 0.2 * self.choppiness) * self.nearness
        return np.clip(share, 0.12, 0.97)

    def glints(self, slopes: Plane) -> Plane:
        """Return how much of the sun's own light each pixel throws back, 0 to 1."""
        view = self.view
        across = np.arange(view.width, dtype=np.float32)[None, :] - np.float32(view.sun_across)
        path = view.scale * (0.05 + (0.12 + 0.3 * self.choppiness) * self.nearness)
        near = np.exp(-((across / path) ** 2))
        return smoothstep(0.7, 2.0, slopes + near * np.float32(0.9)) * near

    def foam(self, slopes: Plane) -> Plane:
        """Return how much of each pixel is hidden by white caps, 0 to 1."""
        amount = (self.choppiness - FOAMING) / (1 - FOAMING)
        return smoothstep(1.35, 2.3, slopes) * np.float32(0.75 * amount) * self.nearness**0.5

    def over(self, canvas: Picture) -> None:
        """Paint the water into the lower part of `canvas`, in place."""
        slopes = self.slopes()
        canvas[:, self.top :] = self.shade(canvas, slopes)

    def shade(self, canvas: Picture, slopes: Plane) -> Picture:
        """Return the water's picture when `canvas` is what stands behind it."""
        rows = self.mirror_rows(slopes, max(0, self.top - 1))
        place = rows * np.int32(self.view.width) + np.arange(self.view.width, dtype=np.int32)
        mirrored = np.stack([channel.ravel().take(place) for channel in canvas])
        light = self.view.light
        deep = light.water * (0.55 + 0.35 * (1 - self.nearness)) + light.water * np.clip(
            slopes, -1, 2
        ) * np.float32(0.12)
        picture = mix(deep, mirrored, self.mirror_share(slopes))
        if self.choppiness > FOAMING:
            foam = self.foam(slopes)
            picture = mix(picture, light.ambient + light.sun * np.float32(0.4), foam)
        if self.view.scene.sun or self.view.scene.moon:
            picture = picture + light.glow * (self.glints(slopes) * np.float32(1.6))
        return picture


def water(view: View, top: int) -> Water:
    """Return the scene's water, its far edge at row `top`."""
    dice = view.dice("water")
    texture, _ = fractal_pair(dice, _TILE, 1.0, lowest=5)
    rows = max(1, view.height - top)
    below = np.arange(rows, dtype=np.float32)[:, None] + np.float32(0.5)
    nearness = below / np.float32(max(rows, view.scale * 0.35))
    distance = 1 / (below / np.float32(view.scale) + np.float32(0.012))
    columns: list[NDArray[np.int32]] = []
    lines: list[NDArray[np.int32]] = []
    # Three trains of waves, none a multiple of another; they lie broad, as waves do.
    for size, flat in ((34.0, 2.6), (61.0, 2.1), (110.0, 1.7)):
        across = view.columns * distance * np.float32(size)
        columns.append(np.floor(across + dice.between(0, 500)).astype(np.int32))
        line = distance * np.float32(size * flat) + np.float32(dice.between(0, 500))
        lines.append(np.floor(line).astype(np.int32))
    wind = view.scene.weather.wind
    choppiness = wind * (1.0 if view.scene.ground == "sea" else 0.4)
    return Water(
        view=view,
        top=top,
        choppiness=min(1.0, choppiness + 0.3 * view.scene.weather.storm),
        texture=texture,
        nearness=np.minimum(nearness, 1),
        columns=tuple(columns),
        rows=tuple(lines),
    )
