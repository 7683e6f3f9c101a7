"""The output formats: codec_rate[_kilobits]."""

from __future__ import annotations

from dataclasses import dataclass

_CONTENT_TYPES = {
    "mp3": "audio/mpeg",
    "wav": "audio/wav",
    "opus": "audio/opus",
    "pcm": "audio/pcm",
    "ulaw": "audio/basic",
    "alaw": "audio/x-alaw-basic",
}

_RAW_RATES = (8000, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000)
_COMPRESSED = (
    "mp3_22050_32",
    "mp3_24000_48",
    "mp3_44100_32",
    "mp3_44100_64",
    "mp3_44100_96",
    "mp3_44100_128",
    "mp3_44100_192",
    "opus_48000_32",
    "opus_48000_64",
    "opus_48000_96",
    "opus_48000_128",
    "opus_48000_192",
    "ulaw_8000",
    "alaw_8000",
)

STREAM_FORMATS = (*_COMPRESSED, *(f"pcm_{rate}" for rate in _RAW_RATES))
"""Formats that can be sent as they are made, which WAV with its length up front cannot."""
SPEECH_FORMATS = (*STREAM_FORMATS, *(f"wav_{rate}" for rate in _RAW_RATES))
MUSIC_FORMATS = (
    "auto",
    "mp3_48000_128",
    "mp3_48000_192",
    "mp3_48000_240",
    "mp3_48000_320",
    *STREAM_FORMATS,
)
DEFAULT_FORMAT = "mp3_44100_128"

PRO_FORMATS = frozenset({"pcm_44100", "wav_44100"})
CREATOR_FORMATS = frozenset({"mp3_44100_192"})


@dataclass(frozen=True)
class OutputFormat:
    """A format taken apart."""

    name: str
    codec: str
    """mp3, wav, opus, pcm, ulaw or alaw."""
    sample_rate: int
    """Hz."""
    kilobits: int | None
    """Per second; `None` where the codec fixes it."""

    @property
    def content_type(self) -> str:
        """The content type of such a file."""
        return _CONTENT_TYPES[self.codec]


def parse_format(name: str) -> OutputFormat:
    """Take a format's name apart.

    Args:
        name: One of `SPEECH_FORMATS` or `MUSIC_FORMATS`, except `auto`.
    """
    codec, rate, *kilobits = name.split("_")
    return OutputFormat(name, codec, int(rate), int(kilobits[0]) if kilobits else None)


def music_format(name: str, model_id: str) -> OutputFormat:
    """Return the format of a song, which `auto` leaves to the model."""
    if name == "auto":
        name = "mp3_44100_128" if model_id == "music_v1" else "mp3_48000_192"
    return parse_format(name)
