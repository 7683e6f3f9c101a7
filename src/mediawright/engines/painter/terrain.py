"""Land in perspective: a height field is swept from near to far and shaded."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mediawright.engines.painter.noise import Taps, taps
from mediawright.engines.painter.planes import (
    Colour,
    Floats,
    Picture,
    Plane,
    colour,
    mix,
    smoothstep,
)
from mediawright.engines.painter.relief import Relief
from mediawright.engines.painter.scene import Hour
from mediawright.engines.painter.view import Layer, View

_SLICES = 150
_NEAR_SLICES = 300
"""Near ground needs more of them, or its crests break up into steps."""
_NEAR = 2.0
_GRAINY = 5.0
"""Units; nearer ground shows its grain."""
_LEAST_SNOW = 0.05
_FINE = 6.0
"""How many times finer the noise of near ground is than that of far ground."""

Envelope = Callable[[Floats, Floats], Floats]
"""How high the land may rise at (across, distance), in units."""


@dataclass(frozen=True, kw_only=True)
class Ground:
    """What the land is made of; heights are parts of the stretch's peak."""

    rock: Colour
    plants: Colour
    plants_dry: Colour
    snow_line: float
    """The height above which snow lies; far above 1 for none."""
    plant_line: float
    """The height up to which things grow; far below 0 for none."""
    grain: float = 0.14
    """How uneven the colour is."""
    relief: float = 1.0
    """How strongly light and shade model the land."""


def rock_of(view: View) -> Ground:
    """Return what mountains are made of: rock, with plants below and snow above."""
    snow = view.scene.snow_cover
    return Ground(
        rock=colour("#7a7370"),
        plants=colour("#43592f"),
        plants_dry=colour("#75713f"),
        snow_line=0.52 - 0.72 * snow,
        plant_line=0.3 - 0.25 * snow,
        relief=1.15,
    )


def field_of(view: View) -> Ground:
    """Return what meadows and hills are made of."""
    snow = view.scene.snow_cover
    golden = view.scene.hour in {Hour.GOLDEN, Hour.SUNSET}
    return Ground(
        rock=colour("#7f7a62"),
        plants=colour("#627f3a"),
        plants_dry=colour("#a89c4c" if golden else "#8f9a48"),
        snow_line=9.0 if snow < _LEAST_SNOW else 0.75 - 1.5 * snow,
        plant_line=4.0,
        grain=0.1,
    )


def sand_of(view: View) -> Ground:
    """Return what deserts are made of."""
    del view
    return Ground(
        rock=colour("#dba56a"),
        plants=colour("#dba56a"),
        plants_dry=colour("#dba56a"),
        snow_line=9.0,
        plant_line=-9.0,
        grain=0.035,
        relief=1.02,
    )


@dataclass(frozen=True, kw_only=True)
class Reach:
    """A stretch of land between two distances."""

    near: float
    far: float
    eye: float
    """How high the viewer's eye is over the land's zero, in units."""
    peak: float
    """The height that counts as 1 for snow and plants, in units."""
    envelope: Envelope
    bottom: int
    """The first row that the land need not fill."""
    shift: tuple[float, float] = (0.0, 0.0)
    """Where in the relief the land lies, in units."""
    haze: float = 0.06
    """How much of the haze a unit of distance adds."""
    shore: float | None = None
    """The height below which the land lies under water, in units; `None` without water."""


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
    down = (distance + np.float32(reach.shift[1])) * np.float32(relief.texels)
    across = view.columns * distance + np.float32(reach.shift[0])
    across = across * np.float32(relief.texels)
    place = taps(relief.size, across, down)
    detail = place.read(relief.detail)
    if reach.near < _GRAINY:
        fine = taps(relief.size, across * np.float32(_FINE), down * np.float32(_FINE * 0.7))
        detail = detail * np.float32(0.6) + fine.read(relief.detail) / (
            np.float32(0.6) + distance * np.float32(0.45)
        )
    row = np.arange(top, bottom, dtype=np.float32)[:, None]
    altitude = np.float32(reach.eye) - (row - np.float32(view.horizon)) * distance / np.float32(
        view.scale
    )
    if reach.shore is not None:
        cover = cover * smoothstep(reach.shore - 0.004, reach.shore + 0.004, altitude)
    picture = _shade(view, relief, ground, place, (distance, altitude / reach.peak, detail))
    if reach.shore is not None:
        # Wet ground is dark.
        picture *= 0.4 + 0.6 * smoothstep(reach.shore, reach.shore + 0.05, altitude)
    picture = hazed(view, picture, distance, reach.haze)
    return Layer(name=name, colour=picture, cover=cover, top=top, depth=depth)


