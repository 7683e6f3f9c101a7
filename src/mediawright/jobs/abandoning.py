"""Finishing what was cancelled while it was under way: stop the provider, settle the money."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from mediawright.core.errors import MediawrightError
from mediawright.core.provider import Broken, Done, Feature, Usage
from mediawright.core.states import AttemptState
from mediawright.jobs.costs import book_cost_once, cost_of, full_charge, reported_cost
from mediawright.jobs.fencing import is_run_elsewhere
from mediawright.jobs.records import is_repeatable, latest_attempt, reload
from mediawright.jobs.unknowns import BROKEN_OFF, settle_unknown
from mediawright.store import attempts, bookings, generations

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from mediawright.core.generation import Attempt, Generation
    from mediawright.jobs.context import JobContext


class Spent(NamedTuple):
    """Whether a provider bills a job that is not wanted any more."""

    is_billed: bool
    usage: Usage = Usage()
    may_deliver: bool = False
    """Whether the provider is still at work on it."""


NOTHING_SPENT = Spent(is_billed=False)


async def settle_abandoned(
    context: JobContext,
    generation: Generation,
    attempt: Attempt | None = None,
    spent: Spent | None = None,
) -> Generation:
    """Finish a generation that was cancelled while it was under way.

    The provider is asked to stop. If it does, or never had the job, the hold is released; if
    it goes on and bills, the charge is captured, because the money is spent. If nobody knows
    whether it has the job, the hold stays until that is found out.

    Nothing happens to a generation whose money is settled, or that another living process is
    in charge of: that one does the same.

    Args:
        context: The parts to work with.
        generation: The generation, already in its final state.
        attempt: The attempt that a provider took; by default what the rows say of the last.
        spent: What is known about the provider's bill; by default it is found out.
    """
    async with context.abandoning.hold(generation.id):
        return await _abandon(context, await reload(context, generation), attempt, spent)


async def _abandon(
    context: JobContext, generation: Generation, given: Attempt | None, spent: Spent | None
) -> Generation:
    if not generation.state.is_terminal or generation.charge_micros is not None:
        return generation
    if await is_run_elsewhere(context, generation):
        return generation
    attempt = given or await latest_attempt(context, generation.id)
    if spent is None and attempt is not None:
        if attempt.state is AttemptState.UNKNOWN:
            return generation
        if attempt.state is AttemptState.INTENT and not is_repeatable(context, attempt.provider):
            if generation.id in context.under_way:
                return generation
            return await settle_unknown(context, generation, attempt, BROKEN_OFF)
        spent = await _find_out(context, attempt)
    context.lease.require()
    await _book(context, generation, attempt, spent or NOTHING_SPENT)
    context.signals.changed(generation.id)
    return await reload(context, generation)


async def _book(
    context: JobContext, generation: Generation, attempt: Attempt | None, spent: Spent
) -> None:
    now = context.clock.now()
    is_kept = spent.may_deliver and context.settings.keep_cancelled_results

    def work(connection: Connection) -> None:
        current = generations.lock(connection, generation.id)
        if current is None or current.charge_micros is not None:
            return
        cost = reported_cost(spent.usage)
        charged = 0
        if spent.is_billed:
            charged = context.ledger.capture(connection, current, full_charge(current), now=now)
            if attempt is not None and cost is None:
                cost = cost_of(context, current, attempt, spent.usage)
        else:
            context.ledger.release(connection, current, now=now)
        if attempt is not None:
            _close(connection, attempt, spent, is_kept=is_kept, context=context)
        bookings.note_problem(connection, generation.id, None, now=now)
        bookings.book(connection, generation.id, charge_micros=charged, now=now)
        book_cost_once(connection, current, cost, now=now)

    await context.database.write(work)


def _close(
    connection: Connection, attempt: Attempt, spent: Spent, *, is_kept: bool, context: JobContext
) -> None:
    now = context.clock.now()
    was_taken = spent.is_billed or attempt.state is AttemptState.ACKNOWLEDGED
    attempts.settle(
        connection,
        attempt.generation_id,
        attempt.number,
        AttemptState.ACKNOWLEDGED if was_taken else AttemptState.REJECTED,
        expected=(AttemptState.INTENT, AttemptState.UNKNOWN, AttemptState.ACKNOWLEDGED),
        handle=attempt.handle,
        vendor_id=attempt.vendor_id,
        is_closed=not is_kept,
        now=now,
    )


async def _find_out(context: JobContext, attempt: Attempt) -> Spent:
    """Ask a provider to stop, and find out whether it bills what it was asked for."""
    if attempt.state is AttemptState.REJECTED or is_repeatable(context, attempt.provider):
        return NOTHING_SPENT
    if attempt.closed_at is not None:
        # Its result had come before the generation was cancelled.
        return Spent(is_billed=True)
    return await stop_at_provider(context, attempt)


async def stop_at_provider(context: JobContext, attempt: Attempt) -> Spent:
    """Ask a provider to stop a job, unless it is finished; tell what it bills.

    A finished job is looked for first, because some providers answer the request to stop it
    by deleting it, and bill it all the same.
    """
    try:
        provider = context.providers.get(attempt.provider)
    except MediawrightError:
        return Spent(is_billed=True, may_deliver=True)
    if attempt.handle is None:
        return Spent(is_billed=True)
    polled = await provider.poll(attempt.handle, attempt.upstream_id)
    if isinstance(polled, Broken):
        return Spent(is_billed=False, usage=polled.usage)
    if isinstance(polled, Done):
        return Spent(is_billed=True, usage=polled.usage, may_deliver=True)
    if Feature.CANCEL in provider.features:
        stopped = await provider.cancel(attempt.handle, attempt.upstream_id)
        return Spent(is_billed=not stopped, may_deliver=not stopped)
    return Spent(is_billed=True, may_deliver=True)
