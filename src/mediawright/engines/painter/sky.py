"""The sky: its gradient, sun, moon, stars, aurora and clouds."""

from __future__ import annotations

import math

import numpy as np

from mediawright.engines.painter.noise import fractal_pair, taps
from mediawright.engines.painter.planes import (
    Picture,
    Plane,
    colour,
    mix,
    resize,
    resize_picture,
    smoothstep,
)
from mediawright.engines.painter.view import Layer, Motion, View

_COARSE_PIXELS = 330_000
_CLOUD_TILE = 512
_CLEAR = 0.03
"""The amount of cloud that is still none."""
_SUNLESS = 0.82
"""The amount of cloud that hides the sun's disc."""
_LARGE_STAR = 1.3
"""Pixels."""


def backdrop(view: View) -> Picture:
    """Return the sky without clouds, filling the whole picture."""
    width, height = _coarse(view, view.height)
    factor = view.height / height
    rows = (np.arange(height, dtype=np.float32)[:, None] + 0.5) * np.float32(factor)
    columns = (np.arange(width, dtype=np.float32)[None, :] + 0.5) * np.float32(factor)
    picture = _gradient(view, rows) + np.zeros((1, 1, width), np.float32)
    picture += _glow(view, rows, columns)
    if view.scene.aurora:
        picture += _aurora(view, width, height)
    if view.scene.rainbow:
        picture += _rainbow(view, rows, columns)
    picture = resize_picture(picture, view.width, view.height)
    np.maximum(picture, 0, out=picture)
    _disc(view, picture)
    return picture


def _coarse(view: View, rows: int) -> tuple[int, int]:
    shrink = max(1.0, math.sqrt(view.width * rows / _COARSE_PIXELS))
    return max(2, round(view.width / shrink)), max(2, round(rows / shrink))


def _gradient(view: View, rows: Plane) -> Picture:
    elevation = np.clip((view.horizon - rows) / max(view.horizon, 1.0), 0, 1)[:, 0]
    # The stops lie closer together near the horizon, where the air is thickest.
    places = np.linspace(0, 1, len(view.light.sky)) ** 1.35
    channels = [
        np.interp(elevation, places, [float(stop[channel, 0, 0]) for stop in view.light.sky])
        for channel in range(3)
    ]
    return np.stack(channels).astype(np.float32)[:, :, None]


def _glow(view: View, rows: Plane, columns: Plane) -> Picture:
    if not (view.scene.sun or view.scene.moon):
        return np.zeros((3, 1, 1), np.float32)
    across = (columns - np.float32(view.sun_across)) / np.float32(view.scale)
    down = (rows - np.float32(view.sun_down)) / np.float32(view.scale)
    distance = np.sqrt(across**2 + down**2)
    # Light low over the horizon spreads along it.
    band = np.sqrt((across * np.float32(0.45)) ** 2 + (down * np.float32(1.7)) ** 2)
    low = 1.0 - min(1.0, max(0.0, view.light.height) * 2.2)
    shine = 0.9 * np.exp(-distance * 9) + 0.34 * np.exp(-distance * 3.0)
    shine = shine + np.float32(0.5 * low) * np.exp(-band * 2.6)
    return view.light.glow * shine.astype(np.float32)


def _disc(view: View, picture: Picture) -> None:
    """Put the sun or the moon into the sky, in place."""
    if view.light.night >= 1:
        if view.scene.moon:
            _moon(view, picture)
        return
    if not view.scene.sun or view.light.height < 0 or view.scene.weather.cloud > _SUNLESS:
        return
    radius = view.scale * 0.035
    patch, across, down = _patch(view, radius * 1.5)
    edge = np.sqrt(across**2 + down**2) / np.float32(radius)
    cover = smoothstep(1.04, 0.94, edge)
    face = view.light.glow / view.light.glow.max() * np.float32(6)
    part = picture[(slice(None), *patch)]
    part += (face - part) * cover


def _patch(view: View, reach: float) -> tuple[tuple[slice, slice], Plane, Plane]:
    top = max(0, int(view.sun_down - reach))
    bottom = min(view.height, max(top, int(view.sun_down + reach) + 1))
    left = max(0, int(view.sun_across - reach))
    right = min(view.width, max(left, int(view.sun_across + reach) + 1))
    down = np.arange(top, bottom, dtype=np.float32)[:, None] - np.float32(view.sun_down)
    across = np.arange(left, right, dtype=np.float32)[None, :] - np.float32(view.sun_across)
    return (slice(top, bottom), slice(left, right)), across, down


