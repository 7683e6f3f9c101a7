"""Looking at pictures with Pillow, without letting one fill the memory."""

from __future__ import annotations

import io
import struct
import threading
import warnings
import zlib
from collections.abc import Generator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import BinaryIO

from PIL import (
    AvifImagePlugin,
    BmpImagePlugin,
    GifImagePlugin,
    ImageFile,
    JpegImagePlugin,
    PngImagePlugin,
    TiffImagePlugin,
    WebPImagePlugin,
)
from PIL.ExifTags import Base

from mediawright.assets.faults import corrupt, not_installed, too_many_pixels
from mediawright.assets.formats import AVIF, BMP, GIF, HEIC, HEIF, JPEG, PNG, TIFF, WEBP, Format
from mediawright.core.media import MediaFacts
from mediawright.core.operations import MediaKind

Content = Path | bytes
"""A file, or all that would be in it."""
MOST_PIXELS = 89_000_000
"""The most a picture may have; above it Pillow itself warns of decompression bombs."""

# All frames of an animation together: three minutes at 1080p and 24 frames per second.
_MOST_FRAME_PIXELS = 9_000_000_000
# Of these EXIF orientations, width and height are the other way round when shown.
_TURNED = frozenset({5, 6, 7, 8})
_LARGE_PIXELS = 16_000_000
_one_large_picture = threading.Lock()

# Opened by their own readers: the general entrance would try others, and warn.
_READERS: dict[Format, type[ImageFile.ImageFile]] = {
    PNG: PngImagePlugin.PngImageFile,
    JPEG: JpegImagePlugin.JpegImageFile,
    WEBP: WebPImagePlugin.WebPImageFile,
    GIF: GifImagePlugin.GifImageFile,
    BMP: BmpImagePlugin.BmpImageFile,
    TIFF: TiffImagePlugin.TiffImageFile,
    AVIF: AvifImagePlugin.AvifImageFile,
}
_ANIMATED = frozenset({GIF, WEBP, AVIF})
_FROM_EXTRA = frozenset({HEIC, HEIF})
# What Pillow's readers raise for damaged files depends on the format and the damage.
DAMAGE = (
    OSError,
    SyntaxError,
    ValueError,
    EOFError,
    LookupError,
    TypeError,
    AttributeError,
    ArithmeticError,
    RuntimeError,
    MemoryError,
    struct.error,
    zlib.error,
    # Remarks about damage, where the program has them raised.
    UserWarning,
)
# And where it has not, they are no news for whoever reads its error output.
warnings.filterwarnings("ignore", category=UserWarning, module=r"PIL\.")


def probe_image(source: Content, found: Format, most_pixels: int = MOST_PIXELS) -> MediaFacts:
    """Return a picture's facts after checking all of it. Blocks.

    Width and height are those it is shown with, after the turn its EXIF data may ask for.

    Args:
        source: The picture.
        found: Its format.
        most_pixels: The most it may have. Above `MOST_PIXELS` only its header is looked at.

    Raises:
        InvalidRequestError: `corrupt_file` or `image_too_large`.
    """
    with open_image(source, found, most_pixels) as image:
        width, height = image.size
        # Asked for its EXIF data, Pillow decodes a PNG to the end in search of it.
        if (found is not PNG or "exif" in image.info) and _orientation(image) in _TURNED:
            width, height = height, width
    if width * height <= MOST_PIXELS:
        _check(source, found)
    if found is GIF and not _ends_like_a_gif(source):
        raise corrupt("its end is missing")
    return MediaFacts(
        kind=MediaKind.IMAGE,
        content_type=found.content_type,
        byte_count=_size_of(source),
        width=width,
        height=height,
    )


def opened(source: Content) -> BinaryIO:
    """Return a file's bytes for reading."""
    return io.BytesIO(source) if isinstance(source, bytes) else source.open("rb")


def _size_of(source: Content) -> int:
    return len(source) if isinstance(source, bytes) else source.stat().st_size


@contextmanager
def open_image(
    source: Content, found: Format, most_pixels: int = MOST_PIXELS
) -> Generator[ImageFile.ImageFile, None, None]:
    """Open a picture: read its header, and refuse it there if it is too large. Blocks.

    Raises:
        InvalidRequestError: `corrupt_file` or `image_too_large`.
    """
    name = "" if isinstance(source, bytes) else str(source)
    with opened(source) as file:
        try:
            image = reader_of(found)(file, name)
        except DAMAGE as error:
            raise corrupt("its header cannot be read") from error
        with image:
            width, height = image.size
            if width < 1 or height < 1:
                raise corrupt("it has no pixels")
            if width * height > most_pixels:
                raise too_many_pixels(width, height, most_pixels)
            yield image


def reader_of(found: Format) -> type[ImageFile.ImageFile]:
    """Return Pillow's reader of a format.

    Raises:
        InvalidRequestError: `unsupported_format`: it is an extra that is not installed.
    """
    if found not in _FROM_EXTRA:
        return _READERS[found]
    try:
        from pillow_heif import HeifImageFile  # noqa: PLC0415 - an extra, and slow to load
    except ModuleNotFoundError as error:
        raise not_installed(found.name, "heif") from error
    return HeifImageFile


def large_picture(image: ImageFile.ImageFile) -> threading.Lock | nullcontext[None]:
    """Return what to hold while a picture's pixels are in memory: large ones go one by one."""
    width, height = image.size
    return _one_large_picture if width * height > _LARGE_PIXELS else nullcontext()


def _check(source: Content, found: Format) -> None:
    with open_image(source, found) as image, large_picture(image):
        try:
            _check_all(image, found)
        except DAMAGE as error:
            raise corrupt("its picture data cannot be read to the end") from error


def _check_all(image: ImageFile.ImageFile, found: Format) -> None:
    if found is PNG:
        # Every part carries a checksum, and nothing has to be decoded to compare them.
        image.verify()
        return
    if found is JPEG:
        # An eighth of the size in each direction: all data is read, few pixels are made.
        image.draft(None, (1, 1))
    image.load()
    if found in _ANIMATED:
        _check_frames(image)


def _check_frames(image: ImageFile.ImageFile) -> None:
    width, height = image.size
    frame = 1
    while frame * width * height <= _MOST_FRAME_PIXELS:
        try:
            image.seek(frame)
        except EOFError:
            return
        image.load()
        frame += 1


def _orientation(image: ImageFile.ImageFile) -> int:
    try:
        return int(image.getexif().get(Base.Orientation, 1))
    except DAMAGE:
        # What a camera wrote beside the picture says nothing about the picture.
        return 1


def _ends_like_a_gif(source: Content) -> bool:
    with opened(source) as file:
        file.seek(-min(_size_of(source), 512), 2)
        return b";" in file.read().rstrip(b"\0")[-1:]
