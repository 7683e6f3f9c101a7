"""Range headers against a plain reading of RFC 9110."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mediawright.api.byte_ranges import (
    NoSuchPartError,
    has_matching_etag,
    may_send_part,
    part_wanted,
)

SIZES = st.integers(0, 50)
PLACES = st.integers(0, 60)


@given(SIZES, PLACES, PLACES)
def test_from_to(size: int, first: int, last: int) -> None:
    wanted = [place for place in range(size) if first <= place <= last]
    header = f"bytes={first}-{last}"
    if last < first:
        assert part_wanted(header, size) is None
    elif not wanted:
        with pytest.raises(NoSuchPartError):
            part_wanted(header, size)
    else:
        assert part_wanted(header, size) == (wanted[0], wanted[-1] + 1)


@given(SIZES, PLACES)
def test_from_on(size: int, first: int) -> None:
    if first >= size:
        with pytest.raises(NoSuchPartError):
            part_wanted(f"bytes={first}-", size)
    else:
        assert part_wanted(f"bytes={first}-", size) == (first, size)


@given(SIZES, PLACES)
def test_the_last_bytes(size: int, length: int) -> None:
    wanted = list(range(size))[-length:] if length else []
    if not wanted:
        with pytest.raises(NoSuchPartError):
            part_wanted(f"bytes=-{length}", size)
    else:
        assert part_wanted(f"bytes=-{length}", size) == (wanted[0], size)


@given(st.text(max_size=30) | st.none(), SIZES)
def test_anything_else_asks_for_the_whole(header: str | None, size: int) -> None:
    if header is None or not header.strip().lower().startswith("bytes"):
        assert part_wanted(header, size) is None


def test_numbers_without_end() -> None:
    assert part_wanted(f"bytes={'9' * 5000}-", 10) is None
    assert part_wanted(f"bytes=0-{'9' * 18}", 10) == (0, 10)


@given(st.text(max_size=20))
def test_conditions_match_only_their_tag(header: str) -> None:
    assert has_matching_etag(f'{header.replace(chr(34), "")}"tag"', '"tag"')
    assert has_matching_etag(header, '"tag"') == ('"tag"' in header or header.strip() == "*")
    assert may_send_part(header, '"tag"') == (header.strip() == '"tag"')


def test_a_weak_tag_is_enough_for_a_condition_and_not_for_a_part() -> None:
    assert has_matching_etag('W/"tag"', '"tag"')
    assert not may_send_part('W/"tag"', '"tag"')
    assert may_send_part(None, '"tag"')
