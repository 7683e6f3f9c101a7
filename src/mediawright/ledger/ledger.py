"""The credits of every workspace, changed inside the transactions that need it.

The balance of a workspace is the sum of its entries. A hold takes the price out, a capture
gives back what was not used, a release gives back everything, a refund gives back what was
charged; each happens at most once per generation, and asking again changes nothing. What a
provider bills is another book and never changes a balance.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

import msgspec

from mediawright.core.errors import (
    ConflictError,
    InsufficientCreditError,
    InvalidRequestError,
)
from mediawright.core.events import EventType
from mediawright.core.money import Money
from mediawright.ledger import budgets as budget_rules
from mediawright.ledger.amounts import credit_words, exact_micros, in_credits
from mediawright.store import budgets, events, ledger_entries, spending
from mediawright.store.kinds import LedgerKind
from mediawright.store.ledger_entries import LedgerEntry

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Connection

    from mediawright.core.generation import Generation
    from mediawright.store.budgets import Standing
    from mediawright.store.database import Database


class Balance(msgspec.Struct, frozen=True, kw_only=True):
    """What a workspace has."""

    available: Money
    """Credits that can be spent."""
    held: Money
    """Credits set aside for generations that are not finished."""


class Booked(msgspec.Struct, frozen=True, kw_only=True):
    """An entry that was asked for."""

    entry: LedgerEntry
    is_new: bool
    """Whether it was added now; otherwise it was there already and nothing has changed."""


class Ledger:
    """Keeps the credits of every workspace."""

    def __init__(self, database: Database) -> None:
        """Keep them in `database`."""
        self._database = database

    async def balance(self, workspace_id: str) -> Balance:
        """Return what the workspace has."""
        return await self._database.read(
            lambda connection: self.balance_of(connection, workspace_id)
        )

    def balance_of(self, connection: Connection, workspace_id: str) -> Balance:
        """Return what the workspace has, in an open transaction."""
        return Balance(
            available=in_credits(ledger_entries.balance_micros(connection, workspace_id)),
            held=in_credits(ledger_entries.held_micros(connection, workspace_id)),
        )

    def grant(
        self, connection: Connection, workspace_id: str, amount: Decimal, *, now: datetime
    ) -> None:
        """Give a new workspace its first credits; nobody listens yet to whom to tell it."""
        entry = LedgerEntry(
            workspace_id=workspace_id,
            kind=LedgerKind.TOP_UP,
            amount_micros=Money.credits(amount).micros,
            created_at=now,
        )
        ledger_entries.add(connection, entry)

    def top_up(
        self,
        connection: Connection,
        workspace_id: str,
        amount: Decimal,
        *,
        now: datetime,
        reference: str | None = None,
        note: str | None = None,
    ) -> Booked:
        """Add credits to a workspace.

        Args:
            connection: The open transaction.
            workspace_id: Whose.
            amount: Credits, more than zero.
            now: The time of the entry.
            reference: The operator's name for it; the same top-up under the same reference
                is booked once.
            note: What it is for, in the operator's words.

        Raises:
            InvalidRequestError: `invalid_amount`.
            ConflictError: `reference_reused`: the reference belongs to something else.
        """
        micros = exact_micros(amount)
        if micros <= 0:
            raise InvalidRequestError(
                "invalid_amount",
                "A top-up is more than zero.",
                pointer="/amount_credits",
                hint="An adjustment may take credits away.",
            )
        entry = LedgerEntry(
            workspace_id=workspace_id,
            kind=LedgerKind.TOP_UP,
            amount_micros=micros,
            created_at=now,
            note=note,
            reference=reference,
        )
        return _change(connection, entry)

    def adjust(
        self,
        connection: Connection,
        workspace_id: str,
        amount: Decimal,
        *,
        now: datetime,
        reference: str | None = None,
        note: str | None = None,
    ) -> Booked:
        """Correct a balance; the arguments are those of `top_up`.

        Args:
            connection: The open transaction.
            workspace_id: Whose.
            amount: Credits; a negative amount takes them away.
            now: The time of the entry.
            reference: The operator's name for it.
            note: What it is for.

        Raises:
            InvalidRequestError: `invalid_amount`.
            InsufficientCreditError: `balance_too_low`: there is not so much to take away.
            ConflictError: `reference_reused`: the reference belongs to something else.
        """
        entry = LedgerEntry(
            workspace_id=workspace_id,
            kind=LedgerKind.ADJUSTMENT,
            amount_micros=exact_micros(amount),
            created_at=now,
            note=note,
            reference=reference,
        )
        return _change(connection, entry)

    def hold(self, connection: Connection, generation: Generation) -> None:
        """Set the price of a new generation aside, if balance and budgets allow it.

        Nothing is held where the price is unknown; such a generation is never charged.

        Raises:
            InsufficientCreditError: `insufficient_credit`: the balance does not cover it;
                `budget_exceeded`: a budget does not; `price_unknown`: a budget lets nothing
                pass without a price. What was written before it is to be rolled back.
        """
        workspace_id, now = generation.workspace_id, generation.created_at
        price = generation.price.credits
        if price is None:
            standings = budgets.applying(connection, workspace_id, generation.api_key_id, now)
            refusal = budget_rules.unknown_price_refused_by(standings)
            if refusal is not None:
                raise refusal
            return
        needed = Money.credits(price).micros
        entry = _entry(generation, LedgerKind.HOLD, -needed, now)
        account = ledger_entries.add_locked(connection, entry, held_change=needed)
        if account is None:
            return
        if account.balance_micros < 0:
            raise _insufficient(needed, account.balance_micros + needed)
        standings: list[Standing] = []
        if account.has_budgets:
            standings = budgets.applying(connection, workspace_id, generation.api_key_id, now)
            refused = budget_rules.exceeded_by(standings, needed)
            if refused is not None:
                raise refused
        _spend(connection, generation, needed)
        budget_rules.warn(connection, generation, standings, needed)

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
            What the generation is charged: never more than was held, hence nothing where
            nothing was held or the hold was released; the first charge when captured before.
        """
        ledger_entries.lock_account(connection, generation.workspace_id)
        amounts = _amounts(connection, generation)
        if _is_open(amounts):
            held = -amounts[LedgerKind.HOLD]
            returned = held - max(0, min(charge_micros, held))
            amounts[LedgerKind.CAPTURE] = returned
            _book(connection, generation, LedgerKind.CAPTURE, returned, now, held_change=-held)
        return _charged(amounts)

    def release(self, connection: Connection, generation: Generation, *, now: datetime) -> None:
        """Give the whole hold back, unless it was captured or released before."""
        ledger_entries.lock_account(connection, generation.workspace_id)
        amounts = _amounts(connection, generation)
        if _is_open(amounts):
            held = -amounts[LedgerKind.HOLD]
            _book(connection, generation, LedgerKind.RELEASE, held, now, held_change=-held)

    def refund(
        self,
        connection: Connection,
        generation: Generation,
        amount: Decimal | None = None,
        *,
        now: datetime,
        note: str | None = None,
    ) -> Booked:
        """Give back what a generation was charged, or a part of it, once.

        Args:
            connection: The open transaction.
            generation: The generation that was charged.
            amount: Credits; all that was charged when it is not given.
            now: The time of the entry.
            note: Why, in the operator's words.

        Raises:
            InvalidRequestError: `invalid_amount`, `refund_too_high`.
            ConflictError: `nothing_charged`; `already_refunded`, with another amount.
        """
        wanted = None if amount is None else exact_micros(amount)
        ledger_entries.lock_account(connection, generation.workspace_id)
        amounts = _amounts(connection, generation)
        charged = _charged(amounts)
        micros = charged if wanted is None else wanted
        known = amounts.get(LedgerKind.REFUND)
        if known is None:
            _require_refundable(micros, charged)
            _book(connection, generation, LedgerKind.REFUND, micros, now, note=note)
        elif known != micros:
            raise ConflictError(
                "already_refunded",
                f"{credit_words(known)} credits were given back for it before.",
                hint="A generation is refunded once; correct the balance by an adjustment.",
                details={"generation_id": generation.id, "refund_credits": credit_words(known)},
            )
        entries = ledger_entries.for_generation(connection, generation.workspace_id, generation.id)
        entry = next(entry for entry in entries if entry.kind is LedgerKind.REFUND)
        if known is None:
            _announce(connection, entry)
        return Booked(entry=entry, is_new=known is None)


