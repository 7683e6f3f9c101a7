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
    BUDGET = "bud"
    WORKER = "wrk"
    WEBHOOK_ENDPOINT = "whe"
    WEBHOOK_DELIVERY = "whd"


class _Stamps:
    """Gives out growing time stamps: 48 bits of milliseconds, 12 of the fraction below them."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._last = 0

    def take(self) -> int:
        milliseconds, remainder = divmod(time.time_ns(), 1_000_000)
        stamp = (milliseconds << 12) | (remainder * 4096 // 1_000_000)
        with self._lock:
            self._last = max(stamp, self._last + 1)
            return self._last


class _Randomness:
    """Gives out the system's random bytes, fetched many at a time."""

    _BYTES = 4096

    def __init__(self) -> None:
        self.forget()
        if hasattr(os, "register_at_fork"):
            # A child would otherwise give out what its parent does.
            os.register_at_fork(after_in_child=self.forget)

    def forget(self) -> None:
        self._lock = threading.Lock()
        self._bytes = b""
        self._used = 0

    def take(self, count: int) -> bytes:
        with self._lock:
            start, self._used = self._used, self._used + count
            if self._used > len(self._bytes):
                self._bytes = os.urandom(self._BYTES)
                start, self._used = 0, count
            return self._bytes[start : self._used]


_stamps = _Stamps()
_randomness = _Randomness()


def uuid7() -> uuid.UUID:
    """Return a version 7 UUID (RFC 9562), strictly increasing within this process."""
    return uuid.UUID(int=_uuid7_bits())


def _uuid7_bits() -> int:
    stamp = _stamps.take()
    value = (stamp >> 12) << 80
    value |= 0x7 << 76
    value |= (stamp & 0xFFF) << 64
    value |= 0b10 << 62
    value |= int.from_bytes(_randomness.take(8), "big") & ((1 << 62) - 1)
    return value


def new_id(prefix: IdPrefix) -> str:
    """Return a fresh id such as `gen_0197f0c29d2a7b1e8c3d5f6a7b8c9d0e`."""
    return f"{prefix.value}_{_uuid7_bits():032x}"


def has_prefix(value: str, prefix: IdPrefix) -> bool:
    """Tell whether `value` has the shape of an id of that kind."""
    head, _, tail = value.partition("_")
    if head != prefix.value or len(tail) != 32:  # noqa: PLR2004 - hex digits of a UUID
        return False
    return all(character in "0123456789abcdef" for character in tail)
