"""The accounts behind the keys: their quota and how much they may do at a time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

RESET_AFTER_SECONDS = 30 * 24 * 3600


class OverQuotaError(Exception):
    """The account has not enough characters left."""


class TooManyRequestsError(Exception):
    """The account has as many requests running as it may."""


@dataclass(frozen=True, kw_only=True)
class Tier:
    """A plan."""

    name: str
    characters: int
    """Per month."""
    concurrent: int
    """Requests at a time, for the models of the group `turbo` twice as many."""
    is_paid: bool = True
    has_pro_formats: bool = False


FREE = Tier(name="free", characters=10_000, concurrent=2, is_paid=False)
PRO = Tier(name="pro", characters=5_000_000, concurrent=10, has_pro_formats=True)


@dataclass(kw_only=True)
class Account:
    """One account.

    Attributes:
        tier: Its plan.
        used: Characters taken in this month.
    """

    tier: Tier
    used: int = 0
    _running: Counter[str] = field(default_factory=Counter[str])

    def charge(self, characters: int) -> None:
        """Take characters from the quota.

        Raises:
            OverQuotaError: There are not enough; nothing was taken.
        """
        if self.used + characters > self.tier.characters:
            raise OverQuotaError
        self.used += characters

    @property
    def left(self) -> int:
        """Characters left in this month."""
        return self.tier.characters - self.used

    def running(self, group: str) -> int:
        """Return how many requests of a group of models run."""
        return self._running[group]

    def most_running(self, group: str) -> int:
        """Return how many requests of a group of models may run at a time."""
        return self.tier.concurrent * (2 if group == "turbo" else 1)

    @contextmanager
    def place(self, group: str) -> Generator[None]:
        """Count a request as running.

        Raises:
            TooManyRequestsError: There is no place.
        """
        if self._running[group] >= self.most_running(group):
            raise TooManyRequestsError
        self._running[group] += 1
        try:
            yield
        finally:
            self._running[group] -= 1

    def subscription(self, now: float) -> dict[str, Any]:
        """Return the plan and its use as the vendor shows them.

        Args:
            now: Unix time.
        """
        return {
            "tier": self.tier.name,
            "character_count": self.used,
            "character_limit": self.tier.characters,
            "max_character_limit_extension": 0,
            "max_credit_limit_extension": 0,
            "can_extend_character_limit": self.tier.is_paid,
            "allowed_to_extend_character_limit": False,
            "next_character_count_reset_unix": int(now) + RESET_AFTER_SECONDS,
            "voice_slots_used": 0,
            "professional_voice_slots_used": 0,
            "professional_voice_slots_used_in_workspace": 0,
            "voice_limit": 160 if self.tier.is_paid else 3,
            "max_voice_add_edits": 290,
            "voice_add_edit_counter": 0,
            "professional_voice_limit": 1 if self.tier.is_paid else 0,
            "can_extend_voice_limit": False,
            "can_use_instant_voice_cloning": self.tier.is_paid,
            "can_use_professional_voice_cloning": self.tier.is_paid,
            "currency": "usd",
            "current_overage": {"amount": "0.00", "currency": "usd"},
            "status": "active" if self.tier.is_paid else "free",
            "billing_period": "monthly_period",
            "character_refresh_period": "monthly_period",
            "next_invoice": None,
            "open_invoices": [],
            "has_open_invoices": False,
        }
