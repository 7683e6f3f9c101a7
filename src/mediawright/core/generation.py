"""The records that outlive a process: generations, attempts, assets, spans."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec

from mediawright.core.errors import Problem
from mediawright.core.media import MediaFacts
from mediawright.core.money import Price, PriceBasis
from mediawright.core.operations import Operation
from mediawright.core.request import Adjustment, GenerationRequest
from mediawright.core.states import AttemptState, GenerationState, PublicStatus, public_status

WAITING_STAGE = "queued"
"""The stage of a running generation that the provider has not begun."""


class RoutePlan(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One way to run the request, worked out when the generation was made."""

    provider: str
    upstream_id: str
    fields: dict[str, Any] = {}
    """The request's parameters in the provider's own names and values."""
    price: Price = Price()
    synchronous: bool = False
    """Whether the provider answers the submit with the finished media."""


class SkippedRoute(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A route that was not tried, and why. Those that were tried are in the attempts."""

    provider: str
    upstream_id: str
    reason: str
    """A stable code, such as `missing_api_key`, `provider_disabled` or `circuit_open`."""
    message: str


class Generation(msgspec.Struct, frozen=True, kw_only=True):
    """One request for media and everything that became of it."""

    id: str
    workspace_id: str
    trace_id: str
    state: GenerationState
    operation: Operation
    model: str
    request: GenerationRequest
    """The request as normalised by preflight."""
    routes: tuple[RoutePlan, ...]
    price: Price
    created_at: datetime
    updated_at: datetime
    adjustments: tuple[Adjustment, ...] = ()
    provider: str | None = None
    """The provider in use, or while it is queued the one to be tried next."""
    progress: float | None = None
    """0 to 1; `None` while nobody knows."""
    stage: str | None = None
    """The provider's own word for what it is doing."""
    problem: Problem | None = None
    cancel_requested: bool = False
    overdue: bool = False
    charge_micros: int | None = None
    """Millionths of a credit charged; `None` until settled."""
    cost_micros: int | None = None
    """Millionths of a US dollar the provider billed; `None` while unknown."""
    cost_basis: PriceBasis = PriceBasis.UNKNOWN
    estimated_seconds: float | None = None
    idempotency_key: str | None = None
    request_hash: str | None = None
    executor: str | None = None
    api_key_id: str | None = None
    """The key the request came with, if it came with one."""
    started_at: datetime | None = None
    finished_at: datetime | None = None
    skipped_routes: tuple[SkippedRoute, ...] = ()

    @property
    def status(self) -> PublicStatus:
        """The public status word."""
        return public_status(
            self.state,
            waiting_at_provider=self.stage == WAITING_STAGE,
            has_progress=self.progress is not None,
        )


class Attempt(msgspec.Struct, frozen=True, kw_only=True):
    """One submit to one provider: the journal that keeps us from paying twice."""

    generation_id: str
    number: int
    """1 for the first."""
    state: AttemptState
    provider: str
    upstream_id: str
    client_reference: str
    """Our name for this submit: generation id, colon, number."""
    request_hash: str
    executor: str
    created_at: datetime
    updated_at: datetime
    handle: dict[str, Any] | None = None
    """What the provider needs to be asked about the job; plain JSON without secrets."""
    problem: Problem | None = None
    vendor_id: str | None = None
    """The provider's own name for the job, once it is known."""
    checked_at: datetime | None = None
    """When it was last tried to find out what became of it."""
    closed_at: datetime | None = None
    """When it became certain that the provider does nothing more for it."""


class Asset(msgspec.Struct, frozen=True, kw_only=True):
    """A file we hold: the output of a generation, or an input that was uploaded."""

    id: str
    workspace_id: str
    key: str
    """Where the bytes lie in the drive, relative to its root."""
    facts: MediaFacts
    sha256: str
    """Hex digest of the bytes."""
    created_at: datetime
    generation_id: str | None = None
    index: int = 0
    """Place among the outputs of its generation, from 0."""
    thumbnail_key: str | None = None
    optimized_key: str | None = None
    text: str | None = None
    """The words, for a transcript."""
    seed: int | None = None
    revised_prompt: str | None = None


class Span(msgspec.Struct, frozen=True, kw_only=True):
    """A timed part of a trace."""

    id: str
    trace_id: str
    workspace_id: str
    name: str
    kind: str
    """image, video, speech or music for the generation itself; step for its parts."""
    started_at: datetime
    parent_id: str | None = None
    generation_id: str | None = None
    ended_at: datetime | None = None
    status: str = "unset"
    """unset, ok or error."""
    attributes: dict[str, Any] = {}
