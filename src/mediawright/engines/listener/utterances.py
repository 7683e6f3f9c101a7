"""A stream of sound cut into utterances, at the pauses between them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

SAMPLE_RATE = 16_000
"""Hz; what the recogniser's model was trained on."""
LONGEST_SECONDS = 20.0
_FRAME = SAMPLE_RATE // 100
_WINDOW_FRAMES = 3_000
_PAUSE_FRAMES = 26
_PADDING_FRAMES = 14
_SHORTEST_FRAMES = 8
_SILENCE_DECIBELS = -55.0
_FLOOR_DECIBELS = -80.0
_SPEECH_SHARE = 0.35
"""Where between the quiet and the loud parts of a recording its speech begins."""

Samples = NDArray[np.int16]


@dataclass(frozen=True)
class Utterance:
    """A piece of speech between two pauses."""

    start: float
    """Seconds from the beginning of the recording."""
    samples: Samples

    @property
    def end(self) -> float:
        """Seconds from the beginning of the recording."""
        return self.start + len(self.samples) / SAMPLE_RATE


def utterances(blocks: Iterable[Samples]) -> Iterator[Utterance]:
    """Yield the utterances of a recording, in order; memory stays bounded.

    Args:
        blocks: The recording at 16 kHz, one channel, in pieces of any length.
    """
    buffer: Samples = np.zeros(0, np.int16)
    offset = 0
    for block in blocks:
        buffer = np.concatenate((buffer, block))
        while len(buffer) >= _WINDOW_FRAMES * _FRAME:
            spans, kept = _spans(buffer, last=False)
            yield from (_utterance(buffer, offset, span) for span in spans)
            buffer = buffer[kept * _FRAME :]
            offset += kept * _FRAME
    spans, _ = _spans(buffer, last=True)
    yield from (_utterance(buffer, offset, span) for span in spans)


def _utterance(buffer: Samples, offset: int, span: tuple[int, int]) -> Utterance:
    start, end = span[0] * _FRAME, span[1] * _FRAME
    return Utterance((offset + start) / SAMPLE_RATE, buffer[start:end])


def _spans(buffer: Samples, *, last: bool) -> tuple[list[tuple[int, int]], int]:
    """Return the utterances' frames, and from which frame on the buffer must be kept."""
    levels = _levels(buffer)
    found = _speech(levels)
    kept = len(levels)
    if not last:
        if found and found[-1][1] > len(levels) - _PAUSE_FRAMES and found[-1][0] > _PADDING_FRAMES:
            kept = found.pop()[0] - _PADDING_FRAMES
        elif found and found[-1][1] > len(levels) - _PAUSE_FRAMES:
            start, _ = found.pop()
            kept = _quietest(levels, start)
            found.append((start, kept))
        else:
            # What begins in the pause at the end needs the quiet before it.
            kept = len(levels) - _PADDING_FRAMES
    padded = [
        (
            max(0, start - _PADDING_FRAMES),
            min(kept if not last else len(levels), end + _PADDING_FRAMES),
        )
        for start, end in found
    ]
    return [part for span in padded for part in _no_longer(levels, span)], kept


def _speech(levels: NDArray[np.float64]) -> list[tuple[int, int]]:
    """Return where speech is, in frames, with the pauses shorter than a breath closed."""
    if not len(levels):
        return []
    loud = float(np.percentile(levels, 95))
    if loud < _SILENCE_DECIBELS and float(levels.max()) < _SILENCE_DECIBELS:
        return []
    quiet = max(_FLOOR_DECIBELS, float(np.percentile(levels, 5)))
    speaking = levels > quiet + _SPEECH_SHARE * (max(loud, quiet) - quiet)
    edges = np.flatnonzero(np.diff(np.concatenate(([False], speaking, [False])).astype(np.int8)))
    spans: list[tuple[int, int]] = []
    for start, end in zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True):
        if spans and start - spans[-1][1] < _PAUSE_FRAMES:
            spans[-1] = (spans[-1][0], end)
        else:
            spans.append((start, end))
    return [span for span in spans if span[1] - span[0] >= _SHORTEST_FRAMES]


def _no_longer(levels: NDArray[np.float64], span: tuple[int, int]) -> list[tuple[int, int]]:
    longest = round(LONGEST_SECONDS * 100)
    parts: list[tuple[int, int]] = []
    start, end = span
    while end - start > longest:
        cut = _quietest(levels[: start + longest], start)
        parts.append((start, cut))
        start = cut
    return [*parts, (start, end)]


def _quietest(levels: NDArray[np.float64], start: int) -> int:
    """Return the middle of the quietest tenth of a second in the later half from `start`."""
    middle = (start + len(levels)) // 2
    smooth = np.convolve(levels[middle:], np.ones(10) / 10, mode="same")
    return middle + int(np.argmin(smooth[5:-5])) + 5


def _levels(samples: Samples) -> NDArray[np.float64]:
    """Return the loudness of each hundredth of a second, in decibels of full scale."""
    whole = samples[: len(samples) // _FRAME * _FRAME].astype(np.float64) / 32_768
    power = np.mean(np.square(whole.reshape(-1, _FRAME)), axis=1)
    return 10 * np.log10(power + 1e-10)
