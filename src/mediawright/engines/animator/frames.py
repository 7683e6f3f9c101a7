"""Reading single frames out of a clip."""

from __future__ import annotations

from pathlib import Path

import av
from av.error import FFmpegError
from PIL import Image

from mediawright.core.errors import InvalidRequestError


def last_frame(path: Path) -> Image.Image:
    """Return the last frame of the clip at `path`, as RGB.

    Raises:
        InvalidRequestError: `unreadable_video` when the file holds no video that can be
            decoded.
    """
    try:
        with av.open(str(path)) as container:
            if not container.streams.video:
                raise _unreadable()
            stream = container.streams.video[0]
            stream.thread_type = "AUTO"
            if stream.duration is not None:
                # From the key frame before the end, so that a long clip costs no more.
                container.seek(max(0, stream.duration - 1), stream=stream, backward=True)
            last = None
            for frame in container.decode(stream):
                last = frame
            if last is None:
                raise _unreadable()
            return Image.fromarray(last.to_ndarray(format="rgb24"))
    except (FFmpegError, OSError) as error:
        raise _unreadable() from error


def _unreadable() -> InvalidRequestError:
    return InvalidRequestError(
        "unreadable_video",
        "The clip cannot be decoded.",
        hint="Give a whole MP4 file with a video stream.",
    )
