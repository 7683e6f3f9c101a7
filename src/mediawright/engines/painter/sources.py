"""Decoding given pictures and masks, and fitting them to a size."""

from __future__ import annotations

import io
from typing import Final

from PIL import Image, ImageOps

from mediawright.core.errors import InvalidRequestError

_MOST_PIXELS: Final = 100_000_000


def read_picture(data: bytes, pointer: str) -> Image.Image:
    """Return a decoded picture, upright, as RGB or, if it is transparent, RGBA.

    Args:
        data: The encoded file.
        pointer: JSON pointer of the request's field, for the error.

    Raises:
        InvalidRequestError: `unreadable_image` when it cannot be decoded, `image_too_large`
            when it would not fit into memory.
    """
    try:
        with Image.open(io.BytesIO(data)) as image:
            if image.width * image.height > _MOST_PIXELS:
                raise _too_large(pointer)
            upright = ImageOps.exif_transpose(image)
            return upright.convert("RGBA" if upright.has_transparency_data else "RGB")
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise _too_large(pointer) from error
    except (OSError, SyntaxError, ValueError, EOFError) as error:
        raise InvalidRequestError(
            "unreadable_image",
            "A given picture cannot be decoded.",
            pointer=pointer,
            hint="Give a whole PNG, JPEG or WebP file.",
        ) from error


def _too_large(pointer: str) -> InvalidRequestError:
    return InvalidRequestError(
        "image_too_large",
        "A given picture has too many pixels.",
        pointer=pointer,
        hint="Scale it down to 100 megapixels or less.",
        details={"most_pixels": _MOST_PIXELS},
    )


def fit(image: Image.Image, width: int, height: int) -> Image.Image:
    """Return the picture cut around its middle to the ratio, and scaled to the size.

    A picture that has the size already is returned as it is.
    """
    if image.size == (width, height):
        return image
    return ImageOps.fit(image, (width, height), Image.Resampling.LANCZOS)


def read_mask(data: bytes, width: int, height: int) -> Image.Image:
    """Return a mask of mode L and of the size: 255 where the picture may change.

    Args:
        data: The encoded file. If it has transparency, its transparent parts may change,
            otherwise its white ones.
        width: Pixels.
        height: Pixels.

    Raises:
        InvalidRequestError: As `read_picture` does.
    """
    image = read_picture(data, "/mask")
    transparent = image.mode == "RGBA"
    plane = ImageOps.invert(image.getchannel("A")) if transparent else image.convert("L")
    return fit(plane, width, height)
