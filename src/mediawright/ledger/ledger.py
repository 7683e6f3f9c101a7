"""Hold, capture and release of credits, inside the transactions that need them.

The balance of a workspace is the sum of its entries. A hold takes the price out, a capture
gives back what was not used, a release gives back everything; each happens at most once
per generation.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

import msgspec

from mediawright.core.errors import InsufficientCreditError
from mediawright.core.money import Currency, Money, plain
from mediawright.store import ledger_entries
from mediawright.store.ledger_entries import LedgerEntry
from mediawright.store.tables import LedgerKind

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Connection

    from mediawright.core.generation import Generation
    from mediawright.store.database import Database


_CLOSING = (LedgerKind.CAPTURE, LedgerKind.RELEASE)


class Balance(msgspec.Struct, frozen=True, kw_only=True):
    """What a workspace has."""

    available: Money
    """Credits that can be spent."""
    held: Money
    """Credits set aside for generations that are not finished."""


class Ledger:
    """Keeps the credits of every workspace."""

    def __init__(self, database: Database) -> None:
        """Keep them in `database`."""
        self._database = database

    async def balance(self, workspace_id: str) -> Balance:
        """Return what the workspace has."""

        def work(connection: Connection) -> Balance:
            return Balance(
                available=_credits(ledger_entries.balance_micros(connection, workspace_id)),
                held=_credits(ledger_entries.held_micros(connection, workspace_id)),
            )

        return await self._database.read(work)

    def grant(
        self, connection: Connection, workspace_id: str, amount: Decimal, *, now: datetime
    ) -> None:
        """Add credits to a workspace."""
        entry = LedgerEntry(
            workspace_id=workspace_id,
            kind=LedgerKind.TOP_UP,
            amount_micros=Money.credits(amount).micros,
            created_at=now,
        )
        ledger_entries.add(connection, entry)

    def hold(self, connection: Connection, generation: Generation) -> None:
        """Set the price of a new generation aside.

        Raises:
            InsufficientCreditError: The balance does not cover it; nothing was written.
        """
        price = generation.price.credits
        if price is None:
            return
        needed = Money.credits(price).micros
        ledger_entries.lock_account(connection, generation.workspace_id)
        available = ledger_entries.balance_micros(connection, generation.workspace_id)
        if needed > available:
            missing = f"It costs {plain(price)} credits and {_credits(available)} are left."
            raise InsufficientCreditError(
                "insufficient_credit",
                missing,
                hint="Top up the account, or choose a cheaper model or fewer outputs.",
                details={
                    "price_credits": plain(price),
                    "available_credits": plain(_credits(available).amount),
                },
            )
        _add(connection, generation, LedgerKind.HOLD, -needed, generation.created_at)

    def capture(
        self, connection: Connection, generation: Generation, charge_micros: int, *, now: datetime
    ) -> int:
        """Turn the hold into a charge and give the rest back.

        Args:
            connection: The open transaction.
            generation: The generation that was delivered.
            charge_micros: What to charge, in millionths of a credit.
            now: The time of the entry.

        Returns:
            What was charged: never more than was held.
        """
        held = _held_for(connection, generation)
        charged = min(charge_micros, held)
        _add(connection, generation, LedgerKind.CAPTURE, held - charged, now)
        return charged

    def release(self, connection: Connection, generation: Generation, *, now: datetime) -> None:
        """Give the whole hold back."""
        held = _held_for(connection, generation)
        if held:
            _add(connection, generation, LedgerKind.RELEASE, held, now)


def _held_for(connection: Connection, generation: Generation) -> int:
    """Return what is still held for a generation, in millionths of a credit."""
    entries = ledger_entries.for_generation(connection, generation.workspace_id, generation.id)
    if any(entry.kind in _CLOSING for entry in entries):
        return 0
    return -sum(entry.amount_micros for entry in entries if entry.kind is LedgerKind.HOLD)


def _add(
    connection: Connection, generation: Generation, kind: LedgerKind, micros: int, now: datetime
) -> None:
    entry = LedgerEntry(
        workspace_id=generation.workspace_id,
        generation_id=generation.id,
        kind=kind,
        amount_micros=micros,
        created_at=now,
    )
    ledger_entries.add(connection, entry)


def _credits(micros: int) -> Money:
    return Money.from_micros(micros, Currency.CREDITS)
