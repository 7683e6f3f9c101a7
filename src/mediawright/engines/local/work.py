"""Which engine does which call."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from mediawright.core.errors import InvalidRequestError
from mediawright.core.operations import Operation
from mediawright.core.provider import MediaCall, ProgressReport
from mediawright.engines.local.job import Job, Made, open_job
from mediawright.engines.local.pictures import make_image, make_video
from mediawright.engines.local.sounds import make_music, make_speech, make_transcript

_Engine = tuple[frozenset[Operation], Callable[[Job], Made]]

_ENGINES: dict[str, _Engine] = {
    "sketch-image": (
        frozenset({Operation.TEXT_TO_IMAGE, Operation.IMAGE_TO_IMAGE}),
        make_image,
    ),
    "sketch-video": (
        frozenset({Operation.TEXT_TO_VIDEO, Operation.IMAGE_TO_VIDEO}),
        make_video,
    ),
    "sketch-music": (frozenset({Operation.TEXT_TO_MUSIC}), make_music),
    "voice": (frozenset({Operation.TEXT_TO_SPEECH}), make_speech),
    "listener": (frozenset({Operation.SPEECH_TO_TEXT}), make_transcript),
}


def make(call: MediaCall, staging: Path, report: ProgressReport) -> Made:
    """Return the media of a call; blocks until they are made.

    Args:
        call: Its `upstream_id` names the engine.
        staging: An existing folder for the files.
        report: Called with the part done and the stage; what it raises stops the work, and
            then no file stays behind.

    Raises:
        InvalidRequestError: `unknown_model`, `unsupported_operation`, `invalid_parameter`,
            `missing_prompt`, `missing_input`, and what the engine raises.
        UnavailableError: The engine needs something that is not installed.
    """
    engine = _ENGINES.get(call.upstream_id)
    if engine is None:
        raise InvalidRequestError(
            "unknown_model",
            f"There is no local engine {call.upstream_id!r}.",
            details={"allowed": list(_ENGINES)},
        )
    operations, run = engine
    if call.operation not in operations:
        raise InvalidRequestError(
            "unsupported_operation",
            f"The local engine {call.upstream_id} does not do {call.operation.value}.",
            pointer="/operation",
            details={"allowed": sorted(operation.value for operation in operations)},
        )
    return run(open_job(call, staging, report))
