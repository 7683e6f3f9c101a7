"""What falls and drifts before the viewer's eyes: mist, rain and snow."""

from __future__ import annotations

import math

import numpy as np
from PIL import Image, ImageDraw

from mediawright.engines.painter.noise import Dice, fractal_pair
from mediawright.engines.painter.planes import (
    Picture,
    Plane,
    blur,
    colour,
    mix,
    resize,
    smoothstep,
)
from mediawright.engines.painter.scene import Scene, Weather
from mediawright.engines.painter.view import Layer, Motion, View

_THUNDER = 0.95


def mist(view: View, name: str, row: float, reach: float, depth: float) -> Layer | None:
    """Return a bank of mist lying around a row, or nothing in clear air.

    Args:
        view: The scene's frame.
        name: Of the layer.
        row: The middle of the bank, in pixels.
        reach: How far it rises and sinks from there, in units of the scale.
        depth: The layer's depth.
    """
    amount = view.scene.weather.fog
    if amount <= 0:
        return None
    top = max(0, int(row - reach * view.scale * 1.6))
    bottom = min(view.height, int(row + reach * view.scale * 1.6) + 1)
    if top >= bottom:
        return None
    texture, _ = fractal_pair(view.dice(name), 256, 1.7)
    wide = resize(texture[:64], view.width, bottom - top)
    rows = np.arange(top, bottom, dtype=np.float32)[:, None]
    away = (rows - np.float32(row)) / np.float32(view.scale * reach)
    cover = np.exp(-((away + 0.16 * wide) ** 2) * 1.4) * (0.72 + 0.2 * wide)
    edges = smoothstep(1.6, 1.1, np.abs(away))
    cover = np.clip(cover * edges * np.float32(amount * 0.95), 0, 1)
    shape = (3, bottom - top, view.width)
    picture = np.broadcast_to(view.light.haze * np.float32(1.06), shape).astype(np.float32)
    return Layer(name=name, colour=picture, cover=cover.astype(np.float32), top=top, depth=depth,
                 motion=Motion.DRIFT, flat=True)  # fmt: skip


def lightning(view: View) -> Layer | None:
    """Return a forked bolt and the light it throws, or nothing without a thunderstorm."""
    if view.scene.weather.storm < _THUNDER or view.horizon < 8:  # noqa: PLR2004 - no room
        return None
    dice = view.dice("lightning")
    rows, finer = int(view.horizon), 2
    image = Image.new("L", (view.width * finer, rows * finer))
    draw = ImageDraw.Draw(image)
    start = (view.width * finer * dice.between(0.2, 0.8), 0.0)
    grown = [(start, math.pi / 2, rows * finer * 1.0, view.scale * 0.0045 * finer)]
    while grown:
        (x, y), angle, left, thick = grown.pop()
        while left > 0 and thick > 0.4:  # noqa: PLR2004 - pixels; thinner is not seen
            step = view.scale * 0.02 * finer * dice.between(0.5, 1.5)
            turn = angle + dice.between(-0.75, 0.75)
            end = (x + math.cos(turn) * step, y + math.sin(turn) * step)
            draw.line(((x, y), end), fill=255, width=max(1, round(thick)))
            if thick > 1 and dice.chance(0.1):
                fork = angle + dice.between(0.3, 0.8) * (1 if dice.chance(0.5) else -1)
                grown.append((end, fork, left * dice.between(0.2, 0.5), thick * 0.5))
            (x, y), left = end, left - step
    bolt = np.asarray(image.resize((view.width, rows), Image.Resampling.BOX), np.float32)
    bolt = bolt / np.float32(255)
    halo = (
        blur(bolt, max(2, int(view.scale / 60))) * 2 + blur(bolt, max(2, int(view.scale / 12))) * 6
    )
    shine = colour("#cfd6ff") * (bolt * np.float32(3) + np.clip(halo, 0, 2) * np.float32(0.22))
    return Layer(name="lightning", colour=shine.astype(np.float32), cover=np.ones_like(bolt), top=0,
                 depth=0.02, motion=Motion.FLASH, shines=True)  # fmt: skip


