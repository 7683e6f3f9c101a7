"""The generations of a process that wait for their provider."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextvars import Context

from mediawright.core.states import GenerationState
from mediawright.jobs.background import Background


class Waits:
    """Runs each wait as a plain task of the application's loop, and as nothing more.

    A wait leaves no trace but in the rows of its generation, and these are enough to begin it
    again, here or in another process: there is nothing about it that an engine would have to
    write down. So a wait costs little, and a thousand are taken up in a moment.
    """

    def __init__(
        self,
        wait: Callable[[str], Awaitable[str]],
        deliver: Callable[[str], Awaitable[None]],
    ) -> None:
        """Prepare.

        Args:
            wait: Waits for a generation's provider; returns the state it is then in.
            deliver: Has the media stored that a wait has brought. It answers for the
                generation when it returns.
        """
        self._wait = wait
        self._deliver = deliver
        self._tasks = Background()

    def __contains__(self, generation_id: str) -> bool:
        """Tell whether that generation waits here."""
        return generation_id in self._tasks

    def __len__(self) -> int:
        """Return how many wait here."""
        return len(self._tasks)

    def begin(self, generation_id: str) -> None:
        """Wait for a generation's provider, unless that is done already."""
        if generation_id not in self._tasks:
            # It belongs neither to a request nor to a workflow that it was begun in.
            self._tasks.spawn(generation_id, self._run(generation_id), context=Context())

    def break_off(self) -> None:
        """Wait no more; whoever answers for the generations begins again."""
        self._tasks.cancel(self._tasks.names())

    async def stop(self) -> None:
        """Break off all that wait, and return when they have ended."""
        await self._tasks.stop()

    async def _run(self, generation_id: str) -> None:
        # If it fails, its rows say that nobody works on it, and it is taken up again.
        if await self._wait(generation_id) == GenerationState.STORING:
            await self._deliver(generation_id)
