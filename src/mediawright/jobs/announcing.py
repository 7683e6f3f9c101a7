"""Telling that something has become of a generation: events, and the end of its trace."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from mediawright.core.events import EventType
from mediawright.core.measures import Measure
from mediawright.core.money import plain
from mediawright.core.states import GenerationState
from mediawright.store import assets, bookings, events

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from sqlalchemy import Connection

    from mediawright.core.generation import Asset, Generation
    from mediawright.jobs.context import JobContext

_EVENT_OF = {
    GenerationState.SUCCEEDED: EventType.GENERATION_SUCCEEDED,
    GenerationState.FAILED: EventType.GENERATION_FAILED,
    GenerationState.REFUSED: EventType.GENERATION_REFUSED,
    GenerationState.CANCELLED: EventType.GENERATION_CANCELLED,
    GenerationState.EXPIRED: EventType.GENERATION_EXPIRED,
}


def close_books(
    context: JobContext,
    connection: Connection,
    generation: Generation,
    charged: int,
    *,
    now: datetime,
    stored: Sequence[Asset] = (),
    expected: int | None = None,
) -> Generation:
    """Book the charge of a generation that has just ended, and announce its end.

    Args:
        context: The parts to work with.
        connection: The open transaction.
        generation: The generation as it has become.
        charged: What it is charged, in millionths of a credit.
        now: The time of its end.
        stored: What it has made.
        expected: The charge that this transaction has noted already, if it has.
    """
    booked: Generation | None = None
    if charged != expected:
        booked = bookings.book(
            connection, generation.id, charge_micros=charged, now=now, before=expected
        )
    final = booked or generation
    announce_end(context, connection, final, now, stored)
    return final


def announce_end(
    context: JobContext,
    connection: Connection,
    generation: Generation,
    now: datetime,
    stored: Sequence[Asset] = (),
) -> None:
    """Write the event and finish the root span of a generation that has ended."""
    data: dict[str, Any] = {"status": generation.status.value}
    if generation.problem is not None:
        data["error"] = generation.problem.code
    tell(connection, generation, _EVENT_OF[generation.state], now, data)
    _measure(context, generation, now)
    context.tracer.finish(
        connection,
        generation,
        {
            "provider": generation.provider,
            "outputs": [asset.id for asset in stored],
            "charge_credits": _decimal(generation.charge_micros),
            "cost_usd": _decimal(generation.cost_micros),
            "cost_basis": generation.cost_basis.value,
            "error": generation.problem.code if generation.problem else None,
        },
    )


def _measure(context: JobContext, generation: Generation, now: datetime) -> None:
    """Count an end. One whose transaction is made again after a deadlock counts twice."""
    operation, provider = generation.operation.value, generation.provider or "none"
    context.measures.count(
        Measure.FINISHED, state=generation.state.value, operation=operation, provider=provider
    )
    if generation.state is GenerationState.SUCCEEDED:
        seconds = (now - generation.created_at).total_seconds()
        context.measures.observe(
            Measure.GENERATION_TIME, seconds, operation=operation, provider=provider
        )


def keep_assets(
    connection: Connection, generation: Generation, stored: Sequence[Asset], now: datetime
) -> list[Asset]:
    """Write the rows of stored files; return those that were not there yet."""
    new = [asset for asset in stored if assets.insert(connection, asset)]
    for asset in new:
        tell(connection, generation, EventType.ASSET_STORED, now, {"asset_id": asset.id})
    return new


def tell(
    connection: Connection,
    generation: Generation,
    kind: EventType,
    now: datetime,
    data: dict[str, Any],
) -> None:
    """Write an event of a generation."""
    events.append(
        connection,
        workspace_id=generation.workspace_id,
        type=kind,
        generation_id=generation.id,
        data=data,
        now=now,
    )


def _decimal(micros: int | None) -> str | None:
    return None if micros is None else plain(Decimal(micros) / 1_000_000)