def rain_cover(weather: Weather, dice: Dice, width: int, height: int, near: float) -> Plane:
    """Return streaks of rain, 0 to 1, that join where opposite edges meet.

    Args:
        weather: How hard it rains and how the wind blows.
        dice: Where the drops are.
        width: Pixels.
        height: Pixels.
        near: 0 for fine rain far away, 1 for the drops right before the eye.
    """
    scale = min(width, height)
    length = scale * (0.03 + 0.09 * near)
    lean = rain_lean(weather)
    count = int(weather.rain * (520 - 330 * near) * (width / max(height, 1)) ** 0.5)
    image = Image.new("L", (width, height))
    draw = ImageDraw.Draw(image)
    across, down = dice.uniform(count) * width, dice.uniform(count) * height
    power = 50 + 140 * dice.uniform(count) ** 2
    stroke = max(1, round(scale / 700 * (0.7 + 1.3 * near)))
    for x, y, light in zip(across, down, power, strict=True):
        for lift in (0, -height):
            for aside in (0, width):
                start = (float(x) + aside, float(y) + lift)
                end = (start[0] - lean * length, start[1] + length)
                draw.line((start, end), fill=int(light), width=stroke)
    return np.asarray(image, np.float32) / np.float32(255)


def rain_lean(weather: Weather) -> float:
    """Return how far rain moves to the left while it falls by one."""
    return 0.1 + 0.35 * weather.wind


def snow_cover(weather: Weather, dice: Dice, width: int, height: int, near: float) -> Plane:
    """Return flakes of snow, 0 to 1; arguments as for `rain_cover`."""
    scale = min(width, height)
    count = int(weather.snow * (900 - 780 * near) * (width / max(height, 1)) ** 0.5)
    image = Image.new("L", (width * 2, height * 2))
    draw = ImageDraw.Draw(image)
    spots = dice.uniform((4, count))
    for x, y, size, light in spots.T:
        radius = scale * (0.0016 + 0.0075 * near**1.5) * (0.6 + 0.9 * float(size))
        middle = (float(x) * width * 2, float(y) * height * 2)
        fill = int(255 * (0.35 + 0.6 * float(light)) * (1 - 0.45 * near))
        for step in (1.5, 1.0):
            reach = radius * 2 * step
            shade = fill // 3 if step > 1 else fill
            box = (middle[0] - reach, middle[1] - reach, middle[0] + reach, middle[1] + reach)
            draw.ellipse(box, fill=shade)
    small = image.resize((width, height), Image.Resampling.BOX)
    return np.asarray(small, np.float32) / np.float32(255)


def falling(view: View) -> list[Layer | None]:
    """Return the scene's rain and snow as layers before everything else."""
    weather = view.scene.weather
    layers: list[Layer | None] = []
    shape = (3, view.height, view.width)
    for name, amount, cover_of, motion in (
        ("rain", weather.rain, rain_cover, Motion.RAIN),
        ("snow", weather.snow, snow_cover, Motion.SNOW),
    ):
        if amount <= 0:
            continue
        power = 0.4 if name == "rain" else 0.95
        light = view.light.haze * np.float32(0.6) + view.light.ambient * np.float32(0.8)
        glare = np.float32(2.0 if name == "snow" else 1.5)
        picture = np.broadcast_to(light * glare + np.float32(0.03), shape).astype(np.float32)
        for near in (0.0, 0.35, 1.0):
            dice = view.dice(f"{name} {near}")
            cover = cover_of(weather, dice, view.width, view.height, near) * np.float32(power)
            layers.append(Layer(name=f"{name} {near}", colour=picture, cover=cover, top=0,
                                depth=near, motion=motion))  # fmt: skip
    return layers


def veil(shown: Picture, scene: Scene, dice: Dice, strength: float) -> Picture:
    """Lay the scene's weather over a developed picture of something else.

    Args:
        shown: sRGB values between 0 and 1, shape (3, height, width).
        scene: Gives the weather.
        dice: Where its drops and flakes are.
        strength: How much of it is laid over, 0 to 1.
    """
    weather = scene.weather
    _, height, width = shown.shape
    amount = math.sqrt(strength)
    if weather.fog:
        down = np.linspace(0, 1, height, dtype=np.float32)[:, None]
        bank = np.exp(-(((down - 0.55) / 0.4) ** 2)) * np.float32(0.75 * weather.fog * amount)
        pale = np.clip(shown.mean(axis=(1, 2), keepdims=True) * 0.5 + 0.38, 0, 1)
        shown = mix(shown, pale, bank)
    for level, cover_of in ((weather.rain, rain_cover), (weather.snow, snow_cover)):
        if level:
            for near in (0.0, 0.35, 1.0):
                cover = cover_of(weather, dice, width, height, near)
                shown = mix(
                    shown, np.full((3, 1, 1), 0.93, np.float32), cover * np.float32(0.75 * amount)
                )
    return shown
