"""The pocketsphinx decoder, and a small pool of them for the process."""

from __future__ import annotations

import importlib
import re
import threading
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from typing import Any, Protocol, cast

import numpy as np
from numpy.typing import NDArray

from mediawright.core.errors import UnavailableError
from mediawright.core.media import Word

LANGUAGE = "en"
_FRAMES_PER_SECOND = 100
_MOST_DECODERS = 2
"""Each holds about 60 MB and is used by one thread at a time."""
_VOICE_WARPS = (0.9, 1.0, 1.15)
"""Frequency scales of a deeper, an average and a higher voice than the model's own."""
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

    def start_recording(self) -> None:
        """Forget what was learnt about the recording before."""
        self._tune(1.0)

    def fit_voice(self, samples: NDArray[np.int16]) -> None:
        """Tune the following recognition to the voice of a piece of speech."""
        scores: dict[float, float] = {}
        for warp in _VOICE_WARPS:
            self._tune(warp)
            self._decode(samples)
            hypothesis = self._decoder.hyp()
            scores[warp] = hypothesis.best_score if hypothesis else 0.0
        self._tune(max(_VOICE_WARPS, key=lambda warp: scores[warp]))

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
        lent.start_recording()
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
    decoder = library.Decoder(samprate=16_000, loglevel="FATAL", warp_type="inverse_linear")
    return cast(_Decoder, decoder)
