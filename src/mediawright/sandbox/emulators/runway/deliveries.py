"""Clips for editors: ProRes, or every frame as a picture."""

# PyAV leaves the type parameter of Packet open.
# pyright: reportUnknownMemberType=false

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import av
from PIL import Image

_PRORES = {
    "422 Proxy": ("0", "yuv422p10le"),
    "422 LT": ("1", "yuv422p10le"),
    "422": ("2", "yuv422p10le"),
    "422 HQ": ("3", "yuv422p10le"),
    "4444": ("4", "yuv444p10le"),
    "4444 XQ": ("5", "yuv444p10le"),
}
"""The encoder's profile and pixel format by the vendor's name of it."""


@dataclass(frozen=True, kw_only=True)
class Delivery:
    """A form of a clip other than MP4."""

    convert: Callable[[bytes, str], bytes]
    """Takes an MP4 file and the name of a ProRes profile."""
    content_type: str
    extension: str


def to_prores(clip: bytes, profile: str) -> bytes:
    """Return an MP4 clip's picture as a ProRes QuickTime file.

    Args:
        clip: The MP4 file.
        profile: A profile's name as the vendor writes it.
    """
    number, pixels = _PRORES[profile]
    target = io.BytesIO()
    with av.open(io.BytesIO(clip), "r") as source, av.open(target, "w", format="mov") as container:
        video = source.streams.video[0]
        stream = container.add_stream("prores_ks", rate=video.average_rate)
        stream.width, stream.height = video.width, video.height
        stream.pix_fmt = pixels
        stream.options = {"profile": number}
        for frame in source.decode(video):
            container.mux(stream.codec_context.encode(frame.reformat(format=pixels)))
        container.mux(stream.codec_context.encode(None))
    return target.getvalue()


def to_pictures(clip: bytes, profile: str) -> bytes:
    """Return a ZIP of an MP4 clip's frames, numbered from 1.

    Args:
        clip: The MP4 file.
        profile: Without meaning here.
    """
    del profile
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as archive:
        for number, picture in enumerate(_pictures(clip), start=1):
            archive.writestr(f"frame_{number:05d}.png", picture)
    return target.getvalue()


def _pictures(clip: bytes) -> Iterator[bytes]:
    with av.open(io.BytesIO(clip), "r") as source:
        for frame in source.decode(source.streams.video[0]):
            target = io.BytesIO()
            Image.fromarray(frame.to_ndarray(format="rgb24")).save(target, "PNG")
            yield target.getvalue()


DELIVERIES = {
    "prores": Delivery(convert=to_prores, content_type="video/quicktime", extension="mov"),
    "png_sequence": Delivery(convert=to_pictures, content_type="application/zip", extension="zip"),
}
"""By the request's `outputFormat`."""
