"""A price that was promised for a request."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

import msgspec

from mediawright.core.generation import RoutePlan, SkippedRoute
from mediawright.core.money import Price
from mediawright.core.operations import Operation
from mediawright.core.request import Adjustment, GenerationRequest


class Quote(msgspec.Struct, frozen=True, kw_only=True):
    """What a request would cost, promised for a while; nothing is held, kept or sent for it."""

    id: str
    workspace_id: str
    operation: Operation
    request: GenerationRequest
    """The request as normalised; inputs without the ids they would get."""
    request_hash: str
    """A digest of what the price is for: the same for requests that it may be used with."""
    adjustments: tuple[Adjustment, ...]
    routes: tuple[RoutePlan, ...]
    """The routes that could be taken, the one that would be taken first."""
    skipped_routes: tuple[SkippedRoute, ...]
    price: Price
    """Unknown where nobody knows it; then nothing is promised."""
    credits_per_usd: Decimal
    """How many credits a US dollar of a provider's price became."""
    markup: Decimal
    """What was added to it, as a part: 0.2 for a fifth."""
    estimated_seconds: float | None
    created_at: datetime
    expires_at: datetime
    generation_id: str | None = None
    """The generation that it was used for."""
