"""The ledger: every change of a workspace's credits, never altered, never removed.

The balance is the sum of all entries. It is kept beside them, together with the sum of what
is held, and both change in the same transaction as the entries.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, NamedTuple

import msgspec
from sqlalchemy import (
    Boolean,
    Connection,
    Row,
    Select,
    bindparam,
    func,
    literal_column,
    select,
    update,
)

from mediawright.store.codec import from_micros, storable, to_micros
from mediawright.store.insertion import insert_once
from mediawright.store.kinds import LedgerKind
from mediawright.store.tables import ledger_entries, workspaces

_CLOSING = frozenset({LedgerKind.CAPTURE, LedgerKind.RELEASE})


class LedgerEntry(msgspec.Struct, frozen=True, kw_only=True):
    """One change of a workspace's credits."""

    workspace_id: str
    kind: LedgerKind
    amount_micros: int
    """Millionths of a credit: negative takes from the balance (a hold), positive gives back."""
    created_at: datetime
    generation_id: str | None = None
    note: str | None = None
    reference: str | None = None
    """The operator's name for a top-up or adjustment; one entry in a workspace has it."""
    sequence: int = 0
    """Given by the database."""


class Account(NamedTuple):
    """A workspace's account after an entry was added."""

    balance_micros: int
    """Millionths of a credit; below zero when more was taken than there is."""
    has_budgets: bool


_OWN = ledger_entries.c.workspace_id == bindparam("workspace_id")
_ACCOUNT = select(workspaces.c.balance_micros, workspaces.c.held_micros).where(
    workspaces.c.id == bindparam("workspace_id")
)
# Not FOR UPDATE: rows that merely refer to the workspace can still be added meanwhile.
_LOCK_ACCOUNT = _ACCOUNT.with_for_update(key_share=True)
# In words of the database's: for SQLite, SQLAlchemy leaves out the table's name in a RETURNING.
_HAS_BUDGETS = literal_column(
    "EXISTS (SELECT 1 FROM budgets AS own WHERE own.workspace_id = workspaces.id)", Boolean
)
_CHANGE_ACCOUNT = (
    update(workspaces)
    .where(workspaces.c.id == bindparam("of_workspace"))
    .values(
        balance_micros=workspaces.c.balance_micros + bindparam("balance_change"),
        held_micros=workspaces.c.held_micros + bindparam("held_change"),
    )
    .returning(workspaces.c.balance_micros, _HAS_BUDGETS.label("has_budgets"))
)
_FOR_GENERATION = (
    select(ledger_entries)
    .where(_OWN, ledger_entries.c.generation_id == bindparam("generation_id"))
    .order_by(ledger_entries.c.sequence)
)
_BY_REFERENCE = select(ledger_entries).where(
    _OWN, ledger_entries.c.reference == bindparam("reference")
)
_PAGE = (
    select(ledger_entries)
    .where(_OWN)
    .order_by(ledger_entries.c.sequence.desc())
    .limit(bindparam("most"))
)
_PAGE_BEFORE = _PAGE.where(ledger_entries.c.sequence < bindparam("before"))
_SUM = select(func.coalesce(func.sum(ledger_entries.c.amount_micros), 0)).where(_OWN)


def lock_account(c: Connection, workspace_id: str) -> None:
    """Let no other transaction change the workspace's credits until this one ends.

    Taken before anything is read on which an entry depends. On SQLite there is nothing to do,
    because there every transaction is the only writer.
    """
    if c.dialect.name == "postgresql":
        c.execute(_LOCK_ACCOUNT, {"workspace_id": workspace_id})


def locked_balance_micros(c: Connection, workspace_id: str) -> int:
    """Lock the account and return what can be spent, in millionths of a credit."""
    if c.dialect.name != "postgresql":
        return balance_micros(c, workspace_id)
    row = c.execute(_LOCK_ACCOUNT, {"workspace_id": workspace_id}).first()
    return 0 if row is None else row.balance_micros


def add(c: Connection, entry: LedgerEntry) -> bool:
    """Add an entry and change the balance by it.

    Returns:
        Whether it was added; `False`, with nothing changed, if its generation has an entry of
        that kind already. Entries without a generation are always added.

    Raises:
        IntegrityError: Another entry of the workspace has its reference.
    """
    lock_account(c, entry.workspace_id)
    return add_locked(c, entry) is not None


