import io

import numpy as np
import pytest
from PIL import Image

from mediawright.core.errors import InvalidRequestError
from mediawright.engines.painter.encode import encode

PROMPT = "a lighthouse, dämmerung 夜"


def opened(data):
    image = Image.open(io.BytesIO(data))
    image.load()
    return image


@pytest.mark.parametrize(
    ("name", "expected"), [("png", "PNG"), ("jpeg", "JPEG"), ("jpg", "JPEG"), ("WEBP", "WEBP")]
)
def test_files_open_as_what_they_are(name, expected, patchwork):
    image = opened(encode(patchwork, name))
    assert image.format == expected
    assert image.size == patchwork.size
    difference = np.abs(np.asarray(image, float) - np.asarray(patchwork, float)).mean()
    assert difference < 8


def test_png_says_what_it_is(patchwork):
    image = opened(encode(patchwork, "png", prompt=PROMPT))
    assert image.text == {"Comment": "procedural sketch", "Description": PROMPT}
    assert np.array_equal(np.asarray(image), np.asarray(patchwork))


@pytest.mark.parametrize("name", ["jpeg", "webp"])
def test_exif_says_what_it_is(name, patchwork):
    exif = opened(encode(patchwork, name, prompt=PROMPT)).getexif()
    assert exif[0x0131] == "procedural sketch"
    assert exif[0x010E].encode("latin-1").decode() == PROMPT


@pytest.mark.parametrize("name", ["png", "webp"])
def test_transparency_is_kept_where_the_format_has_it(name):
    image = Image.new("RGBA", (20, 20), (200, 30, 30, 0))
    image.paste((200, 30, 30, 255), (0, 0, 10, 20))
    result = opened(encode(image, name))
    assert result.getpixel((2, 2))[3] == 255
    assert result.getpixel((15, 2))[3] == 0


def test_transparency_becomes_white_in_jpeg():
    image = Image.new("RGBA", (32, 32), (0, 0, 0, 0))
    assert min(opened(encode(image, "jpeg")).getpixel((16, 16))) > 250


def test_lower_quality_is_smaller(patchwork):
    assert len(encode(patchwork, "jpeg", quality=30)) < len(encode(patchwork, "jpeg", quality=95))


def test_an_unknown_format_is_named():
    with pytest.raises(InvalidRequestError) as caught:
        encode(Image.new("RGB", (8, 8)), "bmp")
    assert caught.value.code == "unsupported_output_format"
    assert caught.value.pointer == "/output_format"
