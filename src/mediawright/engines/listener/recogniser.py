"""The pocketsphinx decoder, and a small pool of them for the process."""

from __future__ import annotations

import importlib
import math
import re
import threading
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from typing import Any, Protocol, cast

import numpy as np
from numpy.typing import NDArray

from mediawright.core.errors import UnavailableError
from mediawright.core.media import Word
from mediawright.engines.listener.utterances import SAMPLE_RATE

LANGUAGE = "en"
_FRAMES_PER_SECOND = 100
_MOST_DECODERS = 2
"""Each holds about 60 MB and is used by one thread at a time."""
_LOW_VOICE, _HIGH_VOICE = 0.95, 1.15
"""Frequency scales that bring lower and higher voices to the model's own."""
_HIGH_VOICE_LEAD = 0.013
"""By how much per second the log score must speak for a high voice to be taken for one."""
_LEAST_SCORE = 1e-300
_FILLER = re.compile(r"^[<\[+]")
_PRONUNCIATION = re.compile(r"\(\d+\)$")


class _Segment(Protocol):
    word: str
    start_frame: int
    end_frame: int


class _Hypothesis(Protocol):
    best_score: float


class _Decoder(Protocol):
    config: Any

    def reinit_feat(self) -> None: ...
    def start_utt(self) -> None: ...
    def process_raw(self, data: bytes, no_search: bool, full_utt: bool) -> int: ...  # noqa: FBT001  # the library's signature
    def end_utt(self) -> None: ...
    def hyp(self) -> _Hypothesis | None: ...
    def seg(self) -> Iterator[_Segment]: ...


class Recogniser:
    """Recognises English words; used by one thread at a time."""

    def __init__(self, decoder: _Decoder) -> None:
        self._decoder = decoder

    def fit_voice(self, samples: NDArray[np.int16], offset: float) -> list[Word]:
        """Tune to the voice of an utterance, and return its words as `words` does."""
        self._tune(_HIGH_VOICE)
        as_high = self.words(samples, offset)
        high_score = self._score()
        self._tune(_LOW_VOICE)
        as_low = self.words(samples, offset)
        lead = (high_score - self._score()) / max(1, len(samples)) * SAMPLE_RATE
        if lead <= _HIGH_VOICE_LEAD:
            return as_low
        self._tune(_HIGH_VOICE)
        return as_high

    def words(self, samples: NDArray[np.int16], offset: float) -> list[Word]:
        """Return the words of one utterance; fillers are left out.

        Args:
            samples: The utterance at 16 kHz, one channel.
            offset: When it begins, in seconds.
        """
        self._decode(samples)
        found: list[Word] = []
        for segment in self._decoder.seg() if self._decoder.hyp() else ():
            if _FILLER.match(segment.word):
                continue
            found.append(
                Word(
                    text=_PRONUNCIATION.sub("", segment.word),
                    start=round(offset + segment.start_frame / _FRAMES_PER_SECOND, 2),
                    end=round(offset + (segment.end_frame + 1) / _FRAMES_PER_SECOND, 2),
                )
            )
        return found

    def _tune(self, warp: float) -> None:
        self._decoder.config["warp_params"] = str(warp)
        self._decoder.reinit_feat()

    def _score(self) -> float:
        """Return how well the last recognition fits, as a logarithm."""
        hypothesis = self._decoder.hyp()
        return math.log(max(hypothesis.best_score, _LEAST_SCORE)) if hypothesis else -math.inf

    def _decode(self, samples: NDArray[np.int16]) -> None:
        self._decoder.start_utt()
        try:
            self._decoder.process_raw(samples.tobytes(), no_search=False, full_utt=True)
        finally:
            self._decoder.end_utt()


_places = threading.BoundedSemaphore(_MOST_DECODERS)
_idle: list[Recogniser] = []


@contextmanager
def recogniser() -> Generator[Recogniser]:
    """Lend a recogniser; waits while all of them are lent.

    Making one takes half a second, so they are kept.

    Raises:
        UnavailableError: `no_listener` if pocketsphinx is not installed.
    """
    with _places:
        try:
            lent = _idle.pop()
        except IndexError:
            lent = Recogniser(_new_decoder())
        yield lent
        # One that failed halfway is not lent again.
        _idle.append(lent)


def _new_decoder() -> _Decoder:
    try:
        library: Any = importlib.import_module("pocketsphinx")
    except ImportError as error:
        raise UnavailableError(
            "no_listener",
            "No speech recogniser is installed.",
            hint="Run: pip install 'mediawright[speech]'.",
        ) from error
    decoder = library.Decoder(samprate=SAMPLE_RATE, loglevel="FATAL", warp_type="inverse_linear")
    return cast(_Decoder, decoder)
