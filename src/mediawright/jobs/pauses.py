"""Pauses that end early when something happens."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mediawright.core.clock import Clock


async def sleep_or_change(clock: Clock, changed: asyncio.Event, seconds: float) -> bool:
    """Sleep by `clock`, or less if `changed` is set first (and clear it); tell which it was."""
    sleeping = asyncio.ensure_future(clock.sleep(seconds))
    change = asyncio.ensure_future(changed.wait())
    try:
        await asyncio.wait({sleeping, change}, return_when=asyncio.FIRST_COMPLETED)
        return changed.is_set()
    finally:
        changed.clear()
        for task in (sleeping, change):
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
