"""Which part of a file is wanted, and whether the caller has it already (RFC 9110)."""

from __future__ import annotations

import re
from typing import NamedTuple

_RANGE = re.compile(r"bytes[ \t]*=[ \t]*([0-9]*)-([0-9]*)", re.IGNORECASE | re.ASCII)
_ETAG = re.compile(r'(?:W/)?("[^"]*")')
_LONGEST_NUMBER = 18


class Part(NamedTuple):
    """Bytes of a file: from `start`, to before `end`."""

    start: int
    end: int


class NoSuchPartError(Exception):
    """The file ends before the part begins."""


def part_wanted(header: str | None, size: int) -> Part | None:
    """Return the part that a Range header asks for; `None` for the whole file.

    Only a single range of bytes is served; anything else is ignored, as the standard allows.

    Raises:
        NoSuchPartError: It begins behind the end of the file.
    """
    match = _RANGE.fullmatch((header or "").strip())
    if match is None:
        return None
    first, last = match.groups()
    if not (first or last) or max(len(first), len(last)) > _LONGEST_NUMBER:
        return None
    if not first:
        start, end = max(0, size - int(last)), size
    else:
        start = int(first)
        if last and int(last) < start:
            return None
        end = min(int(last) + 1, size) if last else size
    if start >= end:
        raise NoSuchPartError
    return Part(start, end)


def has_matching_etag(header: str | None, etag: str) -> bool:
    """Tell whether an If-None-Match header names this ETag, or any."""
    if header is None:
        return False
    return header.strip() == "*" or etag in _ETAG.findall(header)


def may_send_part(if_range: str | None, etag: str) -> bool:
    """Tell whether a part fits to what the caller has, by its If-Range header.

    A date never fits: our files change their ETag and have no other date that matters.
    """
    return if_range is None or if_range.strip() == etag
