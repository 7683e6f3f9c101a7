"""Sound in files: writing, reading, and the text kept in a file's own metadata."""

from __future__ import annotations

import io
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

import av
import numpy as np
from av.audio.stream import AudioStream
from av.container import InputContainer, OutputContainer
from av.error import FFmpegError
from numpy.typing import NDArray

from mediawright.core.errors import InvalidRequestError
from mediawright.engines.requests import Sound

TEXT_TAG = "mediawright_text"
"""The metadata key of the spoken text, in containers that allow keys of one's own."""
_AUTHOR = "mediawright"
_BLOCK = 65_536
_LAYOUTS = {1: "mono", 2: "stereo"}
_EVERY_RATE: tuple[int, ...] = ()
_MPEG_RATES = (8_000, 11_025, 12_000, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000)


@dataclass(frozen=True, kw_only=True)
class SoundFormat:
    """How one output format is made."""

    container: str
    codec: str
    sample_format: str
    content_type: str
    extension: str
    sample_rates: tuple[int, ...] = _EVERY_RATE
    """Hz, ascending; empty where any rate will do."""
    lossy: bool = False
    options: dict[str, str] = field(default_factory=dict[str, str])


FORMATS: dict[str, SoundFormat] = {
    "mp3": SoundFormat(
        container="mp3",
        codec="libmp3lame",
        sample_format="fltp",
        content_type="audio/mpeg",
        extension=".mp3",
        sample_rates=_MPEG_RATES,
        lossy=True,
        options={"id3v2_version": "3"},
    ),
    "wav": SoundFormat(
        container="wav",
        codec="pcm_s16le",
        sample_format="s16",
        content_type="audio/wav",
        extension=".wav",
    ),
    "flac": SoundFormat(
        container="flac",
        codec="flac",
        sample_format="s16",
        content_type="audio/flac",
        extension=".flac",
    ),
    "opus": SoundFormat(
        container="ogg",
        codec="libopus",
        sample_format="flt",
        content_type="audio/ogg",
        extension=".opus",
        sample_rates=(8_000, 12_000, 16_000, 24_000, 48_000),
        lossy=True,
    ),
    "aac": SoundFormat(
        container="adts",
        codec="aac",
        sample_format="fltp",
        content_type="audio/aac",
        extension=".aac",
        sample_rates=_MPEG_RATES,
        lossy=True,
        options={"write_id3v2": "1"},
    ),
    "m4a": SoundFormat(
        container="ipod",
        codec="aac",
        sample_format="fltp",
        content_type="audio/mp4",
        extension=".m4a",
        sample_rates=_MPEG_RATES,
        lossy=True,
    ),
    "pcm": SoundFormat(
        container="s16le",
        codec="pcm_s16le",
        sample_format="s16",
        content_type="audio/pcm",
        extension=".pcm",
    ),
}
"""The output formats by name."""


def format_named(output_format: str) -> SoundFormat:
    """Return how the format is made.

    Raises:
        InvalidRequestError: `unsupported_format`, with the allowed names in its details.
    """
    found = FORMATS.get(output_format.lower())
    if found is None:
        raise InvalidRequestError(
            "unsupported_format",
            f"Sound cannot be written as {output_format!r}.",
            pointer="/parameters/output_format",
            hint=f"Use one of: {', '.join(FORMATS)}.",
            details={"allowed": list(FORMATS)},
        )
    return found


def write_sound(
    sound: Sound,
    path: Path,
    output_format: str,
    *,
    text: str = "",
    comment: str = "",
    bit_rate: int = 128_000,
) -> None:
    """Write a sound to a file, as long as it is to the sample where the format allows.

    `wav`, `flac` and `pcm` (16-bit, little-endian, without a header) keep every sample;
    `mp3`, `m4a` and `opus` say in their headers what players must cut off; `aac` (ADTS)
    cannot, and plays up to three frames longer. A rate the format does not know becomes the
    next higher one it knows.

    Args:
        sound: One or two channels.
        path: The file to write; its name is not looked at.
        output_format: `mp3`, `wav`, `flac`, `opus` (in Ogg), `aac` (ADTS), `m4a` or `pcm`.
        text: What is spoken, for `read_text`; kept in the comment and in a tag of our own
            (`pcm` has no place for it).
        comment: A comment for a file without spoken text.
        bit_rate: Bits per second of the lossy formats.

    Raises:
        InvalidRequestError: `unsupported_format` for an unknown format, `unsupported_channels`
            for more than two channels.
    """
    made = format_named(output_format)
    channels = sound.samples.shape[1]
    if channels not in _LAYOUTS:
        raise InvalidRequestError(
            "unsupported_channels", f"Sound with {channels} channels cannot be written."
        )
    rate = _rate_for(made, sound.sample_rate)
    with av.open(path, "w", format=made.container, options=made.options) as container:
        container.metadata.update(_metadata(text, comment))
        added = container.add_stream(  # pyright: ignore[reportUnknownMemberType]  # PyAV's kwargs
            made.codec, rate=rate, layout=_LAYOUTS[channels], format=made.sample_format
        )
        stream = cast(AudioStream, added)
        if made.lossy:
            stream.codec_context.bit_rate = bit_rate
        stream.codec_context.open()
        _encode(sound, made, rate, stream, container)


