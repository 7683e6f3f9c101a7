"""Changing a given picture: as a whole towards a prompt, or only inside a mask."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from mediawright.engines.painter.compose import Composition, compose, flatten, only_sky
from mediawright.engines.painter.develop import develop, to_bytes, to_image
from mediawright.engines.painter.noise import Dice
from mediawright.engines.painter.planes import Picture, Plane, luminance, mix, resize, smoothstep
from mediawright.engines.painter.scene import Scene
from mediawright.engines.painter.sources import fit, read_mask, read_picture
from mediawright.engines.painter.weather import veil
from mediawright.engines.requests import PaintRequest, Report

_FULL_STRENGTH = 0.6
"""The strength from which the inside of a mask is painted anew altogether."""
_LEAST_SIDE = 48
"""Pixels; a scene is not composed smaller than this."""


def repaint(request: PaintRequest, scene: Scene, report: Report) -> Image.Image:
    """Return the first source, changed as the request says.

    Args:
        request: Has at least one source.
        scene: What its prompt describes.
        report: Called as the work goes on.

    Raises:
        InvalidRequestError: When a source or the mask cannot be decoded.
    """
    report(0.02, "reading")
    size = (request.width, request.height)
    sources = [
        fit(read_picture(data, f"/images/{place}"), *size)
        for place, data in enumerate(request.sources)
    ]
    if request.mask is not None:
        return _inside(request, scene, sources[0], read_mask(request.mask, *size), report)
    strength = min(1.0, max(0.0, request.strength))
    if strength <= 0:
        return sources[0]
    source = sources[0]
    painted = _towards(request, scene, sources, strength, report)
    if source.mode == "RGBA":
        painted.putalpha(source.getchannel("A"))
    return painted


def _developed(request: PaintRequest, composition: Composition) -> NDArray[np.uint8]:
    scene = composition.view.scene
    dice = Dice(request.seed, scene.fingerprint, "grain")
    return develop(flatten(composition), scene.grade, dice)


def _inside(
    request: PaintRequest, scene: Scene, source: Image.Image, mask: Image.Image, report: Report
) -> Image.Image:
    """Paint the scene into the mask's bounds and leave every pixel outside it alone."""
    bounds = mask.getbbox()
    strength = min(1.0, max(0.0, request.strength) / _FULL_STRENGTH)
    if bounds is None or strength <= 0:
        return source
    left, top, right, bottom = bounds
    width, height = right - left, bottom - top
    enlarge = max(1.0, _LEAST_SIDE / min(width, height))
    size = (round(width * enlarge), round(height * enlarge))
    composition = compose(scene, *size, request.seed, report)
    report(0.8, "developing")
    painted = to_image(_developed(request, composition))
    painted = painted.resize((width, height), Image.Resampling.LANCZOS).convert(source.mode)
    weight = _feathered(mask)[top:bottom, left:right] * np.float32(strength)
    below = np.asarray(source.crop(bounds), np.float32)
    above = np.asarray(painted, np.float32)
    mixed = below + (above - below) * weight[:, :, None]
    patch = Image.fromarray(np.clip(mixed + np.float32(0.5), 0, 255).astype(np.uint8), source.mode)
    result = source.copy()
    result.paste(patch, (left, top))
    return result


def _feathered(mask: Image.Image) -> Plane:
    """Return the mask with a soft edge that lies wholly inside it, 0 to 1."""
    inside = np.asarray(mask, np.float32) / np.float32(255)
    reach = max(1.0, min(14.0, float(np.sqrt(inside.sum())) * 0.05))
    border = int(reach * 3) + 1
    # The picture's own edge needs no feather: there is nothing on its other side.
    padded = np.pad(np.asarray(mask.point(lambda value: 255 if value else 0)), border, "edge")  # pyright: ignore[reportUnknownLambdaType, reportUnknownMemberType] - Pillow leaves the table's function untyped
    blurred = Image.fromarray(padded).filter(ImageFilter.GaussianBlur(reach))
    soft = np.asarray(blurred, np.float32)[border:-border, border:-border] / np.float32(255)
    soft = np.clip((soft - np.float32(0.5)) * np.float32(2), 0, 1)
    peak = float(soft.max())
    if peak <= 0:
        return inside
    return inside * smoothstep(0.0, min(0.9, peak), soft)


