"""Encoding finished pictures."""

from __future__ import annotations

import io
from typing import Final

from PIL import Image, PngImagePlugin

from mediawright.core.errors import InvalidRequestError

NOTE: Final = "procedural sketch"
"""What every file says about where it comes from."""

_DESCRIPTION_TAG: Final = 0x010E
_SOFTWARE_TAG: Final = 0x0131
_FORMATS: Final[dict[str, str]] = {
    "png": "PNG", "jpeg": "JPEG", "jpg": "JPEG", "webp": "WEBP",
}  # fmt: skip


def encode(image: Image.Image, output_format: str, *, prompt: str = "", quality: int = 90) -> bytes:
    """Return the bytes of a picture file.

    Transparency is kept in PNG and WebP; in JPEG, which has none, it becomes white. The
    file's own metadata say that the picture is a procedural sketch, and of what.

    Args:
        image: The picture.
        output_format: `png`, `jpeg` or `webp`.
        prompt: What the picture was asked to show.
        quality: 1 to 100, for JPEG and WebP.

    Raises:
        InvalidRequestError: `unsupported_output_format`.
    """
    name = _FORMATS.get(output_format.lower())
    if name is None:
        raise InvalidRequestError(
            "unsupported_output_format",
            f"Pictures cannot be written as {output_format!r}.",
            pointer="/output_format",
            hint="Use png, jpeg or webp.",
            details={"allowed": ["png", "jpeg", "webp"]},
        )
    target = io.BytesIO()
    if name == "PNG":
        information = PngImagePlugin.PngInfo()
        information.add_text("Comment", NOTE)
        information.add_itxt("Description", prompt)
        image.save(target, "PNG", pnginfo=information, compress_level=4)
    elif name == "JPEG":
        _opaque(image).save(
            target, "JPEG", quality=quality, subsampling=0 if quality >= 85 else 2,  # noqa: PLR2004 - from here on colour edges show
            optimize=True, exif=_exif(prompt),
        )  # fmt: skip
    else:
        image.save(target, "WEBP", quality=quality, method=4, exif=_exif(prompt))
    return target.getvalue()


def _exif(prompt: str) -> Image.Exif:
    exif = Image.Exif()
    exif[_SOFTWARE_TAG] = NOTE
    # As bytes, because Pillow would write text as ASCII with question marks.
    exif[_DESCRIPTION_TAG] = prompt.encode()
    return exif


def _opaque(image: Image.Image) -> Image.Image:
    if image.mode == "RGB":
        return image
    if not image.has_transparency_data:
        return image.convert("RGB")
    whole = image.convert("RGBA")
    page = Image.new("RGB", image.size, "white")
    page.paste(whole, mask=whole.getchannel("A"))
    return page
