"""Speech to text."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import cast

import av
import numpy as np

from mediawright.core.media import Transcript, Word
from mediawright.engines.listener.recogniser import LANGUAGE, Recogniser, recogniser
from mediawright.engines.listener.utterances import SAMPLE_RATE, Samples, Utterance, utterances
from mediawright.engines.requests import Report, ignore_progress
from mediawright.engines.sound_files import decoded, open_sound

_FIT_SAMPLES = 8 * SAMPLE_RATE


def listen(data: bytes | Path, report: Report = ignore_progress) -> Transcript:
    """Return what is said in a file, in English, with the times of its words.

    The words are lower-case as they are recognised ("I" apart); in the text every utterance
    begins with a capital and ends with a full stop. A file without speech gives an empty
    text. The same file gives the same transcript.

    Args:
        data: A sound or video file, as bytes or as a path; anything PyAV can read.
        report: Called after each utterance; raising in it stops the work.

    Raises:
        InvalidRequestError: `unreadable_audio` if there is no audio in it that can be read.
        UnavailableError: `no_listener` if pocketsphinx is not installed.
    """
    with open_sound(data) as (container, stream), recogniser() as lent:
        expected = container.duration / av.time_base if container.duration else 0.0
        clock = _Clock(
            cast(Iterator[Samples], decoded(container, stream, "s16", "mono", SAMPLE_RATE))
        )
        report(0.0, "listening")
        sentences: list[list[Word]] = []
        for utterance in utterances(clock.blocks()):
            sentences.append(_words(lent, utterance, first=not sentences))
            report(min(1.0, utterance.end / expected) if expected else 0.0, "listening")
    report(1.0, "listening")
    return Transcript(
        text=" ".join(_sentence(words) for words in sentences if words),
        language=LANGUAGE,
        seconds=round(clock.seconds, 3),
        words=tuple(word for words in sentences for word in words),
    )


class _Clock:
    """Counts the sound that passes through it."""

    def __init__(self, blocks: Iterator[Samples]) -> None:
        self._blocks = blocks
        self._count = 0

    @property
    def seconds(self) -> float:
        return self._count / SAMPLE_RATE

    def blocks(self) -> Iterator[Samples]:
        for block in self._blocks:
            flat = np.ravel(block)
            self._count += len(flat)
            yield flat


def _words(lent: Recogniser, utterance: Utterance, *, first: bool) -> list[Word]:
    samples, start = utterance.samples, utterance.start
    if first:
        found = lent.fit_voice(samples[:_FIT_SAMPLES], start)
        if len(samples) > _FIT_SAMPLES:
            found = lent.words(samples, start)
    else:
        found = lent.words(samples, start)
    return [_spelt(word) for word in found]


def _spelt(word: Word) -> Word:
    if word.text == "i" or word.text.startswith("i'"):
        return Word(text="I" + word.text[1:], start=word.start, end=word.end)
    return word


def _sentence(words: list[Word]) -> str:
    text = " ".join(word.text for word in words)
    return f"{text[0].upper()}{text[1:]}."
