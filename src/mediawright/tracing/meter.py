"""Measurements of this process, kept in memory until somebody asks for them."""

from __future__ import annotations

import threading
from bisect import bisect_left
from collections import defaultdict

import msgspec

from mediawright.core.measures import Measure, Measures

Labels = tuple[tuple[str, str], ...]

_QUICK = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0)
_LONG = (0.1, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1800.0, 3600.0)
_BOUNDS = {Measure.GENERATION_TIME: _LONG}
_MOST_SERIES = 2_000
"""Of one measure. Labels hold no words of callers, so this is reached only by a defect."""


class Distribution(msgspec.Struct, frozen=True, kw_only=True):
    """How often which durations were seen."""

    bounds: tuple[float, ...]
    """Upper bounds of the buckets, in seconds; one more bucket takes what is longer."""
    counts: tuple[int, ...]
    """How many fell into each bucket, one more than there are bounds."""
    total: float
    """Sum of all durations in seconds."""

    @property
    def count(self) -> int:
        """How many durations were seen."""
        return sum(self.counts)


class Snapshot(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that was measured so far."""

    counters: dict[Measure, dict[Labels, int]]
    distributions: dict[Measure, dict[Labels, Distribution]]


class _Series:
    __slots__ = ("bounds", "counts", "total")

    def __init__(self, bounds: tuple[float, ...]) -> None:
        self.bounds = bounds
        self.counts = [0] * (len(bounds) + 1)
        self.total = 0.0


class Fanout:
    """Hands every measurement on to all who want it."""

    def __init__(self, *receivers: Measures) -> None:
        """Begin with some receivers."""
        self._receivers = list(receivers)

    def add(self, receiver: Measures) -> None:
        """Hand on to one more, from now on."""
        self._receivers.append(receiver)

    def count(self, measure: Measure, amount: int = 1, /, **labels: str) -> None:
        """Add to a counter."""
        for receiver in self._receivers:
            receiver.count(measure, amount, **labels)

    def observe(self, measure: Measure, seconds: float, /, **labels: str) -> None:
        """Note one more duration."""
        for receiver in self._receivers:
            receiver.observe(measure, seconds, **labels)


class Meter:
    """Counts and sorts durations into buckets; fulfils `core.measures.Measures`."""

    def __init__(self) -> None:
        """Begin at nothing."""
        self._lock = threading.Lock()
        self._counters: defaultdict[Measure, dict[Labels, int]] = defaultdict(dict)
        self._series: defaultdict[Measure, dict[Labels, _Series]] = defaultdict(dict)

    def count(self, measure: Measure, amount: int = 1, /, **labels: str) -> None:
        """Add to a counter."""
        key = tuple(sorted(labels.items()))
        with self._lock:
            counters = self._counters[measure]
            if key in counters or len(counters) < _MOST_SERIES:
                counters[key] = counters.get(key, 0) + amount

    def observe(self, measure: Measure, seconds: float, /, **labels: str) -> None:
        """Note one more duration."""
        key = tuple(sorted(labels.items()))
        with self._lock:
            known = self._series[measure]
            series = known.get(key)
            if series is None:
                if len(known) >= _MOST_SERIES:
                    return
                series = known[key] = _Series(_BOUNDS.get(measure, _QUICK))
            series.counts[bisect_left(series.bounds, seconds)] += 1
            series.total += seconds

    def snapshot(self) -> Snapshot:
        """Return what was measured so far."""
        with self._lock:
            return Snapshot(
                counters={measure: dict(found) for measure, found in self._counters.items()},
                distributions={
                    measure: {
                        key: Distribution(
                            bounds=series.bounds, counts=tuple(series.counts), total=series.total
                        )
                        for key, series in found.items()
                    }
                    for measure, found in self._series.items()
                },
            )
