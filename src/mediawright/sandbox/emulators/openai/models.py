"""Which models OpenAI serves, and what sets them apart."""

from __future__ import annotations

from dataclasses import dataclass

BASIC_QUALITIES = ("low", "medium", "high", "auto")
FINE_QUALITIES = ("low", "medium", "high", "xhigh", "max", "auto")


@dataclass(frozen=True, kw_only=True)
class ImageModel:
    """What a GPT Image model takes."""

    any_size: bool = True
    """Whether sizes are free within bounds, or one of three."""
    qualities: tuple[str, ...] = BASIC_QUALITIES
    fidelities: tuple[str, ...] = ()
    """Values of `input_fidelity`; empty if the parameter is refused."""
    complexity: bool = False
    markup: bool = False


_GPT_IMAGE_2 = ImageModel()
_GPT_IMAGE_2_5 = ImageModel(qualities=FINE_QUALITIES, markup=True)
_GPT_IMAGE_2_6 = ImageModel(qualities=FINE_QUALITIES, markup=True, complexity=True)
_GPT_IMAGE_1_5 = ImageModel(any_size=False, fidelities=("high", "low"))

IMAGE_MODELS = {
    "gpt-image-1-mini": ImageModel(any_size=False, fidelities=("low",)),
    "gpt-image-1.5": _GPT_IMAGE_1_5,
    "gpt-image-1.5-2025-12-16": _GPT_IMAGE_1_5,
    "chatgpt-image-latest": _GPT_IMAGE_1_5,
    "gpt-image-2": _GPT_IMAGE_2,
    "gpt-image-2-2026-04-21": _GPT_IMAGE_2,
    "gpt-image-2.5-sunburst": _GPT_IMAGE_2_5,
    "gpt-image-2.5-sunburst-2026-09-08": _GPT_IMAGE_2_5,
    "gpt-image-2.5-flare": _GPT_IMAGE_2_5,
    "gpt-image-2.5-flare-2026-09-08": _GPT_IMAGE_2_5,
    "gpt-image-2.6-sunburst": _GPT_IMAGE_2_6,
    "gpt-image-2.6-flare": _GPT_IMAGE_2_6,
}
"""The image models alive; DALL·E and gpt-image-1 are retired."""

SPEECH_MODELS = ("tts-1", "tts-1-hd", "gpt-4o-mini-tts", "gpt-4o-mini-tts-2025-12-15")
PLAIN_SPEECH_MODELS = ("tts-1", "tts-1-hd")
"""They know neither instructions nor streaming, and fewer voices."""

TRANSCRIPTION_FORMATS = {
    "whisper-1": ("json", "text", "srt", "verbose_json", "vtt"),
    "gpt-4o-transcribe": ("json",),
    "gpt-4o-mini-transcribe": ("json",),
    "gpt-4o-mini-transcribe-2025-12-15": ("json",),
    "gpt-4o-transcribe-diarize": ("json", "text", "diarized_json"),
    "gpt-transcribe": ("json",),
}
"""The transcription models alive, each with its response formats."""

ALL_MODELS = (*IMAGE_MODELS, *SPEECH_MODELS, *TRANSCRIPTION_FORMATS)
