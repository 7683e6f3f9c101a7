"""Transcripts in the forms that OpenAI answers."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Any

from mediawright.core.media import Transcript, Word
from mediawright.sandbox.kit.call import Reply

_SENTENCE_END = re.compile(r"[.!?…]['\")\]]*\Z")
_LONGEST_SEGMENT = 24
"""Words."""
_TOKENS_PER_SECOND = 10
_CHARACTERS_PER_TOKEN = 4
_LANGUAGE_NAMES = {"en": "english", "de": "german", "es": "spanish", "fr": "french"}
_LOGPROB = -0.05


@dataclass(frozen=True, kw_only=True)
class Segment:
    """A sentence of a transcript."""

    start: float
    end: float
    text: str


def segments(transcript: Transcript) -> list[Segment]:
    """Return the transcript sentence by sentence."""
    found: list[Segment] = []
    words: list[Word] = []
    for word in transcript.words:
        words.append(word)
        if _SENTENCE_END.search(word.text) or len(words) == _LONGEST_SEGMENT:
            found.append(_segment(words))
            words = []
    return [*found, _segment(words)] if words else found


def subtitles(transcript: Transcript, response_format: str) -> Reply:
    """Return the transcript as `srt` or `vtt`."""
    mark = "," if response_format == "srt" else "."
    blocks: list[str] = [] if response_format == "srt" else ["WEBVTT\n"]
    for number, segment in enumerate(segments(transcript), 1):
        head = f"{number}\n" if response_format == "srt" else ""
        times = f"{_stamp(segment.start, mark)} --> {_stamp(segment.end, mark)}"
        blocks.append(f"{head}{times}\n{segment.text}\n")
    return Reply.text("\n".join(blocks) + "\n")


def verbose(transcript: Transcript, task: str, granularities: list[str]) -> Reply:
    """Return the transcript as `verbose_json`."""
    value: dict[str, Any] = {
        "task": task,
        "language": _LANGUAGE_NAMES.get(transcript.language or "en", transcript.language),
        "duration": transcript.seconds or 0.0,
        "text": transcript.text,
    }
    if "segment" in granularities or not granularities:
        found = segments(transcript)
        value["segments"] = [_verbose_segment(index, item) for index, item in enumerate(found)]
    if "word" in granularities:
        value["words"] = [
            {"word": word.text, "start": word.start, "end": word.end} for word in transcript.words
        ]
    value["usage"] = duration_usage(transcript)
    return Reply.json(value)


def diarized(transcript: Transcript) -> Reply:
    """Return the transcript as `diarized_json`; everything is said by one speaker, `A`."""
    return Reply.json(
        {
            "task": "transcribe",
            "duration": transcript.seconds or 0.0,
            "text": transcript.text,
            "segments": spoken_segments(transcript),
            "usage": token_usage(transcript),
        }
    )


def spoken_segments(transcript: Transcript) -> list[dict[str, Any]]:
    """Return the transcript's sentences, each with its speaker."""
    return [
        {
            "type": "transcript.text.segment",
            "id": f"seg_{index:03}",
            "start": segment.start,
            "end": segment.end,
            "speaker": "A",
            "text": segment.text,
        }
        for index, segment in enumerate(segments(transcript))
    ]


def logprobs(transcript: Transcript) -> list[dict[str, Any]]:
    """Return how sure the transcript's tokens are."""
    return [
        {"token": word.text, "bytes": list(word.text.encode()), "logprob": _LOGPROB}
        for word in transcript.words
    ]


def duration_usage(transcript: Transcript) -> dict[str, Any]:
    """Return the usage of a model that is billed by time."""
    return {"type": "duration", "seconds": math.ceil(transcript.seconds or 0.0)}


def token_usage(transcript: Transcript) -> dict[str, Any]:
    """Return the usage of a model that is billed by tokens."""
    heard = math.ceil((transcript.seconds or 0.0) * _TOKENS_PER_SECOND)
    written = math.ceil(len(transcript.text) / _CHARACTERS_PER_TOKEN)
    return {
        "type": "tokens",
        "input_tokens": heard,
        "output_tokens": written,
        "total_tokens": heard + written,
        "input_token_details": {"text_tokens": 0, "audio_tokens": heard},
    }


def _segment(words: list[Word]) -> Segment:
    text = " ".join(word.text for word in words)
    return Segment(start=words[0].start, end=words[-1].end, text=text)


def _verbose_segment(index: int, segment: Segment) -> dict[str, Any]:
    return {
        "id": index,
        "seek": 0,
        "start": segment.start,
        "end": segment.end,
        "text": f" {segment.text}",
        "tokens": [],
        "temperature": 0.0,
        "avg_logprob": _LOGPROB,
        "compression_ratio": 1.0,
        "no_speech_prob": 0.01,
    }


def _stamp(seconds: float, mark: str) -> str:
    milliseconds = round(seconds * 1000)
    minutes, rest = divmod(milliseconds, 60_000)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:02}:{minutes:02}:{rest // 1000:02}{mark}{rest % 1000:03}"
