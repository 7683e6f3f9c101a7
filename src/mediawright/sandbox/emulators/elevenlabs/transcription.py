"""Speech to text."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from mediawright.core.errors import InvalidRequestError
from mediawright.sandbox.emulators.elevenlabs import transcripts
from mediawright.sandbox.emulators.elevenlabs.audio import (
    channels_and_seconds,
    single_channel,
    wav_of_pcm,
)
from mediawright.sandbox.emulators.elevenlabs.models import TRANSCRIPTION_MODELS
from mediawright.sandbox.emulators.elevenlabs.replies import invalid, refuse
from mediawright.sandbox.emulators.elevenlabs.rules import TRANSCRIPTION, from_form
from mediawright.sandbox.kit.call import Call, Reply
from mediawright.sandbox.kit.fields import Fault, Violation
from mediawright.sandbox.kit.jobs import JobState
from mediawright.sandbox.kit.shelf import FetchError

if TYPE_CHECKING:
    from mediawright.sandbox.emulators.elevenlabs.emulator import ElevenLabsEmulator

SHORTEST_SECONDS = 0.1
MOST_CHANNELS = 5
_PCM_RATE = 16_000


class TranscriptionDesk:
    """Answers requests for transcripts."""

    def __init__(self, emulator: ElevenLabsEmulator) -> None:
        self._emulator = emulator

    async def transcribe(self, call: Call) -> Reply:
        """Answer a transcript, or with `webhook=true` the promise of one."""
        fields = _checked(call)
        data = await self._sound(call, fields)
        transcription_id = self._emulator.ids.alphanumeric(20)
        if fields.get("webhook"):
            return self._later(call, transcription_id, fields, data)
        self._emulator.refuse_if_moderated(call)
        return Reply.json(await self._transcript(transcription_id, fields, data))

    async def stored(self, call: Call) -> Reply:
        """Answer a transcript that was asked for with `webhook=true`, once it is there."""
        job = call.job
        if job is None or await job.advance() is not JobState.SUCCEEDED:
            message = f"Transcript with id {call.match['id']} was not found."
            raise refuse(404, "transcript_not_found", message)
        return Reply.json(job.result)

    def _later(
        self, call: Call, transcription_id: str, fields: Mapping[str, Any], data: bytes
    ) -> Reply:
        async def work() -> dict[str, Any]:
            return await self._transcript(transcription_id, fields, data)

        self._emulator.jobs.create(call, transcription_id, work)
        return Reply.json(
            {
                "message": "Request accepted. Transcription result will be sent to the webhook.",
                "request_id": self._emulator.ids.alphanumeric(20),
                "transcription_id": transcription_id,
            },
            status=202,
        )

    async def _sound(self, call: Call, fields: Mapping[str, Any]) -> bytes:
        """Return the sound file of a request, wherever it lies."""
        files = call.body.files("file")
        addresses = [fields[name] for name in ("source_url", "cloud_storage_url") if name in fields]
        if len(files) + len(addresses) != 1:
            text = "Value error, exactly one of file and source_url must be given"
            raise invalid([Violation(fault=Fault.RULE, path=(), message=text)])
        if not files:
            return await self._fetched(addresses[0])
        data = files[0].data
        if fields.get("file_format") == "pcm_s16le_16":
            return await asyncio.to_thread(wav_of_pcm, data, _PCM_RATE)
        return data

    async def _fetched(self, url: str) -> bytes:
        try:
            return (await self._emulator.kit.shelf.fetch(url)).data
        except FetchError as error:
            raise refuse(400, "invalid_source_url", f"The source URL failed: {error}.") from None

    async def _transcript(
        self, transcription_id: str, fields: Mapping[str, Any], data: bytes
    ) -> dict[str, Any]:
        try:
            channels, seconds = await asyncio.to_thread(channels_and_seconds, data)
        except InvalidRequestError:
            message = "The file holds no audio that can be read, or is corrupted."
            raise refuse(400, "invalid_content", message) from None
        if seconds < SHORTEST_SECONDS:
            raise refuse(400, "audio_too_short", "The audio is shorter than 100 milliseconds.")
        if not fields.get("use_multi_channel"):
            return await self._chunk(transcription_id, fields, data, seconds, None)
        return await self._all_channels(transcription_id, fields, data, seconds, channels)

    async def _all_channels(
        self,
        transcription_id: str,
        fields: Mapping[str, Any],
        data: bytes,
        seconds: float,
        channels: int,
    ) -> dict[str, Any]:
        chunks: list[dict[str, Any]] = []
        for index in range(min(channels, MOST_CHANNELS)):
            one = data if channels == 1 else await asyncio.to_thread(single_channel, data, index)
            chunks.append(await self._chunk(transcription_id, fields, one, seconds, index))
        if fields.get("multichannel_output_style") == "combined":
            return transcripts.combined(chunks)
        return {
            "transcripts": chunks,
            "transcription_id": transcription_id,
            "audio_duration_secs": round(seconds, 3),
        }

    async def _chunk(
        self,
        transcription_id: str,
        fields: Mapping[str, Any],
        data: bytes,
        seconds: float,
        channel: int | None,
    ) -> dict[str, Any]:
        return transcripts.chunk(
            await self._emulator.kit.media.transcript(data),
            transcription_id=transcription_id,
            seconds=seconds,
            granularity=fields.get("timestamps_granularity", "word"),
            channel=channel,
        )


def _checked(call: Call) -> dict[str, Any]:
    texts = {part.name: part.text for part in call.body.parts if part.filename is None}
    fields = from_form(texts)
    violations = list(TRANSCRIPTION.check(fields, ()))
    if violations:
        raise invalid(violations)
    if fields["model_id"] not in TRANSCRIPTION_MODELS:
        known = ", ".join(TRANSCRIPTION_MODELS)
        message = f"'{fields['model_id']}' is not a valid model_id. Only {known} are supported."
        raise refuse(400, "invalid_model_id", message)
    return fields
