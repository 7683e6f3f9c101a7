"""Land in perspective: a height field is swept from near to far and shaded."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mediawright.engines.painter.noise import Taps, taps
from mediawright.engines.painter.planes import Colour, Picture, Plane, colour, mix, smoothstep
from mediawright.engines.painter.relief import Relief
from mediawright.engines.painter.view import Layer, View

_SLICES = 150

Envelope = Callable[[NDArray[np.float32], NDArray[np.float32]], NDArray[np.float32]]
"""How high the land may rise at (across, distance), in units."""


@dataclass(frozen=True, kw_only=True)
class Ground:
    """What the land is made of."""

    rock: Colour
    plants: Colour
    plants_dry: Colour
    snow_line: float
    """The height, 0 to 1 of the relief, above which snow lies; above 1 for none."""
    plant_line: float
    """The height up to which things grow."""


def ground_of(view: View) -> Ground:
    """Return the materials of the scene's open land."""
    snow = view.scene.snow_cover
    return Ground(
        rock=colour("#77706c"),
        plants=colour("#4d6b34"),
        plants_dry=colour("#8a8a4a"),
        snow_line=0.62 - 0.75 * snow,
        plant_line=0.42,
    )


@dataclass(frozen=True, kw_only=True)
class Reach:
    """A stretch of land between two distances."""

    near: float
    far: float
    eye: float
    """How high the viewer's eye is over the land's zero, in units."""
    envelope: Envelope
    bottom: int
    """The first row that the land need not fill."""
    shift: tuple[float, float] = (0.0, 0.0)
    """Where in the relief the land lies, in units."""
    haze: float = 0.06
    """How much of the haze a unit of distance adds."""


def land(
    view: View, name: str, relief: Relief, ground: Ground, reach: Reach, *, depth: float
) -> Layer | None:
    """Return a stretch of land as a layer, or nothing when none of it is in sight."""
    rows, distances = _sweep(view, relief, reach)
    top = max(0, int(np.floor(rows.min())))
    bottom = min(view.height, reach.bottom)
    if top >= bottom:
        return None
    distance, cover = _distance(rows, distances, top, bottom)
    across = view.columns * distance + np.float32(reach.shift[0])
    place = taps(
        relief.size,
        across * np.float32(relief.texels),
        (distance + np.float32(reach.shift[1])) * np.float32(relief.texels),
    )
    picture = _shade(view, relief, ground, place, distance, reach)
    return Layer(name=name, colour=picture, cover=cover, top=top, depth=depth)


def _sweep(
    view: View, relief: Relief, reach: Reach
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return the row of every slice, kept to the highest so far, and the slices' distances."""
    steps = np.linspace(0, 1, _SLICES, dtype=np.float32)
    distances = reach.near * (reach.far / reach.near) ** steps
    distance = distances[:, None].astype(np.float32)
    across = view.columns * distance
    heights = taps(
        relief.size,
        (across + np.float32(reach.shift[0])) * np.float32(relief.texels),
        (distance + np.float32(reach.shift[1])) * np.float32(relief.texels) + np.zeros_like(across),
    ).read(relief.height)
    heights = heights * reach.envelope(across, distance)
    rows = view.horizon + view.scale * (reach.eye - heights) / distance
    return np.minimum.accumulate(rows, axis=0).astype(np.float32), distances


def _distance(
    rows: NDArray[np.float32], distances: NDArray[np.float32], top: int, bottom: int
) -> tuple[Plane, Plane]:
    """Return how far away the land is at each pixel, and how much of the pixel it fills."""
    slices, width = rows.shape
    height = bottom - top
    marks = np.full((height + 1, width), slices, np.int16)
    columns = np.arange(width)
    lines = np.clip(np.ceil(rows - top), 0, height).astype(np.int32)
    for index in range(slices - 1, -1, -1):
        marks[lines[index], columns] = index
    seen = np.minimum.accumulate(marks[:height], axis=0).astype(np.int32)
    # The pixel's row lies between the rows of the slice seen and of the one before it.
    last = np.minimum(seen, slices - 1)
    before = np.maximum(last - 1, 0)
    flat = rows.ravel()
    far_row = flat.take(last * width + columns)
    near_row = flat.take(before * width + columns)
    row = np.arange(top, bottom, dtype=np.float32)[:, None]
    part = np.clip((row - far_row) / np.maximum(near_row - far_row, 1e-3), 0, 1)
    far = distances.astype(np.float32).take(last)
    near = distances.astype(np.float32).take(before)
    cover = np.clip(row + np.float32(1) - rows[-1], 0, 1)
    return far + (near - far) * part, cover.astype(np.float32)


def _shade(
    view: View, relief: Relief, ground: Ground, place: Taps, distance: Plane, reach: Reach
) -> Picture:
    height, light = place.read(relief.height), place.read(relief.light)
    slope, detail = place.read(relief.slope), place.read(relief.detail)
    grown = smoothstep(
        0.16, -0.16, height - np.float32(ground.plant_line) + detail * 0.06 + slope * 0.5
    )
    dry = np.clip(0.35 + 0.25 * detail, 0, 1)
    albedo = mix(
        ground.rock * (1 + 0.14 * detail), mix(ground.plants, ground.plants_dry, dry), grown
    )
    albedo *= np.clip(1 + 0.13 * detail, 0.5, 1.5)
    snow = smoothstep(
        -0.06, 0.1, height - np.float32(ground.snow_line) - slope * 0.42 + detail * 0.055
    )
    albedo = mix(albedo, colour("#eef3fb"), snow)
    ambient = view.light.ambient * (np.float32(0.75) + np.float32(0.35) * (1 - slope))
    picture = albedo * (view.light.sun * (light * np.float32(1.15)) + ambient)
    return hazed(view, picture, distance, reach.haze)


def hazed(view: View, picture: Picture, distance: Plane | float, strength: float) -> Picture:
    """Return the picture as seen through the air.

    Args:
        view: Gives the light and the fog.
        picture: What is looked at.
        distance: How far away it is, in units.
        strength: How much of it each unit hides on a clear day.
    """
    density = strength * (1 + 5.0 * view.scene.weather.fog + 1.4 * view.scene.weather.rain)
    amount = 1 - np.exp(-np.asarray(distance, np.float32) * np.float32(density))
    return mix(picture, view.light.haze + _sunward(view) * np.float32(0.35), amount)


def _sunward(view: View) -> Picture:
    """Return the glow the haze takes on below the sun; shape (3, 1, width)."""
    across = np.arange(view.width, dtype=np.float32)[None, :] - np.float32(view.sun_across)
    near = np.exp(-np.abs(across) / np.float32(view.scale) * 2.2)
    low = 1.0 - min(1.0, max(0.0, view.light.height) * 1.6)
    return view.light.glow * (near * np.float32(low))
