"""The land of a scene, from the far ranges to the ground at the viewer's feet."""

from __future__ import annotations

import numpy as np

from mediawright.engines.painter import relief as reliefs
from mediawright.engines.painter.grass import grass
from mediawright.engines.painter.planes import (
    Floats,
    smoothstep,
)
from mediawright.engines.painter.relief import Relief
from mediawright.engines.painter.scene import Feature, Ground, Subject
from mediawright.engines.painter.settlement import skyline
from mediawright.engines.painter.subjects import things
from mediawright.engines.painter.terrain import (
    Envelope,
    Reach,
    field_of,
    land,
    rock_of,
    sand_of,
)
from mediawright.engines.painter.trees import grove, treeline
from mediawright.engines.painter.view import Layer, View
from mediawright.engines.painter.weather import mist

_MUCH_SNOW = 0.5
_WATERS = frozenset({Ground.SEA, Ground.LAKE})
_STANDING = frozenset(
    {Subject.HOUSE, Subject.TREE, Subject.CASTLE, Subject.PERSON, Subject.LIGHTHOUSE, Subject.PALM}
)


def on_water(view: View) -> bool:
    """Tell whether the scene's ground is water."""
    return view.scene.ground in _WATERS


def distance(view: View) -> list[Layer | None]:
    """Return what stands on the horizon, from far to near."""
    features = view.scene.features
    layers: list[Layer | None] = []
    if Feature.MOUNTAINS in features:
        layers += _mountains(view)
    if Feature.HILLS in features or (Feature.FOREST in features and not layers):
        layers.append(_hills(view))
        layers.append(mist(view, "hill mist", view.horizon, 0.06, 0.3))
    if Feature.CITY in features:
        layers += skyline(view)
    if Feature.FOREST in features:
        layers += _far_forest(view)
    return layers


def foreground(view: View) -> list[Layer | None]:
    """Return the ground in front, unless it is nothing but water, and what stands on it."""
    if on_water(view):
        bank = mist(view, "water mist", view.horizon + 0.01 * view.scale, 0.05, 0.45)
        headland = _headland(view) if _STANDING & set(view.scene.subjects) else None
        return [bank, headland, *things(view, headland)]
    if view.scene.ground is Ground.DESERT:
        dunes = _desert(view)
        return [dunes, *things(view, dunes)]
    meadow = _meadow(view)
    trees = grove(view, meadow) if meadow is not None and _grows(view) else None
    layers = [meadow, trees, *things(view, meadow)]
    if Feature.FOREST in view.scene.features:
        layers += _near_forest(view)
    if view.scene.snow_cover < _MUCH_SNOW:
        layers += grass(view)
    return layers


def _grows(view: View) -> bool:
    """Tell whether trees are scattered over the open ground."""
    scene = view.scene
    alone = Subject.TREE in scene.subjects or Feature.FOREST in scene.features
    return scene.ground is Ground.MEADOW and not alone


def _from_left(view: View) -> bool:
    return view.sun_across < view.width / 2


def _tile(view: View) -> int:
    """Return the size of the land's textures: as fine as the picture shows, and no finer."""
    return 256 if view.scale < 180 else 512 if view.scale < 420 else 1024  # noqa: PLR2004 - pixels


def _elevation(view: View) -> float:
    return max(0.05, view.light.height)


def _rolling(
    view: View, name: str, *, near: float, far: float, height: float, opening: float
) -> Envelope:
    """Return an envelope that rises from the near end and opens towards the sun."""
    dice = view.dice(name)
    phases = [dice.between(0, 6.28) for _ in range(3)]
    middle = (view.sun_across - view.width / 2) / view.scale
    rise = near + 0.45 * (far - near)

    def envelope(across: Floats, away: Floats) -> Floats:
        angle = across / away
        wave = sum(
            np.sin(angle * np.float32(rate) + np.float32(phase)) / np.float32(place + 1)
            for place, (rate, phase) in enumerate(zip((2.2, 4.7, 8.1), phases, strict=True))
        )
        valley = 1 - opening * np.exp(-(((angle - np.float32(middle)) / np.float32(0.36)) ** 2))
        begin = smoothstep(near, rise, away)
        return (height * (0.85 + 0.2 * wave) * valley * begin).astype(np.float32)

    return envelope


def _shift(view: View, name: str) -> tuple[float, float]:
    dice = view.dice(f"{name} place")
    return dice.between(0, 9), dice.between(0, 9)


def _range(
    view: View, name: str, relief: Relief, *, near: float, far: float, height: float, depth: float,
    opening: float = 0.5, haze: float = 0.04, rocky: bool = True,
) -> Layer | None:  # fmt: skip
    reach = Reach(
        near=near, far=far, eye=0.12, peak=height, bottom=_bottom(view), haze=haze,
        envelope=_rolling(view, name, near=near, far=far, height=height, opening=opening),
        shift=_shift(view, name),
    )  # fmt: skip
    return land(view, name, relief, rock_of(view) if rocky else field_of(view), reach, depth=depth)


