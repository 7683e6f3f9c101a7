"""Everything a step needs, gathered once."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import msgspec

from mediawright.core.measures import Measures, NoMeasures
from mediawright.jobs.cadence import Cadences
from mediawright.jobs.locks import GenerationLocks
from mediawright.jobs.ports import AlwaysTried, OpenGate, WholeFolder
from mediawright.jobs.signals import Signals

if TYPE_CHECKING:
    from mediawright.core.clock import Clock
    from mediawright.core.generation import Generation, RoutePlan
    from mediawright.jobs.ports import (
        CostOf,
        Downloader,
        HookUrls,
        Lease,
        Library,
        ProviderDirectory,
        ProviderHealth,
        SubmitGate,
    )
    from mediawright.jobs.replies import ReplyJournal
    from mediawright.ledger.ledger import Ledger
    from mediawright.store.database import Database
    from mediawright.tracing.tracer import Tracer


class JobSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How jobs are run."""

    cadence: Cadences = Cadences()
    submit_retries: int = 3
    """How often a submit that surely took nothing is tried again on the same route."""
    download_retries: int = 4
    longest_retry_delay: float = 60.0
    """Seconds; a provider that asks for more is treated as unavailable."""
    largest_output: int = 2 * 1024**3
    """Bytes."""
    largest_input: int = 200 * 1024**2
    """Bytes."""


@dataclass(frozen=True, kw_only=True)
class JobContext:
    """The parts that the steps work with; built once by the composition root."""

    database: Database
    ledger: Ledger
    tracer: Tracer
    library: Library
    providers: ProviderDirectory
    downloader: Downloader
    replies: ReplyJournal
    cost_of: CostOf
    clock: Clock
    executor: str
    """The name of this process in attempts; another process's leftovers are taken up."""
    settings: JobSettings = field(default_factory=JobSettings)
    signals: Signals = field(default_factory=Signals)
    lease: Lease = field(default_factory=WholeFolder)
    health: ProviderHealth = field(default_factory=AlwaysTried)
    gate: SubmitGate = field(default_factory=OpenGate)
    hook_urls: HookUrls | None = None
    measures: Measures = field(default_factory=NoMeasures)
    abandoning: GenerationLocks = field(default_factory=GenerationLocks)
    """So that a provider is told once that a generation is no longer wanted."""


def route_of(generation: Generation, provider: str, upstream_id: str) -> RoutePlan:
    """Return the generation's route to that provider and model."""
    return next(
        route
        for route in generation.routes
        if (route.provider, route.upstream_id) == (provider, upstream_id)
    )
