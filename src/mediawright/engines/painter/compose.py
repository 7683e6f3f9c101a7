"""Building a scene: which layers stand where."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mediawright.engines.painter import land, sky, weather
from mediawright.engines.painter.light import light_of
from mediawright.engines.painter.noise import Dice
from mediawright.engines.painter.planes import Picture
from mediawright.engines.painter.scene import Ground, Hour, Scene
from mediawright.engines.painter.view import Layer, View
from mediawright.engines.painter.water import Water, water
from mediawright.engines.requests import Report, ignore_progress

_HEAVENLY = frozenset({"stars", "clouds", "lightning"})


@dataclass(frozen=True, kw_only=True)
class Composition:
    """A scene ready to be painted or filmed."""

    view: View
    backdrop: Picture
    layers: tuple[Layer | Water, ...]
    """From far to near."""


def view_of(scene: Scene, width: int, height: int, seed: int) -> View:
    """Return where things are when `scene` is seen in a picture of this size."""
    dice = Dice(seed, scene.fingerprint, "view")
    light = light_of(scene)
    horizon = height * dice.between(0.54, 0.62)
    if scene.ground in {Ground.SEA, Ground.LAKE}:
        horizon = height * dice.between(0.55, 0.64)
    side = 1 if dice.chance(0.5) else -1
    across = width * (0.5 + side * dice.between(0.06, 0.3))
    stand = light.height * dice.between(0.85, 1.15)
    if scene.hour is Hour.NIGHT:
        stand = dice.between(0.5, 0.75)
    return View(
        scene=scene,
        light=light,
        seed=seed,
        width=width,
        height=height,
        horizon=horizon,
        scale=float(min(height, width * 1.1)),
        sun_across=across,
        sun_down=horizon * (1 - stand),
    )


def compose(
    scene: Scene, width: int, height: int, seed: int, report: Report = ignore_progress
) -> Composition:
    """Return the layers of `scene` for a picture of this size.

    Args:
        scene: What is to be seen.
        width: Pixels.
        height: Pixels.
        seed: Another seed is another place of the same kind.
        report: Called as the layers are made.
    """
    view = view_of(scene, width, height, seed)
    report(0.05, "sky")
    backdrop = sky.backdrop(view)
    layers: list[Layer | Water | None] = [sky.stars(view)]
    report(0.3, "clouds")
    layers.append(sky.clouds(view))
    layers.append(weather.lightning(view))
    report(0.45, "land")
    layers += land.distance(view)
    if scene.ground in {Ground.SEA, Ground.LAKE}:
        report(0.65, "water")
        layers.append(water(view, min(height - 1, round(view.horizon))))
    layers += land.foreground(view)
    layers += weather.falling(view)
    return Composition(
        view=view, backdrop=backdrop, layers=tuple(layer for layer in layers if layer is not None)
    )


def only_sky(composition: Composition) -> Composition:
    """Return the composition without anything that stands or lies on the ground."""
    view = composition.view
    layers = tuple(
        layer
        for layer in composition.layers
        if isinstance(layer, Layer) and layer.name in _HEAVENLY
    )
    return Composition(view=view, backdrop=composition.backdrop, layers=layers)


def flatten(composition: Composition) -> Picture:
    """Return the picture that the layers make together, in linear light."""
    canvas = composition.backdrop.copy()
    for layer in composition.layers:
        layer.over(canvas)
    return np.maximum(canvas, 0)
