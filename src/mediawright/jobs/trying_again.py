"""When something that failed is tried again, as an operator sets it."""

from __future__ import annotations

import random
from typing import Annotated

import msgspec

Seconds = Annotated[float, msgspec.Meta(gt=0)]


class Pauses(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The pauses between tries, which grow. Times are in seconds."""

    first: Seconds = 1.0
    growth: Annotated[float, msgspec.Meta(ge=1)] = 2.0
    """Each pause is this many times the one before."""
    longest: Seconds = 30.0
    jitter: Annotated[float, msgspec.Meta(ge=0, le=1)] = 0.25
    """Part by which a pause may be longer, so that not all come back at once."""

    def after(self, tries: int, wanted: float | None = None) -> float:
        """Return the pause after so many tries, in seconds.

        Args:
            tries: How many there were, at least 1.
            wanted: How long the other side asked to be left alone, which is kept to.
        """
        grown = min(self.first * self.growth ** min(tries - 1, 64), self.longest)
        base = grown if wanted is None else max(wanted, 0.0)
        return base * (1 + random.uniform(0, self.jitter))  # noqa: S311 - not secret


class CircuitSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """When a provider is left alone, and for how long. Times are in seconds."""

    enabled: bool = True
    failures: Annotated[int, msgspec.Meta(ge=1)] = 5
    """Outages in a row after which a provider is left alone."""
    cooldown: Seconds = 30.0
    """How long it is left alone at first; twice as long each time it fails again."""
    longest: Seconds = 600.0
    """It is never left alone for longer than this before it is tried."""
    account_cooldown: Seconds = 300.0
    """How long it is left alone after it refused our key or had no credit left."""
    patience: Annotated[float, msgspec.Meta(ge=0)] = 60.0
    """How long a generation that is under way waits for a provider that is left alone, where
    it has no other route."""
