"""Media files made on the spot, and libraries to keep them in."""

from __future__ import annotations

import io
import tempfile
from fractions import Fraction
from pathlib import Path
from types import SimpleNamespace

import av
import numpy as np
import pytest
from PIL import Image

from mediawright.assets.drive import Drive
from mediawright.assets.library import AssetLibrary
from mediawright.assets.staging import Staging
from mediawright.core.clock import ManualClock

IMAGE_FORMATS = {
    "png": "PNG",
    "jpg": "JPEG",
    "webp": "WEBP",
    "gif": "GIF",
    "bmp": "BMP",
    "tiff": "TIFF",
    "avif": "AVIF",
}
SOUND_ENCODERS = {
    "mp3": ("libmp3lame", "mp3"),
    "wav": ("pcm_s16le", "wav"),
    "flac": ("flac", "flac"),
    "ogg": ("libopus", "ogg"),
    "m4a": ("aac", "ipod"),
    "aac": ("aac", "adts"),
}
VIDEO_ENCODERS = {
    "mp4": ("libx264", "aac", "mp4"),
    "mov": ("libx264", "aac", "mov"),
    "webm": ("libvpx", "libopus", "webm"),
}

FAST = {
    "libx264": {"preset": "veryfast"},
    "libvpx": {"deadline": "realtime", "cpu-used": "8"},
}


def picture(width: int = 200, height: int = 150, mode: str = "RGB", shift: int = 0) -> Image.Image:
    """A picture with detail everywhere, so that no format shrinks it to nothing."""
    across = np.linspace(0, 255, width)[None, :, None]
    down = np.linspace(0, 255, height)[:, None, None]
    noise = np.random.default_rng(shift).integers(0, 40, (height, width, 3))
    pixels = (across * [1, 0.5, 0] + down * [0, 0.5, 1] + noise) % 256
    return Image.fromarray(np.roll(pixels.astype(np.uint8), shift * 8, axis=1)).convert(mode)


def image_bytes(extension: str = "png", image: Image.Image | None = None, **options) -> bytes:
    buffer = io.BytesIO()
    (image or picture()).save(buffer, IMAGE_FORMATS[extension], **options)
    return buffer.getvalue()


def animation_bytes(extension: str, frames: int = 5) -> bytes:
    pictures = [picture(shift=n) for n in range(frames)]
    return image_bytes(
        extension, pictures[0], save_all=True, append_images=pictures[1:], duration=80
    )


def sound_bytes(
    extension: str = "wav", seconds: float = 2.0, rate: int = 48_000, channels: int = 2
) -> bytes:
    encoder, container = SOUND_ENCODERS[extension]
    buffer = io.BytesIO()
    with av.open(buffer, "w", format=container) as output:
        stream = output.add_stream(encoder, rate=rate)
        stream.layout = "stereo" if channels == 2 else "mono"
        _encode_sound(output, stream, seconds, rate)
    return buffer.getvalue()


def video_bytes(
    extension: str = "mp4",
    seconds: float = 1.0,
    rate: int = 24,
    size: tuple[int, int] = (320, 240),
    *,
    sound: bool = True,
    fast_start: bool = False,
) -> bytes:
    encoder, sound_encoder, container = VIDEO_ENCODERS[extension]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "video"
        options = {"movflags": "faststart"} if fast_start else {}
        with av.open(str(path), "w", format=container, options=options) as output:
            stream = output.add_stream(encoder, rate=rate)
            stream.width, stream.height = size
            stream.pix_fmt = "yuv420p"
            stream.options = FAST[encoder]
            heard = output.add_stream(sound_encoder, rate=48_000) if sound else None
            if heard is not None:
                heard.layout = "stereo"
            _encode_pictures(output, stream, round(seconds * rate))
            if heard is not None:
                _encode_sound(output, heard, seconds, 48_000)
        return path.read_bytes()


def _encode_pictures(output, stream, count: int) -> None:
    width, height = stream.width, stream.height
    for number in range(count):
        image = np.zeros((height, width, 3), np.uint8)
        image[:, : width // 2] = (number * 7 % 256, 200, 90)
        image[: height // 3] += np.uint8(20)
        output.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="rgb24")))
    output.mux(stream.encode(None))


def _encode_sound(output, stream, seconds: float, rate: int) -> None:
    total = round(seconds * rate)
    tone = (0.4 * np.sin(2 * np.pi * 440 * np.arange(total) / rate)).astype(np.float32)
    layout = stream.layout.name if stream.layout.nb_channels <= 2 else "stereo"
    fitting = av.AudioResampler(format=stream.format.name, layout=layout, rate=rate)
    for start in range(0, total, 960):
        block = tone[start : start + 960]
        samples = np.repeat(block[None, :], stream.layout.nb_channels, axis=0)
        frame = av.AudioFrame.from_ndarray(
            np.ascontiguousarray(samples), format="fltp", layout=layout
        )
        frame.sample_rate, frame.pts, frame.time_base = rate, start, Fraction(1, rate)
        for fitted in fitting.resample(frame):
            output.mux(stream.encode(fitted))
    output.mux(stream.encode(None))


@pytest.fixture(scope="session")
def media() -> SimpleNamespace:
    """Makers of media files, as bytes."""
    return SimpleNamespace(
        picture=picture,
        image=image_bytes,
        animation=animation_bytes,
        sound=sound_bytes,
        video=video_bytes,
    )


class Samples(dict[str, bytes]):
    """Files by extension, which are too long to be printed when a test fails."""

    def __repr__(self) -> str:
        return f"Samples({', '.join(self)})"


@pytest.fixture(scope="session")
def samples() -> Samples:
    """One file of every format, by extension."""
    return Samples(
        {extension: image_bytes(extension) for extension in IMAGE_FORMATS}
        | {extension: sound_bytes(extension) for extension in SOUND_ENCODERS}
        | {extension: video_bytes(extension) for extension in VIDEO_ENCODERS}
    )


@pytest.fixture
def staging(tmp_path: Path) -> Staging:
    return Staging(tmp_path / "staging")


@pytest.fixture(params=["local", "object"])
def drive(request: pytest.FixtureRequest, tmp_path: Path) -> Drive:
    """A drive of each kind in turn; the object store is obstore's own, in memory."""
    if request.param == "local":
        return Drive.local(tmp_path / "drive")
    return Drive.from_url("memory:///")


@pytest.fixture
def local_drive(tmp_path: Path) -> Drive:
    return Drive.local(tmp_path / "drive")


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def library(drive: Drive, staging: Staging, clock: ManualClock) -> AssetLibrary:
    return AssetLibrary(drive, staging, clock)


@pytest.fixture
def local_library(local_drive: Drive, staging: Staging, clock: ManualClock) -> AssetLibrary:
    return AssetLibrary(local_drive, staging, clock)
