"""Traces and measurements for an OpenTelemetry collector; needs the extra `otel`."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable, Sequence
from contextlib import suppress
from datetime import datetime
from typing import TYPE_CHECKING, Any

import structlog
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.metrics import CallbackOptions, Counter, Histogram, Observation
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import MetricExporter, PeriodicExportingMetricReader
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import SpanContext, SpanKind, TraceFlags
from opentelemetry.trace.status import Status, StatusCode

from mediawright._version import __version__
from mediawright.app.metrics import GAUGES, HELP, Gauge, gauges_of, read_stock
from mediawright.core.measures import Measure
from mediawright.store import spans

if TYPE_CHECKING:
    from mediawright.app.runtime import Runtime
    from mediawright.app.settings import TelemetrySettings
    from mediawright.core.generation import Span

log = structlog.get_logger(__name__)

_INTERVAL = 2.0
"""Seconds between two looks for generations that have ended."""
_MOST_LOOKS = 5
_SAME_COLLECTION = 1.0
"""Seconds; what is collected within them comes from one look at the database."""
_PATIENCE = 3.0
"""Seconds that one export may take, retries included: a collector that is away must not keep
the process from ending."""
_SCOPE = InstrumentationScope("mediawright", __version__)
_SAMPLED = TraceFlags(TraceFlags.SAMPLED)
_TEXTS = frozenset({"prompt"})
"""Attributes with words of callers, which leave only if the operator says so."""
_GENERATION_PREFIX = "mediawright."


class Telemetry:
    """Sends the trace of every generation that ends here, and this process's measurements.

    Fulfils `core.measures.Measures`, so that it can be told what the meter is told.
    """

    def __init__(
        self,
        runtime: Runtime,
        settings: TelemetrySettings,
        *,
        span_exporter: SpanExporter | None = None,
        metric_exporter: MetricExporter | None = None,
    ) -> None:
        """Prepare the exporters; nothing is sent yet.

        Args:
            runtime: The installation.
            settings: Where to send, and what.
            span_exporter: In place of the collector at `settings.otlp_endpoint`.
            metric_exporter: Likewise.
        """
        self._runtime = runtime
        self._settings = settings
        self._resource = Resource.create(
            {"service.name": settings.service_name, "service.version": __version__}
        )
        base = settings.otlp_endpoint
        self._spans = BatchSpanProcessor(
            span_exporter or OTLPSpanExporter(endpoint=_address(base, "traces"), timeout=_PATIENCE)
        )
        reader = PeriodicExportingMetricReader(
            metric_exporter
            or OTLPMetricExporter(endpoint=_address(base, "metrics"), timeout=_PATIENCE)
        )
        self._provider = MeterProvider((reader,), self._resource, shutdown_on_exit=False)
        self._meter = self._provider.get_meter("mediawright", __version__)
        self._counters: dict[Measure, Counter] = {}
        self._histograms: dict[Measure, Histogram] = {}
        self._uncommitted: dict[str, int] = {}
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to send."""
        latest = _LatestStock(self._runtime)
        for name, text in GAUGES.items():
            self._meter.create_observable_gauge(
                _GENERATION_PREFIX + name, [_Observed(latest, name)], description=text
            )
        self._task = asyncio.create_task(self._run())

    async def close(self) -> None:
        """Send what is left, and stop."""
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task
        await self.send_ended()
        await asyncio.to_thread(self._spans.shutdown)
        await asyncio.to_thread(self._provider.shutdown)

    def count(self, measure: Measure, amount: int = 1, /, **labels: str) -> None:
        """Add to a counter."""
        counter = self._counters.get(measure)
        if counter is None:
            counter = self._counters[measure] = self._meter.create_counter(
                _GENERATION_PREFIX + measure.value, description=HELP[measure]
            )
        counter.add(amount, labels)

    def observe(self, measure: Measure, seconds: float, /, **labels: str) -> None:
        """Note one more duration."""
        histogram = self._histograms.get(measure)
        if histogram is None:
            histogram = self._histograms[measure] = self._meter.create_histogram(
                _GENERATION_PREFIX + measure.value, unit="s", description=HELP[measure]
            )
        histogram.record(seconds, labels)

    async def send_ended(self) -> int:
        """Hand over the traces of the generations that ended since the last time.

        Returns:
            How many traces that were.
        """
        sent = 0
        for generation_id in (*self._uncommitted, *self._runtime.tracer.take_ended()):
            found = await self._runtime.database.read(
                lambda connection, of=generation_id: spans.whole_trace(connection, of)
            )
            if any(span.ended_at is None for span in found):
                self._look_again(generation_id)
                continue
            self._uncommitted.pop(generation_id, None)
            for span in found:
                self._spans.on_end(readable(span, self._resource, texts=self._settings.texts))
            sent += bool(found)
        return sent

    def _look_again(self, generation_id: str) -> None:
        """Wait for the transaction in which it ends; that may also have failed."""
        tries = self._uncommitted.get(generation_id, 0) + 1
        self._uncommitted[generation_id] = tries
        if tries > _MOST_LOOKS:
            del self._uncommitted[generation_id]

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(_INTERVAL)
            try:
                await self.send_ended()
            except Exception:
                log.exception("sending traces failed")


