"""Cutting a picture to another ratio of its sides (rule 62)."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

from PIL import Image, ImageOps

from mediawright.assets.faults import corrupt
from mediawright.assets.formats import JPEG, PNG, WEBP, Format
from mediawright.assets.image_probe import DAMAGE, large_picture, open_image
from mediawright.assets.inspect import sniff_content

_SAME_FROM = 0.99
"""From this part on, what would be left of a picture is as good as all of it."""
_KEPT: dict[Format, dict[str, Any]] = {
    JPEG: {"quality": 95, "subsampling": 0},
    PNG: {},
    WEBP: {"quality": 95, "method": 2},
}
"""Formats that stay what they are, with how they are written; all others become PNG."""


class Box(NamedTuple):
    """A part of a picture, in pixels from its upper left corner as it is shown."""

    left: int
    top: int
    width: int
    height: int


def centred_box(width: int, height: int, ratio: float) -> Box | None:
    """Return the largest part of a picture that has a ratio, from its middle.

    It keeps one side whole and lies wholly inside the picture.

    Args:
        width: Of the picture, in pixels.
        height: Of the picture, in pixels.
        ratio: Width divided by height of what is wanted.

    Returns:
        The part; `None` if the picture has that ratio already, but for a hundredth.
    """
    wide = min(width, max(1, round(height * ratio)))
    high = min(height, max(1, round(width / ratio)))
    wide, high = (wide, height) if wide * height <= width * high else (width, high)
    if wide * high >= _SAME_FROM * width * height:
        return None
    return Box((width - wide) // 2, (height - high) // 2, wide, high)


def crop(source: Path, box: Box, target: Path) -> None:
    """Write a part of a picture as a picture of its own. Blocks.

    It is turned as the original asks to be shown and keeps the colour profile. JPEG, PNG and
    WebP stay what they are; all others become PNG. Of an animation the first frame is taken.

    Args:
        source: The picture, which is left as it is.
        box: The part.
        target: Where to.

    Raises:
        InvalidRequestError: `corrupt_file`, `unsupported_format` or `image_too_large`.
    """
    found = sniff_content(source)
    with open_image(source, found) as opened, large_picture(opened):
        profile = opened.info.get("icc_profile")
        try:
            upright = ImageOps.exif_transpose(opened)
        except DAMAGE as error:
            raise corrupt("its picture data cannot be read to the end") from error
        part = upright.crop((box.left, box.top, box.left + box.width, box.top + box.height))
    kept = found if found in _KEPT else PNG
    options = _KEPT.get(kept, {})
    if profile and part.mode in ("RGB", "RGBA", "L"):
        options = {**options, "icc_profile": profile}
    _writable(part, kept).save(target, kept.name, **options)


def _writable(part: Image.Image, kept: Format) -> Image.Image:
    """Return the picture in a form that the format can hold."""
    if kept is PNG and part.mode in ("CMYK", "YCbCr", "LAB", "HSV", "F"):
        return part.convert("RGB")
    return part
