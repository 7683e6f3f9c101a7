"""Smaller versions of pictures."""

from __future__ import annotations

from pathlib import Path

from PIL import Image, ImageOps

from mediawright.assets.formats import JPEG, Format
from mediawright.assets.image_probe import large_picture, open_image

THUMBNAIL_PIXELS = 320
"""The most a thumbnail is wide and high."""
OPTIMIZED_PIXELS = 1600
"""The most a picture for looking at is wide and high."""

_SMALL_BYTES = 50_000
"""A picture that has no more, and not more pixels either, is looked at as it is."""
_QUALITY = 80
# A fifth slower than the fastest, and a tenth smaller.
_METHOD = 2


def render_image(path: Path, found: Format, thumbnail: Path, optimized: Path) -> bool:
    """Write a picture's thumbnail, and its version for looking at. Blocks.

    Both are turned as the picture asks to be shown. Of an animation there is only a thumbnail,
    which shows the first frame.

    Args:
        path: The picture.
        found: Its format.
        thumbnail: Where to.
        optimized: Where to.

    Returns:
        Whether there is a version for looking at: not where it would be no smaller than the
        original, or the original is small already.
    """
    with open_image(path, found) as opened, large_picture(opened):
        moves = getattr(opened, "is_animated", False)
        is_small = path.stat().st_size <= _SMALL_BYTES and max(opened.size) <= OPTIMIZED_PIXELS
        if found is JPEG:
            # Decoded at half, a quarter or an eighth where that is enough: much less work.
            opened.draft(None, (OPTIMIZED_PIXELS, OPTIMIZED_PIXELS))
        opened.thumbnail((OPTIMIZED_PIXELS, OPTIMIZED_PIXELS))
        profile = opened.info.get("icc_profile") if opened.mode in ("RGB", "RGBA") else None
        picture = _displayable(ImageOps.exif_transpose(opened))
    is_worth_it = False
    if not moves and not is_small:
        save_webp(picture, optimized, profile)
        is_worth_it = optimized.stat().st_size < path.stat().st_size
        if not is_worth_it:
            optimized.unlink()
    save_thumbnail(picture, thumbnail, profile)
    return is_worth_it


def save_thumbnail(picture: Image.Image, path: Path, profile: bytes | None = None) -> None:
    """Shrink a picture to a thumbnail, in place, and write it. Blocks."""
    picture.thumbnail((THUMBNAIL_PIXELS, THUMBNAIL_PIXELS), reducing_gap=2.0)
    save_webp(picture, path, profile)


def save_webp(picture: Image.Image, path: Path, profile: bytes | None = None) -> None:
    """Write a picture as WebP with its colour profile. Blocks."""
    picture.save(path, "WEBP", quality=_QUALITY, method=_METHOD, icc_profile=profile or b"")


def _displayable(picture: Image.Image) -> Image.Image:
    """Return the picture in 8 bits a channel, with transparency if it has any."""
    if picture.mode in ("RGB", "RGBA"):
        return picture
    if picture.mode.startswith(("I", "F")):
        return _eight_bits(picture)
    return picture.convert("RGBA" if picture.has_transparency_data else "RGB")


def _eight_bits(picture: Image.Image) -> Image.Image:
    """Spread what a deep picture uses of its range over the whole of eight bits."""
    values = picture.convert("F")
    lowest, highest = values.getextrema()
    if not isinstance(lowest, float) or not isinstance(highest, float) or highest <= lowest:
        return picture.convert("L").convert("RGB")
    scale = 255.0 / (highest - lowest)
    return values.point(lambda value: value * scale - lowest * scale).convert("L").convert("RGB")
