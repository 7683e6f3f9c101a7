"""What is measured comes out again, whole."""

from __future__ import annotations

import threading

from hypothesis import given
from hypothesis import strategies as st

from mediawright.app.metrics import cumulative
from mediawright.core.measures import Measure
from mediawright.tracing.meter import Fanout, Meter

seconds = st.floats(min_value=0, max_value=10_000, allow_nan=False)


@given(st.lists(seconds, min_size=1, max_size=60))
def test_a_distribution_holds_every_duration_in_its_bucket(durations):
    meter = Meter()
    for duration in durations:
        meter.observe(Measure.PROVIDER_CALL, duration, provider="fal")

    (found,) = meter.snapshot().distributions[Measure.PROVIDER_CALL].values()

    assert found.count == len(durations)
    assert abs(found.total - sum(durations)) < 1e-6
    for bound, below in cumulative(found):
        assert below == sum(duration <= float(bound) for duration in durations)


def test_threads_lose_no_count():
    meter = Meter()

    def work() -> None:
        for _ in range(2_000):
            meter.count(Measure.FINISHED, state="succeeded")

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert meter.snapshot().counters[Measure.FINISHED] == {(("state", "succeeded"),): 8_000}


def test_the_order_of_labels_does_not_matter():
    meter = Meter()
    meter.count(Measure.FINISHED, state="failed", provider="fal")
    meter.count(Measure.FINISHED, 2, provider="fal", state="failed")

    assert list(meter.snapshot().counters[Measure.FINISHED].values()) == [3]


def test_a_measure_cannot_fill_the_memory():
    meter = Meter()
    for number in range(5_000):
        meter.count(Measure.FINISHED, state=str(number))
        meter.observe(Measure.POLL_LAG, 1.0, provider=str(number))

    taken = meter.snapshot()
    assert len(taken.counters[Measure.FINISHED]) == 2_000
    assert len(taken.distributions[Measure.POLL_LAG]) == 2_000


def test_a_fanout_tells_everybody():
    first, second = Meter(), Meter()
    fanout = Fanout(first)
    fanout.count(Measure.FINISHED)
    fanout.add(second)
    fanout.count(Measure.FINISHED)
    fanout.observe(Measure.POLL_LAG, 0.5)

    assert first.snapshot().counters[Measure.FINISHED] == {(): 2}
    assert second.snapshot().counters[Measure.FINISHED] == {(): 1}
    assert second.snapshot().distributions[Measure.POLL_LAG][()].count == 1
