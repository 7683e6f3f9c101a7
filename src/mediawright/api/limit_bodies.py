"""The shapes of requests and replies about limits and keys, as the OpenAPI document shows them."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from mediawright.api.texts import Text
from mediawright.app.api_keys import HIGHEST_LIMIT, LONGEST_NAME
from mediawright.jobs.limits import WhenExceeded

OwnLimit = Annotated[int, Field(strict=True, ge=1, le=HIGHEST_LIMIT)] | None


class _Request(BaseModel):
    model_config = ConfigDict(extra="forbid")


class _Reply(BaseModel):
    # A later release may say more; whoever reads a reply should not fall over it.
    model_config = ConfigDict(extra="allow")


class SetLimitsBody(_Request):
    """Limits of a workspace's or a key's own; what is left out is left to the settings."""

    requests_per_minute: OwnLimit = Field(default=None, description="In any 60 seconds.")
    concurrent_generations: OwnLimit = Field(default=None, description="Under way at a time.")


class CreateKeyBody(SetLimitsBody):
    """A new key."""

    name: Annotated[Text, Field(min_length=1, max_length=LONGEST_NAME)]
    scopes: list[Literal["operator", "*"]] = Field(
        default=[],
        description="What it allows beside the workspace's generations: `operator` for credits, "
        "limits and keys; `*` for everything.",
    )


class KeyBody(_Reply):
    """What is known about a key, without the key."""

    key_id: str
    name: str
    prefix: str = Field(description="Its first characters, by which its owner recognises it.")
    scopes: list[str]
    requests_per_minute: int | None = Field(description="Of its own, in place of the settings'.")
    concurrent_generations: int | None = Field(description="The same.")
    created_at: datetime
    last_used_at: datetime | None = Field(description="To the minute.")
    revoked_at: datetime | None


class CreatedKeyBody(KeyBody):
    """A new key, this once with the key itself."""

    key: str = Field(description="It is shown this once and kept nowhere.")


class KeyPage(_Reply):
    """The keys of a workspace."""

    data: list[KeyBody]


class LimitUseBody(_Reply):
    """A limit and what is used of it."""

    allowed: int | None = Field(description="`null` where there is no limit.")
    used: int | None = Field(description="`null` where the caller may not know.")
    left: int | None
    free_in_seconds: float | None = Field(
        description="0 while something is left; `null` if nobody knows when there will be."
    )


class CallerLimitsBody(_Reply):
    """What a workspace or a key may do."""

    id: str
    requests_per_minute: LimitUseBody = Field(description="In any 60 seconds.")
    concurrent_generations: LimitUseBody


class AccountLimitsBody(_Reply):
    """What the account at a provider takes, from all workspaces together."""

    provider: str
    concurrent: LimitUseBody
    requests_per_minute: LimitUseBody
    polls_per_minute: int | None
    queued: int | None = Field(description="Waiting for a place at it; for operators.")
    known: list[dict[str, Any]] = Field(description="What the vendor says that accounts take.")


class CreditsBody(_Reply):
    """Credits; exact decimal numbers as text."""

    available: str
    held: str
    per_usd: str
    initial: str = Field(description="What a new workspace starts with.")
    unknown_price_allowed: bool


class LimitsBody(_Reply):
    """All limits, rates and credits that hold for the caller."""

    when_exceeded: WhenExceeded = Field(
        description="`reject`: what is over a limit of the workspace or key is answered with 429; "
        "`queue`: it is taken and waits."
    )
    workspace: CallerLimitsBody
    key: CallerLimitsBody | None = Field(description="`null` for callers without a key.")
    accounts: list[AccountLimitsBody]
    credits: CreditsBody
    files: dict[str, int]
    waiting: dict[str, float]
    polling: dict[str, dict[str, float]] = Field(
        description="How often providers are asked about running generations, by kind."
    )
    submitting: dict[str, float]
    retention: dict[str, Any]
    webhooks: dict[str, float]
