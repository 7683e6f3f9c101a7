"""Everything a step needs, gathered once."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated

import msgspec

from mediawright.core.measures import Measures, NoMeasures
from mediawright.jobs.cadence import Cadences
from mediawright.jobs.locks import GenerationLocks
from mediawright.jobs.poll_budget import PollBudget
from mediawright.jobs.ports import AlwaysTried, AtOnce, NoOthers, OpenGate, WholeFolder
from mediawright.jobs.signals import Signals
from mediawright.jobs.trying_again import CircuitSettings, Pauses
from mediawright.jobs.under_way import UnderWay

if TYPE_CHECKING:
    from mediawright.core.clock import Clock
    from mediawright.core.generation import Generation, RoutePlan
    from mediawright.jobs.ports import (
        CostOf,
        Downloader,
        Executors,
        HookUrls,
        Lease,
        Library,
        ProviderDirectory,
        ProviderHealth,
        Renditions,
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
    submit_pauses: Pauses = Pauses()
    """Between those tries, where the provider does not say when to come back."""
    circuit: CircuitSettings = CircuitSettings()
    download_retries: int = 4
    longest_retry_delay: float = 60.0
    """Seconds; a provider that asks for more is treated as unavailable."""
    submit_timeout: float = 90.0
    """Seconds a submit may be under way; only later is a provider believed that it has none."""
    lookup_patience: float = 300.0
    """Seconds for which a provider that cannot tell is asked what became of a submit."""
    hook_patience: float = 120.0
    """Seconds for which the provider's own report is awaited when its answer was lost."""
    reported_poll_factor: float = 5.0
    """How many times longer a provider is left alone between two polls while its own report is
    awaited."""
    late_result_window: float = 86_400.0
    """Seconds after its end for which a generation's result is still looked for."""
    keep_cancelled_results: bool = False
    """Whether what a provider makes in spite of a cancellation, and bills, is kept."""
    retention_hours: Annotated[float, msgspec.Meta(gt=0)] = 24.0
    """Hours for which the engine's records, staged files, replies that were stored and reports
    that were acted on are kept; files and generations are kept until they are deleted."""
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
    under_way: UnderWay = field(default_factory=UnderWay)
    lease: Lease = field(default_factory=WholeFolder)
    executors: Executors = field(default_factory=NoOthers)
    health: ProviderHealth = field(default_factory=AlwaysTried)
    gate: SubmitGate = field(default_factory=OpenGate)
    polls: PollBudget = field(default_factory=PollBudget)
    hook_urls: HookUrls | None = None
    renditions: Renditions = field(default_factory=AtOnce)
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