def _sweep(view: View, relief: Relief, reach: Reach) -> tuple[Floats, Floats]:
    """Return the row of every slice, kept to the highest so far, and the slices' distances."""
    slices = _NEAR_SLICES if reach.near < _NEAR else _SLICES
    steps = np.linspace(0, 1, slices, dtype=np.float32)
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


def _distance(rows: Floats, distances: Floats, top: int, bottom: int) -> tuple[Plane, Plane]:
    """Return how far away the land is at each pixel, and how much of the pixel it fills."""
    slices, width = rows.shape
    height = bottom - top
    columns = np.arange(width, dtype=np.int32)
    marks = np.full((height + 1, width), slices, np.int16)
    lines = np.clip(np.ceil(rows - top), 0, height).astype(np.int32)
    for index in range(slices - 1, -1, -1):
        marks[lines[index], columns] = index
    seen = np.minimum.accumulate(marks[:height], axis=0).astype(np.int32)
    # The pixel's row lies between the rows of the slice seen and of the one before it.
    last: NDArray[np.int32] = np.minimum(seen, np.int32(slices - 1))
    before: NDArray[np.int32] = np.maximum(last - np.int32(1), np.int32(0))
    wide = np.int32(width)
    flat = np.ascontiguousarray(rows, np.float32).reshape(-1)
    far_row = flat.take(last * wide + columns)
    near_row = flat.take(before * wide + columns)
    row = np.arange(top, bottom, dtype=np.float32)[:, None]
    part = np.clip((row - far_row) / np.maximum(near_row - far_row, 1e-3), 0, 1)
    far = distances.astype(np.float32).take(last)
    near = distances.astype(np.float32).take(before)
    cover = np.clip(row + np.float32(1) - rows[-1], 0, 1)
    return far + (near - far) * part, cover.astype(np.float32)


def _shade(
    view: View,
    relief: Relief,
    ground: Ground,
    place: Taps,
    facts: tuple[Plane, Plane, Plane],
) -> Picture:
    """Return the land's colours before any haze; `facts` are distance, height and detail."""
    _, height, detail = facts
    light, slope = place.read(relief.light), place.read(relief.slope)
    grown = smoothstep(
        0.14, -0.14, height - np.float32(ground.plant_line) + detail * 0.05 + slope * 0.35
    )
    dry = np.clip(0.4 + 0.22 * detail + 0.5 * (height - 0.5), 0, 1)
    albedo = mix(ground.rock, mix(ground.plants, ground.plants_dry, dry), grown)
    albedo *= np.clip(1 + np.float32(ground.grain) * detail, 0.45, 1.6)
    snow = smoothstep(
        -0.05, 0.09, height - np.float32(ground.snow_line) - slope * 0.4 + detail * 0.045
    )
    albedo = mix(albedo, colour("#eef3fb"), snow)
    ambient = view.light.ambient * (np.float32(0.62) + np.float32(0.45) * (1 - slope))
    return albedo * (view.light.sun * (light * np.float32(ground.relief)) + ambient)


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
    return mix(
        picture, view.light.haze * np.float32(0.88) + _sunward(view) * np.float32(0.24), amount
    )


def _sunward(view: View) -> Picture:
    """Return the glow the haze takes on below the sun; shape (3, 1, width)."""
    across = np.arange(view.width, dtype=np.float32)[None, :] - np.float32(view.sun_across)
    near = np.exp(-np.abs(across) / np.float32(view.scale) * 2.2)
    low = 1.0 - min(1.0, max(0.0, view.light.height) * 1.6)
    return view.light.glow * (near * np.float32(low))
