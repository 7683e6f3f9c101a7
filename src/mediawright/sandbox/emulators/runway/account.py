"""The organisation behind every key: its credits, its tier and what it used."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from mediawright.sandbox.emulators.runway.rules import OPERATIONS

DAY = timedelta(hours=24)
OPENING_BALANCE = 1_000_000


@dataclass(kw_only=True)
class Account:
    """An organisation of the highest tier, unless its limits are lowered.

    Attributes:
        balance: Credits left.
        concurrent: Tasks of one model that may run at a time; more are throttled.
        daily: Tasks of one model within 24 hours; more are refused.
        monthly_spend: Credits that may be bought in a month.
    """

    balance: int = OPENING_BALANCE
    concurrent: int = 20
    daily: int = 30_000
    monthly_spend: int = 10_000_000
    _created: dict[str, list[datetime]] = field(default_factory=dict[str, list[datetime]])

    def daily_count(self, model: str, now: datetime) -> int:
        """Return how many tasks of the model were made in the 24 hours before `now`."""
        recent = [at for at in self._created.get(model, []) if now - at < DAY]
        self._created[model] = recent
        return len(recent)

    def count(self, model: str, now: datetime) -> None:
        """Note that a task of the model was made."""
        self._created.setdefault(model, []).append(now)

    def to_json(self, now: datetime) -> dict[str, Any]:
        """Return the organisation as the vendor shows it."""
        models = sorted({model for known in OPERATIONS.values() for model in known})
        limits = {
            "maxConcurrentGenerations": self.concurrent,
            "maxDailyGenerations": self.daily,
        }
        used = Counter({model: self.daily_count(model, now) for model in list(self._created)})
        return {
            "tier": {
                "maxMonthlyCreditSpend": self.monthly_spend,
                "models": dict.fromkeys(models, limits),
            },
            "creditBalance": self.balance,
            "usage": {"models": {model: {"dailyGenerations": used[model]} for model in models}},
        }
