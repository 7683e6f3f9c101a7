"""Setting a given picture in motion."""

from __future__ import annotations

from PIL import Image

from mediawright.engines.animator.camera import Move, ease


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
