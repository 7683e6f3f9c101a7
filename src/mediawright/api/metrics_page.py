"""The figures of an installation as a page for Prometheus."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.exposition import choose_encoder
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from mediawright._version import __version__
from mediawright.app.metrics import HELP, Stock, cumulative, gauges_of, label_names
from mediawright.tracing.meter import Snapshot

_PREFIX = "mediawright_"


def metrics_page(stock: Stock, snapshot: Snapshot, now: datetime, accept: str) -> tuple[bytes, str]:
    """Return the page and its content type.

    Args:
        stock: What there is now, in the whole installation.
        snapshot: What this process has measured.
        now: The time the stock was taken.
        accept: The request's Accept header: it chooses between the text forms.
    """
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Figures(stock, snapshot, now))
    encode, content_type = choose_encoder(accept)
    return encode(registry), content_type


class _Figures(Collector):
    def __init__(self, stock: Stock, snapshot: Snapshot, now: datetime) -> None:
        self._stock = stock
        self._snapshot = snapshot
        self._now = now

    def collect(self) -> Iterator[Metric]:
        yield _build()
        yield from self._gauges()
        yield from self._counters()
        yield from self._histograms()

    def _gauges(self) -> Iterator[Metric]:
        for gauge in gauges_of(self._stock, self._now):
            family = GaugeMetricFamily(_PREFIX + gauge.name, gauge.help, labels=gauge.labels)
            for labels, value in gauge.values:
                family.add_metric(labels, value)
            yield family

    def _counters(self) -> Iterator[Metric]:
        for measure, series in self._snapshot.counters.items():
            family = CounterMetricFamily(
                _PREFIX + measure.value, HELP[measure], labels=label_names(series)
            )
            for labels, value in series.items():
                family.add_metric([text for _, text in labels], value)
            yield family

    def _histograms(self) -> Iterator[Metric]:
        for measure, series in self._snapshot.distributions.items():
            family = HistogramMetricFamily(
                _PREFIX + measure.value, HELP[measure], labels=label_names(series)
            )
            for labels, distribution in series.items():
                family.add_metric(
                    [text for _, text in labels], cumulative(distribution), distribution.total
                )
            yield family


def _build() -> Metric:
    family = GaugeMetricFamily(f"{_PREFIX}build_info", "The running release.", labels=("version",))
    family.add_metric([__version__], 1)
    return family
