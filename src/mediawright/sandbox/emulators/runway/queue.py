"""Which tasks of a model wait for others to end."""

from __future__ import annotations

from datetime import datetime, timedelta

from mediawright.sandbox.kit.clock import VirtualClock
from mediawright.sandbox.kit.jobs import Job

ABANDONED_AFTER = timedelta(seconds=30)
"""A task that nobody asked about for so long counts as ended: tasks here advance when they are
asked about, and one whose client went away would hold its place for ever."""


class TaskQueue:
    """The tasks that may still be running, by model and in the order they came."""

    def __init__(self, clock: VirtualClock) -> None:
        self._clock = clock
        self._lines: dict[str, list[Job]] = {}
        self._model: dict[str, str] = {}
        self._asked: dict[str, datetime] = {}

    def join(self, model: str, job: Job) -> None:
        """Add a task at the end of its model's line."""
        self._lines.setdefault(model, []).append(job)
        self._model[job.id] = model
        self._asked[job.id] = self._clock.now()

    def is_throttled(self, job: Job, concurrent: int) -> bool:
        """Tell whether `concurrent` earlier tasks of the model still run.

        Being asked about while it waits brings a task no further.
        """
        model = self._model.get(job.id)
        if model is None or job.state.is_terminal:
            return False
        self._asked[job.id] = self._clock.now()
        line = [other for other in self._lines[model] if other is job or self._occupies(other)]
        for gone in set(self._lines[model]) - set(line):
            del self._model[gone.id], self._asked[gone.id]
        self._lines[model] = line
        throttled = line.index(job) >= concurrent
        if throttled:
            job.polls -= 1
        return throttled

    def reset(self) -> None:
        """Forget every task."""
        self._lines.clear()
        self._model.clear()
        self._asked.clear()

    def _occupies(self, job: Job) -> bool:
        asked_lately = self._clock.now() - self._asked[job.id] < ABANDONED_AFTER
        return asked_lately and not job.state.is_terminal and job.done < 1.0
