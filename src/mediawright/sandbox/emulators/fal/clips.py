"""How long a clip is that a model takes its movement from."""

from __future__ import annotations

import asyncio
import io

import av
from av.error import FFmpegError


async def clip_seconds(data: bytes) -> float | None:
    """Return how long a video lasts, or `None` if it is none."""
    return await asyncio.to_thread(_seconds, data)


def _seconds(data: bytes) -> float | None:
    try:
        with av.open(io.BytesIO(data), "r") as clip:
            if not clip.streams.video or clip.duration is None:
                return None
            return round(clip.duration / av.time_base, 3)
    except FFmpegError:
        return None
