"""The limits that generations are held to, as an operator sets them."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated

import msgspec

AtLeastOne = Annotated[int, msgspec.Meta(ge=1)]


class WhenExceeded(StrEnum):
    """What happens to a request over the limits of its workspace or key."""

    REJECT = "reject"
    """It is answered with `rate_limited`, and nothing is kept of it."""
    QUEUE = "queue"
    """It is taken, and waits until its caller has room."""


class AccountLimits(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the account at a provider takes; nothing is limited unless it is set."""

    concurrent: AtLeastOne | None = None
    """Generations that may be at the provider at a time."""
    requests_per_minute: AtLeastOne | None = None
    """Submits in any 60 seconds, retries and fallbacks among them."""
    polls_per_minute: AtLeastOne | None = None
    """Questions about running generations in any 60 seconds, of each process."""


class CallerLimits(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What one workspace or one key may do; nothing is limited unless it is set."""

    requests_per_minute: AtLeastOne | None = None
    """Generations begun in any 60 seconds."""
    concurrent_generations: AtLeastOne | None = None
    """Generations under way at a time."""


class LimitSettings(msgspec.Struct, frozen=True, kw_only=True):
    """All limits of an installation; rows of workspaces and keys override theirs."""

    accounts: Mapping[str, AccountLimits] = {}
    """By our name of the provider."""
    workspace: CallerLimits = CallerLimits()
    key: CallerLimits = CallerLimits()
    when_exceeded: WhenExceeded = WhenExceeded.REJECT
