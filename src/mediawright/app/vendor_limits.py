"""What vendors say that their accounts take.

None of this is enforced: it depends on the plan and tier of the account, which only its owner
knows. It is what to set as `media.providers.NAME.limits`.
"""

from __future__ import annotations

import msgspec


class VendorLimit(msgspec.Struct, frozen=True, kw_only=True):
    """A limit that a vendor names."""

    provider: str
    plan: str
    """The vendor's word for those whom it holds for."""
    limit: str
    """What is limited, and to how much."""
    beyond: str
    """What the vendor does with more."""
    source: str
    """Where the vendor says so."""


_RUNWAY = "a task over the concurrency waits as THROTTLED; over the day's number: 429"
_ELEVENLABS = "429 too_many_concurrent_requests"
_USAGE_TIERS = "Runway API documentation, API Usage Tiers & Limits"
_CONCURRENCY = "ElevenLabs documentation, concurrency by plan (2025)"


def _runway(tier: int, concurrent: str, daily: str) -> VendorLimit:
    return VendorLimit(
        provider="runway",
        plan=f"tier {tier}",
        limit=f"{concurrent} generations at a time and {daily} in any 24 h, of each model",
        beyond=_RUNWAY,
        source=_USAGE_TIERS,
    )


def _elevenlabs(plan: str, multilingual: int, flash: int) -> VendorLimit:
    return VendorLimit(
        provider="elevenlabs",
        plan=plan,
        limit=f"{multilingual} requests at a time with Multilingual v2, "
        f"{flash} with Flash or Turbo",
        beyond=_ELEVENLABS,
        source=_CONCURRENCY,
    )


VENDOR_LIMITS: tuple[VendorLimit, ...] = (
    _runway(1, "1 to 2", "50 to 200"),
    _runway(2, "3", "500 to 1,000"),
    _runway(3, "5", "1,000 to 2,000"),
    _runway(4, "10", "5,000 to 10,000"),
    _runway(5, "20", "25,000 to 30,000"),
    _elevenlabs("Free", 2, 4),
    _elevenlabs("Starter", 3, 6),
    _elevenlabs("Creator", 5, 10),
    _elevenlabs("Pro", 10, 20),
    _elevenlabs("Scale", 15, 30),
    VendorLimit(
        provider="elevenlabs",
        plan="paid plans",
        limit="2 to 3 requests for music at a time; none on the free plan",
        beyond=_ELEVENLABS,
        source=_CONCURRENCY,
    ),
    VendorLimit(
        provider="fal",
        plan="every account",
        limit="generations at a time, by account; the queue takes any number",
        beyond="requests over the concurrency wait in fal's queue and are not refused",
        source="fal documentation, Queue",
    ),
    VendorLimit(
        provider="openai",
        plan="every tier",
        limit="requests, tokens and input images in a minute, by model and tier",
        beyond="429 rate_limit_exceeded; replies tell the rate in x-ratelimit-limit-requests",
        source="OpenAI API reference, rate limits",
    ),
)
