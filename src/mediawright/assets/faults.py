"""What can be wrong with a file, as errors."""

from __future__ import annotations

from mediawright.core.errors import InvalidRequestError

_KNOWN = (
    "Use PNG, JPEG, WebP, GIF, BMP, TIFF, AVIF or HEIC for pictures, MP4, MOV or WebM for videos, "
    "MP3, WAV, FLAC, Ogg, M4A or AAC for sound."
)


def empty() -> InvalidRequestError:
    """Return the error of a file without bytes."""
    return InvalidRequestError(
        "empty_file", "The file is empty.", hint="Check where it comes from and send it again."
    )


def unsupported(head: bytes) -> InvalidRequestError:
    """Return the error of a file that is no media file we know.

    Args:
        head: Its first bytes, from which its likely nature is told.
    """
    return InvalidRequestError(
        "unsupported_format",
        f"The file's bytes are {_nature_of(head)}, not a media file of a known format.",
        hint=_KNOWN,
    )


def undecodable(what: str) -> InvalidRequestError:
    """Return the error of a media file of a known kind with unknown contents."""
    return InvalidRequestError(
        "unsupported_format", f"The file cannot be used: {what}.", hint=_KNOWN
    )


def not_installed(name: str, extra: str) -> InvalidRequestError:
    """Return the error of a format that only an optional part of the package reads.

    Args:
        name: Of the format.
        extra: The part's name among the package's extras.
    """
    return InvalidRequestError(
        "unsupported_format",
        f"The file is {name}, which cannot be read here.",
        hint=f"Send it as JPEG or PNG, or have the operator install mediawright[{extra}].",
    )


def corrupt(why: str) -> InvalidRequestError:
    """Return the error of a file that is damaged or cut short."""
    return InvalidRequestError(
        "corrupt_file",
        f"The file is damaged or incomplete: {why}.",
        hint="Check that it opens in a viewer, and send it again.",
    )


def too_many_pixels(width: int, height: int, most: int) -> InvalidRequestError:
    """Return the error of a picture that would fill the memory."""
    return InvalidRequestError(
        "image_too_large",
        f"The picture has {width:,} x {height:,} pixels; {most // 1_000_000} megapixels are "
        "allowed.",
        hint="Make it smaller and send it again.",
        details={"width": width, "height": height, "most_pixels": most},
    )


def too_long(seconds: float, most: float) -> InvalidRequestError:
    """Return the error of a recording that would take too long to handle."""
    return InvalidRequestError(
        "media_too_long",
        f"The file lasts {seconds:,.0f} seconds; {most:,.0f} are allowed.",
        hint="Cut it and send the part that matters.",
        details={"seconds": seconds, "most_seconds": most},
    )


def _nature_of(head: bytes) -> str:
    start = head.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if start.startswith((b"<!doctype html", b"<html")):
        return "a web page"
    if start.startswith((b"<?xml", b"<svg")):
        return "XML"
    if start.startswith((b"{", b"[")):
        return "JSON"
    if start.startswith(b"%pdf"):
        return "a PDF document"
    if start.startswith(b"pk\x03\x04"):
        return "an archive"
    if all(byte >= 0x20 or byte in b"\t\r\n\f" for byte in head):  # noqa: PLR2004 - the space
        return "text"
    return "of an unknown kind"