def _moon(view: View, picture: Picture) -> None:
    radius = view.scale * 0.05
    patch, across, down = _patch(view, radius * 1.3)
    if across.size == 0 or down.size == 0:
        return
    dice = view.dice("moon")
    edge = np.sqrt(across**2 + down**2) / np.float32(radius)
    texture, _ = fractal_pair(dice, 64, 1.5)
    seas = taps(
        64, across / np.float32(radius) * 14 + 0 * down, down / np.float32(radius) * 14 + 0 * across
    ).read(texture)
    light = 0.8 - 0.2 * smoothstep(-0.2, 1.0, seas)
    phase = dice.between(-0.5, 1.0)
    lit = smoothstep(
        -0.12,
        0.12,
        (across / np.float32(radius))
        + np.float32(phase + 0.25) * np.sqrt(np.maximum(1 - (down / np.float32(radius)) ** 2, 0)),
    )
    limb = np.sqrt(np.maximum(1 - edge**2, 0)) ** np.float32(0.35)
    cover = smoothstep(1.03, 0.97, edge)
    # The dark part of the disc is as bright as the sky around it.
    cover = cover * (0.02 + 0.98 * lit)
    face = colour("#fff6e0") * (light * limb * np.float32(1.9))
    part = picture[(slice(None), *patch)]
    part += (face - part) * cover


def stars(view: View) -> Layer | None:
    """Return the stars as a layer of their own, or nothing by day or under clouds."""
    thickness = view.scene.stars * (1 - min(1.0, view.scene.weather.cloud * 1.05))
    thickness = max(thickness, view.scene.stars * 0.35)
    if view.light.night <= 0 or thickness <= 0:
        return None
    dice = view.dice("stars")
    rows = max(1, min(view.height, int(view.horizon)))
    area = view.width * rows / view.scale**2
    count = int(1900 * thickness * area * view.light.night)
    picture = np.zeros((3, rows, view.width), np.float32)
    _milky_way(view, picture, rows)
    across = dice.uniform(count) * np.float32(view.width - 1)
    down = dice.uniform(count) ** np.float32(0.85) * np.float32(rows - 1)
    size = dice.uniform(count)
    power = 0.07 + 0.75 * size**6 + 2.4 * size**60
    power *= smoothstep(0.0, 0.3, (np.float32(rows) - down) / np.float32(rows))
    temperature = dice.uniform(count)
    cold, hot = colour("#a8c4ff"), colour("#ffd9b0")
    tint = mix(cold, hot, temperature)[:, 0] if count else np.zeros((3, 0), np.float32)
    _dots(picture, (across, down), power, tint, size=view.scale / 900)
    cover = np.ones((rows, view.width), np.float32)
    return Layer(
        name="stars",
        colour=picture,
        cover=cover,
        top=0,
        depth=0.0,
        shines=True,
        motion=Motion.TWINKLE,
    )


def _dots(
    picture: Picture, places: tuple[Plane, Plane], power: Plane, tint: Picture, *, size: float
) -> None:
    """Add points of light, each spread over the pixels it lies between."""
    _, rows, columns = picture.shape
    across, down = places
    reach = 1 if size < _LARGE_STAR else 2
    spread = np.float32(max(0.35, 0.5 * size) ** 2 * 2)
    for row_step in range(-reach, reach + 1):
        for column_step in range(-reach, reach + 1):
            row = np.round(down).astype(np.int32) + row_step
            column = np.round(across).astype(np.int32) + column_step
            inside = (row >= 0) & (row < rows) & (column >= 0) & (column < columns)
            away = (row - down) ** 2 + (column - across) ** 2
            # Only the brighter ones are large enough to spill over.
            share = np.exp(-away / (spread * (0.5 + 0.6 * power))).astype(np.float32) * power
            for channel in range(3):
                np.add.at(
                    picture[channel],
                    (row[inside], column[inside]),
                    (share * tint[channel])[inside],
                )


