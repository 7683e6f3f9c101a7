"""Height fields of land, with the light that falls on them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mediawright.engines.painter.noise import Dice, band_pair, fractal_pair
from mediawright.engines.painter.planes import Plane, smoothstep


@dataclass(frozen=True, kw_only=True)
class Relief:
    """A tile of land that repeats in both directions."""

    size: int
    """Texels along each side, a power of two."""
    texels: float
    """Texels per unit of length."""
    height: Plane
    """0 to about 1."""
    light: Plane
    """How much of the sun's light each place gets, 0 to about 1."""
    slope: Plane
    """0 where level, 1 where steep."""
    detail: Plane
    """Fine noise, mean 0 and deviation 1."""


def mountains(dice: Dice, size: int, *, sun_from_left: bool, elevation: float) -> Relief:
    """Return sharp ridges with fine gullies."""
    total = np.zeros((size, size), np.float32)
    weight = np.ones((size, size), np.float32)
    amplitude = 1.0
    fields: list[Plane] = []
    for frequency in (2.2, 8.8, 36.0):
        fields += _octave_pair(dice, size, frequency)
    for field in fields:
        ridge = np.clip(1 - np.abs(field) * np.float32(0.62), 0, 1) ** np.float32(1.35)
        ridge *= weight
        total += ridge * np.float32(amplitude)
        weight = np.clip(ridge * np.float32(1.6), 0, 1)
        amplitude *= 0.46
    height = total / np.float32(1.75)
    return _lit(
        dice, height, relief_scale=1.7, texels=size / 17, left=sun_from_left, elevation=elevation
    )


def hills(dice: Dice, size: int, *, sun_from_left: bool, elevation: float) -> Relief:
    """Return gently rolling land."""
    smooth, rough = fractal_pair(dice, size, 2.1)
    height = 0.5 + 0.2 * smooth + 0.012 * rough
    return _lit(
        dice,
        height.astype(np.float32),
        relief_scale=0.35,
        texels=size / 7,
        left=sun_from_left,
        elevation=elevation,
    )


def dunes(dice: Dice, size: int, *, sun_from_left: bool, elevation: float) -> Relief:
    """Return sand swept into crests, long on the windward side and steep behind."""
    bend, sway = fractal_pair(dice, size, 2.3, lowest=1.0)
    cells, small = band_pair(dice, size, 5.0)
    down, across = np.mgrid[0:size, 0:size].astype(np.float32) / np.float32(size)
    phase = down * 4 + across * 2 + 0.24 * bend + 0.05 * cells
    part = phase - np.floor(phase)
    crest = _asymmetric(part, 0.68)
    crest = crest * crest * (3 - 2 * crest) * 0.35 + crest * 0.65
    minor = phase * 3 + 0.3 * sway
    part = minor - np.floor(minor)
    low = _asymmetric(part, 0.7)
    height = 0.62 * crest * (0.75 + 0.25 * np.tanh(sway)) + 0.1 * low + 0.07 * bend + 0.01 * small
    # Crests finer than the texture would break up into beads.
    height = _softened(_softened(_softened(height)))
    return _lit(
        dice,
        height.astype(np.float32),
        relief_scale=0.85,
        texels=size / 8,
        left=sun_from_left,
        elevation=elevation,
    )


def _asymmetric(part: Plane, crest: float) -> Plane:
    """Return a wave that rises slowly up to `crest`, and falls steeply after it."""
    return np.where(part < crest, part / crest, (1 - part) / (1 - crest))


def _octave_pair(dice: Dice, size: int, frequency: float) -> list[Plane]:
    """Return two octaves; coarse ones are made small and enlarged, which is much faster."""
    small = size if frequency > size / 32 else max(64, size // 4)
    planes: list[Plane] = []
    for octave, plane in enumerate(band_pair(dice, small, frequency)):
        if octave:
            finer, _ = band_pair(dice, small, frequency * 2)
            planes.append(_enlarge(finer, size))
        else:
            planes.append(_enlarge(plane, size))
    return planes


def _enlarge(plane: Plane, size: int) -> Plane:
    if len(plane) == size:
        return plane
    # In the frequency domain, so that the tile still repeats without a seam.
    small = len(plane)
    spectrum = np.fft.rfft2(plane)
    large = np.zeros((size, size // 2 + 1), np.complex64)
    half = small // 2
    large[:half, : half + 1] = spectrum[:half]
    large[-half:, : half + 1] = spectrum[half:]
    return np.fft.irfft2(large, s=(size, size)).astype(np.float32) * np.float32((size / small) ** 2)


def _lit(
    dice: Dice, height: Plane, *, relief_scale: float, texels: float, left: bool, elevation: float
) -> Relief:
    size = len(height)
    steep = height * np.float32(relief_scale * texels)
    across = (np.roll(steep, -1, 1) - np.roll(steep, 1, 1)) * np.float32(0.5)
    down = (np.roll(steep, -1, 0) - np.roll(steep, 1, 0)) * np.float32(0.5)
    length = np.sqrt(1 + across**2 + down**2)
    towards = -0.78 if left else 0.78
    # The z axis points away from the viewer, so faces turned to us have a rising `down`.
    sun = np.array([towards, 0.3 + 0.5 * elevation, -0.35], np.float32)
    sun /= np.sqrt((sun**2).sum())
    facing = (-across * sun[0] + sun[1] - down * sun[2]) / length
    shadow = _shadow(steep, np.float32(sun[1] / abs(sun[0])), left=left)
    light = _softened(np.clip(facing, 0, 1) * shadow)
    # Half the tile, four times: too fine for the repeat to be seen, and much faster.
    detail, _ = fractal_pair(dice, size // 2, 0.85, lowest=3)
    detail = np.tile(detail, (2, 2))
    return Relief(
        size=size,
        texels=texels,
        height=height,
        light=light.astype(np.float32),
        slope=(1 - 1 / length).astype(np.float32),
        detail=detail,
    )


def _softened(plane: Plane) -> Plane:
    """Return the tile without edges so sharp that they would break up into dots."""
    for axis in (0, 1):
        sides = np.roll(plane, 1, axis) + np.roll(plane, -1, axis)
        plane = plane * np.float32(0.5) + sides * np.float32(0.25)
    return plane


def _shadow(steep: Plane, climb: np.float32, *, left: bool) -> Plane:
    """Return 0 where the land towards the sun stands in the light's way."""
    size = len(steep)
    doubled = np.concatenate([steep, steep], axis=1)
    if not left:
        doubled = doubled[:, ::-1]
    fall = np.arange(2 * size, dtype=np.float32) * climb
    # A place is lit when no place before it rises above the ray that ends there.
    highest = np.maximum.accumulate(doubled + fall, axis=1) - fall
    hidden = (highest - doubled)[:, size:]
    if not left:
        hidden = hidden[:, ::-1]
    return smoothstep(2.2, 0.0, np.ascontiguousarray(hidden))