def add_locked(c: Connection, entry: LedgerEntry, held_change: int | None = None) -> Account | None:
    """Do what `add` does, in a transaction that read nothing on which the entry depends.

    Or that locked the account before it did.

    Args:
        c: The connection.
        entry: The entry.
        held_change: By how much it changes what is held, where that is known already.

    Returns:
        The account as it is now; `None` if the entry was there already.
    """
    values = {
        "workspace_id": entry.workspace_id,
        "generation_id": entry.generation_id,
        "kind": entry.kind.value,
        "amount_micros": entry.amount_micros,
        "note": storable(entry.note),
        "reference": entry.reference,
        "created_at": to_micros(entry.created_at),
    }
    if not insert_once(c, ledger_entries, values, ("generation_id", "kind")):
        return None
    change = {
        "of_workspace": entry.workspace_id,
        "balance_change": entry.amount_micros,
        "held_change": _held_change(c, entry) if held_change is None else held_change,
    }
    return Account(*c.execute(_CHANGE_ACCOUNT, change).one())


def balance_micros(c: Connection, workspace_id: str) -> int:
    """Return what a workspace can spend, in millionths of a credit; holds are taken off."""
    return _account(c, workspace_id)[0]


def held_micros(c: Connection, workspace_id: str) -> int:
    """Return what is held for generations that are not settled, in millionths of a credit."""
    return _account(c, workspace_id)[1]


def sum_micros(c: Connection, workspace_id: str) -> int:
    """Add all entries up, for reconciliation; `balance_micros` gives the same at once."""
    return int(c.execute(_SUM, {"workspace_id": workspace_id}).scalar_one())


def for_generation(c: Connection, workspace_id: str, generation_id: str) -> list[LedgerEntry]:
    """Return the entries of a generation in their order."""
    values = {"workspace_id": workspace_id, "generation_id": generation_id}
    return [_to_entry(row) for row in c.execute(_FOR_GENERATION, values)]


def by_reference(c: Connection, workspace_id: str, reference: str) -> LedgerEntry | None:
    """Return the workspace's entry with that reference."""
    values = {"workspace_id": workspace_id, "reference": reference}
    row = c.execute(_BY_REFERENCE, values).first()
    return None if row is None else _to_entry(row)


def page(
    c: Connection, workspace_id: str, *, limit: int, before: int | None = None
) -> list[LedgerEntry]:
    """Return a workspace's entries, newest first.

    Args:
        c: The connection.
        workspace_id: Whose.
        limit: At most so many.
        before: The sequence of the last one already seen.
    """
    values: dict[str, Any] = {"workspace_id": workspace_id, "most": limit}
    statement: Select[Any] = _PAGE
    if before is not None:
        values["before"] = before
        statement = _PAGE_BEFORE
    return [_to_entry(row) for row in c.execute(statement, values)]


def _account(c: Connection, workspace_id: str) -> tuple[int, int]:
    row = c.execute(_ACCOUNT, {"workspace_id": workspace_id}).first()
    return (0, 0) if row is None else (row.balance_micros, row.held_micros)


def _held_change(c: Connection, entry: LedgerEntry) -> int:
    """Return by how much an entry that was just added changes what is held."""
    if entry.kind is LedgerKind.HOLD:
        return -entry.amount_micros
    if entry.kind not in _CLOSING or entry.generation_id is None:
        return 0
    entries = for_generation(c, entry.workspace_id, entry.generation_id)
    if sum(other.kind in _CLOSING for other in entries) > 1:
        return 0
    return sum(other.amount_micros for other in entries if other.kind is LedgerKind.HOLD)


def _to_entry(row: Row[Any]) -> LedgerEntry:
    return LedgerEntry(
        workspace_id=row.workspace_id,
        kind=LedgerKind(row.kind),
        amount_micros=row.amount_micros,
        created_at=from_micros(row.created_at),
        generation_id=row.generation_id,
        note=row.note,
        reference=row.reference,
        sequence=row.sequence,
    )
