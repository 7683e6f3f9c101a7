"""Files are known by their bytes: what they are, how long, how large, and whether whole."""

from __future__ import annotations

import io
import struct
import zlib
from pathlib import Path

import av
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from PIL import Image

from mediawright.assets import media_probe
from mediawright.assets.inspect import probe, probe_with_format
from mediawright.core.errors import InvalidRequestError
from mediawright.core.operations import MediaKind

IMAGES = {
    "png": "image/png",
    "jpg": "image/jpeg",
    "webp": "image/webp",
    "gif": "image/gif",
    "bmp": "image/bmp",
    "tiff": "image/tiff",
    "avif": "image/avif",
}
SOUNDS = {
    "mp3": ("audio/mpeg", "mp3"),
    "wav": ("audio/wav", "pcm_s16le"),
    "flac": ("audio/flac", "flac"),
    "ogg": ("audio/ogg", "opus"),
    "m4a": ("audio/mp4", "aac"),
    "aac": ("audio/aac", "aac"),
}
VIDEOS = {
    "mp4": ("video/mp4", "h264", "aac"),
    "mov": ("video/quicktime", "h264", "aac"),
    "webm": ("video/webm", "vp8", "opus"),
}
EVERYTHING = [*IMAGES, *SOUNDS, *VIDEOS]


@pytest.fixture
def write(tmp_path: Path):
    """A function that writes bytes under a name that says nothing, or lies."""

    def write_file(data: bytes, name: str = "file") -> Path:
        path = tmp_path / name
        path.write_bytes(data)
        return path

    return write_file


def code_of(path: Path) -> str:
    with pytest.raises(InvalidRequestError) as caught:
        probe(path)
    assert caught.value.hint
    return caught.value.code


@pytest.mark.parametrize("extension", IMAGES)
def test_pictures_are_known(samples, write, extension):
    facts, found = probe_with_format(write(samples[extension], "lies.mp3"))

    assert facts.kind is MediaKind.IMAGE
    assert facts.content_type == IMAGES[extension]
    assert facts.byte_count == len(samples[extension])
    assert (facts.width, facts.height) == (200, 150)
    assert found.extension == extension


@pytest.mark.parametrize("extension", SOUNDS)
def test_sounds_are_known(samples, write, extension):
    facts, found = probe_with_format(write(samples[extension], "lies.png"))

    assert facts.kind is MediaKind.AUDIO
    assert (facts.content_type, facts.audio_codec) == SOUNDS[extension]
    assert (facts.channels, facts.sample_rate) == (2, 48_000)
    # ADTS has no place to say what the encoder added at the beginning.
    assert facts.seconds == pytest.approx(2.0, abs=0.05 if extension == "aac" else 0.001)
    assert found.extension == extension


@pytest.mark.parametrize("extension", VIDEOS)
def test_videos_are_known(samples, write, extension):
    facts, found = probe_with_format(write(samples[extension], "lies.txt"))

    assert facts.kind is MediaKind.VIDEO
    assert (facts.content_type, facts.video_codec, facts.audio_codec) == VIDEOS[extension]
    assert (facts.width, facts.height) == (320, 240)
    assert facts.seconds == pytest.approx(1.0, abs=0.002)
    assert facts.frames_per_second == pytest.approx(24.0, abs=0.01)
    assert (facts.channels, facts.sample_rate) == (2, 48_000)
    assert found.extension == extension


def test_a_silent_video_has_no_sound(media, write):
    facts = probe(write(media.video(sound=False)))

    assert facts.audio_codec is None
    assert facts.channels is None


def test_a_video_file_with_sound_only_is_sound(media, write):
    buffer = io.BytesIO()
    with (
        av.open(io.BytesIO(media.sound("m4a"))) as source,
        av.open(buffer, "w", format="mp4") as output,
    ):
        stream = output.add_stream_from_template(source.streams.audio[0])
        for packet in source.demux():
            if packet.dts is not None:
                packet.stream = stream
                output.mux(packet)

    facts, found = probe_with_format(write(buffer.getvalue()))

    assert (facts.kind, facts.content_type) == (MediaKind.AUDIO, "audio/mp4")
    assert found.extension == "m4a"


