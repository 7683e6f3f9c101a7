"""How often a provider is asked, and for how long (rule 77)."""

from __future__ import annotations

import random

import msgspec

from mediawright.core.operations import MediaKind, Operation


class Cadence(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The rhythm of polling one kind of job. All in seconds."""

    first: float = 1.0
    """Before the first question."""
    growth: float = 1.5
    """Each interval is this many times the one before."""
    longest: float = 10.0
    """No interval is longer."""
    window: float = 600.0
    """After this the job is overdue; it goes on all the same."""
    limit: float = 86_400.0
    """After this the job has expired."""
    jitter: float = 0.1
    """Part by which an interval may vary, so that jobs do not march in step."""

    def interval(self, polls: int) -> float:
        """Return how long to wait before question number `polls` + 1."""
        base = min(self.first * self.growth ** min(polls, 64), self.longest)
        return base * (1 + random.uniform(-self.jitter, self.jitter))  # noqa: S311 - not secret


class Cadences(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The cadence of each kind of output; video is rule 77's 60 times 10 s."""

    image: Cadence = Cadence(first=0.5, longest=3.0, window=300.0)
    video: Cadence = Cadence()
    music: Cadence = Cadence(window=1_200.0)
    speech: Cadence = Cadence(first=0.5, longest=3.0, window=300.0)

    def of(self, operation: Operation) -> Cadence:
        """Return the cadence of an operation's jobs."""
        if operation is Operation.TEXT_TO_MUSIC:
            return self.music
        by_kind = {
            MediaKind.IMAGE: self.image,
            MediaKind.VIDEO: self.video,
            MediaKind.AUDIO: self.speech,
            MediaKind.TEXT: self.speech,
        }
        return by_kind[operation.output_kind]
