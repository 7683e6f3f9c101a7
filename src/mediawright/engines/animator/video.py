# pyright: reportUnknownMemberType=false
# PyAV's stubs leave packets and keyword arguments without types.
"""Writing H.264 and AAC into an MP4."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

import av
import numpy as np
from numpy.typing import NDArray
from PIL import Image

if TYPE_CHECKING:
    from av.container import OutputContainer

    from mediawright.engines.requests import AnimateRequest, Sound

_AUDIO_FRAME = 1024


def write_video(
    path: Path, request: AnimateRequest, frames: Iterator[Image.Image], sound: Sound | None
) -> None:
    """Write the frames, and the sound if there is one, into an MP4 at `path`.

    Args:
        path: Where to; what is there is overwritten.
        request: Gives the size, the rate and the comment.
        frames: RGB images of the request's size.
        sound: Already exactly as long as the frames.
    """
    options = {"movflags": "+faststart"}
    with av.open(str(path), "w", format="mp4", options=options) as container:
        container.metadata["comment"] = request.comment
        container.metadata["description"] = request.prompt
        video = container.add_stream("libx264", rate=request.frames_per_second)
        video.width, video.height = request.width, request.height
        video.pix_fmt = "yuv420p"
        video.time_base = Fraction(1, request.frames_per_second)
        # Without macroblock trees: with them equal frames do not always give equal bytes.
        video.options = {
            "preset": "veryfast",
            "crf": "19",
            "aq-mode": "3",
            "x264-params": "mbtree=0",
        }
        encoder = video.codec_context
        encoder.color_range = 1
        encoder.colorspace = 1
        encoder.color_primaries = 1
        encoder.color_trc = 1
        writer = None if sound is None else _SoundWriter(container, sound)
        for index, image in enumerate(frames):
            frame = av.VideoFrame.from_ndarray(np.asarray(image), format="rgb24")
            frame = frame.reformat(format="yuv420p", dst_colorspace="ITU709")
            frame.pts = index
            frame.time_base = Fraction(1, request.frames_per_second)
            container.mux(video.encode(frame))
            if writer is not None:
                writer.write_until((index + 1) / request.frames_per_second)
        container.mux(video.encode(None))
        if writer is not None:
            writer.finish()


class _SoundWriter:
    """Feeds the sound to the file in step with the frames."""

    def __init__(self, container: OutputContainer, sound: Sound) -> None:
        self._container = container
        self._samples = np.ascontiguousarray(sound.samples.T)
        self._rate = sound.sample_rate
        self._layout = "mono" if len(self._samples) == 1 else "stereo"
        self._stream = container.add_stream("aac", rate=self._rate, layout=self._layout)
        self._stream.bit_rate = 160_000
        self._written = 0

    def write_until(self, seconds: float) -> None:
        """Write all whole audio frames that begin before `seconds`."""
        while self._written < seconds * self._rate and self._write():
            pass

    def finish(self) -> None:
        """Write the rest and whatever the encoder still holds."""
        while self._write():
            pass
        self._container.mux(self._stream.encode(None))

    def _write(self) -> bool:
        part: NDArray[np.float32] = self._samples[:, self._written : self._written + _AUDIO_FRAME]
        if part.shape[1] == 0:
            return False
        frame = av.AudioFrame.from_ndarray(
            np.ascontiguousarray(part), format="fltp", layout=self._layout
        )
        frame.sample_rate = self._rate
        frame.pts = self._written
        frame.time_base = Fraction(1, self._rate)
        self._container.mux(self._stream.encode(frame))
        self._written += part.shape[1]
        return True
