"""HEIC and HEIF pictures, which need the extra `heif` (rule 58)."""

from __future__ import annotations

import io
import sys
import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from mediawright.assets import formats
from mediawright.assets.formats import HEIC, HEIF, sniff
from mediawright.assets.inspect import probe
from mediawright.assets.renditions import render
from mediawright.core.errors import InvalidRequestError

pillow_heif = pytest.importorskip("pillow_heif")
pytestmark = pytest.mark.rule(58, shows=("accepts", "refuses"))


def heic(width: int = 64, height: int = 48, **options: object) -> bytes:
    pixels = np.random.default_rng(1).integers(0, 255, (height, width, 3), dtype=np.uint8)
    encoded = pillow_heif.from_pillow(Image.fromarray(pixels))
    buffer = io.BytesIO()
    encoded.save(buffer, quality=60, **options)
    return buffer.getvalue()


WHOLE = heic()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "photo"


def test_a_heic_picture_is_told_by_its_bytes(path: Path) -> None:
    path.write_bytes(heic())
    facts = probe(path)
    assert (facts.content_type, facts.width, facts.height) == ("image/heic", 64, 48)
    assert facts.byte_count == path.stat().st_size


def test_a_turned_heic_picture_has_the_sides_it_is_shown_with(path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    path.write_bytes(heic(exif=exif.tobytes()))
    facts = probe(path)
    assert (facts.width, facts.height) == (48, 64)


@pytest.mark.parametrize("kept", [0.2, 0.6, 0.95])
def test_a_heic_picture_that_is_cut_short_is_refused(path: Path, kept: float) -> None:
    whole = heic()
    path.write_bytes(whole[: int(len(whole) * kept)])
    with pytest.raises(InvalidRequestError) as caught:
        probe(path)
    assert caught.value.code == "corrupt_file"


def test_a_heic_picture_gets_a_thumbnail(path: Path, tmp_path: Path) -> None:
    path.write_bytes(heic(800, 600))
    made = render(path, HEIC, probe(path), lambda suffix="": tmp_path / f"made{suffix}")
    with Image.open(next(one.path for one in made if one.word == "thumbnail")) as thumbnail:
        assert thumbnail.size == (320, 240)


@pytest.mark.parametrize(
    ("head", "found"),
    [
        (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", HEIC),
        (b"\0\0\0\x18ftypheix\0\0\0\0mif1heix", HEIC),
        (b"\0\0\0\x18ftypmif1\0\0\0\0mif1heic", HEIC),
        (b"\0\0\0\x18ftypmif1\0\0\0\0mif1miaf", HEIF),
        (b"\0\0\0\x18ftypmif1\0\0\0\0mif1avif", formats.AVIF),
        (b"\0\0\0\x18ftypcrx \0\0\0\0crx isom", None),
    ],
)
def test_boxed_pictures_are_told_apart_by_their_brands(
    head: bytes, found: formats.Format | None
) -> None:
    assert sniff(head) is found


def test_without_the_extra_it_says_what_to_do(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path.write_bytes(heic())
    monkeypatch.setitem(sys.modules, "pillow_heif", None)
    with pytest.raises(InvalidRequestError) as caught:
        probe(path)
    assert caught.value.code == "unsupported_format"
    assert "mediawright[heif]" in str(caught.value.hint)


@settings(max_examples=60, deadline=None)
@given(place=st.integers(0, 10_000), byte=st.integers(0, 255))
def test_a_damaged_heic_picture_is_refused_or_read_and_nothing_else(place: int, byte: int) -> None:
    content = bytearray(WHOLE)
    content[place % len(content)] = byte
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "photo"
        path.write_bytes(content)
        try:
            found = probe(path).kind.value
        except InvalidRequestError as error:
            found = error.code
    assert found in {"image", "corrupt_file", "unsupported_format", "image_too_large"}
