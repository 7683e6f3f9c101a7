"""The account of a workspace: what it has, what it spent, and how an operator changes it."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

import msgspec

from mediawright.app.budgets import budget_view
from mediawright.app.follow import get_generation
from mediawright.app.markups import Markup, markup_in
from mediawright.app.workspaces import require_workspace
from mediawright.catalog.values import is_text
from mediawright.core.errors import InvalidRequestError
from mediawright.core.money import Currency, plain
from mediawright.ledger.amounts import credit_words
from mediawright.ledger.ledger import Balance, Booked
from mediawright.store import budgets, ledger_entries, spending
from mediawright.store.budgets import Standing
from mediawright.store.kinds import BudgetPeriod
from mediawright.store.ledger_entries import LedgerEntry

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy import Connection

    from mediawright.app.runtime import Runtime

LONGEST_REFERENCE = 255
"""Characters of the reference of a top-up or adjustment."""


class Account(msgspec.Struct, frozen=True, kw_only=True):
    """What a workspace has and what it spends."""

    workspace_id: str
    balance: Balance
    spent_today_micros: int
    """Millionths of a credit held and charged since the UTC day began."""
    spent_this_month_micros: int
    """The same since the UTC month began."""
    credits_per_usd: Decimal
    """How many credits one US dollar of a provider's price becomes."""
    markup: Markup
    """What is added to such a price."""
    budgets: tuple[Standing, ...]


async def account_of(runtime: Runtime, workspace_id: str) -> Account:
    """Return the account of a workspace, all of it as of one moment.

    Raises:
        NotFoundError: There is no such workspace.
    """
    now = runtime.clock.now()

    def work(connection: Connection) -> Account:
        require_workspace(connection, workspace_id)
        today, this_month = (
            spending.spent_micros(connection, workspace_id, period, now)
            for period in (BudgetPeriod.DAY, BudgetPeriod.MONTH)
        )
        return Account(
            workspace_id=workspace_id,
            balance=runtime.ledger.balance_of(connection, workspace_id),
            spent_today_micros=today,
            spent_this_month_micros=this_month,
            credits_per_usd=runtime.settings.account.credits_per_usd,
            markup=markup_in(runtime, connection, workspace_id),
            budgets=tuple(budgets.standings(connection, workspace_id, now)),
        )

    return await runtime.database.read(work)


async def top_up(
    runtime: Runtime,
    workspace_id: str,
    amount: Decimal,
    *,
    reference: str | None = None,
    note: str | None = None,
) -> Booked:
    """Add credits to a workspace; the caller must be an operator.

    Args:
        runtime: The installation.
        workspace_id: Whose account.
        amount: Credits, more than zero, with at most six decimal places.
        reference: The operator's name for it; the same again is booked once.
        note: What it is for.

    Raises:
        NotFoundError: There is no such workspace.
        InvalidRequestError: `invalid_amount`, `invalid_reference`.
        ConflictError: `reference_reused`: the reference belongs to something else.
    """
    return await _changed(
        runtime, workspace_id, runtime.ledger.top_up, amount, reference=reference, note=note
    )


async def adjust(
    runtime: Runtime,
    workspace_id: str,
    amount: Decimal,
    *,
    reference: str | None = None,
    note: str | None = None,
) -> Booked:
    """Correct a balance; like `top_up`, but the amount may be negative.

    Raises:
        InsufficientCreditError: `balance_too_low`: there is not so much to take away.
    """
    return await _changed(
        runtime, workspace_id, runtime.ledger.adjust, amount, reference=reference, note=note
    )


async def refund(
    runtime: Runtime,
    workspace_id: str,
    generation_id: str,
    amount: Decimal | None = None,
    *,
    note: str | None = None,
) -> Booked:
    """Give back what a generation was charged, or a part; the caller must be an operator.

    Args:
        runtime: The installation.
        workspace_id: Whose generation.
        generation_id: Which.
        amount: Credits; everything that was charged when it is not given.
        note: Why.

    Raises:
        NotFoundError: There is no such generation in the workspace.
        InvalidRequestError: `invalid_amount`, `refund_too_high`.
        ConflictError: `nothing_charged`; `already_refunded`, with another amount.
    """
    generation = await get_generation(runtime, workspace_id, generation_id)
    now = runtime.clock.now()
    return await runtime.database.write(
        lambda connection: runtime.ledger.refund(connection, generation, amount, now=now, note=note)
    )


async def list_entries(
    runtime: Runtime, workspace_id: str, *, limit: int = 20, before: int | None = None
) -> list[LedgerEntry]:
    """Return the entries of a workspace's account, newest first.

    Args:
        runtime: The installation.
        workspace_id: Whose.
        limit: At most so many.
        before: The sequence of the last one already seen.

    Raises:
        NotFoundError: There is no such workspace.
    """

    def work(connection: Connection) -> list[LedgerEntry]:
        require_workspace(connection, workspace_id)
        return ledger_entries.page(connection, workspace_id, limit=limit, before=before)

    return await runtime.database.read(work)


def account_view(account: Account) -> dict[str, Any]:
    """Return the public form of an account; amounts are exact decimal numbers as text."""
    return {
        "workspace_id": account.workspace_id,
        "currency": Currency.CREDITS.value,
        "available_credits": plain(account.balance.available.amount),
        "held_credits": plain(account.balance.held.amount),
        "spent_today_credits": credit_words(account.spent_today_micros),
        "spent_this_month_credits": credit_words(account.spent_this_month_micros),
        "credits_per_usd": plain(account.credits_per_usd),
        "markup": plain(account.markup.applied),
        "has_own_markup": account.markup.is_own,
        "budgets": [budget_view(standing) for standing in account.budgets],
    }


def entry_view(entry: LedgerEntry) -> dict[str, Any]:
    """Return the public form of an entry."""
    return {
        "sequence": entry.sequence,
        "kind": entry.kind.value,
        "amount_credits": credit_words(entry.amount_micros),
        "generation_id": entry.generation_id,
        "reference": entry.reference,
        "note": entry.note,
        "created_at": entry.created_at.isoformat(),
    }


async def _changed(
    runtime: Runtime,
    workspace_id: str,
    change: Callable[..., Booked],
    amount: Decimal,
    *,
    reference: str | None,
    note: str | None,
) -> Booked:
    if reference is not None and not (
        0 < len(reference) <= LONGEST_REFERENCE and is_text(reference)
    ):
        raise InvalidRequestError(
            "invalid_reference",
            f"A reference has 1 to {LONGEST_REFERENCE} characters.",
            pointer="/reference",
        )
    now = runtime.clock.now()

    def work(connection: Connection) -> Booked:
        require_workspace(connection, workspace_id)
        return change(connection, workspace_id, amount, now=now, reference=reference, note=note)

    return await runtime.database.write(work)
