"""What a surface itself demands of input files, whatever the model takes (C32)."""

from __future__ import annotations

import msgspec

from mediawright.catalog.model import MediaLimits
from mediawright.core.operations import MediaKind


class SurfaceLimits(msgspec.Struct, frozen=True, kw_only=True):
    """Limits by kind of file; `None` leaves a kind to the models."""

    image: MediaLimits | None = None
    video: MediaLimits | None = None
    audio: MediaLimits | None = None

    def of(self, kind: MediaKind) -> MediaLimits | None:
        """Return the limits for a kind of file."""
        if kind is MediaKind.IMAGE:
            return self.image
        return self.video if kind is MediaKind.VIDEO else self.audio


MEDIA_TOOL_LIMITS = SurfaceLimits(
    image=MediaLimits(formats=("jpeg", "png", "webp"), max_bytes=10_000_000)
)
"""The generate request (rule 10)."""

VIDEO_TOOL_LIMITS = SurfaceLimits(
    image=MediaLimits(
        formats=("jpeg", "png", "webp", "bmp", "tiff", "gif", "heic", "heif"),
        max_bytes=30_000_000,
        min_ratio=0.4,
        max_ratio=2.5,
        min_side=300,
        max_side=6000,
    ),
    video=MediaLimits(
        formats=("mp4", "mov"),
        min_seconds=2,
        max_seconds=15,
        total_seconds=15,
        heights=(480, 720, 1080),
        min_frames_per_second=24,
        max_frames_per_second=60,
        video_codecs=("h264", "hevc"),
        audio_codecs=("aac", "mp3"),
    ),
    audio=MediaLimits(
        formats=("wav", "mp3"),
        min_seconds=2,
        max_seconds=15,
        total_seconds=15,
        max_bytes=15_000_000,
    ),
)
"""The video tool (rules 58-60); how many there may be is the model's matter."""

NO_LIMITS = SurfaceLimits()
"""A surface that leaves everything to the models."""
