"""Smaller versions of a file, for looking through many: the original is never touched."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Generator
from pathlib import Path

import msgspec

from mediawright.assets.formats import MP4, WEBP, Format
from mediawright.assets.image_renditions import render_image
from mediawright.core.media import MediaFacts
from mediawright.core.operations import MediaKind

NewPath = Callable[[str], Path]
"""Given a suffix, returns a path that nothing uses."""


class Rendition(msgspec.Struct, frozen=True, kw_only=True):
    """A smaller version of a file."""

    word: str
    """`thumbnail` or `optimized`."""
    path: Path
    format: Format


def render(
    path: Path, found: Format, facts: MediaFacts, new_path: NewPath
) -> Generator[Rendition, None, None]:
    """Make the renditions of a file, one after the other. Blocks.

    A thumbnail (WebP, at most 320 pixels wide and high) of everything that can be seen: the
    picture, a telling frame, the shape of the sound. A version for looking at (WebP of at most
    1600 pixels; MP4 of at most 720 lines that plays while it loads) only where it is worth it.

    Args:
        path: The file.
        found: Its format.
        facts: What probing found.
        new_path: Where renditions go.

    Yields:
        What was made; the files belong to the caller.
    """
    if facts.kind is MediaKind.IMAGE:
        thumbnail, optimized = new_path(".webp"), new_path(".webp")
        with _removed_on_error(thumbnail, optimized):
            is_worth_it = render_image(path, found, thumbnail, optimized)
        yield Rendition(word="thumbnail", path=thumbnail, format=WEBP)
        if is_worth_it:
            yield Rendition(word="optimized", path=optimized, format=WEBP)
    elif facts.kind is MediaKind.VIDEO:
        # Here, as where files are probed, because of the memory that PyAV takes.
        from mediawright.assets.video_renditions import (  # noqa: PLC0415
            render_frame,
            render_video,
        )

        frame, clip = new_path(".webp"), new_path(".mp4")
        with _removed_on_error(frame):
            render_frame(path, found, facts, frame)
        yield Rendition(word="thumbnail", path=frame, format=WEBP)
        with _removed_on_error(clip):
            is_worth_it = render_video(path, found, facts, clip)
        if is_worth_it:
            yield Rendition(word="optimized", path=clip, format=MP4)
    elif facts.kind is MediaKind.AUDIO:
        from mediawright.assets.sound_renditions import render_waveform  # noqa: PLC0415

        shape = new_path(".webp")
        with _removed_on_error(shape):
            is_made = render_waveform(path, found, facts, shape)
        if is_made:
            yield Rendition(word="thumbnail", path=shape, format=WEBP)


@contextlib.contextmanager
def _removed_on_error(*paths: Path) -> Generator[None, None, None]:
    try:
        yield
    except BaseException:
        for path in paths:
            path.unlink(missing_ok=True)
        raise
