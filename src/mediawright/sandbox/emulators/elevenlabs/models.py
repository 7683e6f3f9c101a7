"""The models, their limits and what they charge."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

_LANGUAGE_NAMES = {
    "en": "English",
    "ja": "Japanese",
    "zh": "Chinese",
    "de": "German",
    "hi": "Hindi",
    "fr": "French",
    "ko": "Korean",
    "pt": "Portuguese",
    "it": "Italian",
    "es": "Spanish",
    "id": "Indonesian",
    "nl": "Dutch",
    "tr": "Turkish",
    "fil": "Filipino",
    "pl": "Polish",
    "sv": "Swedish",
    "bg": "Bulgarian",
    "ro": "Romanian",
    "ar": "Arabic",
    "cs": "Czech",
    "el": "Greek",
    "fi": "Finnish",
    "hr": "Croatian",
    "ms": "Malay",
    "sk": "Slovak",
    "da": "Danish",
    "ta": "Tamil",
    "uk": "Ukrainian",
    "ru": "Russian",
    "hu": "Hungarian",
    "no": "Norwegian",
    "vi": "Vietnamese",
}
_THIRTY_TWO = tuple(_LANGUAGE_NAMES)
_TWENTY_NINE = _THIRTY_TWO[:29]
_ENGLISH = ("en",)


@dataclass(frozen=True, kw_only=True)
class Model:
    """A model of the vendor's list."""

    model_id: str
    name: str
    longest_text: int
    """Characters per request."""
    characters_per_character: float = 1.0
    """How many characters of the quota one character of text takes."""
    languages: tuple[str, ...] = _TWENTY_NINE
    can_do_text_to_speech: bool = True
    concurrency_group: str = "standard"

    def to_json(self) -> dict[str, Any]:
        """Return the model as the vendor's list shows it."""
        return {
            "model_id": self.model_id,
            "name": self.name,
            "can_be_finetuned": False,
            "can_do_text_to_speech": self.can_do_text_to_speech,
            "can_do_voice_conversion": False,
            "can_use_style": "v2" in self.model_id,
            "can_use_speaker_boost": "v2" in self.model_id,
            "serves_pro_voices": False,
            "token_cost_factor": self.characters_per_character,
            "description": self.name,
            "requires_alpha_access": False,
            "max_characters_request_free_user": self.longest_text,
            "max_characters_request_subscribed_user": self.longest_text,
            "maximum_text_length_per_request": self.longest_text,
            "languages": [
                {"language_id": code, "name": _LANGUAGE_NAMES[code]} for code in self.languages
            ],
            "model_rates": {"character_cost_multiplier": self.characters_per_character},
            "concurrency_group": self.concurrency_group,
        }


def _fast(model_id: str, name: str, longest: int, languages: tuple[str, ...]) -> Model:
    return Model(
        model_id=model_id,
        name=name,
        longest_text=longest,
        characters_per_character=0.5,
        languages=languages,
        concurrency_group="turbo",
    )


MODELS = (
    Model(model_id="eleven_v3", name="Eleven v3", longest_text=3_000, languages=_THIRTY_TWO),
    Model(model_id="eleven_multilingual_v2", name="Eleven Multilingual v2", longest_text=10_000),
    _fast("eleven_flash_v2_5", "Eleven Flash v2.5", 40_000, _THIRTY_TWO),
    _fast("eleven_turbo_v2_5", "Eleven Turbo v2.5", 40_000, _THIRTY_TWO),
    _fast("eleven_flash_v2", "Eleven Flash v2", 30_000, _ENGLISH),
    _fast("eleven_turbo_v2", "Eleven Turbo v2", 30_000, _ENGLISH),
    Model(
        model_id="eleven_multilingual_v1",
        name="Eleven Multilingual v1",
        longest_text=10_000,
        languages=("en", "de", "pl", "es", "it", "fr", "pt", "hi"),
    ),
    Model(
        model_id="eleven_monolingual_v1",
        name="Eleven English v1",
        longest_text=10_000,
        languages=_ENGLISH,
    ),
)

SPEECH_MODEL_BY_ID = {model.model_id: model for model in MODELS}
TRANSCRIPTION_MODELS = ("scribe_v1", "scribe_v2", "scribe_v2_medical", "scribe_v3")
SOUND_MODELS = ("eleven_text_to_sound_v2", "eleven_text_to_sound_v3")
MUSIC_MODELS = ("music_v1", "music_v2", "music_v2_5")
