"""Setting a given picture in motion."""

from __future__ import annotations

from PIL import Image

from mediawright.engines.animator.camera import Move, ease
from mediawright.engines.animator.sheets import Fall, FrameAt, bytes_of, fall_of
from mediawright.engines.painter.noise import Dice
from mediawright.engines.painter.scene import Scene
from mediawright.engines.painter.view import Motion
from mediawright.engines.painter.weather import rain_cover, snow_cover
from mediawright.engines.requests import AnimateRequest

_BEGINS_WITHIN = 0.6
"""Seconds in which rain and snow set in."""


class StillFilm:
    """A camera move over a picture; at its beginning, or its end, the picture itself."""

    def __init__(self, picture: Image.Image, move: Move, seconds: float, *, ends: bool) -> None:
        """Prepare the move.

        Args:
            picture: Of the frames' size, RGB.
            move: What the camera does.
            seconds: How long the clip is.
            ends: Whether the move arrives at the whole picture instead of leaving it.
        """
        self._picture = picture
        self._move = move
        self._seconds = max(seconds, 1e-3)
        self._ends = ends

    def frame(self, seconds: float) -> Image.Image:
        """Return the frame at this time, as RGB."""
        part = ease(seconds / self._seconds)
        part = 1 - part if self._ends else part
        width, height = self._picture.size
        # Inside the picture there is only room to come closer.
        travel = max(abs(self._move.push), abs(self._move.pan) * 2, abs(self._move.tilt) * 2, 0.03)
        scale = 1 - travel * part if self._move != Move() else 1.0
        room_across, room_down = width * (1 - scale), height * (1 - scale)
        sign = -1 if self._ends else 1
        left = room_across * (0.5 + sign * _lean(self._move.pan))
        top = room_down * (0.5 - sign * _lean(self._move.tilt))
        box = (left, top, left + width * scale, top + height * scale)
        if scale == 1:
            return self._picture.copy()
        return self._picture.resize((width, height), Image.Resampling.BICUBIC, box)


def _lean(amount: float) -> float:
    return max(-0.5, min(0.5, amount * 6))


def weathered(frame_at: FrameAt, scene: Scene, request: AnimateRequest) -> FrameAt:
    """Return the same film with the prompt's rain and snow, which set in after its start.

    Args:
        frame_at: The film.
        scene: Gives the weather.
        request: Gives size and seed.
    """
    falls = _falls(scene, request)
    if not falls:
        return frame_at

    def frame(seconds: float) -> Image.Image:
        dry = frame_at(seconds)
        amount = min(1.0, seconds / _BEGINS_WITHIN)
        if amount <= 0:
            return dry
        wet = dry.copy()
        for fall in falls:
            fall.over(wet, seconds)
        return Image.blend(dry, wet, amount)

    return frame


def _falls(scene: Scene, request: AnimateRequest) -> list[Fall]:
    weather = scene.weather
    falls: list[Fall] = []
    for amount, motion, cover_of, power in (
        (weather.rain, Motion.RAIN, rain_cover, 0.45),
        (weather.snow, Motion.SNOW, snow_cover, 0.9),
    ):
        if amount <= 0:
            continue
        for near in (0.0, 0.35, 1.0):
            dice = Dice(request.seed, scene.fingerprint, f"{motion.value} {near}")
            cover = cover_of(weather, dice, request.width, request.height, near) * power
            falls.append(fall_of(weather, motion, near, (232, 236, 244), bytes_of(cover)))
    return falls