@pytest.mark.parametrize("seconds", [0.4, 3.3])
def test_the_length_of_an_mp3_is_exact(media, write, seconds):
    facts = probe(write(media.sound("mp3", seconds=seconds, rate=24_000, channels=1)))

    assert facts.seconds == pytest.approx(seconds, abs=1e-4)
    assert facts.channels == 1


@pytest.mark.parametrize("size", [0xFFFFFFFF, 0, 0x7FFFFFFF])
def test_a_wav_written_before_its_length_was_known_is_whole(media, write, size):
    data = bytearray(media.sound("wav", seconds=1.0))
    at = data.index(b"data")
    data[at + 4 : at + 8] = struct.pack("<I", size)

    assert probe(write(bytes(data))).seconds == pytest.approx(1.0, abs=0.001)


@pytest.mark.parametrize("extension", ["gif", "webp", "png", "avif"])
def test_animations_are_pictures(media, write, extension):
    facts = probe(write(media.animation(extension)))

    assert (facts.kind, facts.width, facts.height) == (MediaKind.IMAGE, 200, 150)


@pytest.mark.parametrize("extension", ["jpg", "png", "webp"])
def test_a_turned_picture_has_the_size_it_is_shown_with(media, write, extension):
    image = media.picture(120, 80)
    exif = Image.Exif()
    exif[0x0112] = 6
    facts = probe(write(media.image(extension, image, exif=exif)))

    assert (facts.width, facts.height) == (80, 120)


def test_an_empty_file_is_refused(write):
    assert code_of(write(b"")) == "empty_file"


@pytest.mark.parametrize(
    ("content", "nature"),
    [
        (b"<!DOCTYPE html><html><body>503</body></html>", "web page"),
        (b'  {"error": {"message": "no"}}', "JSON"),
        (b"just words\n", "text"),
        (b'<?xml version="1.0"?><svg xmlns="x"/>', "XML"),
        (b"%PDF-1.7\n", "PDF"),
        (b"PK\x03\x04\x14\0\0\0", "archive"),
        (b"\x7fELF\x02\x01\x01\0", "unknown"),
        (b"BM are two letters of text", "text"),
        (b"RIFF\0\0\0\0AVI LIST", "unknown"),
        (b"\x1a\x45\xdf\xa3\x01\0\0\0\0\0\0\x23matroska", "unknown"),
    ],
)
def test_what_is_no_media_file_is_refused_by_its_nature(write, content, nature):
    path = write(content, "picture.png")
    with pytest.raises(InvalidRequestError, match=nature) as caught:
        probe(path)

    assert caught.value.code == "unsupported_format"


def test_a_file_of_zeros_is_damaged(write):
    assert code_of(write(bytes(5000))) == "corrupt_file"


# A bare stream of frames has no end that could be missing.
@pytest.mark.parametrize("extension", [one for one in EVERYTHING if one != "aac"])
@pytest.mark.parametrize("part", [0.05, 0.3, 0.6, 0.9])
def test_a_file_that_was_cut_short_is_damaged(samples, write, extension, part):
    whole = samples[extension]

    assert code_of(write(whole[: int(len(whole) * part)])) == "corrupt_file"


@pytest.mark.parametrize("extension", ["mp4", "mov", "webm", "wav", "ogg", "mp3", "jpg", "gif"])
def test_the_last_bytes_are_missed_too(samples, write, extension):
    assert code_of(write(samples[extension][:-3])) == "corrupt_file"


def test_a_video_whose_pictures_are_gone_is_damaged(media, write):
    data = bytearray(media.video(sound=False))
    at = data.index(b"mdat")
    end = at - 4 + int.from_bytes(data[at - 4 : at], "big")
    data[at + 4 : end] = bytes(end - at - 4)

    assert code_of(write(bytes(data))) == "corrupt_file"


