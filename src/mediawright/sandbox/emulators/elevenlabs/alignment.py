"""When each character is spoken."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from mediawright.core.media import Transcript

_PIECES = re.compile(r"\s+|\S+")


@dataclass(frozen=True)
class Piece:
    """A word with its punctuation, or the space between two, with its times in seconds."""

    text: str
    start: float
    end: float

    @property
    def is_spacing(self) -> bool:
        """Whether it is the space between words."""
        return self.text.isspace()

    def characters(self) -> Iterator[tuple[str, float, float]]:
        """Yield each character with its times, as if all took equally long."""
        step = (self.end - self.start) / len(self.text)
        for index, character in enumerate(self.text):
            start = self.start + index * step
            yield character, round(start, 3), round(start + step, 3)


def pieces_of(transcript: Transcript, seconds: float) -> list[Piece]:
    """Return the whole text of a transcript in pieces; their texts together are the text.

    Words have the times that the transcript gives them, if it has as many as the text; otherwise
    the time is shared out by length.

    Args:
        transcript: The text, with or without word times.
        seconds: How long the sound lasts.
    """
    texts = _PIECES.findall(transcript.text.strip())
    spoken = [text for text in texts if not text.isspace()]
    if len(spoken) != len(transcript.words):
        return _shared_out(texts, seconds)
    words = iter(transcript.words)
    pieces: list[Piece] = []
    for text in texts:
        last = pieces[-1].end if pieces else 0.0
        if text.isspace():
            pieces.append(Piece(text, last, last))
            continue
        word = next(words)
        start = max(last, word.start)
        if pieces:
            pieces[-1] = Piece(pieces[-1].text, last, start)
        pieces.append(Piece(text, start, max(start, word.end)))
    return pieces


def _shared_out(texts: list[str], seconds: float) -> list[Piece]:
    per_character = seconds / max(1, sum(map(len, texts)))
    pieces: list[Piece] = []
    at = 0.0
    for text in texts:
        end = at + len(text) * per_character
        pieces.append(Piece(text, at, end))
        at = end
    return pieces


def alignment(pieces: list[Piece]) -> dict[str, Any]:
    """Return the times of every character, as the vendor's speech with timestamps has them."""
    characters = [entry for piece in pieces for entry in piece.characters()]
    return {
        "characters": [character for character, _, _ in characters],
        "character_start_times_seconds": [start for _, start, _ in characters],
        "character_end_times_seconds": [end for _, _, end in characters],
    }
