"""What this process has sent and awaits the answer to."""

from __future__ import annotations

import asyncio
from collections import Counter
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Coroutine, Generator


class UnderWay:
    """The generations whose submit is being made in this process, and answers that come late."""

    def __init__(self) -> None:
        self._submits: Counter[str] = Counter()
        self._searches: Counter[str] = Counter()
        self._late: set[asyncio.Task[None]] = set()

    def __contains__(self, generation_id: str) -> bool:
        """Tell whether the generation is being submitted here now."""
        return self._submits[generation_id] > 0

    @contextmanager
    def submit(self, generation_id: str) -> Generator[None]:
        """Count the generation as being submitted here."""
        self._submits[generation_id] += 1
        try:
            yield
        finally:
            self._submits[generation_id] -= 1
            if not self._submits[generation_id]:
                del self._submits[generation_id]

    @contextmanager
    def search(self, generation_id: str) -> Generator[None]:
        """Count it as being found out what became of the generation's submit.

        That costs nothing and can be broken off: whoever comes next does it again.
        """
        self._searches[generation_id] += 1
        try:
            yield
        finally:
            self._searches[generation_id] -= 1
            if not self._searches[generation_id]:
                del self._searches[generation_id]

    def is_searched_for(self, generation_id: str) -> bool:
        """Tell whether it is being found out here what became of the generation's submit."""
        return self._searches[generation_id] > 0

    def write_down_late(self, work: Coroutine[Any, Any, None]) -> None:
        """Go on awaiting an answer for which its step cannot wait any longer."""
        task = asyncio.create_task(work)
        self._late.add(task)
        task.add_done_callback(self._late.discard)

    async def finish(self, seconds: float) -> None:
        """Wait so long for late answers, so that they are written down before the process ends."""
        if self._late:
            await asyncio.wait(self._late, timeout=seconds)

    async def break_off(self) -> None:
        """Await no late answers any more."""
        late = list(self._late)
        for task in late:
            task.cancel()
        await asyncio.gather(*late, return_exceptions=True)
