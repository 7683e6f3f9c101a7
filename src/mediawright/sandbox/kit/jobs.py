"""Asynchronous jobs: made by a submit, advanced by polls or by virtual time."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from mediawright.sandbox.kit.call import Call, VendorError
from mediawright.sandbox.kit.clock import VirtualClock
from mediawright.sandbox.kit.progression import QUEUED_PART
from mediawright.sandbox.kit.scenario import ScenarioName

_logger = logging.getLogger(__name__)

UNHEARD_OF_WORD = "daydreaming"
"""The status word of a job that shows one which no client knows."""

_NEARLY_DONE = 0.99
_LOOK_AGAIN = 0.05
"""Real seconds between two looks at a job whose work takes longer than its time."""

Work = Callable[[], Coroutine[Any, Any, Any]]
"""Makes the output of a job; may raise `VendorError` to end it in failure."""


class JobState(StrEnum):
    """How a job is to be shown."""

    QUEUED = "queued"
    RUNNING = "running"
    UNHEARD_OF = "unheard_of"
    """Show `UNHEARD_OF_WORD` as the status, in the vendor's way of writing status words."""
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def is_terminal(self) -> bool:
        """Whether the job stays as it is."""
        return self in (JobState.SUCCEEDED, JobState.FAILED, JobState.CANCELLED)


class Job:
    """One asynchronous job.

    Attributes:
        id: The vendor's name for it.
        details: What the emulator wants to remember about it.
        state: As it was when `advance` was last called.
        result: What its work returned, once it succeeded.
        error: How its work failed, if that is why it failed; otherwise a failed job was
            refused (`is_refused`) or was meant to fail.
    """

    def __init__(
        self,
        *,
        job_id: str,
        call: Call,
        work: Work,
        details: dict[str, Any],
        refuses_itself: bool,
        clock: VirtualClock,
        patience: float | None,
    ) -> None:
        """Take a job as `call` asked for it."""
        self.id = job_id
        self.details = details
        self.state = JobState.QUEUED
        self.result: Any = None
        self.error: VendorError | None = None
        self.created_at = clock.now()
        self.finished_at: datetime | None = None
        self.polls = 0
        self.later = call.later
        self._scenario = call.scenario
        self._progression = call.progression
        self._work = work
        self._refuses_itself = refuses_itself
        self._clock = clock
        self._patience = patience
        self._lock = asyncio.Lock()
        self._making: asyncio.Task[Any] | None = None
        self._ended = asyncio.Event()

    @property
    def is_refused(self) -> bool:
        """Whether the job is one that moderation refuses."""
        return self._scenario.name is ScenarioName.MODERATED

    @property
    def done(self) -> float:
        """The part done, 0 to 1."""
        if self.state.is_terminal:
            return 1.0
        odd = self._unheard_of_polls
        seconds = (self._clock.now() - self.created_at).total_seconds()
        done = self._progression.done(polls=max(0, self.polls - odd), seconds=seconds)
        return min(done, _NEARLY_DONE) if self._making else done

    def count_poll(self) -> None:
        """Note that the job was asked about once more; the kit does so for every poll."""
        self.polls += 1

    async def advance(self) -> JobState:
        """Bring the state up to date, doing the work if it is due, and return it."""
        async with self._lock:
            if not self.state.is_terminal:
                self.state = await self._next_state()
                if self.state.is_terminal:
                    self.finished_at = self._clock.now()
                    self._ended.set()
            return self.state

    async def until_ended(self) -> None:
        """Return when the job has ended.

        One that goes by time ends then without being asked about; one that goes by polls ends
        at a poll.
        """
        if self._progression.polls or self._unheard_of_polls:
            await self._ended.wait()
            return
        due = self.created_at + timedelta(seconds=self._progression.seconds)
        await self._clock.sleep_until(due, unless=self._ended)
        while not (await self.advance()).is_terminal:  # noqa: ASYNC110 - only asking moves it on
            await asyncio.sleep(_LOOK_AGAIN)

    def cancel(self) -> bool:
        """Stop the job; `False` if it had ended already."""
        if self.state.is_terminal:
            return False
        self.interrupt()
        self.state = JobState.CANCELLED
        self.finished_at = self._clock.now()
        self._ended.set()
        return True

    def interrupt(self) -> None:
        """Stop work that is going on; it begins again when the job is asked about."""
        if self._making is not None:
            self._making.cancel()
            self._making = None

    @property
    def _unheard_of_polls(self) -> int:
        unheard_of = self._scenario.name is ScenarioName.UNKNOWN_STATUS
        return self._scenario.polls if unheard_of else 0

    async def _next_state(self) -> JobState:
        if 0 < self.polls <= self._unheard_of_polls:
            return JobState.UNHEARD_OF
        if self._making is None and self.done < 1.0:
            return JobState.QUEUED if self.done < QUEUED_PART else JobState.RUNNING
        refused = self.is_refused and not self._refuses_itself
        if refused or self._scenario.name is ScenarioName.JOB_FAILED:
            return JobState.FAILED
        return await self._make()

    async def _make(self) -> JobState:
        making = self._making = self._making or asyncio.create_task(self._work())
        await asyncio.wait({making}, timeout=self._patience)
        if self.state is JobState.CANCELLED:
            return self.state
        if not making.done() or making.cancelled():
            return JobState.RUNNING
        self._making = None
        try:
            self.result = making.result()
        except VendorError as error:
            self.error = error
            return JobState.FAILED
        except Exception:
            _logger.exception("the work of job %s broke", self.id)
            return JobState.FAILED
        return JobState.SUCCEEDED


class JobBook:
    """The jobs of one vendor."""

    def __init__(self, clock: VirtualClock, patience: float | None) -> None:
        """Begin empty.

        Args:
            clock: What the jobs go by.
            patience: Real seconds for which a question about a job waits for its work, before
                it shows the job as running; `None` is as long as it takes.
        """
        self._clock = clock
        self._patience = patience
        self._jobs: dict[str, Job] = {}

    def create(
        self,
        call: Call,
        job_id: str,
        work: Work,
        details: dict[str, Any] | None = None,
        *,
        refuses_itself: bool = False,
    ) -> Job:
        """Take a job; what `call` said decides how it advances and whether it fails.

        Args:
            call: The submit.
            job_id: The job's name in the vendor's shape, from the emulator's ids.
            work: Makes the output when the job is due, and not before.
            details: What the emulator wants to remember about the job.
            refuses_itself: Whether the work deals with `moderated`, which otherwise fails
                the job.
        """
        job = Job(
            job_id=job_id,
            call=call,
            work=work,
            details=details or {},
            refuses_itself=refuses_itself,
            clock=self._clock,
            patience=self._patience,
        )
        self._jobs[job_id] = job
        call.job = job
        return job

    def find(self, job_id: str) -> Job | None:
        """Return the job with that id."""
        return self._jobs.get(job_id)

    def forget(self, job_id: str) -> None:
        """Drop the job."""
        job = self._jobs.pop(job_id, None)
        if job is not None:
            job.interrupt()

    def all(self) -> list[Job]:
        """Return every job, oldest first."""
        return list(self._jobs.values())

    def interrupt(self) -> None:
        """Stop all work that is going on; the jobs stay."""
        for job in self._jobs.values():
            job.interrupt()

    def reset(self) -> None:
        """Drop every job."""
        self.interrupt()
        self._jobs.clear()
