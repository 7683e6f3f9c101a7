"""The shape of a sound as a small picture."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from mediawright.assets.formats import Format
from mediawright.assets.image_renditions import save_webp
from mediawright.assets.media_probe import open_media
from mediawright.core.media import MediaFacts

_WIDTH, _HEIGHT = 320, 96
_BAR_PIXELS, _GAP_PIXELS = 3, 1
_BARS = _WIDTH // (_BAR_PIXELS + _GAP_PIXELS)
_COLOUR = (62, 111, 214, 255)
# Every second takes about half a millisecond to decode.
_MOST_SECONDS = 3600.0


def render_waveform(path: Path, found: Format, facts: MediaFacts, target: Path) -> bool:
    """Write the picture of a sound: a bar for each stretch of it, as high as it is loud. Blocks.

    Returns:
        Whether there is a picture; not of what lasts longer than an hour.
    """
    if facts.seconds is None or facts.seconds > _MOST_SECONDS:
        return False
    peaks = _peaks(path, found, facts.seconds)
    save_webp(_draw(peaks / max(float(peaks.max()), 1e-6)), target)
    return True


def _peaks(path: Path, found: Format, seconds: float) -> NDArray[np.float32]:
    """Return the greatest amplitude in each of as many stretches as there are bars."""
    peaks = np.zeros(_BARS, np.float32)
    with open_media(path, found) as container:
        sound = container.streams.audio[0]
        total = max(1, round(seconds * sound.rate))
        to_mono = av.AudioResampler(format="flt", layout="mono", rate=sound.rate)
        position = 0
        for frame in container.decode(sound):
            for mono in to_mono.resample(frame):
                samples = np.abs(mono.to_ndarray()[0])
                bars = (np.arange(position, position + len(samples)) * _BARS) // total
                np.maximum.at(peaks, np.minimum(bars, _BARS - 1), samples)
                position += len(samples)
    return peaks


def _draw(heights: NDArray[np.float32]) -> Image.Image:
    """Draw bars around the middle line; `heights` are between 0 and 1."""
    pixels = np.zeros((_HEIGHT, _WIDTH, 4), np.uint8)
    # Loudness is heard in ratios; the root brings the quiet parts up to where they are seen.
    reach = np.maximum(1, np.sqrt(heights) * (_HEIGHT // 2 - 2)).astype(int)
    for bar, half in enumerate(reach):
        left = bar * (_BAR_PIXELS + _GAP_PIXELS)
        top = _HEIGHT // 2 - half
        pixels[top : _HEIGHT // 2 + half, left : left + _BAR_PIXELS] = _COLOUR
    return Image.fromarray(pixels, "RGBA")
