"""The land of a scene, from the far ranges to the ground at the viewer's feet."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mediawright.engines.painter import relief as reliefs
from mediawright.engines.painter.planes import colour, smoothstep
from mediawright.engines.painter.scene import Feature, Ground
from mediawright.engines.painter.terrain import Envelope, Reach, ground_of, land
from mediawright.engines.painter.terrain import Ground as Material
from mediawright.engines.painter.view import Layer, View

_TILE = 1024
_WATERS = frozenset({Ground.SEA, Ground.LAKE})


def distance(view: View) -> list[Layer | None]:
    """Return what stands on the horizon, from far to near."""
    features = view.scene.features
    layers: list[Layer | None] = []
    if Feature.MOUNTAINS in features:
        layers += _mountains(view)
    if Feature.HILLS in features:
        layers.append(_hills(view))
    return layers


def foreground(view: View) -> list[Layer | None]:
    """Return the ground in front, unless it is water."""
    if view.scene.ground in _WATERS:
        return []
    if view.scene.ground is Ground.DESERT:
        return [_desert(view)]
    return [_meadow(view)]


def _from_left(view: View) -> bool:
    return view.sun_across < view.width / 2


def _elevation(view: View) -> float:
    return max(0.05, view.light.height)


def _rolling(view: View, name: str, *, height: float, width: float, opening: float) -> Envelope:
    """Return an envelope that leaves an opening for the sky around the sun."""
    dice = view.dice(name)
    phases = [dice.between(0, 6.28) for _ in range(3)]
    middle = (view.sun_across - view.width / 2) / view.scale

    def envelope(across: NDArray[np.float32], distance: NDArray[np.float32]) -> NDArray[np.float32]:
        angle = across / distance
        wave = sum(
            np.sin(angle * np.float32(rate) + np.float32(phase)) / np.float32(place + 1)
            for place, (rate, phase) in enumerate(zip((2.2, 4.7, 8.1), phases, strict=True))
        )
        valley = 1 - opening * np.exp(-(((angle - middle) / width) ** 2))
        return (height * (0.85 + 0.22 * wave) * valley).astype(np.float32)

    return envelope


def _mountains(view: View) -> list[Layer | None]:
    dice = view.dice("mountains")
    relief = reliefs.mountains(dice, _TILE, _from_left(view), _elevation(view))
    bottom = _bottom(view)
    ground = ground_of(view)
    layers: list[Layer | None] = []
    for place, (near, far, height) in enumerate(((13.0, 19.0, 5.2), (7.0, 11.0, 2.6))):
        envelope = _rolling(view, f"range {place}", height=height, width=0.34, opening=0.55)
        reach = Reach(
            near=near,
            far=far,
            eye=0.25,
            envelope=envelope,
            bottom=bottom,
            shift=(dice.between(0, 9), dice.between(0, 9)),
            haze=0.045,
        )
        layers.append(
            land(view, f"range {place}", relief, ground, reach, depth=0.08 + 0.07 * place)
        )
    return layers


def _bottom(view: View) -> int:
    """Return the row down to which far land is painted."""
    if view.scene.ground in _WATERS:
        return min(view.height, round(view.horizon))
    return min(view.height, round(view.horizon + 0.2 * view.scale))


def _hills(view: View) -> Layer | None:
    dice = view.dice("hills")
    relief = reliefs.hills(dice, _TILE, _from_left(view), _elevation(view))
    envelope = _rolling(view, "hills", height=1.1, width=0.3, opening=0.5)
    reach = Reach(
        near=4.0,
        far=7.0,
        eye=0.2,
        envelope=envelope,
        bottom=_bottom(view),
        shift=(dice.between(0, 9), dice.between(0, 9)),
        haze=0.07,
    )
    return land(view, "hills", relief, ground_of(view), reach, depth=0.3)


def _meadow(view: View) -> Layer | None:
    dice = view.dice("meadow")
    relief = reliefs.hills(dice, _TILE, _from_left(view), _elevation(view))

    def envelope(across: NDArray[np.float32], distance: NDArray[np.float32]) -> NDArray[np.float32]:
        return 0.15 + 0.5 * smoothstep(1.0, 6.0, distance) + 0 * across

    reach = Reach(
        near=0.5,
        far=7.0,
        eye=0.42,
        envelope=envelope,
        bottom=view.height,
        shift=(dice.between(0, 9), dice.between(0, 9)),
        haze=0.05,
    )
    return land(view, "meadow", relief, ground_of(view), reach, depth=0.6)


def _desert(view: View) -> Layer | None:
    dice = view.dice("desert")
    relief = reliefs.dunes(dice, _TILE, _from_left(view), _elevation(view))
    sand = Material(
        rock=colour("#d6a46c"),
        plants=colour("#d6a46c"),
        plants_dry=colour("#dcb27c"),
        snow_line=2.0,
        plant_line=-1.0,
    )

    def envelope(across: NDArray[np.float32], distance: NDArray[np.float32]) -> NDArray[np.float32]:
        return 0.45 + 0.75 * smoothstep(1.0, 7.0, distance) + 0 * across

    reach = Reach(
        near=0.6,
        far=12.0,
        eye=0.62,
        envelope=envelope,
        bottom=view.height,
        shift=(dice.between(0, 9), dice.between(0, 9)),
        haze=0.05,
    )
    return land(view, "dunes", relief, sand, reach, depth=0.5)
