"""Making a clip from a request."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

from PIL import Image

from mediawright.engines.animator.camera import ease, move_of
from mediawright.engines.animator.film import OVERSCAN, Film
from mediawright.engines.animator.sheets import FrameAt
from mediawright.engines.animator.soundtrack import cut
from mediawright.engines.animator.still import StillFilm, weathered
from mediawright.engines.animator.video import write_video
from mediawright.engines.painter.compose import compose
from mediawright.engines.painter.noise import Dice
from mediawright.engines.painter.sources import fit, read_picture
from mediawright.engines.painter.words import read_scene
from mediawright.engines.requests import AnimateRequest, Report, ignore_progress

_PREPARING = 0.12
"""The part of the work that comes before the first frame."""
_MORPH_PART = 0.45
"""The part of the clip in which it turns into the last frame."""
_WORKERS = 2
_AHEAD = 3
"""How many frames are in the making while one is encoded."""


def animate(request: AnimateRequest, path: Path, report: Report = ignore_progress) -> None:
    """Write the clip asked for as an MP4 at `path`.

    The file has exactly `round(seconds * frames_per_second)` frames, but at least one. It
    appears only when it is whole.

    Args:
        request: What to show; width and height must be even.
        path: Where the file goes; its folder exists.
        report: Called for each frame; what it raises stops the work and leaves no file.

    Raises:
        InvalidRequestError: `unreadable_image` or `image_too_large` for a given frame.
    """
    count = max(1, round(request.seconds * request.frames_per_second))
    length = count / request.frames_per_second
    sound = None if request.sound is None else cut(request.sound, length)
    frame_at = _film(request, length, report)
    partial = path.with_name(f".{path.name}.part")
    try:
        write_video(partial, request, _frames(request, frame_at, count, report), sound)
        partial.replace(path)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise
    report(1.0, "finished")


def _frames(
    request: AnimateRequest, frame_at: FrameAt, count: int, report: Report
) -> Iterator[Image.Image]:
    """Yield the frames in order; the next ones are made while this one is encoded."""
    with ThreadPoolExecutor(_WORKERS, thread_name_prefix="animator") as pool:
        coming: deque[Future[Image.Image]] = deque()
        try:
            for index in range(count + _AHEAD):
                if index < count:
                    coming.append(pool.submit(frame_at, index / request.frames_per_second))
                shown = index - _AHEAD
                if shown >= 0:
                    report(_PREPARING + (0.99 - _PREPARING) * shown / count, "filming")
                    yield coming.popleft().result()
        finally:
            for future in coming:
                future.cancel()


def _film(request: AnimateRequest, length: float, report: Report) -> FrameAt:
    """Return what gives the clip's frame at a time."""
    size = (request.width, request.height)
    scene = read_scene(request.prompt)
    move = move_of(request.prompt, Dice(request.seed, scene.fingerprint, "camera"))
    end = length - 1 / request.frames_per_second
    if request.first_frame is not None:
        picture = fit(read_picture(request.first_frame, "/first_frame").convert("RGB"), *size)
        begin = StillFilm(picture, move, end, ends=False).frame
        begin = weathered(begin, scene, request)
    else:
        larger = (round(request.width * OVERSCAN), round(request.height * OVERSCAN))

        def part(done: float, stage: str) -> None:
            report(done * _PREPARING, stage)

        composition = compose(scene, *larger, request.seed, part)
        begin = Film(composition, move, size, end).frame
    if request.last_frame is None:
        return begin
    picture = fit(read_picture(request.last_frame, "/last_frame").convert("RGB"), *size)
    finish = StillFilm(picture, move, end, ends=True).frame

    def morph(seconds: float) -> Image.Image:
        start = end * (1 - _MORPH_PART)
        amount = ease((seconds - start) / max(end - start, 1e-6))
        if amount <= 0:
            return begin(seconds)
        if amount >= 1:
            return finish(seconds)
        return Image.blend(begin(seconds), finish(seconds), amount)

    return morph
