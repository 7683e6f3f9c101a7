"""Reads the ways in which callers write durations, sizes, ratios and media kinds."""

from __future__ import annotations

import math
import re
from typing import Any, cast
from urllib.parse import urlsplit

from mediawright.core.errors import InvalidRequestError
from mediawright.core.operations import MediaKind, Operation

EXTENSIONS: dict[str, tuple[MediaKind, str]] = {
    "jpg": (MediaKind.IMAGE, "jpeg"),
    "jpeg": (MediaKind.IMAGE, "jpeg"),
    "png": (MediaKind.IMAGE, "png"),
    "webp": (MediaKind.IMAGE, "webp"),
    "mp4": (MediaKind.VIDEO, "mp4"),
    "mov": (MediaKind.VIDEO, "mov"),
    "webm": (MediaKind.VIDEO, "webm"),
    "mp3": (MediaKind.AUDIO, "mp3"),
    "wav": (MediaKind.AUDIO, "wav"),
    "m4a": (MediaKind.AUDIO, "m4a"),
}
"""The extensions of rule 8, with the kind and the format they stand for."""

_MORE_FORMATS = {
    "bmp": "bmp",
    "tif": "tiff",
    "tiff": "tiff",
    "gif": "gif",
    "heic": "heic",
    "heif": "heif",
    "mkv": "mkv",
    "ogg": "ogg",
    "opus": "opus",
    "flac": "flac",
    "aac": "aac",
}
_CONTENT_TYPES = {
    "jpg": "jpeg",
    "mpeg": "mp3",
    "mpga": "mp3",
    "x-wav": "wav",
    "wave": "wav",
    "vnd.wave": "wav",
    "quicktime": "mov",
    "x-m4a": "m4a",
    "x-flac": "flac",
    "x-matroska": "mkv",
}
_SIZE = re.compile(r"([1-9][0-9]{0,5})\s*[x*]\s*([1-9][0-9]{0,5})", re.IGNORECASE)
_RATIO = re.compile(r"([0-9]{1,6}(?:\.[0-9]{1,6})?):([0-9]{1,6}(?:\.[0-9]{1,6})?)")
_SECONDS = re.compile(r"([0-9]{1,6}(?:\.[0-9]{1,6})?)\s*s?", re.IGNORECASE)


def parse_duration(value: Any) -> float:
    """Return seconds from `5s`, `"5"` or 5 (rule 28).

    Raises:
        InvalidRequestError: `invalid_duration`.
    """
    seconds = read_seconds(value)
    if seconds is None:
        raise InvalidRequestError(
            "invalid_duration",
            f"{str(value)[:60]!a} is not a duration.",
            pointer="/parameters/duration",
            hint='Write seconds: 5, "5" or "5s".',
        )
    return seconds


def read_seconds(value: Any) -> float | None:
    """Return seconds from `5s`, `"5"` or 5, or `None` if it is none of these."""
    if isinstance(value, bool):
        return None
    if isinstance(value, str):
        match = _SECONDS.fullmatch(value.strip())
        return float(match.group(1)) if match else None
    return number(value)


def number(value: Any) -> float | None:
    """Return a finite float from an int or float, or `None`."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        as_float = float(value)
    except OverflowError:
        return None
    return as_float if math.isfinite(as_float) else None


def is_text(value: Any) -> bool:
    """Tell whether a value is text that can be stored and sent: valid Unicode without NUL."""
    if not isinstance(value, str) or "\0" in value:
        return False
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def read_size(value: str) -> tuple[int, int] | None:
    """Return width and height in pixels from `WIDTHxHEIGHT`, or `None`."""
    match = _SIZE.fullmatch(value.strip())
    return (int(match.group(1)), int(match.group(2))) if match else None


def read_ratio(value: str) -> float | None:
    """Return width divided by height from `W:H`, or `None`."""
    match = _RATIO.fullmatch(value.strip())
    if match is None:
        return None
    width, height = float(match.group(1)), float(match.group(2))
    return width / height if width > 0 and height > 0 else None


def read_loras(value: Any) -> tuple[dict[str, Any], ...] | None:
    """Return the adapters to mix in, each a table of `path` and `scale`, or `None`."""
    if not isinstance(value, list | tuple) or not value:
        return None
    loras: list[dict[str, Any]] = []
    for item in cast("list[Any]", value):
        if not isinstance(item, dict):
            return None
        table = cast("dict[str, Any]", item)
        path, scale = table.get("path"), table.get("scale", 1.0)
        if set(table) - {"path", "scale"} or not isinstance(path, str) or not is_text(path):
            return None
        if not path.strip() or number(scale) is None:
            return None
        loras.append({"path": path, "scale": scale})
    return tuple(loras)


def reduced_ratio(width: int, height: int) -> str:
    """Return the ratio of two sides in lowest terms, such as `16:9`."""
    divisor = math.gcd(width, height)
    return f"{width // divisor}:{height // divisor}"


def parse_generation_type(value: Any, *, pointer: str | None = "/operation") -> Operation:
    """Return the operation of that name (rule 3, whose four values are among ours).

    Args:
        value: What the caller wrote.
        pointer: Where it stands in the request; `None` where there is no document to point into.

    Raises:
        InvalidRequestError: `invalid_generation_type`.
    """
    allowed = [operation.value for operation in Operation]
    if isinstance(value, str) and value in allowed:
        return Operation(value)
    raise InvalidRequestError(
        "invalid_generation_type",
        f"{str(value)[:60]!a} is not a generation type.",
        pointer=pointer,
        hint=f"Use one of {', '.join(allowed)}.",
        details={"allowed": allowed},
    )


def classify_media_url(url: str, *, pointer: str = "/inputs") -> MediaKind:
    """Return what a URL leads to, by its extension, without its query (rule 8).

    Raises:
        InvalidRequestError: `unknown_media_type`.
    """
    known = EXTENSIONS.get(extension_of(url))
    if known is None:
        raise InvalidRequestError(
            "unknown_media_type",
            "The kind of a source file cannot be told from its extension.",
            pointer=pointer,
            hint="Use a URL that ends in one of " + ", ".join(f".{name}" for name in EXTENSIONS),
            details={"allowed": list(EXTENSIONS)},
        )
    return known[0]


def extension_of(name: str) -> str:
    """Return the extension of a file name or URL, lower case and without the dot."""
    try:
        path = urlsplit(name).path if "://" in name else name
    except ValueError:
        return ""
    last = path.rsplit("/", 1)[-1]
    return last.rsplit(".", 1)[-1].lower() if "." in last else ""


def format_of_name(name: str) -> str | None:
    """Return the media format a file name or URL tells, or `None`."""
    extension = extension_of(name)
    if extension in EXTENSIONS:
        return EXTENSIONS[extension][1]
    return _MORE_FORMATS.get(extension)


def format_of_content_type(content_type: str) -> str:
    """Return the media format of a content type such as `image/jpeg`."""
    subtype = content_type.split(";", 1)[0].rsplit("/", 1)[-1].strip().lower()
    if content_type.startswith("audio/mp4"):
        return "m4a"
    return _CONTENT_TYPES.get(subtype, subtype)
