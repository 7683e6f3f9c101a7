"""The settle step: the one transaction in which a generation ends and its money is booked."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from mediawright.core.states import AttemptState, GenerationState
from mediawright.jobs.abandoning import Spent, settle_abandoned
from mediawright.jobs.announcing import announce_end, close_books, keep_assets
from mediawright.jobs.costs import as_changes, cost_of, full_charge, reported_cost
from mediawright.jobs.faults import final_state, problem_of
from mediawright.jobs.fencing import fenced, is_own
from mediawright.jobs.records import load
from mediawright.jobs.signals import Ended
from mediawright.store import attempts, generations

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from sqlalchemy import Connection

    from mediawright.core.errors import Problem
    from mediawright.core.generation import Asset, Attempt, Generation
    from mediawright.core.provider import Fault, Usage
    from mediawright.jobs.context import JobContext

_ANY_BUT_REJECTED = (AttemptState.INTENT, AttemptState.UNKNOWN, AttemptState.ACKNOWLEDGED)


async def settle_success(
    context: JobContext,
    generation: Generation,
    attempt: Attempt,
    usage: Usage,
    stored: Sequence[Asset],
) -> Generation | None:
    """Book a delivered generation: assets, attempt, capture, state, span and events at once.

    A submit that nobody knew about counts as taken when its media are here.

    Returns:
        The generation as it has become, or `None` when it has ended otherwise meanwhile.

    Raises:
        UnavailableError: `worker_fenced`: another process is in charge; nothing was changed.
    """
    context.lease.require()
    now = context.clock.now()
    cost = cost_of(context, generation, attempt, usage)
    expected = full_charge(generation)

    def work(connection: Connection) -> Ended | None:
        moved = generations.transition(
            connection,
            generation.id,
            GenerationState.SUCCEEDED,
            now=now,
            expected=(
                GenerationState.SUBMITTING,
                GenerationState.STORING,
                GenerationState.UNKNOWN,
            ),
            of_executor=context.executor,
            provider=attempt.provider,
            progress=1.0,
            stage=None,
            problem=None,
            finished_at=now,
            charge_micros=expected,
            **as_changes(cost),
        )
        if moved is None:
            return None
        taken = attempts.settle(
            connection,
            generation.id,
            attempt.number,
            AttemptState.ACKNOWLEDGED,
            expected=_ANY_BUT_REJECTED,
            is_closed=True,
            now=now,
        )
        new = keep_assets(connection, moved, stored, now)
        charged = context.ledger.capture(connection, moved, expected, now=now)
        closed = close_books(
            context, connection, moved, charged, now=now, stored=stored, expected=expected
        )
        # With others before it, or other files, the rows say it better.
        return Ended(
            closed,
            outputs=new if len(new) == len(stored) else None,
            attempts=[taken] if taken is not None and taken.number == 1 else None,
        )

    settled = await context.database.write(work)
    context.signals.changed(generation.id, settled)
    if settled is None:
        await require_own(context, generation.id)
        return None
    return settled.generation


async def settle_fault(
    context: JobContext,
    generation: Generation,
    fault: Fault,
    provider: str,
    *,
    usage: Usage | None = None,
    taken: Attempt | None = None,
) -> Generation:
    """End a generation that brought nothing, and release its hold.

    Args:
        context: The parts to work with.
        generation: The generation.
        fault: Why it brought nothing.
        provider: Whose fault it is.
        usage: What the provider bills all the same.
        taken: The attempt that the provider took, if it did.
    """
    problem = problem_of(fault, provider)
    state = final_state(fault)
    return await settle_without_media(context, generation, state, problem, usage, taken=taken)


async def settle_without_media(
    context: JobContext,
    generation: Generation,
    state: GenerationState,
    problem: Problem | None,
    usage: Usage | None = None,
    *,
    taken: Attempt | None = None,
    may_deliver: bool = False,
) -> Generation:
    """End a generation in `state` without media, and release its hold in full.

    What the provider bills all the same is booked as cost, not charged.

    Args:
        context: The parts to work with.
        generation: The generation.
        state: How it ends.
        problem: Why.
        usage: What the provider says it bills.
        taken: The attempt that a provider took, if one did.
        may_deliver: Whether a result may still come of that attempt.

    Raises:
        UnavailableError: `worker_fenced`: another process is in charge; nothing was changed.
    """
    context.lease.require()
    now = context.clock.now()
    cost = reported_cost(usage)

    def work(connection: Connection) -> Generation | None:
        moved = generations.transition(
            connection,
            generation.id,
            state,
            now=now,
            of_executor=context.executor,
            problem=problem,
            stage=None,
            finished_at=now,
            **as_changes(cost),
        )
        if moved is None:
            return None
        if taken is not None:
            _note_taken(connection, taken, now, may_deliver=may_deliver)
        context.ledger.release(connection, moved, now=now)
        return close_books(context, connection, moved, 0, now=now)

    settled = await context.database.write(work)
    context.signals.changed(generation.id, None if settled is None else Ended(settled))
    if settled is not None:
        return settled
    current = await require_own(context, generation.id)
    spent = None
    if taken is not None:
        taken = msgspec.structs.replace(taken, state=AttemptState.ACKNOWLEDGED)
    if taken is not None and not may_deliver:
        spent = Spent(is_billed=False) if usage is None else Spent(is_billed=False, usage=usage)
    return await settle_abandoned(context, current, taken, spent)


async def require_own(context: JobContext, generation_id: str) -> Generation:
    """Return the generation as its row has it now.

    Raises:
        UnavailableError: `worker_fenced`: another process is in charge of it, and it goes on.
    """
    current = await load(context, generation_id)
    if not current.state.is_terminal and not is_own(context, current):
        raise fenced(generation_id)
    return current


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
        return close_books(context, connection, generation, 0, now=now)
    announce_end(context, connection, generation, now)
    return generation


def _note_taken(
    connection: Connection, attempt: Attempt, now: datetime, *, may_deliver: bool
) -> None:
    attempts.settle(
        connection,
        attempt.generation_id,
        attempt.number,
        AttemptState.ACKNOWLEDGED,
        expected=_ANY_BUT_REJECTED,
        handle=attempt.handle,
        is_closed=not may_deliver,
        now=now,
    )
    if may_deliver:
        attempts.reopen(connection, attempt.generation_id, attempt.number, now=now)
