"""The shapes of requests and replies about money, as the OpenAPI document shows them."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field
from pydantic_core import PydanticCustomError

from mediawright.api.texts import Text
from mediawright.app.account import LONGEST_REFERENCE
from mediawright.core.money import Currency
from mediawright.store.kinds import BudgetAction, BudgetPeriod, LedgerKind

_EXACT = "An exact decimal number."
_LONGEST_AMOUNT = 40


def _amount(value: Any) -> Any:
    """Let numbers and the digits of numbers pass; anything else has no exact meaning."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise PydanticCustomError("amount", "It must be a decimal number, such as 12.5.")
    text = repr(value) if isinstance(value, float) else str(value)
    if len(text) > _LONGEST_AMOUNT:
        raise PydanticCustomError("amount", "It has too many digits.")
    return text


Amount = Annotated[
    Decimal,
    BeforeValidator(_amount, json_schema_input_type=str | float),
    Field(allow_inf_nan=False, examples=["12.5"]),
]
Note = Annotated[Text, Field(max_length=500)]


class _Request(BaseModel):
    model_config = ConfigDict(extra="forbid")


class _Reply(BaseModel):
    # A later release may say more; whoever reads a reply should not fall over it.
    model_config = ConfigDict(extra="allow")


class TopUpBody(_Request):
    """Credits for the workspace."""

    amount_credits: Amount
    reference: Annotated[Text, Field(min_length=1, max_length=LONGEST_REFERENCE)] | None = Field(
        default=None,
        description="Your name for it, such as an invoice: the same again is booked once. By "
        "default the Idempotency-Key.",
    )
    note: Note | None = None


class SetMarkupBody(_Request):
    """What is added to the workspace's prices that come of US dollars."""

    markup: Amount | None = Field(
        description="As a part, from -1 to 100: 0.2 adds a fifth; `null` leaves it to the settings."
    )


class RefundBody(_Request):
    """What is given back of a charge."""

    amount_credits: Amount | None = Field(
        default=None, description="By default everything that was charged."
    )
    note: Note | None = None


class SetBudgetBody(_Request):
    """A budget of the workspace or of one of its keys."""

    key_id: Text | None = Field(default=None, description="By default of the whole workspace.")
    period: BudgetPeriod = Field(description="The day or month of UTC.")
    action: BudgetAction = Field(
        default=BudgetAction.REFUSE, description="Whether it refuses or only warns."
    )
    limit_credits: Amount
    allow_unknown_price: bool = Field(
        default=False, description="Whether a refusing budget lets pass what has no price."
    )


class BudgetBody(_Reply):
    """A budget and how it stands."""

    budget_id: str
    key_id: str | None = Field(description="`null` for the whole workspace.")
    period: BudgetPeriod
    action: BudgetAction
    limit_credits: str = Field(description=_EXACT)
    spent_credits: str = Field(description="Held and charged, less what was given back.")
    left_credits: str
    allow_unknown_price: bool
    resets_at: datetime


class BudgetPage(_Reply):
    """The budgets of the workspace: its own, then those of its keys."""

    data: list[BudgetBody]


class AccountBody(_Reply):
    """What the workspace has and spends."""

    workspace_id: str
    currency: Currency
    available_credits: str = Field(description=_EXACT)
    held_credits: str = Field(description="Set aside for generations that are not finished.")
    spent_today_credits: str = Field(description="Held and charged since the UTC day began.")
    spent_this_month_credits: str
    credits_per_usd: str
    markup: str = Field(
        description="What is added to prices that come of US dollars, as a part: 0.2 for a fifth."
    )
    has_own_markup: bool = Field(description="Whether it is the workspace's, not the settings'.")
    budgets: list[BudgetBody]


class EntryBody(_Reply):
    """A change of the workspace's credits."""

    sequence: int
    kind: LedgerKind
    amount_credits: str = Field(description="Negative where it takes from the balance.")
    generation_id: str | None
    reference: str | None
    note: str | None
    created_at: datetime


class EntryPage(_Reply):
    """A page of the ledger, newest first."""

    data: list[EntryBody]
    has_more: bool
    next_cursor: str | None = Field(description="Give it as `cursor` to get the next page.")


class UsageSums(_Reply):
    """What was used; each generation is in one of the four counts."""

    generations: int
    succeeded: int
    failed: int = Field(description="Failed, refused or expired.")
    cancelled: int
    unfinished: int = Field(description="Under way, or of unknown outcome.")
    charge_credits: str = Field(description="What was charged; " + _EXACT.lower())
    refund_credits: str = Field(description="How much of the charge was given back.")
    cost_usd: str = Field(description="What the providers cost, as far as it is known.")
    vendor_reported_usd: str = Field(description="How much of the cost they said themselves.")
    computed_usd: str = Field(description="How much of it follows from usage and price book.")
    estimated_usd: str = Field(description="How much of it was estimated.")
    cost_unknown: int = Field(description="How many succeeded at a cost that nobody knows.")


class UsageRowBody(UsageSums):
    """The usage of one group; it has the fields by which it was asked to be told apart."""

    day: date | None = None
    model: str | None = None
    provider: str | None = None
    key_id: str | None = None
    key_name: str | None = None
    operation: str | None = None


class UsageBody(_Reply):
    """The usage of some days, which are UTC's and both included."""

    from_: date = Field(alias="from")
    to: date
    by: list[str]
    data: list[UsageRowBody]
    total: UsageSums
