"""Ids that carry a readable prefix and sort by the time they were made (UUIDv7)."""

from __future__ import annotations

import os
import threading
import time
import uuid
from enum import StrEnum


class IdPrefix(StrEnum):
    """What an id names."""

    GENERATION = "gen"
    ATTEMPT = "att"
    ASSET = "ast"
    QUOTE = "quo"
    APPROVAL = "apr"
    API_KEY = "key"
    WORKSPACE = "wsp"
    TRACE = "trc"
    SPAN = "spn"
    REQUEST = "req"


_lock = threading.Lock()
_last = 0


def uuid7() -> uuid.UUID:
    """Return a version 7 UUID (RFC 9562), strictly increasing within this process."""
    global _last
    with _lock:
        # 48 bits of milliseconds and 12 bits of the fraction below them.
        nanoseconds = time.time_ns()
        milliseconds, remainder = divmod(nanoseconds, 1_000_000)
        stamp = (milliseconds << 12) | (remainder * 4096 // 1_000_000)
        stamp = max(stamp, _last + 1)
        _last = stamp
    value = (stamp >> 12) << 80
    value |= 0x7 << 76
    value |= (stamp & 0xFFF) << 64
    value |= 0b10 << 62
    value |= int.from_bytes(os.urandom(8), "big") & ((1 << 62) - 1)
    return uuid.UUID(int=value)


def new_id(prefix: IdPrefix) -> str:
    """Return a fresh id such as `gen_0197f0c29d2a7b1e8c3d5f6a7b8c9d0e`."""
    return f"{prefix.value}_{uuid7().hex}"


def has_prefix(value: str, prefix: IdPrefix) -> bool:
    """Tell whether `value` has the shape of an id of that kind."""
    head, _, tail = value.partition("_")
    if head != prefix.value or len(tail) != 32:  # noqa: PLR2004 - hex digits of a UUID
        return False
    return all(character in "0123456789abcdef" for character in tail)