def _towards(
    request: PaintRequest,
    scene: Scene,
    sources: list[Image.Image],
    strength: float,
    report: Report,
) -> Image.Image:
    """Regrade the picture towards the scene, put the scene's sky and weather into it."""
    composition = compose(scene, *sources[0].size, request.seed, report)
    report(0.8, "developing")
    target = _planes(_developed(request, composition))
    heaven = _planes(_developed(request, only_sky(composition)))
    report(0.86, "regrading")
    picture = _planes(np.asarray(sources[0].convert("RGB")))
    palettes = [target, *(_planes(np.asarray(other.convert("RGB"))) for other in sources[1:])]
    graded = _regraded(picture, palettes, strength)
    share = _sky_share(picture) * np.float32(0.92 * smooth(strength, 0.15, 0.75))
    graded = mix(graded, heaven, share)
    graded = veil(graded, scene, Dice(request.seed, scene.fingerprint, "veil"), strength)
    # Close to the limit little of the source but its outlines is left.
    graded = mix(graded, target, np.float32(0.85 * smooth(strength, 0.7, 1.0)))
    report(0.97, "finishing")
    return to_image(to_bytes(graded))


def smooth(value: float, low: float, high: float) -> float:
    """Return 0 below `low`, 1 above `high`, and a smooth curve between."""
    part = min(1.0, max(0.0, (value - low) / (high - low)))
    return part * part * (3 - 2 * part)


def _planes(pixels: NDArray[np.uint8]) -> Picture:
    return np.ascontiguousarray(pixels.transpose(2, 0, 1)).astype(np.float32) / np.float32(255)


def _regraded(picture: Picture, palettes: list[Picture], strength: float) -> Picture:
    """Give the picture the palettes' brightness and colours, keeping its own forms."""
    amount = smooth(strength, 0.0, 0.9)
    light = luminance(picture)
    colours = picture - light
    wanted = [luminance(palette) for palette in palettes]
    mean = float(np.mean([plane.mean() for plane in wanted]))
    spread = float(np.mean([plane.std() for plane in wanted]))
    gain = min(1.5, max(0.55, spread / (float(light.std()) + 1e-3)))
    new_light = (light - light.mean()) * np.float32(gain) + np.float32(mean)
    # Colour follows brightness: the palette's shadows tint the shadows, its lights the lights.
    tint = _tints(palettes, new_light)
    new_colours = colours * np.float32(0.35) + tint * np.float32(0.95)
    result = np.clip(new_light, 0, 1) + new_colours
    return mix(picture, result, amount)


def _tints(palettes: list[Picture], light: Plane) -> Picture:
    """Return for each brightness the mean colour the palettes have there, less its grey."""
    levels = 16
    pixels = np.concatenate([palette[:, ::4, ::4].reshape(3, -1) for palette in palettes], axis=1)
    grey = luminance(pixels[:, None, :])[0]
    # By rank instead of value, so that every level holds as many pixels as the others.
    order = np.argsort(grey, kind="stable")
    groups = np.array_split(pixels[:, order] - grey[order], min(levels, pixels.shape[1]), axis=1)
    keys = [float(part.mean()) for part in np.array_split(grey[order], len(groups))]
    channels = [
        np.interp(light, keys, [float(group[channel].mean()) for group in groups])
        for channel in range(3)
    ]
    return np.stack(channels).astype(np.float32)


def _sky_share(picture: Picture) -> Plane:
    """Return how surely each pixel is sky: joined to the upper edge without an outline."""
    _, height, width = picture.shape
    small_width, small_height = max(2, min(width, 128)), max(2, min(height, 128))
    steps = np.zeros((small_height, small_width), np.float32)
    for channel in picture:
        small = resize(channel, small_width, small_height)
        steps = np.maximum(steps, np.abs(np.diff(small, axis=0, prepend=small[:1])))
        steps = np.maximum(steps, np.abs(np.diff(small, axis=1, prepend=small[:, :1])))
    down = np.linspace(0, 1, small_height, dtype=np.float32)[:, None]
    cost = np.maximum(steps - np.float32(0.035), 0) + np.float32(0.03) * smoothstep(0.6, 0.9, down)
    reached = np.full_like(steps, 9)
    reached[0] = cost[0]
    for _ in range(small_height + small_width // 4):
        # A way there from any side: around a cloud, but not through a ridge.
        near = reached.copy()
        near[1:] = np.minimum(near[1:], reached[:-1])
        near[:-1] = np.minimum(near[:-1], reached[1:])
        near[:, 1:] = np.minimum(near[:, 1:], reached[:, :-1])
        near[:, :-1] = np.minimum(near[:, :-1], reached[:, 1:])
        reached = np.minimum(reached, near + cost)
    share = smoothstep(0.2, 0.05, reached)
    # The sun's disc and bright clouds are islands in the sky, and belong to it.
    filled = Image.fromarray((share * np.float32(255)).astype(np.uint8))
    filled = filled.filter(ImageFilter.MaxFilter(9)).filter(ImageFilter.MinFilter(9))
    filled = filled.filter(ImageFilter.GaussianBlur(0.7))
    closed = np.asarray(filled, np.float32) / np.float32(255)
    closed = closed * smoothstep(0.95, 0.7, down)
    return np.clip(resize(closed.astype(np.float32), width, height), 0, 1)
