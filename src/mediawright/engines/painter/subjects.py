"""Putting the single things a prompt names where they belong in the scene."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np
from numpy.typing import NDArray

from mediawright.engines.painter import shapes
from mediawright.engines.painter.drawing import Drawing
from mediawright.engines.painter.noise import Dice
from mediawright.engines.painter.planes import (
    Floats,
    Picture,
    Plane,
    colour,
)
from mediawright.engines.painter.scene import Subject
from mediawright.engines.painter.terrain import hazed
from mediawright.engines.painter.trees import broadleaf, lit_tree
from mediawright.engines.painter.view import Layer, Motion, View

_SHAPES: Final[dict[Subject, Callable[[Dice, float], Drawing]]] = {
    Subject.BOAT: shapes.boat,
    Subject.LIGHTHOUSE: shapes.lighthouse,
    Subject.HOUSE: shapes.house,
    Subject.CASTLE: shapes.castle,
    Subject.PALM: shapes.palm,
    Subject.PERSON: shapes.person,
    Subject.KITE: shapes.kite,
    Subject.BALLOON: shapes.balloon,
    Subject.BIRDS: shapes.bird,
}
_TALL: Final[dict[Subject, float]] = {
    Subject.BOAT: 0.19, Subject.LIGHTHOUSE: 0.36, Subject.HOUSE: 0.12, Subject.CASTLE: 0.26,
    Subject.PALM: 0.36, Subject.PERSON: 0.11, Subject.KITE: 0.15, Subject.BALLOON: 0.2,
    Subject.BIRDS: 0.03, Subject.TREE: 0.36,
}  # fmt: skip
"""Heights in units of the scale."""
_FLYING: Final = frozenset({Subject.KITE, Subject.BALLOON, Subject.BIRDS})


def things(view: View, ground: Layer | None) -> list[Layer | None]:
    """Return the scene's single things as layers.

    Args:
        view: The scene's frame.
        ground: The land they may stand on, or `None` when there is nothing but water.
    """
    layers: list[Layer | None] = []
    standing = 0
    for subject in view.scene.subjects:
        dice = view.dice(subject.value)
        if subject in _FLYING:
            layers.append(_flying(view, dice, subject))
        elif subject is Subject.BOAT:
            layers.append(_afloat(view, dice))
        elif ground is not None:
            layers.append(_standing(view, dice, subject, ground, standing))
            standing += 1
    return layers


def _flying(view: View, dice: Dice, subject: Subject) -> Layer | None:
    count = {Subject.KITE: 1, Subject.BALLOON: dice.whole(1, 5)}.get(subject, dice.whole(7, 16))
    parts: list[tuple[float, float, Drawing]] = []
    middle = (dice.between(0.3, 0.7), dice.between(0.3, 0.5))
    for place in range(count):
        size = 1.0 if place == 0 else dice.between(0.3, 0.75)
        tall = _TALL[subject] * size * view.scale
        shape = _SHAPES[subject](dice, tall)
        if subject is Subject.BIRDS:
            across = middle[0] * view.width + dice.between(-0.22, 0.22) * view.scale
            down = middle[1] * view.horizon + dice.between(-0.12, 0.12) * view.scale
        else:
            across = (middle[0] + place * 0.61803) % 1 * view.width
            across = min(max(across, tall * 0.5), view.width - tall * 0.5)
            down = view.horizon * dice.between(0.2, 0.62) + tall * 0.4
        parts.append((across, down, shape))
    return _gathered(view, subject.value, parts, depth=0.35, distance=1.6, drifts=True)


def _standing(view: View, dice: Dice, subject: Subject, ground: Layer, place: int) -> Layer | None:
    tall = _TALL[subject] * view.scale
    # Away from the sun, and each one apart from the others.
    away = 0.7 if view.sun_across < view.width / 2 else 0.3
    share = away + (0.0, -0.34, 0.17, -0.17, 0.3)[place % 5] * (1 if away < 0.5 else -1)  # noqa: PLR2004 - the middle
    across = view.width * min(0.9, max(0.1, share + dice.between(-0.06, 0.06)))
    column = int(across)
    reach = max(1, int(tall * 0.12))
    strip = ground.cover[:, max(0, column - reach) : column + reach + 1]
    covered = np.flatnonzero((strip > 0.5).all(axis=1))  # noqa: PLR2004 - more land than not
    if not len(covered):
        return None
    foot = ground.top + int(covered[0]) + 0.03 * view.scale
    if subject is Subject.TREE:
        return _tree(view, dice, (across, foot), tall)
    shape = _SHAPES[subject](dice, tall)
    bottom = foot - shape.height / 2 * (tall / shape.height)
    return _gathered(view, subject.value, [(across, bottom, shape)], depth=ground.depth,
                     distance=0.9)  # fmt: skip


def _tree(view: View, dice: Dice, foot: tuple[float, float], tall: float) -> Layer | None:
    tree = broadleaf(dice, lit_from_left=view.sun_across < view.width / 2)
    size = max(4, round(tall))
    parts = [
        np.asarray(part.resize((size, size)), np.float32) / np.float32(255)
        for part in (tree.shade, tree.snow, tree.cover)
    ]
    lit = lit_tree(view, parts[0], parts[1], colour(view.scene.foliage) * np.float32(1.25))
    corner = (round(foot[0] - size / 2), round(foot[1] - size))
    return _placed(view, "tree", [(corner, hazed_thing(view, lit, corner[0], 0.9), parts[2])], 0.6)


def _afloat(view: View, dice: Dice) -> Layer | None:
    """Return a boat together with its mirror image in the water."""
    tall = _TALL[Subject.BOAT] * view.scale * dice.between(0.8, 1.15)
    shape = shapes.boat(dice, tall)
    body, cover, lamps = _lit(view, shape)
    rows = len(cover)
    line = view.horizon + dice.between(0.05, 0.12) * view.scale
    side = 1 if view.sun_across < view.width / 2 else -1
    across = view.sun_across + side * view.width * dice.between(0.08, 0.3)
    corner = (round(across - cover.shape[1] / 2), round(line - rows * 0.96))
    body = hazed_thing(view, body + lamps, corner[0], 1.2)
    squeeze = np.clip(np.arange(0, rows, 1.25), 0, rows - 1).astype(int)
    ripple = (np.sin(np.arange(len(squeeze)) * 1.9) * rows * 0.012 *
              np.linspace(0.3, 2.0, len(squeeze))).astype(int)  # fmt: skip
    flipped = [_rippled(plane[..., ::-1, :][..., squeeze, :], ripple) for plane in (body, cover)]
    fade = np.linspace(0.62, 0.1, len(squeeze), dtype=np.float32)[:, None]
    below = (corner[0], corner[1] + round(rows * 0.95))
    mirror = (below, flipped[0] * np.float32(0.6), flipped[1] * fade)
    return _placed(view, "boat", [mirror, (corner, body, cover)], 0.55)


def _rippled(planes: Floats, shifts: NDArray[np.int_]) -> Floats:
    rolled = [np.roll(planes[..., row, :], int(shift), -1) for row, shift in enumerate(shifts)]
    return np.stack(rolled, axis=-2)


def _lit(view: View, shape: Drawing) -> tuple[Picture, Plane, Picture]:
    body, cover, lamps = shape.finish()
    low = 1.0 - min(1.0, max(0.0, view.light.height) * 1.6)
    side = np.linspace(1.1, 0.5, cover.shape[1], dtype=np.float32)[None, :]
    if view.sun_across >= view.width / 2:
        side = side[:, ::-1]
    sun = view.light.sun * (side * np.float32(0.85 - 0.5 * low))
    return body * (sun + view.light.ambient), cover, lamps * np.float32(2.2 * view.light.lamps)


def hazed_thing(view: View, picture: Picture, left: int, distance: float) -> Picture:
    """Return a small picture as seen through the air at its place in the view."""
    _, rows, columns = picture.shape
    wide = np.zeros((3, rows, view.width), np.float32)
    first, last = max(0, left), min(view.width, left + columns)
    if first >= last:
        return picture
    wide[:, :, first:last] = picture[:, :, first - left : last - left]
    result = picture.copy()
    result[:, :, first - left : last - left] = hazed(view, wide, distance, 0.06)[:, :, first:last]
    return result


def _gathered(
    view: View,
    name: str,
    parts: list[tuple[float, float, Drawing]],
    *,
    depth: float,
    distance: float,
    drifts: bool = False,
) -> Layer | None:
    placed: list[tuple[tuple[int, int], Picture, Plane]] = []
    for across, down, shape in parts:
        body, cover, lamps = _lit(view, shape)
        corner = (round(across - cover.shape[1] / 2), round(down - len(cover) / 2))
        body = hazed_thing(view, body, corner[0], distance) + lamps
        placed.append((corner, body, cover))
    return _placed(view, name, placed, depth, drifts=drifts)


def _placed(
    view: View,
    name: str,
    parts: list[tuple[tuple[int, int], Picture, Plane]],
    depth: float,
    *,
    drifts: bool = False,
) -> Layer | None:
    """Return one layer that holds all the parts, each at its corner."""
    top = max(0, min(corner[1] for corner, _, _ in parts))
    bottom = min(view.height, max(corner[1] + len(cover) for corner, _, cover in parts))
    if top >= bottom:
        return None
    picture = np.zeros((3, bottom - top, view.width), np.float32)
    total = np.zeros((bottom - top, view.width), np.float32)
    for (left, upper), body, cover in parts:
        rows = slice(max(0, upper - top), max(0, min(bottom - top, upper - top + len(cover))))
        columns = slice(max(0, left), max(0, min(view.width, left + cover.shape[1])))
        if rows.start >= rows.stop or columns.start >= columns.stop:
            continue
        source = (
            slice(rows.start - (upper - top), rows.stop - (upper - top)),
            slice(columns.start - left, columns.stop - left),
        )
        share = cover[source]
        below = total[rows, columns]
        after = share + below * (1 - share)
        part = picture[:, rows, columns]
        weight = share / np.maximum(after, np.float32(1e-4))
        picture[:, rows, columns] = part + (body[(slice(None), *source)] - part) * weight
        total[rows, columns] = after
    motion = Motion.DRIFT if drifts else Motion.STILL
    return Layer(name=name, colour=picture, cover=total, top=top, depth=depth, motion=motion)