def read_sound(source: Path | bytes) -> Sound:
    """Return the sound of a file's first audio track, at its own rate.

    More than two channels are mixed down to two.

    Raises:
        InvalidRequestError: `unreadable_audio` if there is no audio in it that can be read.
    """
    with open_sound(source) as (container, stream):
        channels = min(2, max(1, stream.channels))
        rate = stream.rate
        blocks = list(decoded(container, stream, "fltp", _LAYOUTS[channels], rate))
    samples = np.concatenate(blocks, axis=1) if blocks else np.zeros((channels, 0), np.float32)
    return Sound(samples=np.ascontiguousarray(samples.T, dtype=np.float32), sample_rate=rate)


def read_text(source: Path | bytes) -> str | None:
    """Return the spoken text that `write_sound` left in a file's metadata, if there is any.

    A comment by somebody else is not taken for spoken text.

    Raises:
        InvalidRequestError: `unreadable_audio` if there is no audio in it that can be read.
    """
    with open_sound(source) as (container, stream):
        tags = {name.lower(): value for name, value in {**container.metadata}.items()}
        tags |= {name.lower(): value for name, value in stream.metadata.items()}
    if TEXT_TAG in tags:
        return tags[TEXT_TAG]
    if _AUTHOR in (tags.get("encoded_by"), tags.get("grouping")):
        return tags.get("comment")
    return None


@contextmanager
def open_sound(source: Path | bytes) -> Generator[tuple[InputContainer, AudioStream]]:
    """Open a file and its first audio track.

    Failures to read inside the block become `unreadable_audio` too.

    Raises:
        InvalidRequestError: `unreadable_audio` if there is no audio in it that can be read.
    """
    try:
        file = io.BytesIO(source) if isinstance(source, bytes) else source
        with av.open(file, "r") as container:
            if not container.streams.audio:
                raise _unreadable("There is no audio track in the file.")
            yield container, container.streams.audio[0]
    except (FFmpegError, EOFError) as error:
        raise _unreadable("The file's audio cannot be read.") from error


def decoded(
    container: InputContainer, stream: AudioStream, sample_format: str, layout: str, rate: int
) -> Iterator[NDArray[np.float32] | NDArray[np.int16]]:
    """Yield the audio track block by block, converted, in arrays of (channels, frames)."""
    resampler = av.AudioResampler(sample_format, layout, rate)
    for frame in container.decode(stream):
        for converted in resampler.resample(frame):
            yield cast(NDArray[np.float32], converted.to_ndarray())
    for converted in resampler.resample(None):
        yield cast(NDArray[np.float32], converted.to_ndarray())


def _encode(
    sound: Sound, made: SoundFormat, rate: int, stream: AudioStream, container: OutputContainer
) -> None:
    layout = _LAYOUTS[sound.samples.shape[1]]
    frame_size = stream.codec_context.frame_size or None
    resampler = av.AudioResampler(made.sample_format, layout, rate, frame_size=frame_size)
    for frame in (*_frames(sound), None):
        for ready in resampler.resample(frame):
            _mux(container, stream, ready)
    _mux(container, stream, None)


def _mux(container: OutputContainer, stream: AudioStream, frame: av.AudioFrame | None) -> None:
    packets = stream.codec_context.encode(frame)  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]  # PyAV leaves Packet's parameter open
    container.mux(packets)  # pyright: ignore[reportUnknownMemberType]  # as above


def _frames(sound: Sound) -> Iterator[av.AudioFrame]:
    planes = np.clip(sound.samples.T, -1.0, 1.0).astype(np.float32)
    for start in range(0, planes.shape[1], _BLOCK):
        block = np.ascontiguousarray(planes[:, start : start + _BLOCK])
        frame = av.AudioFrame.from_ndarray(block, format="fltp", layout=_LAYOUTS[len(planes)])
        frame.sample_rate = sound.sample_rate
        frame.pts = start
        yield frame


def _rate_for(made: SoundFormat, wanted: int) -> int:
    if not made.sample_rates:
        return wanted
    return next((rate for rate in made.sample_rates if rate >= wanted), made.sample_rates[-1])


def _metadata(text: str, comment: str) -> dict[str, str]:
    if not text:
        return {"comment": comment.replace("\0", "")} if comment else {}
    clean = text.replace("\0", "")
    # RIFF keeps `encoded_by` and MP4 `grouping`, but neither keeps a key of one's own.
    return {"comment": clean, TEXT_TAG: clean, "encoded_by": _AUTHOR, "grouping": _AUTHOR}


def _unreadable(message: str) -> InvalidRequestError:
    return InvalidRequestError(
        "unreadable_audio",
        message,
        hint="Give a sound or video file such as mp3, wav, flac, ogg, m4a or mp4.",
    )
