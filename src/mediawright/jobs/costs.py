"""The two books of a generation: what its owner is charged and what its provider bills."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, TypedDict

from mediawright.core.money import Money, PriceBasis
from mediawright.core.provider import Usage
from mediawright.jobs.context import JobContext, route_of
from mediawright.store import bookings

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Connection

    from mediawright.core.generation import Attempt, Generation


class Cost(NamedTuple):
    """What a provider bills."""

    micros: int
    """Millionths of a US dollar."""
    basis: PriceBasis


def full_charge(generation: Generation) -> int:
    """Return the whole price in millionths of a credit; nothing where it is unknown."""
    price = generation.price.credits
    return 0 if price is None else Money.credits(price).micros


def cost_of(
    context: JobContext, generation: Generation, attempt: Attempt, usage: Usage | None
) -> Cost | None:
    """Return what the provider bills for a job it has done, as well as it is known."""
    route = route_of(generation, attempt.provider, attempt.upstream_id)
    found = context.cost_of(generation, route, usage or Usage())
    if found is None:
        return None
    amount, basis = found
    return Cost(Money.usd(amount).micros, basis)


def reported_cost(usage: Usage | None) -> Cost | None:
    """Return what the provider says it bills, and nothing else."""
    if usage is None or usage.cost is None:
        return None
    return Cost(usage.cost.micros, PriceBasis.VENDOR_REPORTED)


class CostColumns(TypedDict, total=False):
    """The columns that hold a cost; none of them where it is unknown."""

    cost_micros: int
    cost_basis: PriceBasis


def as_changes(cost: Cost | None) -> CostColumns:
    """Return the columns that hold a cost."""
    return {} if cost is None else {"cost_micros": cost.micros, "cost_basis": cost.basis}


def book_cost_once(
    connection: Connection, generation: Generation, cost: Cost | None, *, now: datetime
) -> None:
    """Book what the provider bills, unless that was booked before; the charge stays as it is.

    Args:
        connection: The open transaction.
        generation: The generation as its row is, locked.
        cost: What is billed, if anybody knows.
        now: The time of the booking.
    """
    if cost is not None and generation.cost_micros is None:
        bookings.add_cost(
            connection, generation.id, cost_micros=cost.micros, basis=cost.basis, now=now
        )