def _change(connection: Connection, entry: LedgerEntry) -> Booked:
    """Book what an operator asks for, once for each reference, and announce it."""
    workspace_id = entry.workspace_id
    available = ledger_entries.locked_balance_micros(connection, workspace_id)
    if entry.reference is not None:
        known = ledger_entries.by_reference(connection, workspace_id, entry.reference)
        if known is not None:
            _require_same(entry, known)
            return Booked(entry=known, is_new=False)
    if available + entry.amount_micros < 0:
        raise InsufficientCreditError(
            "balance_too_low",
            f"It takes away {credit_words(-entry.amount_micros)} credits and "
            f"{credit_words(available)} are left.",
            pointer="/amount_credits",
            hint="What is held for generations under way cannot be taken away.",
            details={"available_credits": credit_words(available)},
        )
    ledger_entries.add_locked(connection, entry)
    booked = ledger_entries.page(connection, workspace_id, limit=1)[0]
    _announce(connection, booked)
    return Booked(entry=booked, is_new=True)


def _require_same(entry: LedgerEntry, known: LedgerEntry) -> None:
    if (entry.kind, entry.amount_micros) != (known.kind, known.amount_micros):
        raise ConflictError(
            "reference_reused",
            f"The reference {known.reference} belongs to another entry of "
            f"{credit_words(known.amount_micros)} credits.",
            hint="Use a new reference for something new.",
            details={"entry": known.sequence},
        )


