"""The premade voices that every account sees."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from mediawright.sandbox.emulators.elevenlabs.models import MODELS


@dataclass(frozen=True)
class Voice:
    """A voice, with the labels the vendor shows."""

    name: str
    voice_id: str
    gender: str
    accent: str
    age: str
    description: str
    use_case: str

    def matches(self, words: str) -> bool:
        """Tell whether the voice's name or one of its labels contains `words`."""
        texts = (self.name, self.gender, self.accent, self.age, self.description, self.use_case)
        return any(words.lower() in text.lower() for text in texts)

    def to_json(self, preview_url: str) -> dict[str, Any]:
        """Return the voice as the vendor's voice lists show it."""
        return {
            "voice_id": self.voice_id,
            "name": self.name,
            "samples": None,
            "category": "premade",
            "fine_tuning": {"is_allowed_to_fine_tune": False, "state": {}},
            "labels": {
                "accent": self.accent,
                "description": self.description,
                "age": self.age,
                "gender": self.gender,
                "use_case": self.use_case,
            },
            "description": None,
            "preview_url": preview_url,
            "available_for_tiers": [],
            "settings": DEFAULT_SETTINGS,
            "sharing": None,
            "high_quality_base_model_ids": [
                model.model_id for model in MODELS if model.can_do_text_to_speech
            ],
            "safety_control": None,
            "is_owner": False,
            "is_legacy": False,
            "is_mixed": False,
        }


DEFAULT_SETTINGS: dict[str, Any] = {
    "stability": 0.5,
    "similarity_boost": 0.75,
    "style": 0.0,
    "use_speaker_boost": True,
    "speed": 1.0,
}

VOICES = (
    Voice("Rachel", "21m00Tcm4TlvDq8ikWAM", "female", "american", "young", "calm", "narration"),
    Voice("Sarah", "EXAVITQu4vr4xnSDxMaL", "female", "american", "young", "soft", "news"),
    Voice("George", "JBFqnCBsd6RMkjVDRZzb", "male", "british", "middle-aged", "warm", "narration"),
    Voice("Daniel", "onwK4e9ZLuTAKqWW03F9", "male", "british", "middle-aged", "deep", "news"),
    Voice(
        "Charlotte", "XB0fDUnXU5powFXDhCwa", "female", "swedish", "young", "smooth", "characters"
    ),
    Voice(
        "Aria",
        "9BWtsMINqrJLrRacOk9x",
        "female",
        "american",
        "middle-aged",
        "expressive",
        "social media",
    ),
    Voice(
        "Roger",
        "CwhRBWXzGAHq8TQ4Fs17",
        "male",
        "american",
        "middle-aged",
        "confident",
        "social media",
    ),
    Voice("Domi", "AZnzlk1XvdvUeBnXmlld", "female", "american", "young", "strong", "narration"),
    Voice(
        "Drew", "29vD33N1CtxCmqQRPOHJ", "male", "american", "middle-aged", "well-rounded", "news"
    ),
    Voice(
        "Clyde",
        "2EiwWnXFnvU5JabPnv8n",
        "male",
        "american",
        "middle-aged",
        "war veteran",
        "characters",
    ),
    Voice("Paul", "5Q0t7uMcjvnagumLfvZi", "male", "american", "middle-aged", "reporter", "news"),
    Voice(
        "Dave", "CYw3kZ02Hs0563khs1Fj", "male", "british", "young", "conversational", "characters"
    ),
    Voice("Fin", "D38z5RcWu1voky8WS1ja", "male", "irish", "old", "sailor", "characters"),
)

VOICE_BY_ID = {voice.voice_id: voice for voice in VOICES}
