"""Arithmetic on planes of float32.

A `Plane` has shape (height, width). A `Picture` has shape (3, height, width), channel
first, because broadcasting a plane over whole channels is several times faster than over
interleaved ones. Colours are linear light, of shape (3, 1, 1).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Floats = NDArray[np.floating[Any]]
"""Made and kept as float32; the checker cannot follow that through mixed arithmetic."""
Plane = Floats
Picture = Floats
Colour = Floats

LUMINANCE: Colour = np.array([0.2126, 0.7152, 0.0722], np.float32).reshape(3, 1, 1)


def colour(code: str) -> Colour:
    """Return the linear light of an sRGB colour written as `#rrggbb`."""
    values = np.array([int(code[place : place + 2], 16) for place in (1, 3, 5)], np.float32)
    return to_linear(values.reshape(3, 1, 1) / np.float32(255))


def to_linear(encoded: Floats) -> Floats:
    """Return the linear light of sRGB values between 0 and 1."""
    low = encoded / np.float32(12.92)
    high = ((encoded + np.float32(0.055)) / np.float32(1.055)) ** np.float32(2.4)
    return np.where(encoded <= np.float32(0.04045), low, high).astype(np.float32)


def luminance(picture: Picture) -> Plane:
    """Return how bright each pixel is."""
    red, green, blue = picture
    return red * np.float32(0.2126) + green * np.float32(0.7152) + blue * np.float32(0.0722)


def mix(first: Floats, second: Floats, amount: object) -> Picture:
    """Return `first` where `amount` is 0 and `second` where it is 1."""
    return first + (second - first) * np.asarray(amount, np.float32)


def smoothstep(low: float, high: float, values: Floats) -> Floats:
    """Return 0 below `low`, 1 above `high`, and a smooth curve between."""
    part = np.clip((values - np.float32(low)) / np.float32(high - low), 0, 1)
    return part * part * (np.float32(3) - np.float32(2) * part)


def resize(plane: Plane, width: int, height: int) -> Plane:
    """Return the plane at another size, interpolated smoothly."""
    if plane.shape == (height, width):
        return plane
    image = Image.fromarray(np.ascontiguousarray(plane))
    return np.asarray(image.resize((width, height), Image.Resampling.BICUBIC), np.float32)


def resize_picture(picture: Picture, width: int, height: int) -> Picture:
    """Return the picture at another size, interpolated smoothly."""
    return np.stack([resize(channel, width, height) for channel in picture])


def blur(plane: Plane, factor: int) -> Plane:
    """Return the plane without detail smaller than about `factor` pixels."""
    height, width = plane.shape
    small = Image.fromarray(np.ascontiguousarray(plane)).resize(
        (max(2, width // factor), max(2, height // factor)), Image.Resampling.BOX
    )
    return np.asarray(small.resize((width, height), Image.Resampling.BICUBIC), np.float32)