def test_a_picture_with_a_flipped_byte_is_damaged(samples, write):
    data = bytearray(samples["png"])
    data[len(data) // 2] ^= 0xFF

    assert code_of(write(bytes(data))) == "corrupt_file"


def png_header(width: int, height: int) -> bytes:
    """A PNG that announces a size and holds next to nothing."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        checksum = zlib.crc32(kind + data)
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", checksum)

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(bytes(1000)))
        + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize(
    "data",
    [
        png_header(100_000, 100_000),
        png_header(12_000, 12_000),
        png_header(2**31 - 1, 2**31 - 1),
        b"GIF89a" + struct.pack("<HH3xcHHHHB", 65_535, 65_535, b",", 0, 0, 9, 9, 0) + b"\x08",
        b"BM" + struct.pack("<IHHIIiiHHIIiiII", 99, 0, 0, 54, 40, 90_000, 90_000, 1, 24, *[0] * 6),
    ],
    ids=["png", "png-12k", "png-2g", "gif", "bmp"],
)
def test_a_huge_picture_is_refused_by_its_header(write, data, monkeypatch):
    monkeypatch.setattr(Image.Image, "load", lambda _: pytest.fail("the picture was opened"))
    path = write(data)

    with pytest.raises(InvalidRequestError) as caught:
        probe(path)

    assert caught.value.code == "image_too_large"
    assert caught.value.details["width"] > 10_000


def test_a_large_picture_can_be_allowed_without_opening_it(write):
    facts, _ = probe_with_format(write(png_header(12_000, 12_000)), most_pixels=10**9)

    assert (facts.width, facts.height) == (12_000, 12_000)


def test_what_lasts_too_long_is_refused(media, write, monkeypatch):
    monkeypatch.setattr(media_probe, "MOST_SECONDS", 1.5)

    assert code_of(write(media.sound("flac"))) == "media_too_long"
    assert code_of(write(media.video(seconds=2.0))) == "media_too_long"


def test_a_playlist_cannot_make_us_open_other_files(write, tmp_path, samples):
    write(samples["mp4"], "inner.mp4")
    playlist = f"#EXTM3U\n#EXTINF:1,\nfile://{tmp_path}/inner.mp4\n".encode()

    assert code_of(write(playlist, "list.mp4")) == "unsupported_format"
    assert code_of(write(b"ffconcat version 1.0\nfile inner.mp4\n")) == "unsupported_format"


def test_a_missing_file_is_not_there(tmp_path):
    with pytest.raises(FileNotFoundError):
        probe(tmp_path / "nothing")


@settings(
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    extension=st.sampled_from(EVERYTHING),
    damage=st.tuples(st.floats(0, 1), st.binary(max_size=64), st.booleans()),
)
# Streams whose codec is none that is known.
@example(extension="mov", damage=(0.96875, b"\x00", True))
@example(extension="mov", damage=(0.9190933339308396, b"\x00\x00\x00\x00\x00", True))
def test_damage_never_raises_anything_else(samples, write, extension, damage):
    """Whatever happens to a file, it is probed or refused; nothing else comes out."""
    whole, (part, junk, rest) = samples[extension], damage
    start = round(part * len(whole))
    damaged = whole[:start] + junk + (whole[start + len(junk) :] if rest else b"")
    path = write(damaged)

    try:
        facts = probe(path)
    except InvalidRequestError:
        return
    assert facts.byte_count == len(damaged)


@settings(max_examples=200, deadline=None)
@given(junk=st.binary(min_size=1, max_size=200))
def test_junk_is_refused(tmp_path_factory, junk):
    path = tmp_path_factory.getbasetemp() / "junk"
    path.write_bytes(junk)

    with pytest.raises(InvalidRequestError):
        probe(path)
