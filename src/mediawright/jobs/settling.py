"""The settle step: the one transaction in which a generation ends and its money is booked."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from mediawright.core.errors import MediawrightError, NotFoundError
from mediawright.core.events import EventType
from mediawright.core.money import Money, PriceBasis, plain
from mediawright.core.provider import Fault, Feature, Usage
from mediawright.core.states import AttemptState, GenerationState
from mediawright.jobs.context import JobContext, route_of
from mediawright.jobs.faults import final_state, problem_of
from mediawright.store import assets as asset_rows
from mediawright.store import attempts, bookings, events, generations

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from sqlalchemy import Connection

    from mediawright.core.errors import Problem
    from mediawright.core.generation import Asset, Attempt, Generation

_EVENT_OF = {
    GenerationState.SUCCEEDED: EventType.GENERATION_SUCCEEDED,
    GenerationState.FAILED: EventType.GENERATION_FAILED,
    GenerationState.REFUSED: EventType.GENERATION_REFUSED,
    GenerationState.CANCELLED: EventType.GENERATION_CANCELLED,
    GenerationState.EXPIRED: EventType.GENERATION_EXPIRED,
    GenerationState.UNKNOWN: EventType.GENERATION_UNKNOWN,
}


async def load(context: JobContext, generation_id: str) -> Generation:
    """Return the generation as its row has it now."""
    found = await context.database.read(
        lambda connection: generations.get(connection, None, generation_id)
    )
    if found is None:
        raise NotFoundError("generation_not_found", f"There is no generation {generation_id}.")
    return found


async def reload(context: JobContext, generation: Generation) -> Generation:
    """Return the generation as its row has it now."""
    return await load(context, generation.id)


async def latest_attempt(context: JobContext, generation_id: str) -> Attempt | None:
    """Return the last attempt to submit the generation."""
    return await context.database.read(
        lambda connection: attempts.latest(connection, generation_id)
    )


async def acknowledged_attempt(context: JobContext, generation_id: str) -> Attempt | None:
    """Return the last attempt if a provider has the job."""
    attempt = await latest_attempt(context, generation_id)
    return attempt if attempt is not None and attempt.handle else None


def is_repeatable(context: JobContext, provider: str) -> bool:
    """Tell whether a submit to that provider may be made again without a second job."""
    try:
        return Feature.REPEATABLE_SUBMIT in context.providers.get(provider).features
    except MediawrightError:
        return False


async def settle_success(
    context: JobContext,
    generation: Generation,
    attempt: Attempt,
    usage: Usage,
    stored: Sequence[Asset],
) -> Generation | None:
    """Book a delivered generation: assets, attempt, capture, state, span and events at once.

    Returns:
        The generation as it has become, or `None` when it was cancelled meanwhile.
    """
    now = context.clock.now()
    cost = _cost(context, generation, attempt, usage)

    def work(connection: Connection) -> Generation | None:
        attempts.settle(
            connection, generation.id, attempt.number, AttemptState.ACKNOWLEDGED, now=now
        )
        moved = generations.transition(
            connection,
            generation.id,
            GenerationState.SUCCEEDED,
            now=now,
            expected=(GenerationState.SUBMITTING, GenerationState.STORING),
            progress=1.0,
            stage=None,
            finished_at=now,
            **cost,
        )
        if moved is None:
            return None
        for asset in stored:
            asset_rows.insert(connection, asset)
            _event(connection, moved, EventType.ASSET_STORED, now, {"asset_id": asset.id})
        charged = context.ledger.capture(connection, moved, _full_charge(moved), now=now)
        return _close(context, connection, moved, charged, now=now, stored=stored)

    settled = await context.database.write(work)
    context.signals.changed(generation.id)
    return settled


async def settle_fault(
    context: JobContext,
    generation: Generation,
    fault: Fault,
    provider: str,
    usage: Usage | None = None,
) -> Generation:
    """End a generation that brought nothing, and release its hold."""
    problem = problem_of(fault, provider)
    return await settle_without_media(context, generation, final_state(fault), problem, usage)


async def settle_without_media(
    context: JobContext,
    generation: Generation,
    state: GenerationState,
    problem: Problem | None,
    usage: Usage | None = None,
) -> Generation:
    """End a generation in `state` without media, and release its hold in full.

    What the provider bills all the same is booked as cost, not charged.
    """
    now = context.clock.now()
    cost = _reported_cost(usage)

    def work(connection: Connection) -> Generation | None:
        moved = generations.transition(
            connection,
            generation.id,
            state,
            now=now,
            problem=problem,
            stage=None,
            finished_at=now,
            **cost,
        )
        if moved is None:
            return None
        context.ledger.release(connection, moved, now=now)
        return _close(context, connection, moved, 0, now=now)

    settled = await context.database.write(work)
    context.signals.changed(generation.id)
    if settled is not None:
        return settled
    return await settle_abandoned(context, await reload(context, generation), None)


async def settle_unknown(
    context: JobContext, generation: Generation, attempt: Attempt, fault: Fault
) -> Generation:
    """Note that nobody knows whether the provider took the job. The hold stays."""
    problem = problem_of(fault, attempt.provider)
    now = context.clock.now()

    def work(connection: Connection) -> Generation | None:
        attempts.settle(
            connection,
            generation.id,
            attempt.number,
            AttemptState.UNKNOWN,
            problem=problem,
            now=now,
        )
        moved = generations.transition(
            connection, generation.id, GenerationState.UNKNOWN, now=now, problem=problem
        )
        if moved is not None:
            _event(connection, moved, EventType.GENERATION_UNKNOWN, now, {"code": problem.code})
        return moved

    unknown = await context.database.write(work)
    context.signals.changed(generation.id)
    return unknown if unknown is not None else await reload(context, generation)


async def settle_abandoned(
    context: JobContext, generation: Generation, attempt: Attempt | None
) -> Generation:
    """Finish a generation that was cancelled while it was under way.

    The provider is asked to stop. If it does, or never had the job, the hold is released;
    if it goes on and bills, the charge is captured, because the money is spent.

    Args:
        context: The parts to work with.
        generation: The generation, already in its final state.
        attempt: The attempt that a provider acknowledged, if one did.
    """
    async with context.abandoning.hold(generation.id):
        return await _abandon(context, await reload(context, generation), attempt)


async def _abandon(
    context: JobContext, generation: Generation, attempt: Attempt | None
) -> Generation:
    if not generation.state.is_terminal or generation.charge_micros is not None:
        return generation
    stopped = attempt is None or await _stop(context, attempt)
    now = context.clock.now()

    def work(connection: Connection) -> None:
        current = generations.get(connection, None, generation.id)
        if current is None or current.charge_micros is not None:
            return
        if attempt is not None:
            attempts.settle(
                connection,
                generation.id,
                attempt.number,
                AttemptState.ACKNOWLEDGED,
                handle=attempt.handle,
                now=now,
            )
        charged = 0
        if stopped:
            context.ledger.release(connection, generation, now=now)
        else:
            charged = context.ledger.capture(
                connection, generation, _full_charge(generation), now=now
            )
        bookings.book(connection, generation.id, charge_micros=charged, now=now)

    await context.database.write(work)
    context.signals.changed(generation.id)
    return await reload(context, generation)


async def _stop(context: JobContext, attempt: Attempt) -> bool:
    """Ask the provider to stop; tell whether the job will not be billed."""
    if is_repeatable(context, attempt.provider):
        return True
    try:
        provider = context.providers.get(attempt.provider)
    except MediawrightError:
        return False
    if attempt.handle is None or Feature.CANCEL not in provider.features:
        return False
    return await provider.cancel(attempt.handle, attempt.upstream_id)


def book_cancelled(
    context: JobContext,
    connection: Connection,
    generation: Generation,
    *,
    unsent: bool,
    now: datetime,
) -> Generation:
    """Write what follows at once from a cancellation, in its transaction.

    Args:
        context: The parts to work with.
        connection: The open transaction.
        generation: The generation, just cancelled.
        unsent: Whether no provider ever heard of it; then its hold is released here, and
            otherwise when the provider was told.
        now: The time of the cancellation.
    """
    if unsent:
        context.ledger.release(connection, generation, now=now)
        return _close(context, connection, generation, 0, now=now)
    _announce(context, connection, generation, now)
    return generation


def _close(
    context: JobContext,
    connection: Connection,
    generation: Generation,
    charged: int,
    *,
    now: datetime,
    stored: Sequence[Asset] = (),
) -> Generation:
    """Book the charge and announce the end."""
    booked = bookings.book(connection, generation.id, charge_micros=charged, now=now)
    final = booked or generation
    _announce(context, connection, final, now, stored)
    return final


def _announce(
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
    _event(connection, generation, _EVENT_OF[generation.state], now, data)
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


def _decimal(micros: int | None) -> str | None:
    return None if micros is None else plain(Decimal(micros) / 1_000_000)


def _event(
    connection: Connection,
    generation: Generation,
    kind: EventType,
    now: datetime,
    data: dict[str, Any],
) -> None:
    events.append(
        connection,
        workspace_id=generation.workspace_id,
        type=kind,
        generation_id=generation.id,
        data=data,
        now=now,
    )


def _full_charge(generation: Generation) -> int:
    price = generation.price.credits
    return 0 if price is None else Money.credits(price).micros


def _cost(
    context: JobContext, generation: Generation, attempt: Attempt, usage: Usage
) -> dict[str, Any]:
    route = route_of(generation, attempt.provider, attempt.upstream_id)
    found = context.cost_of(generation, route, usage)
    if found is None:
        return {}
    amount, basis = found
    return {"cost_micros": Money.usd(amount).micros, "cost_basis": basis}


def _reported_cost(usage: Usage | None) -> dict[str, Any]:
    if usage is None or usage.cost is None:
        return {}
    return {"cost_micros": usage.cost.micros, "cost_basis": PriceBasis.VENDOR_REPORTED}