def _require_refundable(micros: int, charged: int) -> None:
    if charged == 0:
        raise ConflictError(
            "nothing_charged",
            "There is nothing to give back: it was not charged.",
        )
    if not 0 < micros <= charged:
        raise InvalidRequestError(
            "refund_too_high" if micros > charged else "invalid_amount",
            f"It was charged {credit_words(charged)} credits; more than zero and at most that "
            "can be given back.",
            pointer="/amount_credits",
            details={"charge_credits": credit_words(charged)},
        )


def _insufficient(needed: int, available: int) -> InsufficientCreditError:
    return InsufficientCreditError(
        "insufficient_credit",
        f"It costs {credit_words(needed)} credits and {credit_words(available)} are left.",
        hint="Top up the account, or choose a cheaper model or fewer outputs.",
        details={
            "price_credits": credit_words(needed),
            "available_credits": credit_words(available),
        },
    )


def _amounts(connection: Connection, generation: Generation) -> dict[LedgerKind, int]:
    """Return a generation's entries: each kind is there once at the most."""
    entries = ledger_entries.for_generation(connection, generation.workspace_id, generation.id)
    return {entry.kind: entry.amount_micros for entry in entries}


def _is_open(amounts: dict[LedgerKind, int]) -> bool:
    closed = LedgerKind.CAPTURE in amounts or LedgerKind.RELEASE in amounts
    return LedgerKind.HOLD in amounts and not closed


def _charged(amounts: dict[LedgerKind, int]) -> int:
    if LedgerKind.CAPTURE not in amounts:
        return 0
    return -amounts.get(LedgerKind.HOLD, 0) - amounts[LedgerKind.CAPTURE]


def _book(
    connection: Connection,
    generation: Generation,
    kind: LedgerKind,
    micros: int,
    now: datetime,
    *,
    held_change: int = 0,
    note: str | None = None,
) -> None:
    """Give back what a generation held or was charged, unless that was done before."""
    entry = _entry(generation, kind, micros, now, note)
    if ledger_entries.add_locked(connection, entry, held_change) is not None:
        _spend(connection, generation, -micros)


def _entry(
    generation: Generation, kind: LedgerKind, micros: int, now: datetime, note: str | None = None
) -> LedgerEntry:
    return LedgerEntry(
        workspace_id=generation.workspace_id,
        generation_id=generation.id,
        kind=kind,
        amount_micros=micros,
        created_at=now,
        note=note,
    )


def _spend(connection: Connection, generation: Generation, micros: int) -> None:
    """Note what is held, or given back again, in the period of the generation's beginning."""
    # Where the hold was booked, so that what is given back later cannot be spent twice.
    spending.add(
        connection,
        generation.workspace_id,
        generation.api_key_id,
        generation.created_at,
        micros,
    )


def _announce(connection: Connection, entry: LedgerEntry) -> None:
    balance = ledger_entries.balance_micros(connection, entry.workspace_id)
    events.append(
        connection,
        workspace_id=entry.workspace_id,
        type=EventType.CREDIT_CHANGED,
        generation_id=entry.generation_id,
        data={
            "kind": entry.kind.value,
            "amount_credits": credit_words(entry.amount_micros),
            "available_credits": credit_words(balance),
            "reference": entry.reference,
            "note": entry.note,
        },
        now=entry.created_at,
    )
