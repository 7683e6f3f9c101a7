"""How values become columns: times as whole microseconds, structures as JSON text."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_encoder = msgspec.json.Encoder()


def to_micros(moment: datetime) -> int:
    """Return the microseconds since 1970 of an aware time; exact on every database.

    Raises:
        TypeError: If the time has no zone.
    """
    return (moment - _EPOCH) // _MICROSECOND


def from_micros(micros: int) -> datetime:
    """Return the time in UTC that `to_micros` was given."""
    return _EPOCH + timedelta(microseconds=micros)


def to_micros_or_none(moment: datetime | None) -> int | None:
    """Like `to_micros`, for a time that may be missing."""
    return None if moment is None else to_micros(moment)


def from_micros_or_none(micros: int | None) -> datetime | None:
    """Like `from_micros`, for a time that may be missing."""
    return None if micros is None else from_micros(micros)


def to_json(value: Any) -> str:
    """Return a structure as JSON text."""
    return _encoder.encode(value).decode()


def to_json_or_none(value: Any) -> str | None:
    """Return a structure as JSON text, and nothing for nothing."""
    return None if value is None else to_json(value)


def storable(text: str | None) -> str | None:
    """Return text that every database takes: PostgreSQL has no place for the NUL character."""
    return text if text is None or "\0" not in text else text.replace("\0", "\ufffd")
