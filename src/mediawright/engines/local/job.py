"""A call to the local provider with its values checked, and what comes of it."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import msgspec

from mediawright.core.errors import InvalidRequestError
from mediawright.core.operations import MediaKind
from mediawright.core.provider import (
    LoadedInput,
    MediaCall,
    Output,
    ProgressReport,
    StagedMedia,
)

NOTE = "procedural sketch"
"""What the files say about where they come from."""
_LARGEST_SEED = 0xFFFF_FFFF

_Side = Annotated[int, msgspec.Meta(ge=16, le=8192)]


class Fields(msgspec.Struct, frozen=True, kw_only=True):
    """The values a call may carry; `None` means not given."""

    width: _Side | None = None
    """Pixels."""
    height: _Side | None = None
    """Pixels."""
    seconds: Annotated[float, msgspec.Meta(gt=0, le=600)] | None = None
    seed: Annotated[int, msgspec.Meta(ge=0, le=_LARGEST_SEED)] | None = None
    count: Annotated[int, msgspec.Meta(ge=1, le=8)] = 1
    output_format: str | None = None
    strength: Annotated[float, msgspec.Meta(ge=0, le=1)] = 0.6
    voice: str | None = None
    speed: float = 1.0
    sound: bool | None = None


class Made(msgspec.Struct, frozen=True, kw_only=True):
    """What came of a call."""

    outputs: tuple[Output, ...]
    seconds: float | None = None
    """Length of the sound or video that was made or heard."""
    characters: int | None = None
    """How much text was spoken."""


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """A call with its values checked."""

    call: MediaCall
    fields: Fields
    prompt: str
    seed: int
    staging: Path
    report: ProgressReport

    def part(self, index: int) -> ProgressReport:
        """Return the report of one of the `count` outputs."""
        count = self.fields.count
        return lambda done, stage: self.report((index + done) / count, stage)


WriteFile = Callable[[Path, int, ProgressReport], None]
"""Makes one file: where, with which seed, reporting to whom."""


def open_job(call: MediaCall, staging: Path, report: ProgressReport) -> Job:
    """Return the call with its values checked.

    Raises:
        InvalidRequestError: `invalid_parameter` for a value of the wrong kind or range.
    """
    try:
        fields = msgspec.convert(call.fields, Fields)
    except msgspec.ValidationError as error:
        raise InvalidRequestError(
            "invalid_parameter", f"A value cannot be used: {error}.", pointer="/parameters"
        ) from error
    prompt = (call.prompt or "").strip()
    seed = seed_from(prompt) if fields.seed is None else fields.seed
    return Job(call=call, fields=fields, prompt=prompt, seed=seed, staging=staging, report=report)


def seed_from(prompt: str) -> int:
    """Return the seed of a request that names none: always the same for the same words."""
    return int.from_bytes(hashlib.sha256(prompt.encode()).digest()[:4], "big")


def require_prompt(job: Job) -> None:
    """Make sure that there is a prompt.

    Raises:
        InvalidRequestError: `missing_prompt`.
    """
    if not job.prompt:
        raise InvalidRequestError("missing_prompt", "There is no prompt.", pointer="/prompt")


def missing_input(what: str) -> InvalidRequestError:
    """Return the error for an input that should be there."""
    return InvalidRequestError(
        "missing_input", f"There is no {what} among the inputs.", pointer="/inputs"
    )


def bytes_of(item: LoadedInput) -> bytes:
    """Return the bytes of an input.

    Raises:
        InvalidRequestError: `missing_input` if it came as a URL alone.
    """
    if item.data is None:
        raise missing_input(f"content for {item.name}")
    return item.data


def staged(
    job: Job, kind: MediaKind, extension: str, content_type: str, write: WriteFile
) -> tuple[Output, ...]:
    """Return `count` files made in the staging folder, with one seed after the other.

    If one fails or is stopped, none stays behind.
    """
    outputs: list[StagedMedia] = []
    try:
        for index in range(job.fields.count):
            # A repeated submit of the same generation must not write into the first one's file.
            name = f"{job.call.generation_id}-{index}-{secrets.token_hex(4)}{extension}"
            seed = job.seed + index
            outputs.append(
                StagedMedia(
                    kind=kind, path=job.staging / name, content_type=content_type, seed=seed
                )
            )
            write(job.staging / name, seed, job.part(index))
    except BaseException:
        for output in outputs:
            output.path.unlink(missing_ok=True)
        raise
    return tuple(outputs)
