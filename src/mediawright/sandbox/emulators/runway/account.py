"""The organisations behind the keys: their tiers, credits and what they used."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from mediawright.sandbox.emulators.runway.rules import OPERATIONS

DAY = timedelta(hours=24)
DEFAULT_TIER = 5
_TIER_IN_KEY = re.compile(r"tier([1-5])")


@dataclass(frozen=True, kw_only=True)
class Tier:
    """What an organisation may do."""

    concurrent: int
    """Tasks of one model that may run at a time; more are throttled."""
    daily: int
    """Tasks of one model within 24 hours; more are refused."""
    monthly_spend: int
    """Credits that may be bought in a month."""


TIERS = {
    1: Tier(concurrent=1, daily=50, monthly_spend=10_000),
    2: Tier(concurrent=3, daily=500, monthly_spend=50_000),
    3: Tier(concurrent=5, daily=1_000, monthly_spend=200_000),
    4: Tier(concurrent=10, daily=5_000, monthly_spend=500_000),
    5: Tier(concurrent=20, daily=25_000, monthly_spend=1_000_000),
}


def tier_of(key: str) -> int:
    """Return the number of the tier that a key's organisation has: `...tier1...` has the first."""
    found = _TIER_IN_KEY.search(key)
    return int(found[1]) if found else DEFAULT_TIER


@dataclass(kw_only=True)
class Account:
    """One organisation.

    Attributes:
        tier: Its limits.
        balance: Credits left; it begins with what may be bought in a month.
    """

    tier: Tier
    balance: int
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
            "maxConcurrentGenerations": self.tier.concurrent,
            "maxDailyGenerations": self.tier.daily,
        }
        used = Counter({model: self.daily_count(model, now) for model in list(self._created)})
        return {
            "tier": {
                "maxMonthlyCreditSpend": self.tier.monthly_spend,
                "models": dict.fromkeys(models, limits),
            },
            "creditBalance": self.balance,
            "usage": {"models": {model: {"dailyGenerations": used[model]} for model in models}},
        }


def new_accounts() -> dict[int, Account]:
    """Return an organisation of each tier."""
    return {
        number: Account(tier=tier, balance=tier.monthly_spend) for number, tier in TIERS.items()
    }