def _milky_way(view: View, picture: Picture, rows: int) -> None:
    strength = max(0.0, view.scene.stars - 0.45) * 1.6 * view.light.night
    if strength <= 0 or view.scene.aurora:
        return
    dice = view.dice("milky way")
    width, height = _coarse(view, rows)
    cloud, dust = fractal_pair(dice, 256, 1.3)
    down, across = np.mgrid[0:height, 0:width].astype(np.float32)
    unit = np.float32(view.scale * width / view.width)
    across, down = across / unit, down / unit
    tilt = dice.between(0.5, 1.1) * (1 if dice.chance(0.5) else -1)
    middle = (dice.between(0.35, 0.65) * width / unit, 0.4 * height / unit)
    along = (across - middle[0]) * math.cos(tilt) + (down - middle[1]) * math.sin(tilt)
    aside = (down - middle[1]) * math.cos(tilt) - (across - middle[0]) * math.sin(tilt)
    place = taps(256, along * 150, aside * 260)
    cloudy, dusty = place.read(cloud), place.read(dust)
    band = np.exp(-(((aside + cloudy * 0.05) / 0.17) ** 2))
    lanes = smoothstep(-0.1, 1.1, dusty + 0.7 * np.exp(-((aside / 0.06) ** 2)))
    light = band * (0.65 + 0.35 * cloudy) * (1 - 0.75 * lanes)
    light = np.maximum(light, 0) * np.float32(strength * 0.15)
    fine = resize(light.astype(np.float32), view.width, rows)
    warm = resize((band * (1 - lanes)).astype(np.float32), view.width, rows)
    picture += np.maximum(fine, 0) * mix(colour("#9db4ea"), colour("#ffdcc4"), warm * 0.7)


def _aurora(view: View, width: int, height: int) -> Picture:
    """Return curtains of light: folded lines whose rays fade upwards."""
    dice = view.dice("aurora")
    down = (np.arange(height, dtype=np.float32)[:, None] + 0.5) / np.float32(height)
    across = np.linspace(0, 1, width, dtype=np.float32)[None, :]
    ratio = view.width / view.scale
    horizon = view.horizon / view.height
    total = np.zeros((3, height, width), np.float32)
    low, high = colour("#35f59a"), colour("#8a52e8")
    for place in range(3):
        fold, _ = fractal_pair(dice, 256, 1.9)
        fine, _ = fractal_pair(dice, 256, 1.0)
        base = horizon * (dice.between(0.5, 0.8) - 0.12 * place)
        slope = dice.between(-0.25, 0.25) * horizon
        reach = horizon * dice.between(0.3, 0.5)
        for sheet in range(2):
            row = np.float32(20 * sheet + 40 * place)
            steps = across * np.float32(ratio * 70)
            wave = taps(256, steps + sheet * 9, steps * 0 + row).read(fold)
            foot = base + slope * (across - 0.5) + wave * np.float32(0.06 * horizon * 1.6)
            rays = taps(256, across * np.float32(ratio * 210), down * 6 + row).read(fine)
            above = (foot - down) / np.float32(reach)
            curtain = np.exp(np.where(above > 0, -above * 2.6, np.maximum(above, -2) * 42))
            shape = taps(256, steps * 0.5, steps * 0 + row + 90).read(fold)
            power = curtain * np.clip(0.6 + 0.28 * rays, 0.1, 2) * np.clip(0.55 + 0.5 * shape, 0, 2)
            hue = smoothstep(0.15, 1.0, above)
            total += mix(low, high, hue) * (power * np.float32(0.2)).astype(np.float32)
    return total


def _rainbow(view: View, rows: Plane, columns: Plane) -> Picture:
    middle = view.width - view.sun_across
    across = (columns - np.float32(middle)) / np.float32(view.scale)
    down = (rows - np.float32(view.horizon * 1.15)) / np.float32(view.scale)
    distance = np.sqrt(across**2 + down**2)
    radius = 0.75 * view.horizon / view.scale
    part = (distance - np.float32(radius)) / np.float32(0.075)
    bow = [np.exp(-(((part - shift) * 2.4) ** 2)) for shift in (0.62, 0.25, -0.2)]
    fade = smoothstep(0.0, 0.3, (view.horizon - rows) / np.float32(view.height))
    return np.stack(bow).astype(np.float32) * fade * np.float32(0.26)


