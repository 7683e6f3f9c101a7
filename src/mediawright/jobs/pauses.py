"""Pauses that end early when something happens."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mediawright.core.clock import Clock


async def sleep_or_change(clock: Clock, changed: asyncio.Event, seconds: float) -> bool:
    """Sleep by `clock`, or less if `changed` is set first (and clear it); tell which it was."""
    try:
        return await clock.wait_for(changed, seconds)
    finally:
        changed.clear()
