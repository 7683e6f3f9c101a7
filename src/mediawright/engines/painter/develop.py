"""Developing a picture of linear light into one to be looked at."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from mediawright.engines.painter.noise import Dice
from mediawright.engines.painter.planes import (
    Floats,
    Picture,
    Plane,
    blur,
    luminance,
    mix,
    smoothstep,
)
from mediawright.engines.painter.scene import Grade

_STEPS = 4095
_BRIGHTEST = 16.0


def _curve() -> Floats:
    """Return a film's answer to light: soft in the highlights, sRGB-encoded.

    The table is indexed by the square root of the light, where the eye sees even steps.
    """
    light = (np.linspace(0, 1, _STEPS + 1) ** 2 * _BRIGHTEST).astype(np.float64)
    # Straight up to `knee`, from there bending towards white without ever reaching it.
    knee = 0.55
    bent = knee + (1 - knee) * (1 - np.exp(-(light - knee) / (1 - knee)))
    shown = np.where(light < knee, light, bent)
    linear_up_to = 0.0031308
    power = 1.055 * shown ** (1 / 2.4) - 0.055
    encoded = np.where(shown <= linear_up_to, shown * 12.92, power)
    return encoded.astype(np.float32)


_CURVE = _curve()


def develop(
    picture: Picture, grade: Grade, dice: Dice | None, *, vignette: bool = True
) -> NDArray[np.uint8]:
    """Return the picture as sRGB, shape (height, width, 3).

    Args:
        picture: Linear light, shape (3, height, width).
        grade: How it is developed.
        dice: The film's grain; `None` leaves only as much as keeps gradients smooth.
        vignette: Whether the corners are darker.
    """
    _, height, width = picture.shape
    light = picture * np.float32(grade.exposure)
    if grade.bloom > 0 and min(width, height) >= 32:  # noqa: PLR2004 - smaller has no halo
        light = _bloom(light, grade.bloom)
    if vignette:
        light = light * vignette_of(width, height)
    place = np.sqrt(np.clip(light * np.float32(1 / _BRIGHTEST), 0, 1)) * np.float32(_STEPS)
    shown = _CURVE.take(place.astype(np.int16))
    shown = _grade(shown, grade)
    if dice is not None:
        grain = dice.normal((height, width)) * np.float32(0.011)
        shown = shown + grain
    return to_bytes(shown)


def to_bytes(shown: Picture) -> NDArray[np.uint8]:
    """Return a picture of values between 0 and 1 as bytes, shape (height, width, 3)."""
    values = np.clip(shown * np.float32(255) + np.float32(0.5), 0, 255).astype(np.uint8)
    return np.ascontiguousarray(values.transpose(1, 2, 0))


def to_image(shown: NDArray[np.uint8]) -> Image.Image:
    """Return the bytes of a picture as an image."""
    return Image.fromarray(shown)


def vignette_of(width: int, height: int) -> Plane:
    """Return how much light reaches each place of the picture, 1 in the middle."""
    across = np.linspace(-1, 1, width, dtype=np.float32)[None, :]
    down = np.linspace(-1, 1, height, dtype=np.float32)[:, None]
    return 1 - np.float32(0.2) * smoothstep(0.5, 2.0, across**2 + down**2)


def _bloom(light: Picture, amount: float) -> Picture:
    _, height, width = light.shape
    reach = max(2, min(width, height) // 40)
    bright = np.clip(light - np.float32(0.6), 0, 4)
    return light + np.stack([blur(channel, reach) for channel in bright]) * np.float32(amount)


def _grade(shown: Picture, grade: Grade) -> Picture:
    if grade.warmth:
        warm = np.array([0.07, 0.01, -0.09], np.float32).reshape(3, 1, 1)
        shown = shown + warm * np.float32(grade.warmth) * np.sqrt(shown)
    if grade.contrast != 1:
        shown = np.float32(0.45) + (shown - np.float32(0.45)) * np.float32(grade.contrast)
    # A trace more colour than nature, as on film.
    saturation = grade.saturation * 1.06
    grey = luminance(shown)
    shown = mix(grey, shown, saturation)
    if grade.fade:
        shown = shown * np.float32(1 - 0.16 * grade.fade) + np.float32(0.11 * grade.fade)
    return shown
