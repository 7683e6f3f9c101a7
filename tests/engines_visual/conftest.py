"""What the tests of the painter and the animator share."""

import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

Pixels = NDArray[np.float32]


@pytest.fixture(scope="session")
def as_png() -> Callable[[Image.Image], bytes]:
    """Return what turns an image into the bytes of a PNG."""

    def encode(image: Image.Image) -> bytes:
        target = io.BytesIO()
        image.save(target, "PNG")
        return target.getvalue()

    return encode


@pytest.fixture(scope="session")
def pixels() -> Callable[[Image.Image], Pixels]:
    """Return what turns an image into its RGB values, 0 to 1, shape (height, width, 3)."""

    def read(image: Image.Image) -> Pixels:
        return np.asarray(image.convert("RGB"), np.float32) / 255

    return read


@pytest.fixture(scope="session")
def patchwork() -> Image.Image:
    """Return a picture in which no two neighbouring places look alike."""
    values = np.random.default_rng(7).integers(0, 256, (12, 16, 3), np.uint8)
    return Image.fromarray(values).resize((96, 72), Image.Resampling.BICUBIC)


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    """Return where a clip may be written."""
    return tmp_path / "clip.mp4"
