"""Looking at sound and video with FFmpeg."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import av
from av.error import FFmpegError
from av.stream import Disposition

from mediawright.assets.containers import is_cut_short
from mediawright.assets.faults import corrupt, too_long, too_many_pixels, undecodable
from mediawright.assets.formats import (
    AAC,
    M4A,
    MOV,
    MP3,
    MP4,
    OGG,
    WAV,
    WEBM,
    WEBM_AUDIO,
    Format,
)
from mediawright.assets.image_probe import MOST_PIXELS
from mediawright.core.media import MediaFacts
from mediawright.core.operations import MediaKind

if TYPE_CHECKING:
    from av.audio.stream import AudioStream
    from av.container import InputContainer
    from av.video.stream import VideoStream

MOST_SECONDS = 6 * 3600.0
"""The longest a recording may last."""

_MOST_STREAMS = 16
# Up to here sound is decoded whole: that alone gives its exact length.
_MOST_DECODED_BYTES = 33_554_432
_MOST_WALKED_BYTES = 67_108_864
_SOUND_ONLY = {MP4: M4A, MOV: M4A, WEBM: WEBM_AUDIO}
# Their containers count what encoders add at both ends, or estimate.
_LENGTH_NEEDS_DECODING = frozenset({MP3, OGG, AAC})
# How much less than declared a whole file may hold, in seconds and as a part.
_SLACK_SECONDS, _SLACK_PART = 0.5, 0.02
# FFmpeg's errors, and what PyAV makes of some of them.
DAMAGE = (FFmpegError, OSError, ValueError, EOFError, LookupError, RuntimeError)


def probe_sound_or_video(path: Path, found: Format) -> tuple[MediaFacts, Format]:
    """Return the facts of a sound or video file, and its format. Blocks.

    The format differs from the announced one where a video container holds only sound.

    Raises:
        InvalidRequestError: `corrupt_file`, `unsupported_format`, `image_too_large` or
            `media_too_long`.
    """
    if is_cut_short(path, found):
        raise corrupt("its end is missing")
    try:
        with open_media(path, found) as container:
            if len(container.streams) > _MOST_STREAMS:
                raise undecodable(f"it has more than {_MOST_STREAMS} streams")
            video = moving_picture(container)
            sound = next(filter(_is_known, container.streams.audio), None)
            if video is not None:
                return _probe_video(path, container, video, sound, found), found
            if sound is not None:
                actual = _SOUND_ONLY.get(found, found)
                return _probe_sound(path, container, sound, actual), actual
    except DAMAGE as error:
        raise corrupt("it cannot be decoded") from error
    raise undecodable("it has neither sound nor moving pictures")


@contextmanager
def open_media(path: Path, found: Format) -> Generator[InputContainer, None, None]:
    """Open a sound or video file with the reader of its format and no other. Blocks."""
    with av.open(
        str(path.absolute()), format=found.demuxer, options={"protocol_whitelist": "file"}
    ) as container:
        yield container


def moving_picture(container: InputContainer) -> VideoStream | None:
    """Return the video stream that is not the cover of a piece of music."""
    for video in container.streams.video:
        if _is_known(video) and not video.disposition & Disposition.attached_pic:
            return video
    return None


def _probe_video(
    path: Path,
    container: InputContainer,
    video: VideoStream,
    sound: AudioStream | None,
    found: Format,
) -> MediaFacts:
    if found.kind is not MediaKind.VIDEO:
        raise undecodable(f"a {found.name} file with moving pictures")
    width, height = video.width, video.height
    if width < 1 or height < 1:
        raise corrupt("it has no pixels")
    if width * height > MOST_PIXELS:
        raise too_many_pixels(width, height, MOST_PIXELS)
    # One picture needs no others in flight.
    video.thread_count = 1
    if next(container.decode(video), None) is None:
        raise corrupt("it has no pictures")
    rate = video.average_rate or video.guessed_rate
    return MediaFacts(
        kind=MediaKind.VIDEO,
        content_type=found.content_type,
        byte_count=path.stat().st_size,
        width=width,
        height=height,
        seconds=_within_limits(_video_seconds(path, container, video, found)),
        frames_per_second=None if not rate else round(float(rate), 3),
        video_codec=_codec(video),
        audio_codec=None if sound is None else _codec(sound),
        channels=None if sound is None else sound.channels,
        sample_rate=None if sound is None else sound.rate,
    )


def _probe_sound(
    path: Path, container: InputContainer, sound: AudioStream, found: Format
) -> MediaFacts:
    byte_count = path.stat().st_size
    declared = _declared_seconds(container, sound)
    if found is not WAV:
        _within_limits(declared)
    if byte_count <= _MOST_DECODED_BYTES:
        decoded = _decoded_seconds(container, sound)
        exact = found in _LENGTH_NEEDS_DECODING or found is WAV or declared is None
        # The WAV files of streaming encoders declare what no file can hold.
        if declared is not None and found is not WAV and _falls_short(decoded, declared):
            raise corrupt("it ends before the time it declares")
        seconds = decoded if exact or declared is None else declared
    else:
        seconds = declared
    return MediaFacts(
        kind=MediaKind.AUDIO,
        content_type=found.content_type,
        byte_count=byte_count,
        seconds=_within_limits(seconds),
        audio_codec=_codec(sound),
        channels=sound.channels,
        sample_rate=sound.rate,
    )


def _decoded_seconds(container: InputContainer, sound: AudioStream) -> float:
    samples = 0
    for frame in container.decode(sound):
        samples += frame.samples
        _within_limits(samples / sound.rate)
    if samples == 0:
        raise corrupt("it has no sound")
    return samples / sound.rate


def _video_seconds(
    path: Path, container: InputContainer, video: VideoStream, found: Format
) -> float | None:
    declared = _declared_seconds(container, video)
    if video.duration is not None or path.stat().st_size > _MOST_WALKED_BYTES:
        return declared
    # Matroska declares one length for all streams; the last picture's end is this one's.
    with open_media(path, found) as again:
        ends = [
            float((packet.pts + (packet.duration or 0)) * packet.time_base)
            for packet in again.demux(again.streams[video.index])
            if packet.pts is not None
        ]
    return max(ends, default=declared)


def _declared_seconds(container: InputContainer, stream: VideoStream | AudioStream) -> float | None:
    if stream.duration is not None and stream.time_base is not None:
        return float(stream.duration * stream.time_base)
    return None if container.duration is None else container.duration / av.time_base


def _falls_short(decoded: float, declared: float) -> bool:
    return decoded < declared - max(_SLACK_SECONDS, declared * _SLACK_PART)


def _within_limits(seconds: float | None) -> float | None:
    if seconds is None:
        return None
    if seconds > MOST_SECONDS:
        raise too_long(seconds, MOST_SECONDS)
    return round(seconds, 6)


def _is_known(stream: VideoStream | AudioStream) -> bool:
    """Tell whether the codec is one that can be decoded here; others have no facts at all."""
    # The library's types do not say that it may be missing.
    return getattr(stream, "codec_context", None) is not None


def _codec(stream: VideoStream | AudioStream) -> str:
    return stream.codec_context.codec.canonical_name
