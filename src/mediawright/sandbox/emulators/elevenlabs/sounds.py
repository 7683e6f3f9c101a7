"""Sound effects and music."""

from __future__ import annotations

import asyncio
import math
from typing import TYPE_CHECKING, Any

from mediawright.sandbox.emulators.elevenlabs import music
from mediawright.sandbox.emulators.elevenlabs.account import OverQuotaError
from mediawright.sandbox.emulators.elevenlabs.audio import finished, style_of
from mediawright.sandbox.emulators.elevenlabs.formats import (
    DEFAULT_FORMAT,
    MUSIC_FORMATS,
    STREAM_FORMATS,
    OutputFormat,
    music_format,
    parse_format,
)
from mediawright.sandbox.emulators.elevenlabs.replies import (
    check_choice,
    check_plan,
    invalid,
    json_bytes,
    malformed_json,
    multipart,
    over_quota,
    refuse,
    streamed,
)
from mediawright.sandbox.emulators.elevenlabs.rules import SOUND
from mediawright.sandbox.kit.call import Call, Reply

if TYPE_CHECKING:
    from mediawright.sandbox.emulators.elevenlabs.emulator import ElevenLabsEmulator

CHOSEN_SECONDS = 4.0
"""How long an effect lasts when the request leaves it to the model."""
_CHARACTERS_PER_SECOND = 40


class SoundDesk:
    """Answers requests for sound effects and for music."""

    def __init__(self, emulator: ElevenLabsEmulator) -> None:
        self._emulator = emulator

    async def effect(self, call: Call) -> Reply:
        """Answer a sound effect."""
        if call.body.malformed:
            raise malformed_json()
        violations = list(SOUND.check(call.body.document, ()))
        if violations:
            raise invalid(violations)
        fields = call.body.fields or {}
        output_format = parse_format(self._format(call, STREAM_FORMATS, DEFAULT_FORMAT))
        self._emulator.refuse_if_moderated(call)
        seconds = float(fields.get("duration_seconds") or CHOSEN_SECONDS)
        cost = math.ceil(seconds * _CHARACTERS_PER_SECOND)
        account = self._emulator.account(call)
        try:
            account.charge(cost)
        except OverQuotaError:
            raise over_quota(account, cost) from None
        data = await self._emulator.kit.media.ambience(
            fields["text"],
            seconds,
            seed=self._emulator.ids.number(2**32),
            style=style_of(output_format),
        )
        data = await asyncio.to_thread(finished, data, output_format)
        headers = {
            "request-id": self._emulator.ids.alphanumeric(20),
            "character-cost": str(cost),
        }
        return Reply.media(data, output_format.content_type, headers)

    async def song(self, call: Call) -> Reply:
        """Answer a song."""
        _, data, output_format, headers = await self._compose(call)
        return Reply.media(data, output_format.content_type, headers)

    async def song_stream(self, call: Call) -> Reply:
        """Answer a song, piece by piece."""
        _, data, output_format, headers = await self._compose(call)
        return streamed(call, data, output_format, headers)

    async def song_with_details(self, call: Call) -> Reply:
        """Answer a song behind what is to be known about it."""
        song, data, output_format, headers = await self._compose(call)
        details: dict[str, Any] = {
            "composition_plan": dict(song.plan),
            "song_metadata": {
                "title": song.prompt[:60],
                "description": song.prompt,
                "genres": [],
                "languages": [],
                "is_explicit": False,
            },
        }
        name = f"{headers['song-id']}.{output_format.codec}"
        parts = [
            ({"Content-Type": "application/json"}, json_bytes(details)),
            (
                {
                    "Content-Type": output_format.content_type,
                    "Content-Disposition": f'attachment; filename="{name}"',
                },
                data,
            ),
        ]
        return multipart(parts, self._emulator.ids.hexadecimal(32), headers)

    async def _compose(self, call: Call) -> tuple[music.Song, bytes, OutputFormat, dict[str, str]]:
        if call.body.malformed:
            raise malformed_json()
        violations = music.check(call.body.document)
        if violations:
            raise invalid(violations)
        song = music.song_of(call.body.fields or {})
        output_format = music_format(self._format(call, MUSIC_FORMATS, "auto"), song.model_id)
        if not self._emulator.account(call).tier.is_paid:
            message = "The music API needs a paid plan."
            raise refuse(402, "payment_required", message)
        self._emulator.refuse_if_moderated(call)
        ids = self._emulator.ids
        data = await self._emulator.kit.media.music(
            song.prompt,
            song.milliseconds / 1000,
            seed=ids.number(2**31) if song.seed is None else song.seed,
            style=style_of(output_format),
        )
        data = await asyncio.to_thread(finished, data, output_format)
        headers = {"request-id": ids.alphanumeric(20), "song-id": ids.alphanumeric(20)}
        return song, data, output_format, headers

    def _format(self, call: Call, formats: tuple[str, ...], default: str) -> str:
        name = call.query.get("output_format", default)
        check_choice(name, formats, ("output_format",))
        check_plan(self._emulator.account(call), name)
        return name