class _LatestStock:
    """The gauges, read once for all that are collected together."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._read_at = -_SAME_COLLECTION
        self._gauges: list[Gauge] = []

    def gauges(self) -> list[Gauge]:
        """Return what there is. Blocks."""
        if time.monotonic() - self._read_at >= _SAME_COLLECTION:
            stock = self._runtime.database.read_now(read_stock(self._runtime))
            self._gauges = gauges_of(stock, self._runtime.clock.now())
            self._read_at = time.monotonic()
        return self._gauges


class _Observed:
    """Reads one gauge when the metrics are collected, in the exporter's own thread."""

    def __init__(self, latest: _LatestStock, name: str) -> None:
        self._latest = latest
        self._name = name

    def __call__(self, options: CallbackOptions) -> Iterable[Observation]:
        del options
        return [
            Observation(value, dict(zip(gauge.labels, labels, strict=True)))
            for gauge in self._latest.gauges()
            if gauge.name == self._name
            for labels, value in gauge.values
        ]


def readable(span: Span, resource: Resource, *, texts: bool) -> ReadableSpan:
    """Return a span of ours as OpenTelemetry has it, under ids made of ours.

    Args:
        span: A finished span.
        resource: Who sends it.
        texts: Whether prompts are sent along.
    """
    failed = span.status == "error"
    return ReadableSpan(
        name=span.name,
        context=_context(span.trace_id, span.id),
        parent=None if span.parent_id is None else _context(span.trace_id, span.parent_id),
        resource=resource,
        attributes=_attributes(span, texts=texts),
        kind=SpanKind.CLIENT if span.parent_id else SpanKind.SERVER,
        status=Status(StatusCode.ERROR if failed else StatusCode.OK),
        start_time=_nanoseconds(span.started_at),
        end_time=_nanoseconds(span.ended_at or span.started_at),
        instrumentation_scope=_SCOPE,
    )


def _context(trace_id: str, span_id: str) -> SpanContext:
    # Ids of ours are 128 bits. The low half of a UUIDv7 is random.
    trace = int(trace_id.rpartition("_")[2], 16)
    span = int(span_id.rpartition("_")[2][-16:], 16)
    return SpanContext(trace, span, is_remote=False, trace_flags=_SAMPLED)


def _attributes(span: Span, *, texts: bool) -> dict[str, str | bool | int | float | Sequence[str]]:
    attributes: dict[str, str | bool | int | float | Sequence[str]] = {
        "mediawright.kind": span.kind,
        "mediawright.workspace_id": span.workspace_id,
    }
    if span.generation_id is not None:
        attributes["mediawright.generation_id"] = span.generation_id
    for name, value in span.attributes.items():
        if value is None or (name in _TEXTS and not texts):
            continue
        attributes[_GENERATION_PREFIX + name] = _plain(value)
    return attributes


def _plain(value: Any) -> str | bool | int | float | Sequence[str]:
    if isinstance(value, str | bool | int | float):
        return value
    if isinstance(value, list | tuple):
        return [str(item) for item in value]  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType] - spans hold any JSON
    return str(value)


def _nanoseconds(moment: datetime) -> int:
    return int(moment.timestamp() * 1_000_000) * 1_000


def _address(base: str | None, signal: str) -> str | None:
    """Return where a signal goes; `None` leaves it to the standard variables."""
    return None if base is None else f"{base.rstrip('/')}/v1/{signal}"
