"""The vendor's paths, keys and lists."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from mediawright.sandbox.emulators.elevenlabs.account import FREE, PRO, Account
from mediawright.sandbox.emulators.elevenlabs.models import MODELS
from mediawright.sandbox.emulators.elevenlabs.replies import (
    fault_reply,
    invalid,
    voice_not_found,
)
from mediawright.sandbox.emulators.elevenlabs.sounds import SoundDesk
from mediawright.sandbox.emulators.elevenlabs.speech import SpeechDesk
from mediawright.sandbox.emulators.elevenlabs.transcription import TranscriptionDesk
from mediawright.sandbox.emulators.elevenlabs.voices import VOICE_BY_ID, VOICES, Voice
from mediawright.sandbox.kit.call import Call, Reply
from mediawright.sandbox.kit.emulator import Emulator, Endpoint, Handler
from mediawright.sandbox.kit.fields import Whole
from mediawright.sandbox.kit.sandbox_kit import SandboxKit
from mediawright.sandbox.kit.scenario import RequestKind, Scenario

LARGEST_PAGE = 100
_PAGE = 10


class ElevenLabsEmulator(Emulator):
    """Imitates the ElevenLabs API.

    A key with `free` in it belongs to an account of the free tier, every other to one of the
    Pro tier.
    """

    name = "elevenlabs"
    credential = "sk_sandbox"
    bases: ClassVar[Mapping[str, str]] = {"api": ""}

    def __init__(self, kit: SandboxKit) -> None:
        super().__init__(kit)
        self._accounts = _accounts()
        self._speech = SpeechDesk(self)
        self._sounds = SoundDesk(self)
        self._transcription = TranscriptionDesk(self)

    def endpoints(self) -> Sequence[Endpoint]:
        """Return the paths."""
        speech = "/v1/text-to-speech/{voice_id}"
        return (
            _submit(f"{speech}/stream/with-timestamps", self._speech.stream_with_timestamps),
            _submit(f"{speech}/with-timestamps", self._speech.convert_with_timestamps),
            _submit(f"{speech}/stream", self._speech.stream),
            _submit(speech, self._speech.convert),
            _submit("/v1/sound-generation", self._sounds.effect),
            _submit("/v1/music", self._sounds.song),
            _submit("/v1/music/stream", self._sounds.song_stream),
            _submit("/v1/music/detailed", self._sounds.song_with_details),
            _submit("/v1/speech-to-text", self._transcription.transcribe),
            Endpoint(
                method="GET",
                path="/v1/speech-to-text/transcripts/{id}",
                handler=self._transcription.stored,
                kind=RequestKind.POLL,
                job="id",
            ),
            _read("/v1/voices", self._voices),
            _read("/v2/voices", self._search_voices),
            _read("/v1/voices/{voice_id}", self._voice),
            _read("/v1/models", self._models),
            _read("/v1/user", self._user),
            _read("/v1/user/subscription", self._subscription),
            Endpoint(
                method="GET",
                path="/previews/{voice_id}.mp3",
                handler=self._speech.preview,
                kind=RequestKind.OTHER,
                needs_key=False,
            ),
        )

    def presented_key(self, call: Call) -> str | None:
        """Return the value of the vendor's header."""
        return call.headers.get("xi-api-key")

    def fault(self, scenario: Scenario, call: Call) -> Reply:
        """Return the vendor's reply to a request that meets the scenario."""
        fields = call.body.fields or {}
        has_plan = bool(fields.get("composition_plan"))
        return fault_reply(scenario, path=call.path, has_plan=has_plan)

    def not_found(self, call: Call) -> Reply:
        """Return 405 for a known path, and 404 for others."""
        for endpoint in self.endpoints():
            pattern = re.sub(r"\{\w+\}", "[^/]+", f"/{self.name}{endpoint.path}")
            if re.fullmatch(pattern, call.path):
                return Reply.json({"detail": "Method Not Allowed"}, status=405)
        return Reply.json({"detail": "Not Found"}, status=404)

    def reset(self) -> None:
        """Forget jobs, and give the accounts back what they used."""
        super().reset()
        self._accounts = _accounts()

    def account(self, call: Call) -> Account:
        """Return the account whose key came with a request."""
        key = call.headers.get("xi-api-key", "")
        return self._accounts[FREE.name if "free" in key else PRO.name]

    async def _voices(self, call: Call) -> Reply:
        del call
        return Reply.json({"voices": [self._shown(voice) for voice in VOICES]})

    async def _voice(self, call: Call) -> Reply:
        voice = VOICE_BY_ID.get(call.match["voice_id"])
        if voice is None:
            raise voice_not_found(404, call.match["voice_id"])
        return Reply.json(self._shown(voice))

    async def _search_voices(self, call: Call) -> Reply:
        size = _page_size(call)
        words = call.query.get("search", "")
        is_listed = call.query.get("category", "premade") == "premade"
        found = [voice for voice in VOICES if is_listed and voice.matches(words)]
        token = call.query.get("next_page_token", "0")
        start = int(token) if token.isdecimal() else 0
        end = start + size
        has_more = end < len(found)
        return Reply.json(
            {
                "voices": [self._shown(voice) for voice in found[start:end]],
                "has_more": has_more,
                "total_count": len(found),
                "next_page_token": str(end) if has_more else None,
            }
        )

    def _shown(self, voice: Voice) -> dict[str, Any]:
        return voice.to_json(f"{self.kit.root}/{self.name}/previews/{voice.voice_id}.mp3")

    async def _models(self, call: Call) -> Reply:
        del call
        return Reply.json([model.to_json() for model in MODELS])

    async def _user(self, call: Call) -> Reply:
        account = self.account(call)
        return Reply.json(
            {
                "user_id": f"sandbox_{account.tier.name}",
                "subscription": account.subscription(self.kit.clock.now().timestamp()),
                "is_new_user": False,
                "can_use_delayed_payment_methods": False,
                "is_onboarding_completed": True,
                "is_onboarding_checklist_completed": True,
                "created_at": 1_700_000_000,
                "seat_type": "workspace_admin",
            }
        )

    async def _subscription(self, call: Call) -> Reply:
        return Reply.json(self.account(call).subscription(self.kit.clock.now().timestamp()))


def _accounts() -> dict[str, Account]:
    return {tier.name: Account(tier=tier) for tier in (FREE, PRO)}


def _submit(path: str, handler: Handler) -> Endpoint:
    return Endpoint(method="POST", path=path, handler=handler, kind=RequestKind.SUBMIT)


def _read(path: str, handler: Handler) -> Endpoint:
    return Endpoint(method="GET", path=path, handler=handler, kind=RequestKind.OTHER)


def _page_size(call: Call) -> int:
    text = call.query.get("page_size", str(_PAGE))
    value: Any = int(text) if text.isdecimal() else text
    violations = list(Whole(least=1, most=LARGEST_PAGE).check(value, ("page_size",)))
    if violations:
        raise invalid(violations, place="query")
    return int(value)
