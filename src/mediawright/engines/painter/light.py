"""The light of an hour and a weather: every colour a scene is painted with."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from mediawright.engines.painter.planes import LUMINANCE, Colour, colour, mix
from mediawright.engines.painter.scene import Hour, Scene


@dataclass(frozen=True, kw_only=True)
class Light:
    """The colours of one scene, all in linear light."""

    sky: tuple[Colour, ...]
    """From the horizon, in even steps, to the zenith."""
    sun: Colour
    """What falls on a surface that faces the sun, or the moon."""
    glow: Colour
    """The shine around the sun, or the moon."""
    ambient: Colour
    """What falls on everything from the sky."""
    haze: Colour
    """What far things fade into."""
    cloud_lit: Colour
    cloud_shade: Colour
    water: Colour
    """The depths, where nothing is reflected."""
    height: float
    """How high the sun stands, as a part of the sky's height; negative when it has set."""
    lamps: float
    """How many windows and lamps are lit, 0 to 1."""
    night: float
    """0 by day, 1 in deep night."""


def _light(
    sky: str,
    *,
    sun: str,
    sun_power: float,
    glow: str,
    glow_power: float,
    ambient: str,
    ambient_power: float,
    lit: str,
    shade: str,
    water: str,
    height: float,
    lamps: float = 0.0,
    night: float = 0.0,
) -> Light:
    stops = tuple(colour(code) for code in sky.split())
    return Light(
        sky=stops,
        sun=colour(sun) * np.float32(sun_power),
        glow=colour(glow) * np.float32(glow_power),
        ambient=colour(ambient) * np.float32(ambient_power),
        haze=mix(stops[0], stops[1], 0.35),
        cloud_lit=colour(lit),
        cloud_shade=colour(shade),
        water=colour(water),
        height=height,
        lamps=lamps,
        night=night,
    )


_HOURS: Final[dict[Hour, Light]] = {
    Hour.DAWN: _light(
        "#ffd7b0 #f6bfa8 #cfb0bf #93a4c8 #5f80b4 #3f649f",
        sun="#ffcf9e", sun_power=1.0, glow="#ffd9a8", glow_power=0.9,
        ambient="#a9b4d6", ambient_power=0.55, lit="#ffdcc4", shade="#a394b4",
        water="#2c4a63", height=0.1, lamps=0.25,
    ),
    Hour.MORNING: _light(
        "#eaf0ee #cfe2ee #a3cbea #74aede #4a8ecd #3274b8",
        sun="#fff0d8", sun_power=1.25, glow="#fff3dc", glow_power=0.7,
        ambient="#b4cfee", ambient_power=0.6, lit="#ffffff", shade="#a9b9cf",
        water="#1c5a78", height=0.55,
    ),
    Hour.NOON: _light(
        "#dcecf6 #b4d7f2 #84bbea #589ddd #3681ca #2069b4",
        sun="#fffaf0", sun_power=1.5, glow="#fffaf0", glow_power=0.6,
        ambient="#a8c8f0", ambient_power=0.65, lit="#ffffff", shade="#9fb1c8",
        water="#0f5f83", height=0.86,
    ),
    Hour.GOLDEN: _light(
        "#ffe2a4 #fbd09a #e6c3a0 #b9b8b4 #86a2bf #5d86b3",
        sun="#ffc878", sun_power=1.45, glow="#ffd690", glow_power=1.1,
        ambient="#a8b0c4", ambient_power=0.5, lit="#ffe3b4", shade="#a89a9c",
        water="#31566a", height=0.24,
    ),
    Hour.SUNSET: _light(
        "#ffbe62 #f98f4e #dd6a58 #a3567a #5f4a83 #2f3a70",
        sun="#ff9a50", sun_power=1.1, glow="#ffae58", glow_power=1.35,
        ambient="#8a7aa4", ambient_power=0.4, lit="#ff9f6b", shade="#6d5077",
        water="#26324f", height=0.07, lamps=0.35,
    ),
    Hour.DUSK: _light(
        "#e08f6c #b0727c #75608f #474f88 #2a3a70 #172655",
        sun="#b08fae", sun_power=0.3, glow="#f79b68", glow_power=0.4,
        ambient="#6470a8", ambient_power=0.3, lit="#c98a94", shade="#4a4a78",
        water="#14213f", height=-0.06, lamps=0.8, night=0.5,
    ),
    Hour.NIGHT: _light(
        "#25395c #1b2d52 #132346 #0c1938 #070f29 #04091c",
        sun="#9db8ea", sun_power=0.24, glow="#bcd0f5", glow_power=0.3,
        ambient="#3c5488", ambient_power=0.2, lit="#4a5f8c", shade="#131d38",
        water="#050c1c", height=0.62, lamps=1.0, night=1.0,
    ),
}  # fmt: skip


def light_of(scene: Scene) -> Light:
    """Return the light `scene` is seen in."""
    light = _overcast(_HOURS[scene.hour], scene)
    for place, code in enumerate(scene.colours[:3]):
        light = _tint(light, colour(code), 0.5 / (place + 1))
    return light


def _grey(value: Colour, amount: float, power: float = 1.0) -> Colour:
    grey = np.broadcast_to((value * LUMINANCE).sum(), (3, 1, 1)).astype(np.float32)
    return mix(value, grey * np.float32(power), amount)


def _overcast(light: Light, scene: Scene) -> Light:
    """Take light and colour away as clouds close in."""
    weather = scene.weather
    cover = float(np.clip((weather.cloud - 0.45) / 0.5, 0, 1))
    power = 1.0 - 0.42 * weather.storm * cover - 0.12 * weather.rain
    sky = tuple(
        _grey(stop, (0.72 + 0.22 * weather.storm) * cover, power * (0.9 + 0.05 * min(place, 3)))
        * np.float32(power)
        for place, stop in enumerate(light.sky)
    )
    cold = colour("#9fb0c0") / np.float32(0.43)
    if weather.storm:
        sky = tuple(mix(stop, stop * cold * np.float32(0.7), 0.6 * weather.storm) for stop in sky)
    return replace(
        light,
        sky=sky,
        sun=light.sun * np.float32(1 - 0.8 * cover),
        glow=light.glow * np.float32(1 - 0.85 * cover),
        ambient=_grey(light.ambient, 0.5 * cover) * np.float32(power * (1 + 0.25 * cover)),
        haze=mix(sky[0], sky[1], 0.35),
        cloud_lit=_grey(light.cloud_lit, 0.7 * cover) * np.float32(power**2),
        cloud_shade=_grey(light.cloud_shade, 0.7 * cover) * np.float32(power**2 * 0.9),
        water=_grey(light.water, 0.4 * cover) * np.float32(power),
        lamps=max(light.lamps, 0.4 * cover),
    )


def _tint(light: Light, tint: Colour, amount: float) -> Light:
    tint = tint / np.float32(max(float((tint * LUMINANCE).sum()), 0.02))

    def towards(value: Colour, part: float = 1.0) -> Colour:
        return mix(value, tint * (value * LUMINANCE).sum(), amount * part)

    return replace(
        light,
        sky=tuple(towards(stop) for stop in light.sky),
        sun=towards(light.sun, 0.6),
        glow=towards(light.glow, 0.7),
        ambient=towards(light.ambient, 0.8),
        haze=towards(light.haze),
        cloud_lit=towards(light.cloud_lit, 0.8),
        cloud_shade=towards(light.cloud_shade, 0.8),
        water=towards(light.water, 0.8),
    )
