"""Pictures cut to another ratio (rule 62)."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from PIL import Image

from mediawright.assets.cropping import Box, centred_box, crop
from mediawright.assets.inspect import probe
from mediawright.core.errors import InvalidRequestError

pytestmark = pytest.mark.rule(62, shows=("accepts", "adjusts"))
RATIOS = [16 / 9, 9 / 16, 1.0, 4 / 3, 3 / 4, 21 / 9, 3 / 2]


@pytest.mark.parametrize(
    ("size", "ratio", "box"),
    [
        ((1920, 1080), 1.0, Box(420, 0, 1080, 1080)),
        ((1080, 1920), 1.0, Box(0, 420, 1080, 1080)),
        ((1000, 1000), 16 / 9, Box(0, 219, 1000, 562)),
        ((1000, 1000), 9 / 16, Box(219, 0, 562, 1000)),
        ((1920, 1080), 16 / 9, None),
        # But for one row of pixels it is what is wanted.
        ((1366, 768), 16 / 9, None),
        ((1, 1), 16 / 9, None),
    ],
)
def test_the_middle_is_kept(size: tuple[int, int], ratio: float, box: Box | None) -> None:
    assert centred_box(*size, ratio) == box


@given(width=st.integers(1, 9000), height=st.integers(1, 9000), ratio=st.sampled_from(RATIOS))
def test_a_cut_lies_inside_and_is_as_large_as_can_be(width: int, height: int, ratio: float) -> None:
    box = centred_box(width, height, ratio)
    assume(box is not None)
    assert box is not None
    assert box.width >= 1
    assert box.height >= 1
    assert 0 <= box.left <= box.left + box.width <= width
    assert 0 <= box.top <= box.top + box.height <= height
    # One side is whole, so nothing larger of that ratio fits in.
    assert box.width == width or box.height == height
    # It is around the centre, to half a pixel.
    assert abs((width - box.width) - 2 * box.left) <= 1
    assert abs((height - box.height) - 2 * box.top) <= 1
    # The ratio is met as closely as whole pixels allow.
    assert abs(box.width - box.height * ratio) <= max(1.0, ratio)


def stripes(path: Path, kind: str, **options: object) -> Path:
    """Write a picture of 60 x 40 pixels: ten red columns, forty blue, ten red."""
    pixels = np.zeros((40, 60, 3), dtype=np.uint8)
    pixels[:, :, 0] = 255
    pixels[:, 10:50] = (0, 0, 255)
    Image.fromarray(pixels).save(path, kind, **options)
    return path


@pytest.mark.parametrize(
    ("kind", "content_type"),
    [
        ("PNG", "image/png"),
        ("JPEG", "image/jpeg"),
        ("WEBP", "image/webp"),
        ("BMP", "image/png"),
        ("GIF", "image/png"),
        ("TIFF", "image/png"),
    ],
)
def test_the_part_shows_what_it_should(tmp_path: Path, kind: str, content_type: str) -> None:
    source = stripes(tmp_path / "whole", kind)
    before = source.read_bytes()
    crop(source, Box(10, 0, 40, 40), tmp_path / "part")
    facts = probe(tmp_path / "part")
    assert (facts.content_type, facts.width, facts.height) == (content_type, 40, 40)
    with Image.open(tmp_path / "part") as part:
        means = np.asarray(part.convert("RGB")).reshape(-1, 3).mean(axis=0)
    assert means[2] > 235
    assert means[0] < 20
    assert source.read_bytes() == before


def test_a_turned_photo_is_cut_as_it_is_shown(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    source = stripes(tmp_path / "whole", "JPEG", exif=exif)
    facts = probe(source)
    assert (facts.width, facts.height) == (40, 60)
    crop(source, Box(0, 10, 40, 40), tmp_path / "part")
    with Image.open(tmp_path / "part") as part:
        assert part.getexif().get(0x0112, 1) == 1
        means = np.asarray(part.convert("RGB")).reshape(-1, 3).mean(axis=0)
    assert means[2] > 235


@pytest.mark.parametrize("mode", ["L", "P", "LA", "RGBA", "CMYK", "1", "I;16"])
def test_pictures_of_every_kind_of_pixel_can_be_cut(tmp_path: Path, mode: str) -> None:
    kind = "TIFF" if mode == "CMYK" else "PNG"
    Image.new(mode, (60, 40)).save(tmp_path / "whole", kind)
    crop(tmp_path / "whole", Box(10, 0, 40, 40), tmp_path / "part")
    assert probe(tmp_path / "part").width == 40


def test_a_damaged_picture_is_refused(tmp_path: Path) -> None:
    source = stripes(tmp_path / "whole", "PNG")
    source.write_bytes(source.read_bytes()[:90])
    with pytest.raises(InvalidRequestError) as caught:
        crop(source, Box(10, 0, 40, 40), tmp_path / "part")
    assert caught.value.code == "corrupt_file"
