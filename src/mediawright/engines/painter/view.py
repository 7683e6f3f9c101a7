"""The frame a scene is seen in, and the layers it is built of."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from mediawright.engines.painter.light import Light
from mediawright.engines.painter.noise import Dice
from mediawright.engines.painter.planes import Picture, Plane
from mediawright.engines.painter.scene import Scene


@dataclass(frozen=True, kw_only=True)
class View:
    """Where things are in a picture of a certain size."""

    scene: Scene
    light: Light
    seed: int
    width: int
    height: int
    horizon: float
    """The row of the horizon, in pixels."""
    scale: float
    """The pixels that things of size 1 measure at distance 1."""
    sun_across: float
    """The column of the sun or the moon, in pixels."""
    sun_down: float
    """The row of the sun or the moon, in pixels; below the horizon when it has set."""

    def dice(self, name: str) -> Dice:
        """Return the stream of random numbers for the part called `name`."""
        return Dice(self.seed, self.scene.fingerprint, name)

    @property
    def columns(self) -> Plane:
        """Distance of every column from the middle, in units of the scale; shape (1, width)."""
        across = np.arange(self.width, dtype=np.float32) - np.float32(self.width / 2)
        return (across / np.float32(self.scale))[None, :]


class Motion(StrEnum):
    """How a layer moves when the scene is filmed."""

    STILL = "still"
    DRIFT = "drift"
    """Blown along by the wind."""
    SWAY = "sway"
    """Rooted at its lower edge."""
    RAIN = "rain"
    SNOW = "snow"
    TWINKLE = "twinkle"
    FLASH = "flash"
    """There for a moment now and then."""


@dataclass(frozen=True, kw_only=True)
class Layer:
    """A part of the scene at one depth, over everything behind it."""

    name: str
    colour: Picture
    """Linear light, shape (3, rows, width)."""
    cover: Plane
    """How much of what is behind is hidden, 0 to 1, shape (rows, width)."""
    top: int
    """The picture's row where the layer begins."""
    depth: float
    """0 for infinitely far, 1 for right before the viewer."""
    motion: Motion = Motion.STILL
    shines: bool = False
    """Whether the colour is added to what is behind, as light is."""
    flat: bool = False
    """Whether the colour is the same everywhere."""

    def over(self, canvas: Picture) -> None:
        """Paint the layer onto `canvas`, a picture of the view's size, in place."""
        rows = min(len(self.cover), canvas.shape[1] - self.top)
        if rows <= 0:
            return
        part = canvas[:, self.top : self.top + rows]
        if self.shines:
            part += self.colour[:, :rows] * self.cover[:rows]
            return
        part += (self.colour[:, :rows] - part) * self.cover[:rows]
