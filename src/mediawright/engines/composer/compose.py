"""Text to music."""

from __future__ import annotations

import hashlib
import math
import random

import numpy as np

from mediawright.core.errors import InvalidRequestError
from mediawright.engines.composer.arrange import arrange
from mediawright.engines.composer.brief import Brief, read_brief
from mediawright.engines.composer.mixdown import mix_down
from mediawright.engines.composer.score import Score
from mediawright.engines.requests import ComposeRequest, Report, Sound, ignore_progress

LONGEST_SECONDS = 600.0
_SAMPLE_RATES = range(8_000, 96_001)


def compose(request: ComposeRequest, report: Report = ignore_progress) -> Sound:
    """Return a piece of music: two channels, exactly as long as asked, ending musically.

    The prompt's words choose style, mood, key ("in D minor"), tempo ("90 bpm") and the
    instrument of the melody; the seed decides what they leave open. The same request makes
    the same music. Words to be sung are not sung.

    Args:
        request: The prompt, the length (up to 600 seconds), the seed and the sample rate.
        report: Called as the parts are played; raising in it stops the work.

    Raises:
        InvalidRequestError: `invalid_duration` or `invalid_sample_rate`.
    """
    if not (math.isfinite(request.seconds) and 0 < request.seconds <= LONGEST_SECONDS):
        raise InvalidRequestError(
            "invalid_duration",
            f"Music of {request.seconds:g} seconds cannot be made.",
            pointer="/parameters/duration",
            hint=f"Ask for more than 0 and at most {LONGEST_SECONDS:g} seconds.",
        )
    if request.sample_rate not in _SAMPLE_RATES:
        raise InvalidRequestError(
            "invalid_sample_rate", f"A sample rate of {request.sample_rate} Hz cannot be made."
        )
    report(0.0, "composing")
    brief, score = write_score(request)
    samples = mix_down(score, brief.style, request.sample_rate, number_from(request), report)
    report(1.0, "mixing")
    return Sound(samples=np.ascontiguousarray(samples), sample_rate=request.sample_rate)


def write_score(request: ComposeRequest) -> tuple[Brief, Score]:
    """Return what a request is understood as, and the notes that are played for it."""
    chance = random.Random(number_from(request))  # noqa: S311  # music, not secrets
    brief = read_brief(request.prompt, chance)
    return brief, arrange(brief, request.seconds, chance)


def number_from(request: ComposeRequest) -> int:
    """Return the number all chance in a piece is drawn from: its seed and its words."""
    words = " ".join(request.prompt.lower().split())
    return int.from_bytes(hashlib.sha256(f"{request.seed}:{words}".encode()).digest()[:8], "big")