def _mountains(view: View) -> list[Layer | None]:
    relief = reliefs.mountains(
        view.dice("mountains"),
        _tile(view),
        sun_from_left=_from_left(view),
        elevation=_elevation(view),
    )
    return [
        _range(view, "far range", relief, near=9.0, far=19.0, height=4.6, depth=0.06, haze=0.032),
        mist(view, "far mist", view.horizon - 0.05 * view.scale, 0.09, 0.08),
        _range(view, "near range", relief, near=4.5, far=9.0, height=1.7, depth=0.15,
               opening=0.72, haze=0.034),
        mist(view, "near mist", view.horizon - 0.005 * view.scale, 0.07, 0.18),
    ]  # fmt: skip


def _bottom(view: View) -> int:
    """Return the row down to which far land is painted."""
    if on_water(view):
        return min(view.height, round(view.horizon))
    return min(view.height, round(view.horizon + 0.2 * view.scale))


def _hills(view: View) -> Layer | None:
    relief = reliefs.hills(
        view.dice("hills"),
        _tile(view) // 2,
        sun_from_left=_from_left(view),
        elevation=_elevation(view),
    )
    height = 1.35 if Feature.MOUNTAINS not in view.scene.features else 0.8
    return _range(view, "hills", relief, near=3.0, far=8.0, height=height, depth=0.25, haze=0.07,
                  rocky=False)  # fmt: skip


def _far_forest(view: View) -> list[Layer | None]:
    bottom = round(view.horizon) if on_water(view) else round(view.horizon + 0.2 * view.scale)
    layers: list[Layer | None] = []
    for place, (lift, tall, away) in enumerate(((0.045, 0.045, 4.2), (0.016, 0.075, 2.4))):
        layers.append(
            treeline(view, f"forest {place}", row=view.horizon - lift * view.scale,
                     tall=tall * view.scale, distance=away, depth=0.28 + 0.08 * place,
                     bottom=bottom, rough=0.022, opening=0.5)
        )  # fmt: skip
        layers.append(mist(view, f"forest mist {place}", view.horizon, 0.045, 0.3 + 0.08 * place))
    return layers


def _near_forest(view: View) -> list[Layer | None]:
    """Return the trees between which the viewer looks out."""
    layers: list[Layer | None] = []
    rows = ((0.09, 0.17, 1.3, 0.55), (0.2, 0.34, 0.6, 0.7))
    for place, (drop, tall, away, depth) in enumerate(rows):
        layers.append(
            treeline(view, f"near forest {place}", row=view.horizon + drop * view.scale,
                     tall=tall * view.scale, distance=away, depth=depth, bottom=0, rough=0.03,
                     opening=0.0, sides=0.34 - 0.1 * place)
        )  # fmt: skip
    return layers


def _meadow(view: View) -> Layer | None:
    relief = reliefs.hills(
        view.dice("meadow"),
        _tile(view) // 2,
        sun_from_left=_from_left(view),
        elevation=_elevation(view),
    )

    def envelope(across: Floats, away: Floats) -> Floats:
        return (0.18 + 0.5 * smoothstep(1.0, 5.0, away) + 0 * across).astype(np.float32)

    reach = Reach(near=0.4, far=6.0, eye=0.42, peak=0.8, envelope=envelope, bottom=view.height,
                  shift=_shift(view, "meadow"), haze=0.05)  # fmt: skip
    return land(view, "meadow", relief, field_of(view), reach, depth=0.6)


def _headland(view: View) -> Layer | None:
    """Return a tongue of land that reaches into the picture, away from the sun."""
    relief = reliefs.hills(
        view.dice("headland"),
        _tile(view) // 2,
        sun_from_left=_from_left(view),
        elevation=_elevation(view),
    )
    side = 1.0 if _from_left(view) else -1.0
    edge = view.width / view.scale / 2
    phase = view.dice("bays").between(0, 6)

    def envelope(across: Floats, away: Floats) -> Floats:
        angle = across / away * side / np.float32(edge)
        bays = 0.16 * np.sin(away * 4.1 + phase) + 0.08 * np.sin(away * 9.7 + phase * 3)
        rise = smoothstep(-0.3, 1.0, angle + bays.astype(np.float32))
        near = smoothstep(0.95, 2.3, away) * smoothstep(3.6, 2.7, away)
        return (0.75 * rise * near - 0.1 * (1 - rise * near)).astype(np.float32)

    reach = Reach(near=0.95, far=3.6, eye=0.3, peak=0.6, envelope=envelope, bottom=view.height,
                  shift=_shift(view, "headland"), haze=0.05, shore=0.0)  # fmt: skip
    return land(view, "headland", relief, rock_of(view), reach, depth=0.6)


def _desert(view: View) -> Layer | None:
    relief = reliefs.dunes(
        view.dice("desert"),
        _tile(view),
        sun_from_left=_from_left(view),
        # A high sun would leave the dunes without shadows.
        elevation=min(0.3, _elevation(view)),
    )

    def envelope(across: Floats, away: Floats) -> Floats:
        return (0.5 + 0.55 * smoothstep(1.5, 8.0, away) + 0 * across).astype(np.float32)

    reach = Reach(near=0.5, far=13.0, eye=0.72, peak=1.0, envelope=envelope, bottom=view.height,
                  shift=_shift(view, "desert"), haze=0.05)  # fmt: skip
    return land(view, "dunes", relief, sand_of(view), reach, depth=0.5)
