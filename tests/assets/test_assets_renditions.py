"""Smaller versions: small, like the original, and only where they are worth it."""

from __future__ import annotations

import av
import numpy as np
import pytest
from PIL import Image

from mediawright.assets import sound_renditions
from mediawright.assets.containers import plays_while_loading
from mediawright.assets.inspect import probe, probe_with_format
from mediawright.assets.renditions import render


@pytest.fixture
def make(staging, tmp_path):
    """A function that renders bytes and returns the renditions' paths by word."""

    def render_bytes(data: bytes):
        path = tmp_path / "original"
        path.write_bytes(data)
        facts, found = probe_with_format(path)
        made = {one.word: one.path for one in render(path, found, facts, staging.new_path)}
        assert path.read_bytes() == data
        assert sorted(staging.folder.iterdir()) == sorted(made.values())
        return made

    return render_bytes


def colours(path) -> np.ndarray:
    """The picture in eight by eight squares."""
    with Image.open(path) as image:
        return np.asarray(image.convert("RGB").resize((8, 8), Image.Resampling.BOX), float)


@pytest.mark.parametrize("extension", ["png", "jpg", "webp", "gif", "bmp", "tiff", "avif"])
def test_a_picture_gets_a_thumbnail_and_a_version_for_looking_at(media, make, extension):
    options = {"speed": 10} if extension == "avif" else {}
    data = media.image(extension, media.picture(1800, 900), **options)
    made = make(data)

    with Image.open(made["thumbnail"]) as image:
        assert (image.format, image.size) == ("WEBP", (320, 160))
    with Image.open(made["optimized"]) as image:
        assert (image.format, image.size) == ("WEBP", (1600, 800))
    assert made["optimized"].stat().st_size < len(data)
    assert np.abs(colours(made["thumbnail"]) - colours(made["optimized"])).max() < 12


def test_a_small_picture_is_not_made_larger(media, make):
    made = make(media.image("png", media.picture(64, 40)))

    with Image.open(made["thumbnail"]) as image:
        assert image.size == (64, 40)


def test_what_is_no_smaller_is_not_kept(media, make):
    assert "optimized" not in make(media.image("webp", quality=1))


def test_transparency_stays(media, make):
    image = media.picture(400, 400, "RGBA")
    image.putalpha(Image.linear_gradient("L").resize((400, 400)))
    made = make(media.image("png", image))

    with Image.open(made["thumbnail"]) as thumbnail:
        assert thumbnail.mode == "RGBA"
        assert thumbnail.getchannel("A").getextrema()[0] < 20


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "CMYK", "I;16"])
def test_every_kind_of_pixel_can_be_shown(media, make, mode):
    if mode == "I;16":
        deep = np.linspace(0, 65_535, 400 * 300).reshape(300, 400).astype(np.uint16)
        data = media.image("png", Image.fromarray(deep))
    else:
        extension = "tiff" if mode == "CMYK" else "png"
        data = media.image(extension, media.picture(400, 300).convert(mode))
    made = make(data)

    with Image.open(made["thumbnail"]) as image:
        assert image.mode in ("RGB", "RGBA")
        low, high = image.convert("L").getextrema()
        assert high - low > 100


def test_a_turned_picture_is_shown_upright(media, make):
    exif = Image.Exif()
    exif[0x0112] = 6
    made = make(media.image("jpg", media.picture(1200, 600), exif=exif))

    with Image.open(made["thumbnail"]) as image:
        assert image.size == (160, 320)


@pytest.mark.parametrize("extension", ["gif", "webp", "png"])
def test_an_animation_gets_a_thumbnail_only(media, make, extension):
    assert list(make(media.animation(extension))) == ["thumbnail"]


@pytest.mark.parametrize("extension", ["mp4", "mov", "webm"])
def test_a_video_gets_a_frame(media, make, extension):
    made = make(media.video(extension, fast_start=extension == "mp4"))

    assert list(made) == ["thumbnail"]
    with Image.open(made["thumbnail"]) as image:
        assert (image.format, image.size) == ("WEBP", (320, 240))


def test_of_a_video_that_begins_black_a_later_frame_is_shown(make, tmp_path):
    path = tmp_path / "fade.mp4"
    with av.open(str(path), "w") as output:
        stream = output.add_stream("libx264", rate=10)
        stream.width, stream.height, stream.pix_fmt, stream.gop_size = 160, 120, "yuv420p", 5
        for number in range(30):
            image = np.zeros((120, 160, 3), np.uint8)
            if number > 5:
                image[:, :80] = 255
            output.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="rgb24")))
        output.mux(stream.encode(None))
    made = make(path.read_bytes())

    shown = colours(made["thumbnail"])
    assert shown[:, 0].mean() > 200
    assert shown[:, 7].mean() < 50


def test_a_video_with_its_index_at_the_end_gets_a_copy_that_plays_while_loading(media, make):
    made = make(media.video("mp4"))
    copy = made["optimized"]

    assert plays_while_loading(copy)
    facts = probe(copy)
    assert (facts.video_codec, facts.audio_codec) == ("h264", "aac")
    assert (facts.width, facts.height) == (320, 240)
    assert facts.seconds == pytest.approx(1.0, abs=0.002)


def test_a_large_video_gets_a_smaller_one(media, make):
    data = media.video("mp4", size=(1920, 1080), seconds=0.5, fast_start=True)
    made = make(data)

    facts = probe(made["optimized"])
    assert (facts.width, facts.height) == (1280, 720)
    assert (facts.video_codec, facts.audio_codec) == ("h264", "aac")
    assert facts.seconds == pytest.approx(0.5, abs=0.01)
    assert facts.frames_per_second == pytest.approx(24, abs=0.01)
    assert facts.byte_count < len(data)
    assert plays_while_loading(made["optimized"])


@pytest.mark.parametrize("extension", ["mp3", "wav", "flac", "ogg", "m4a", "aac"])
def test_a_sound_gets_the_picture_of_its_shape(media, make, extension):
    made = make(media.sound(extension))

    assert list(made) == ["thumbnail"]
    with Image.open(made["thumbnail"]) as image:
        assert (image.format, image.size) == ("WEBP", (320, 96))
        # A tone of even loudness: every bar is as high as the next.
        filled = np.asarray(image.convert("RGBA"))[:, :, 3] > 128
    heights = filled.sum(axis=0)
    assert heights[::4].min() > 0.8 * heights.max()


def test_silence_has_a_shape_too(tmp_path, make):
    path = tmp_path / "silence.wav"
    with av.open(str(path), "w") as output:
        stream = output.add_stream("pcm_s16le", rate=8000)
        stream.layout = "mono"
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 8000), np.int16), "s16", "mono")
        frame.sample_rate = 8000
        output.mux(stream.encode(frame))
        output.mux(stream.encode(None))

    assert "thumbnail" in make(path.read_bytes())


def test_a_very_long_sound_has_no_shape(media, make, monkeypatch):
    monkeypatch.setattr(sound_renditions, "_MOST_SECONDS", 1.0)

    assert make(media.sound("wav")) == {}
