"""The figures of an installation, in the words of Prometheus."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import TYPE_CHECKING

import msgspec

from mediawright.core.measures import Measure
from mediawright.store import gauges, provider_health, workers
from mediawright.store.gauges import Backlog, Unfinished
from mediawright.store.kinds import HealthState

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from mediawright.app.runtime import Runtime
    from mediawright.tracing.meter import Distribution, Labels

_MICRO = 1_000_000


class Gauge(msgspec.Struct, frozen=True, kw_only=True):
    """Values of one kind at this moment, by labels."""

    name: str
    help: str
    labels: tuple[str, ...]
    values: list[tuple[tuple[str, ...], float]]


class Stock(msgspec.Struct, frozen=True, kw_only=True):
    """What there is at one moment, read from one snapshot of the database."""

    unfinished: list[Unfinished]
    unbooked: Backlog
    held_micros: int
    deliveries: Backlog
    hooks: Backlog
    workers: dict[str, int]
    circuits: dict[str, HealthState]


HELP: dict[Measure, str] = {
    Measure.PROVIDER_CALL: "Time of calls to providers.",
    Measure.POLL_LAG: "How much later than planned providers were asked.",
    Measure.FINISHED: "Generations that ended.",
    Measure.GENERATION_TIME: "Time from the request to the end of generations that succeeded.",
    Measure.HTTP_REQUEST: "Time of requests to this server.",
    Measure.HOOK_RECEIVED: "Webhooks of providers that came in.",
    Measure.WEBHOOK_SENT: "Tries to deliver events to endpoints of callers.",
    Measure.CIRCUIT_CHANGED: "Providers that were left alone for a while, or used again.",
    Measure.LIMIT_REACHED: "Requests that a limit refused.",
}


GAUGES: dict[str, str] = {
    "generations": "Unfinished generations by state and provider.",
    "generations_oldest_seconds": "Age of the oldest generation in a state at a provider.",
    "generations_overdue": "Generations past the time their kind is expected to take.",
    "cancellations_unbooked": "Cancelled generations whose money is not settled.",
    "held_credits": "Credits held for generations.",
    "webhook_deliveries_pending": "Events to be delivered to endpoints of callers.",
    "provider_hooks_unhandled": "Webhooks of providers that nobody has looked at.",
    "workers": "Processes at work.",
    "provider_circuit_open": "1 where a provider is left alone because it failed too often.",
}
"""What the gauges mean, by name."""


async def take_stock(runtime: Runtime) -> Stock:
    """Return what there is now."""
    return await runtime.database.read(read_stock(runtime))


def read_stock(runtime: Runtime) -> Callable[[Connection], Stock]:
    """Return the work of reading what there is."""
    patience = runtime.settings.workers.dead_after

    def work(connection: Connection) -> Stock:
        return Stock(
            unfinished=gauges.unfinished(connection),
            unbooked=gauges.unbooked_cancellations(connection),
            held_micros=gauges.held_micros(connection),
            deliveries=gauges.pending_deliveries(connection),
            hooks=gauges.unhandled_hooks(connection),
            workers=Counter(item.role.value for item in workers.living(connection, patience)),
            circuits={item.provider: item.state for item in provider_health.all_of(connection)},
        )

    return work


def gauges_of(stock: Stock, now: datetime) -> list[Gauge]:
    """Return the stock as gauges."""
    places = [((item.state.value, item.provider), item) for item in stock.unfinished]
    by_place = ("state", "provider")
    ages = [(labels, (now - item.oldest).total_seconds()) for labels, item in places]
    circuits = [
        ((name,), float(state is not HealthState.CLOSED)) for name, state in stock.circuits.items()
    ]
    return [
        _gauge("generations", [(labels, item.count) for labels, item in places], by_place),
        _gauge("generations_oldest_seconds", ages, by_place),
        _single("generations_overdue", sum(item.overdue for item in stock.unfinished)),
        _single("cancellations_unbooked", stock.unbooked.count),
        _single("held_credits", stock.held_micros / _MICRO),
        _single("webhook_deliveries_pending", stock.deliveries.count),
        _single("provider_hooks_unhandled", stock.hooks.count),
        _gauge("workers", [((role,), count) for role, count in stock.workers.items()], ("role",)),
        _gauge("provider_circuit_open", circuits, ("provider",)),
    ]


def cumulative(distribution: Distribution) -> list[tuple[str, float]]:
    """Return a distribution as Prometheus has it: each bucket holds the smaller ones too."""
    buckets: list[tuple[str, float]] = []
    seen = 0
    bounds = [*map(str, distribution.bounds), "+Inf"]
    for bound, count in zip(bounds, distribution.counts, strict=True):
        seen += count
        buckets.append((bound, seen))
    return buckets


def label_names(series: Iterable[Labels]) -> tuple[str, ...]:
    """Return the names of a measure's labels."""
    return tuple(name for name, _ in next(iter(series)))


def _single(name: str, value: float) -> Gauge:
    return _gauge(name, [((), value)], ())


def _gauge(
    name: str, values: list[tuple[tuple[str, ...], float]], labels: tuple[str, ...]
) -> Gauge:
    return Gauge(name=name, help=GAUGES[name], labels=labels, values=values)
