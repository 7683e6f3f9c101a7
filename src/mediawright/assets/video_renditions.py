"""A telling frame of a video, and a version that plays while it loads."""

# PyAV declares its keyword arguments, and the streams of its packets, without types.
# pyright: reportUnknownMemberType=false

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import av
from av.audio.stream import AudioStream
from av.container import InputContainer, OutputContainer
from av.video.stream import VideoStream
from PIL import Image, ImageStat

from mediawright.assets.containers import plays_while_loading
from mediawright.assets.formats import MP4, Format
from mediawright.assets.image_renditions import THUMBNAIL_PIXELS, save_thumbnail
from mediawright.assets.media_probe import DAMAGE, moving_picture, open_media
from mediawright.core.media import MediaFacts

_CANDIDATES = (0.1, 0.35, 0.6)
_LINES = 720
# Beyond these it would take longer than it is worth.
_MOST_SECONDS = 60.0
_MOST_BYTES = 134_217_728
_QUALITY = "26"
_SPEED = "veryfast"


def render_frame(path: Path, found: Format, facts: MediaFacts, target: Path) -> None:
    """Write the thumbnail of a video: of three frames, the one with most to see. Blocks."""
    with open_media(path, found) as container:
        video = moving_picture(container)
        if video is None:
            raise ValueError("there are no moving pictures")
        video.thread_count = 1
        frames = list(_frames(container, video, facts.seconds or 0.0))
        save_thumbnail(max(frames, key=_contrast), target)


def render_video(path: Path, found: Format, facts: MediaFacts, target: Path) -> bool:
    """Write the version of a video for looking at, if it is worth it. Blocks.

    A video of more than 720 lines is encoded again with 720; one in H.264 that has its index
    at the end is copied with the index in front, picture by picture the same.

    Returns:
        Whether there is such a version.
    """
    if facts.seconds is None or facts.seconds > _MOST_SECONDS or facts.byte_count > _MOST_BYTES:
        return False
    if min(facts.width or 0, facts.height or 0) > _LINES:
        _shrink(path, found, target)
    elif found is MP4 and facts.video_codec == "h264" and not plays_while_loading(path):
        _copy(path, found, target)
        return True
    else:
        return False
    if target.stat().st_size < facts.byte_count:
        return True
    target.unlink()
    return False


def _frames(container: InputContainer, video: VideoStream, seconds: float) -> Iterator[Image.Image]:
    """Return the first frame, and those at some later places that can be reached."""
    for part in (0.0, *_CANDIDATES):
        try:
            if part:
                container.seek(round(part * seconds * av.time_base))
            frame = next(container.decode(video))
        except (*DAMAGE, StopIteration):
            if not part:
                raise
            return
        # Scaled down by FFmpeg already: a big frame never becomes a big picture.
        width, height = _fitting(frame.width, frame.height, THUMBNAIL_PIXELS)
        yield frame.to_image(width=width, height=height)


def _contrast(picture: Image.Image) -> float:
    return ImageStat.Stat(picture.convert("L")).var[0]


def _fitting(width: int, height: int, most: int) -> tuple[int, int]:
    """Return an even size of the same shape whose shorter side is at most `most`."""
    factor = min(1.0, most / min(width, height))
    return max(2, round(width * factor / 2) * 2), max(2, round(height * factor / 2) * 2)


def _copy(path: Path, found: Format, target: Path) -> None:
    with open_media(path, found) as source, _open_output(target) as output:
        streams = {
            stream.index: output.add_stream_from_template(stream)
            for stream in _kept_streams(source)
        }
        for packet in source.demux(*_kept_streams(source)):
            if packet.dts is not None:
                packet.stream = streams[packet.stream.index]
                output.mux(packet)


def _shrink(path: Path, found: Format, target: Path) -> None:
    with open_media(path, found) as source, _open_output(target) as output:
        video, *sounds = _kept_streams(source)
        if not isinstance(video, VideoStream):
            raise TypeError("the first stream kept is the moving picture")
        video.thread_type = "AUTO"
        width, height = _fitting(video.width, video.height, _LINES)
        smaller = output.add_stream("libx264", rate=video.average_rate or Fraction(24))
        smaller.width, smaller.height, smaller.pix_fmt = width, height, "yuv420p"
        smaller.options = {"preset": _SPEED, "crf": _QUALITY}
        copies = {
            sound.index: output.add_stream_from_template(sound)
            for sound in sounds
            if isinstance(sound, AudioStream) and sound.codec_context.name in ("aac", "mp3")
        }
        wanted = [video, *(sound for sound in sounds if sound.index in copies)]
        for packet in source.demux(*wanted):
            if packet.stream.index in copies:
                if packet.dts is not None:
                    packet.stream = copies[packet.stream.index]
                    output.mux(packet)
                continue
            for frame in video.decode(packet):
                small = frame.reformat(width=width, height=height, format="yuv420p")
                output.mux(smaller.encode(small))
        output.mux(smaller.encode(None))


def _open_output(target: Path) -> OutputContainer:
    return av.open(str(target), "w", format="mp4", options={"movflags": "faststart"})


def _kept_streams(source: InputContainer) -> list[VideoStream | AudioStream]:
    video = moving_picture(source)
    if video is None:
        raise ValueError("there are no moving pictures")
    return [video, *source.streams.audio[:1]]
