"""What the first bytes of a picture say: its format and size, without decoding it."""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass

_PNG_WITH_ALPHA = (4, 6)
_JPEG_MARK = 0xFF
_JPEG_WITHOUT_LENGTH = frozenset({0x01, *range(0xD0, 0xDA)})
_JPEG_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}


@dataclass(frozen=True, kw_only=True)
class PictureFacts:
    """What a picture is."""

    content_type: str
    width: int
    """Pixels."""
    height: int
    """Pixels."""
    has_alpha: bool = False
    """Whether it may hold transparent pixels; known of PNG and WebP."""


def picture_facts(data: bytes) -> PictureFacts | None:
    """Return what a PNG, JPEG, WebP or GIF is; `None` if the bytes are none of these."""
    for read in (_read_png, _read_jpeg, _read_webp, _read_gif):
        try:
            facts = read(data)
        except (struct.error, IndexError):
            return None
        if facts is not None:
            return facts if facts.width and facts.height else None
    return None


def _read_png(data: bytes) -> PictureFacts | None:
    if not data.startswith(b"\x89PNG\r\n\x1a\n") or data[12:16] != b"IHDR":
        return None
    width, height, _, colour = struct.unpack_from(">IIBB", data, 16)
    # A palette or a colour key carries its transparency in a chunk before the pixels.
    alpha = colour in _PNG_WITH_ALPHA or b"tRNS" in data[: data.find(b"IDAT")]
    return PictureFacts(content_type="image/png", width=width, height=height, has_alpha=alpha)


def _read_jpeg(data: bytes) -> PictureFacts | None:
    if not data.startswith(b"\xff\xd8\xff"):
        return None
    place = 2
    while data[place] == _JPEG_MARK:
        marker = data[place + 1]
        if marker in _JPEG_FRAMES:
            height, width = struct.unpack_from(">HH", data, place + 5)
            return PictureFacts(content_type="image/jpeg", width=width, height=height)
        if marker == _JPEG_MARK:
            place += 1
        elif marker in _JPEG_WITHOUT_LENGTH:
            place += 2
        else:
            place += 2 + struct.unpack_from(">H", data, place + 2)[0]
    return None


def _read_webp(data: bytes) -> PictureFacts | None:
    if data[:4] != b"RIFF" or data[8:12] != b"WEBP":
        return None
    readers: dict[bytes, Callable[[bytes], tuple[int, int, bool]]] = {
        b"VP8 ": _lossy_webp,
        b"VP8L": _lossless_webp,
        b"VP8X": _extended_webp,
    }
    read = readers.get(data[12:16])
    if read is None:
        return None
    width, height, alpha = read(data)
    return PictureFacts(content_type="image/webp", width=width, height=height, has_alpha=alpha)


def _lossy_webp(data: bytes) -> tuple[int, int, bool]:
    width, height = struct.unpack_from("<HH", data, 26)
    return width & 0x3FFF, height & 0x3FFF, False


def _lossless_webp(data: bytes) -> tuple[int, int, bool]:
    (bits,) = struct.unpack_from("<I", data, 21)
    return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1, bool(bits >> 28 & 1)


def _extended_webp(data: bytes) -> tuple[int, int, bool]:
    width = int.from_bytes(data[24:27], "little") + 1
    height = int.from_bytes(data[27:30], "little") + 1
    return width, height, bool(data[20] & 0x10)


def _read_gif(data: bytes) -> PictureFacts | None:
    if data[:6] not in (b"GIF87a", b"GIF89a"):
        return None
    width, height = struct.unpack_from("<HH", data, 6)
    return PictureFacts(content_type="image/gif", width=width, height=height, has_alpha=True)
