"""The window that rates are counted over."""

from __future__ import annotations

import math
from datetime import datetime, timedelta

from mediawright.store.codec import from_micros

WINDOW = timedelta(seconds=60)
"""Any 60 seconds, not the minutes of a clock; what happened exactly so long ago has left it."""


def seconds_left(moment: int, now: datetime) -> float:
    """Return the seconds until what happened at `moment` (microseconds) leaves the window."""
    return (from_micros(moment) + WINDOW - now).total_seconds()


def whole_seconds(seconds: float) -> int:
    """Return seconds rounded up, at least one, as `Retry-After` has them."""
    return max(1, math.ceil(seconds))
