"""The composer, the voice and the listener, as the local provider asks them."""

from __future__ import annotations

from pathlib import Path

import msgspec

from mediawright.core.operations import InputRole, MediaKind
from mediawright.core.provider import ProgressReport, StagedMedia, TranscriptOutput
from mediawright.engines.composer.compose import compose
from mediawright.engines.listener.listen import listen
from mediawright.engines.local.job import (
    NOTE,
    Job,
    Made,
    bytes_of,
    missing_input,
    require_prompt,
    staged,
)
from mediawright.engines.requests import ComposeRequest, SpeakRequest
from mediawright.engines.sound_files import format_named, write_sound
from mediawright.engines.voice.speak import speak

_MUSIC_SECONDS = 30.0
_MUSIC_BIT_RATE = 192_000
_SPEECH_BIT_RATE = 64_000
_MAKING_SHARE = 0.92
"""The part of the work that comes before the file is written."""


def make_music(job: Job) -> Made:
    """Return composed music."""
    require_prompt(job)
    seconds = job.fields.seconds or _MUSIC_SECONDS
    output_format = job.fields.output_format or "mp3"
    written = format_named(output_format)

    def write(path: Path, seed: int, report: ProgressReport) -> None:
        request = ComposeRequest(prompt=job.prompt, seconds=seconds, seed=seed)
        sound = compose(request, _scaled(report))
        note = f"{NOTE}: {job.prompt}"
        write_sound(sound, path, output_format, comment=note, bit_rate=_MUSIC_BIT_RATE)
        report(1.0, "writing")

    outputs = staged(job, MediaKind.AUDIO, written.extension, written.content_type, write)
    return Made(outputs=outputs, seconds=seconds)


def make_speech(job: Job) -> Made:
    """Return the prompt as it is spoken."""
    require_prompt(job)
    output_format = job.fields.output_format or "wav"
    written = format_named(output_format)
    request = SpeakRequest(text=job.prompt, voice=job.fields.voice, speed=job.fields.speed)
    sound = speak(request, _scaled(job.report))

    def write(path: Path, seed: int, report: ProgressReport) -> None:
        del seed
        write_sound(sound, path, output_format, text=job.prompt, bit_rate=_SPEECH_BIT_RATE)
        report(1.0, "writing")

    made = staged(job, MediaKind.AUDIO, written.extension, written.content_type, write)
    # Speech draws no lots, so there is no seed to repeat it with.
    outputs = tuple(
        msgspec.structs.replace(output, seed=None)
        for output in made
        if isinstance(output, StagedMedia)
    )
    return Made(outputs=outputs, seconds=sound.seconds, characters=len(job.prompt))


def make_transcript(job: Job) -> Made:
    """Return what is said in the recording."""
    recordings = job.call.inputs_for(InputRole.REFERENCE_AUDIO, InputRole.REFERENCE_VIDEO)
    if not recordings:
        raise missing_input("reference_audio")
    transcript = listen(bytes_of(recordings[0]), job.report)
    return Made(outputs=(TranscriptOutput(transcript=transcript),), seconds=transcript.seconds)


def _scaled(report: ProgressReport) -> ProgressReport:
    return lambda done, stage: report(_MAKING_SHARE * done, stage)
