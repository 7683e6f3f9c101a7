"""One at a time, per generation, inside one process."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager


class GenerationLocks:
    """Locks by generation, which exist only while somebody wants them."""

    def __init__(self) -> None:
        self._locks: dict[str, tuple[asyncio.Lock, int]] = {}

    @asynccontextmanager
    async def hold(self, generation_id: str) -> AsyncGenerator[None]:
        """Wait until nobody else holds the generation's lock, and hold it."""
        lock, wanted = self._locks.get(generation_id, (asyncio.Lock(), 0))
        self._locks[generation_id] = (lock, wanted + 1)
        try:
            async with lock:
                yield
        finally:
            lock, wanted = self._locks[generation_id]
            if wanted == 1:
                del self._locks[generation_id]
            else:
                self._locks[generation_id] = (lock, wanted - 1)
