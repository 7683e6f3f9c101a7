"""The provider that runs the embedded engines in threads of this process."""

from __future__ import annotations

import asyncio
import logging
import threading
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

from mediawright.core.errors import InvalidRequestError, MediawrightError, UnavailableError
from mediawright.core.money import Money
from mediawright.core.provider import (
    Broken,
    Declined,
    Done,
    Fault,
    FaultKind,
    Feature,
    JsonObject,
    LookedUp,
    MediaCall,
    Polled,
    ProgressReport,
    StagedMedia,
    Submitted,
    Unclear,
    Usage,
)

if TYPE_CHECKING:
    from mediawright.engines.local.job import Made

LOCAL = "local"
_WORKERS = 2
_log = logging.getLogger(__name__)


class _Stopped(BaseException):
    """Raised inside a worker's report when nobody waits for its work any more."""


class LocalProvider:
    """Makes media on this machine, without keys, network or cost.

    The engines are procedural, for trying and testing. Each call runs in one of a few
    worker threads; when the task that awaits it is cancelled, the worker stops at its next
    report and its files are removed. The same call makes the same media, so a repeated
    submit harms nothing.
    """

    def __init__(self, staging: Path, *, workers: int = _WORKERS) -> None:
        """Prepare the provider; nothing is started or written yet.

        Args:
            staging: The folder for finished video and sound files; made when needed.
            workers: How many calls may run at a time; others wait.
        """
        self._staging = staging
        self._pool = ThreadPoolExecutor(workers, thread_name_prefix="mediawright-local")

    @property
    def name(self) -> str:
        """`local`."""
        return LOCAL

    @property
    def features(self) -> frozenset[Feature]:
        """Progress, and submits that may be repeated."""
        return frozenset({Feature.REPEATABLE_SUBMIT, Feature.PROGRESS})

    async def submit(self, call: MediaCall, report: ProgressReport) -> Submitted:
        """Make what is asked for and answer with it, or say why not.

        Args:
            call: Its `upstream_id` names the engine; values come from its `fields`.
            report: Called from a worker thread with the part done and the stage.
        """
        stop = threading.Event()

        def watched(done: float, stage: str) -> None:
            if stop.is_set():
                raise _Stopped
            report(done, stage)

        work = self._pool.submit(self._make, call, watched)
        try:
            made = await asyncio.wrap_future(work)
        except asyncio.CancelledError:
            stop.set()
            work.add_done_callback(_discard)
            raise
        except MediawrightError as error:
            return Declined(fault=_fault(error))
        except OSError as error:
            return Declined(fault=_failure(f"A file failed: {error.strerror}."))
        except Exception as error:  # noqa: BLE001  # a defect must end as a fault
            _log.exception("The local engine %s failed.", call.upstream_id)
            return Declined(fault=_failure(f"The local engine failed: {type(error).__name__}."))
        usage = Usage(cost=Money.usd(0), seconds=made.seconds, characters=made.characters)
        return Done(outputs=made.outputs, usage=usage)

    async def poll(self, handle: JsonObject, upstream_id: str) -> Polled:
        """Answer that there is no such job: every submit ends with its result."""
        del handle
        fault = Fault(kind=FaultKind.NOT_FOUND, message=f"{upstream_id} keeps no jobs.")
        return Broken(fault=fault)

    async def cancel(self, handle: JsonObject, upstream_id: str) -> bool:
        """Answer that nothing was cancelled; cancel the task that awaits `submit` instead."""
        del handle, upstream_id
        return False

    async def lookup(self, client_reference: str, upstream_id: str) -> LookedUp:
        """Answer that there is nothing to look up; a repeated submit makes the same media."""
        del client_reference, upstream_id
        return Unclear(reason="The embedded engines keep no list of what they made.")

    def attach(self, vendor_id: str, upstream_id: str) -> JsonObject | None:
        """Return `None`: every answer comes at once."""
        del vendor_id, upstream_id

    def facts(self, upstream_id: str) -> dict[str, str]:
        """Return what there is to know about an engine on this machine, for people to read."""
        from mediawright.engines.local.facts import facts_of  # noqa: PLC0415  # loads numpy

        return facts_of(upstream_id)

    def close(self) -> None:
        """Take no more work; what waits is dropped and what runs ends by itself."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _make(self, call: MediaCall, report: ProgressReport) -> Made:
        # The engines load numpy, Pillow and PyAV: only in the worker, only when needed.
        from mediawright.engines.local.work import make  # noqa: PLC0415

        report(0.0, "starting")
        self._staging.mkdir(parents=True, exist_ok=True)
        return make(call, self._staging, report)


def _discard(work: Future[Made]) -> None:
    """Remove the files of work that was finished when nobody waited any more."""
    if work.cancelled() or work.exception() is not None:
        return
    for output in work.result().outputs:
        if isinstance(output, StagedMedia):
            output.path.unlink(missing_ok=True)


def _fault(error: MediawrightError) -> Fault:
    kind = FaultKind.FAILED
    if isinstance(error, InvalidRequestError):
        kind = FaultKind.INVALID_REQUEST
    elif isinstance(error, UnavailableError):
        kind = FaultKind.UNAVAILABLE
    message = f"{error.message} {error.hint}" if error.hint else error.message
    return Fault(kind=kind, message=message, vendor_code=error.code)


def _failure(message: str) -> Fault:
    return Fault(kind=FaultKind.FAILED, message=message, vendor_code="engine_failed")
