"""What the clients of a chaos run ask for: drawn from a seed, over all vendors and faults."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from random import Random
from typing import Any

UNTROUBLED = "ok"
_UNTROUBLED_PART = 0.4
_CANCELLED_PART = 0.08
_REPEATED_PART = 0.1

ANYWHERE = (
    "rate_limited; times=1",
    "rate_limited; times=2",
    "server_error; times=1",
    "slow; seconds=0.5",
    "slow; seconds=1.5",
    "moderated",
    "truncated_file",
    "lost_reply",
    "garbage",
    "out_of_credit",
)
"""Faults of every vendor."""
OF_JOBS = (
    "truncated_file; downloads=1",
    "expired_url",
    "expired_url; downloads=1",
    "unknown_status; polls=2",
    "job_failed",
    "server_error; kind=poll; times=2",
    "rate_limited; kind=poll; times=2",
    "lost_reply; kind=poll; times=2",
    "garbage; kind=poll; times=1",
)
"""Faults of vendors that make jobs."""
OF_HOOKS = ("lost_hook", "late_hook", "duplicate_hook", "early_hook", "forged_hook")
"""Faults of webhooks."""


@dataclass(frozen=True, kw_only=True)
class Target:
    """A model and what it is asked for."""

    body: dict[str, Any]
    has_jobs: bool
    has_hooks: bool = False


TARGETS = (
    Target(body={"model": "gpt-image-2"}, has_jobs=False),
    Target(body={"model": "gpt-image-2", "provider": "openai"}, has_jobs=False),
    Target(body={"model": "gpt-4o-mini-tts", "voice": "alloy"}, has_jobs=False),
    Target(body={"model": "eleven_multilingual_v2"}, has_jobs=False),
    Target(body={"model": "flux-schnell"}, has_jobs=True, has_hooks=True),
    Target(body={"model": "gen4.5", "duration": 2}, has_jobs=True),
    Target(body={"model": "gen4_image"}, has_jobs=True),
)


@dataclass(frozen=True, kw_only=True)
class Wish:
    """One generation that a client wants."""

    number: int
    body: dict[str, Any]
    trouble: str
    cancel_after: float | None
    """Seconds after which it is cancelled."""
    is_repeated: bool
    """Whether the client sends the request twice, though it was answered."""

    @property
    def key(self) -> str:
        """The idempotency key."""
        return f"wish-{self.number}"


def wishes(count: int, seed: int) -> Iterator[Wish]:
    """Yield `count` wishes; the same seed gives the same."""
    random = Random(seed)
    for number in range(1, count + 1):
        target = random.choice(TARGETS)
        troubles = [*ANYWHERE]
        if target.has_jobs:
            troubles += OF_JOBS
        if target.has_hooks:
            troubles += OF_HOOKS
        trouble = UNTROUBLED
        if random.random() >= _UNTROUBLED_PART:
            trouble = random.choice(troubles)
        marker = "" if trouble == UNTROUBLED else f" [[sandbox: {trouble}]]"
        cancelled = random.random() < _CANCELLED_PART
        yield Wish(
            number=number,
            body={**target.body, "prompt": f"a kite over the bay ref-{number}{marker}"},
            trouble=trouble,
            cancel_after=random.uniform(0.0, 1.5) if cancelled else None,
            is_repeated=random.random() < _REPEATED_PART,
        )
