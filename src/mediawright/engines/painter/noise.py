"""Seeded randomness and tileable fractal noise."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from mediawright.engines.painter.planes import (
    Floats,
    Plane,
)

_Item = TypeVar("_Item")


class Dice:
    """A named stream of random numbers: one part of a scene never disturbs another's."""

    def __init__(self, seed: int, fingerprint: int, name: str) -> None:
        """Start the stream `name` of the picture given by seed and prompt."""
        entropy = [abs(seed), int(seed < 0), fingerprint, *name.encode()]
        self.generator = np.random.default_rng(np.random.SeedSequence(entropy))

    def between(self, low: float, high: float) -> float:
        """Return a number from `low` to `high`."""
        return low + (high - low) * float(self.generator.random())

    def whole(self, low: int, high: int) -> int:
        """Return a whole number from `low` up to and without `high`."""
        return int(self.generator.integers(low, high))

    def chance(self, probability: float) -> bool:
        """Return true as often as `probability` says."""
        return float(self.generator.random()) < probability

    def pick(self, items: Sequence[_Item]) -> _Item:
        """Return one of `items`."""
        return items[self.whole(0, len(items))]

    def uniform(self, shape: int | tuple[int, ...]) -> Floats:
        """Return numbers from 0 to 1."""
        return self.generator.random(shape, np.float32)

    def normal(self, shape: int | tuple[int, ...]) -> Floats:
        """Return normally distributed numbers."""
        return self.generator.standard_normal(shape, np.float32)


def _frequencies(size: int) -> Floats:
    across = np.fft.fftfreq(size, 1 / size).astype(np.float32)
    return np.sqrt(across[:, None] ** 2 + across[None, :] ** 2)


def _normalise(plane: Floats) -> Plane:
    plane = plane - plane.mean()
    return (plane / (plane.std() + np.float32(1e-6))).astype(np.float32)


def fractal_pair(
    dice: Dice, size: int, exponent: float, lowest: float = 1.0
) -> tuple[Plane, Plane]:
    """Return two independent tileable planes of fractal noise, mean 0 and deviation 1.

    Args:
        dice: Where the randomness comes from.
        size: Side in pixels, a power of two.
        exponent: How fast amplitude falls with frequency; 1 is rough, 2 smooth.
        lowest: Cycles per tile below which there is nothing.
    """
    radius = _frequencies(size)
    weight = np.where(radius >= lowest, np.maximum(radius, 1) ** -exponent, 0)
    return _fields(dice, weight.astype(np.float32))


def band_pair(dice: Dice, size: int, frequency: float) -> tuple[Plane, Plane]:
    """Return two independent tileable planes with features of one size only."""
    radius = _frequencies(size)
    octaves = np.log2(np.maximum(radius, 1e-3) / frequency)
    return _fields(dice, np.exp(-((octaves / 0.45) ** 2)).astype(np.float32))


def _fields(dice: Dice, weight: Floats) -> tuple[Plane, Plane]:
    size = len(weight)
    noise = dice.normal((2, size, size))
    spectrum = (noise[0] + 1j * noise[1]).astype(np.complex64) * weight
    field = np.fft.ifft2(spectrum)
    return _normalise(field.real), _normalise(field.imag)


def octaves_1d(dice: Dice, count: int, frequency: float, octaves: int = 5) -> Floats:
    """Return a rough line of `count` values between about -1 and 1.

    Args:
        dice: Where the randomness comes from.
        count: How many values.
        frequency: Cycles along the whole line of the coarsest octave.
        octaves: How many octaves are added.
    """
    line = np.zeros(count, np.float32)
    amplitude = 0.55
    for octave in range(octaves):
        knots = max(2, math.ceil(frequency * 2**octave) + 3)
        heights = dice.uniform(knots) * 2 - 1
        place = np.linspace(0, knots - 2, count, dtype=np.float32)
        left = place.astype(np.int32)
        part = place - left
        part = part * part * (3 - 2 * part)
        line += amplitude * (heights[left] * (1 - part) + heights[left + 1] * part)
        amplitude *= 0.5
    return line


@dataclass(frozen=True)
class Taps:
    """Where in a tileable texture to read, worked out once for several textures."""

    corners: tuple[NDArray[np.int32], ...]
    across: Floats
    down: Floats

    def read(self, texture: Plane) -> Floats:
        """Return the texture's values there, interpolated linearly."""
        flat = texture.ravel()
        first, second, third, fourth = (flat.take(corner) for corner in self.corners)
        upper = first + (second - first) * self.across
        lower = third + (fourth - third) * self.across
        return upper + (lower - upper) * self.down


def taps(size: int, across: Floats, down: Floats) -> Taps:
    """Return taps for texel coordinates, which wrap around.

    Args:
        size: Side of the textures in texels, a power of two.
        across: Coordinates along a row.
        down: Coordinates along a column, of the same shape.
    """
    left = np.floor(across)
    top = np.floor(down)
    across_part = (across - left).astype(np.float32)
    down_part = (down - top).astype(np.float32)
    mask = size - 1
    left_index = left.astype(np.int32)
    top_index = top.astype(np.int32)
    column, next_column = left_index & mask, (left_index + 1) & mask
    row, next_row = (top_index & mask) * size, ((top_index + 1) & mask) * size
    corners = (row + column, row + next_column, next_row + column, next_row + next_column)
    return Taps(corners, across_part, down_part)
