"""Facts about media files, as probed from their bytes, and the text of transcripts."""

from __future__ import annotations

import msgspec

from mediawright.core.operations import MediaKind


class MediaFacts(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What the bytes of a file say about it."""

    kind: MediaKind
    content_type: str
    byte_count: int
    width: int | None = None
    """Pixels."""
    height: int | None = None
    """Pixels."""
    seconds: float | None = None
    frames_per_second: float | None = None
    video_codec: str | None = None
    audio_codec: str | None = None
    channels: int | None = None
    sample_rate: int | None = None
    """Hz."""


class Word(msgspec.Struct, frozen=True, omit_defaults=True):
    """One word of a transcript with its times in seconds."""

    text: str
    start: float
    end: float
    speaker: str | None = None


class Segment(msgspec.Struct, frozen=True, omit_defaults=True):
    """One stretch of a transcript, such as a sentence or a turn, with its times in seconds."""

    text: str
    start: float
    end: float
    speaker: str | None = None


class Transcript(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What was said in an audio file."""

    text: str
    language: str | None = None
    seconds: float | None = None
    words: tuple[Word, ...] = ()
    segments: tuple[Segment, ...] = ()
