"""Transcripts as the vendor writes them."""

from __future__ import annotations

from typing import Any

from mediawright.core.media import Transcript
from mediawright.sandbox.emulators.elevenlabs.alignment import Piece, pieces_of

_THREE_LETTERS = {
    "en": "eng",
    "de": "deu",
    "fr": "fra",
    "es": "spa",
    "it": "ita",
    "pt": "por",
    "nl": "nld",
    "pl": "pol",
    "ja": "jpn",
    "zh": "cmn",
}
_LOG_PROBABILITY = -0.01


def chunk(
    transcript: Transcript,
    *,
    transcription_id: str,
    seconds: float,
    granularity: str = "word",
    channel: int | None = None,
) -> dict[str, Any]:
    """Return the transcript of one channel.

    Args:
        transcript: What was heard.
        transcription_id: Its id.
        seconds: How long the sound lasts.
        granularity: `none`, `word` or `character`.
        channel: The channel's index, when each is transcribed by itself.
    """
    language = transcript.language or "en"
    speaker = f"speaker_{channel or 0}"
    words = [
        _entry(piece, granularity=granularity, speaker=speaker, channel=channel)
        for piece in pieces_of(transcript, seconds)
    ]
    return {
        "language_code": _THREE_LETTERS.get(language, language),
        "language_probability": 1.0,
        "text": transcript.text.strip(),
        "words": words,
        "channel_index": channel,
        "additional_formats": None,
        "transcription_id": transcription_id,
        "entities": None,
        "audio_duration_secs": round(seconds, 3),
    }


def combined(chunks: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the transcripts of several channels as one, its words in the order of their times."""
    words = [word for chunk in chunks for word in chunk["words"]]
    return {
        **chunks[0],
        "text": " ".join(chunk["text"] for chunk in chunks if chunk["text"]),
        "words": sorted(words, key=lambda word: word["start"] or 0.0),
        "channel_index": None,
    }


def _entry(piece: Piece, *, granularity: str, speaker: str, channel: int | None) -> dict[str, Any]:
    timed = granularity != "none"
    entry: dict[str, Any] = {
        "text": piece.text,
        "start": round(piece.start, 3) if timed else None,
        "end": round(piece.end, 3) if timed else None,
        "type": "spacing" if piece.is_spacing else "word",
        "speaker_id": speaker,
        "logprob": _LOG_PROBABILITY,
        "characters": None,
        "channel_index": channel,
    }
    if granularity == "character":
        entry["characters"] = [
            {"text": text, "start": start, "end": end} for text, start, end in piece.characters()
        ]
    return entry