def clouds(view: View) -> Layer | None:
    """Return the clouds, seen in perspective and lit by the sun, or nothing when clear."""
    amount = view.scene.weather.cloud
    if amount < _CLEAR:
        return None
    rows = max(1, min(view.height, int(view.horizon) + 2))
    width, height = _coarse(view, rows)
    dice = view.dice("clouds")
    shape, detail = fractal_pair(dice, _CLOUD_TILE, 1.55)
    veil, warp = fractal_pair(dice, _CLOUD_TILE, 1.75)
    down = (np.arange(height, dtype=np.float32)[:, None] + 0.5) * np.float32(rows / height)
    across = (np.arange(width, dtype=np.float32)[None, :] + 0.5) * np.float32(view.width / width)
    elevation = np.maximum((view.horizon - down) / np.float32(view.scale), 0.004)
    distance = 1 / (elevation + 0.16)
    x = (across - np.float32(view.width / 2)) / np.float32(view.scale) * distance
    offset = dice.between(0, 500), dice.between(0, 500)
    u = x * 68 + offset[0]
    v = distance * 95 + offset[1] + x * 0
    bend = taps(_CLOUD_TILE, u * 0.7, v * 0.7).read(warp)
    u, v = u + bend * 9, v + bend * 7
    here = taps(_CLOUD_TILE, u, v)
    fine = taps(_CLOUD_TILE, u * 2.7, v * 2.7).read(detail)
    field = here.read(shape) + 0.34 * fine
    side = (np.float32(view.sun_across) - across) / np.float32(view.scale)
    step_u, step_v = np.tanh(side * 2) * 7, -3.0 + 0 * side
    field_towards_sun = taps(_CLOUD_TILE, u + step_u, v + step_v).read(shape) + 0.34 * fine
    threshold = 1.45 - 2.75 * amount
    density = smoothstep(threshold, threshold + 1.35, field)
    shade = np.clip(0.62 + 0.5 * (field - field_towards_sun) - 0.42 * density, 0, 1)
    cover = 1 - np.exp(-density * 3.2)
    cover = cover * smoothstep(0.0, 0.1, elevation)
    if view.scene.weather.storm:
        shade = shade * (0.75 + 0.25 * taps(_CLOUD_TILE, u * 0.5, v * 0.5).read(veil))
    picture = _cloud_colour(view, shade.astype(np.float32), density, (across, down), elevation)
    cover, picture = _with_veil(view, veil, (u, v), cover.astype(np.float32), picture)
    return Layer(
        name="clouds",
        colour=np.maximum(resize_picture(picture, view.width, rows), 0),
        cover=np.clip(resize(cover, view.width, rows), 0, 1),
        top=0,
        depth=0.02,
        motion=Motion.DRIFT,
    )


def _cloud_colour(
    view: View, shade: Plane, density: Plane, place: tuple[Plane, Plane], elevation: Plane
) -> Picture:
    light = view.light
    across, down = place
    picture = mix(light.cloud_shade, light.cloud_lit, np.clip(shade, 0, 1))
    far = ((across - np.float32(view.sun_across)) / np.float32(view.scale)) ** 2
    far = far + ((down - np.float32(view.sun_down)) / np.float32(view.scale)) ** 2
    lining = np.exp(-np.sqrt(far) * 3.2) * np.exp(-density * 2.2) * 1.6
    lining = lining + 0.3 * np.exp(-np.sqrt(far) * 1.5)
    picture = picture + light.glow * lining.astype(np.float32)
    # Far clouds fade into the haze over the horizon.
    return mix(picture, light.haze, np.exp(-elevation * 5.5) * 0.75)


def _with_veil(
    view: View, veil: Plane, place: tuple[Plane, Plane], cover: Plane, picture: Picture
) -> tuple[Plane, Picture]:
    """Add thin, drawn-out high clouds behind the others."""
    u, v = place
    streak = taps(_CLOUD_TILE, u * 0.35 + v * 0.2, v * 1.5).read(veil)
    amount = smoothstep(0.1, 2.2, streak) * np.float32(
        0.35 * min(1.0, 0.4 + view.scene.weather.cloud)
    )
    thin = mix(view.light.cloud_lit, view.light.cloud_shade, 0.25)
    total = cover + amount * (1 - cover)
    share = cover / np.maximum(total, 1e-4)
    return total.astype(np.float32), mix(thin, picture, share)
