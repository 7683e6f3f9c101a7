"""Calls that tests make with Runway's own SDK, and a look into the files that come back."""

from __future__ import annotations

import base64
import io
from collections.abc import Callable
from fractions import Fraction

import av
import numpy as np
from PIL import Image
from runwayml import RunwayML

SCENARIO = "X-Sandbox-Scenario"
PROGRESSION = "X-Sandbox-Progression"
Connect = Callable[..., RunwayML]

RED = (200, 30, 30)
BLUE = (30, 30, 200)
TURBO = {"model": "gen4_turbo", "ratio": "1280:720", "duration": 2}


def picture(colour: tuple[int, int, int], size: tuple[int, int] = (160, 90)) -> bytes:
    target = io.BytesIO()
    Image.new("RGB", size, colour).save(target, "PNG")
    return target.getvalue()


def data_uri(data: bytes, content_type: str = "image/png") -> str:
    return f"data:{content_type};base64,{base64.b64encode(data).decode()}"


def frames(clip: bytes) -> tuple[list[np.ndarray], Fraction]:
    with av.open(io.BytesIO(clip)) as container:
        stream = container.streams.video[0]
        shown = [frame.to_ndarray(format="rgb24") for frame in container.decode(stream)]
        return shown, len(shown) / Fraction(stream.average_rate)


def mean_colour(frame: np.ndarray) -> np.ndarray:
    return frame.reshape(-1, 3).mean(axis=0)


def make_clip(client: RunwayML, headers: dict[str, str] | None = None, **fields: object):
    body = {**TURBO, "prompt_image": data_uri(picture(RED)), **fields}
    return client.image_to_video.create(**body, extra_headers=headers)
