"""Which tasks of an organisation and a model wait for others to end."""

from __future__ import annotations

from collections.abc import Hashable
from datetime import datetime, timedelta

from mediawright.sandbox.kit.clock import VirtualClock
from mediawright.sandbox.kit.jobs import Job

ABANDONED_AFTER = timedelta(seconds=30)
"""A task that nobody asked about for so long counts as ended: tasks here advance when they are
asked about, and one whose client went away would hold its place for ever."""


Line = Hashable
"""What tasks have in common that wait for each other: an organisation and a model."""


class TaskQueue:
    """The tasks that may still be running, in lines, in the order they came."""

    def __init__(self, clock: VirtualClock) -> None:
        self._clock = clock
        self._lines: dict[Line, list[Job]] = {}
        self._line_of: dict[str, Line] = {}
        self._asked: dict[str, datetime] = {}

    def join(self, line: Line, job: Job) -> None:
        """Add a task at the end of a line."""
        self._lines.setdefault(line, []).append(job)
        self._line_of[job.id] = line
        self._asked[job.id] = self._clock.now()

    def is_throttled(self, job: Job, concurrent: int) -> bool:
        """Tell whether `concurrent` tasks before it in its line still run.

        Being asked about while it waits brings a task no further.
        """
        line = self._line_of.get(job.id)
        if line is None or job.state.is_terminal:
            return False
        self._asked[job.id] = self._clock.now()
        waiting = self._lines[line]
        kept = [other for other in waiting if other is job or self._occupies(other)]
        for other in waiting:
            if other not in kept:
                del self._line_of[other.id], self._asked[other.id]
        self._lines[line] = kept
        throttled = kept.index(job) >= concurrent
        if throttled:
            job.polls -= 1
        return throttled

    def reset(self) -> None:
        """Forget every task."""
        self._lines.clear()
        self._line_of.clear()
        self._asked.clear()

    def _occupies(self, job: Job) -> bool:
        asked_lately = self._clock.now() - self._asked[job.id] < ABANDONED_AFTER
        return asked_lately and not job.state.is_terminal and job.done < 1.0
