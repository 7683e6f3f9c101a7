"""An end to the question whether a provider took a job, by the word of somebody who knows."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from mediawright.core.errors import ConflictError, InvalidRequestError, Problem
from mediawright.core.events import EventType
from mediawright.core.provider import Accepted
from mediawright.core.states import AttemptState, GenerationState
from mediawright.jobs.announcing import close_books, tell
from mediawright.jobs.costs import as_changes, book_cost_once, cost_of, full_charge
from mediawright.jobs.reconciling import adopt_now, stop_unwanted
from mediawright.jobs.records import latest_attempt, load, no_such_generation
from mediawright.store import attempts, bookings, generations

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from mediawright.core.generation import Attempt, Generation
    from mediawright.jobs.context import JobContext


class Resolution(StrEnum):
    """What became of a submit that nobody knew about."""

    CHARGED = "charged"
    """The provider billed it and nothing came of it: the hold is captured."""
    NOT_CHARGED = "not_charged"
    """The provider never had it: the hold is released, and it can be started again."""
    ATTACH = "attach"
    """The provider has it, under a name of its own: it is waited for."""


_Decide = Callable[["Connection", "Generation", "Attempt"], None]


async def resolve(
    context: JobContext,
    generation_id: str,
    resolution: Resolution,
    *,
    workspace_id: str | None = None,
    vendor_id: str | None = None,
) -> Generation:
    """Say what became of a submit that nobody knew about; of several who do, one is heard.

    Args:
        context: The parts to work with.
        generation_id: Which generation: one that is `unknown`, or that was cancelled while
            its submit was in doubt.
        resolution: What became of it.
        workspace_id: Whose generation; any by default.
        vendor_id: The provider's name for the job, to attach it.

    Returns:
        The generation as it is now; one that is `running` has to be resumed by the caller.

    Raises:
        NotFoundError: There is no such generation.
        ConflictError: `not_unknown`: it is known what became of it.
        InvalidRequestError: `vendor_id_required`, or `attach_unsupported` where the provider
            has no jobs that could be asked about.
        MissingApiKeyError: The provider cannot be asked about the job without its key.
    """
    generation = await load(context, generation_id)
    attempt = await latest_attempt(context, generation_id)
    if workspace_id not in (None, generation.workspace_id):
        raise no_such_generation(generation_id)
    if attempt is None or not _is_open(generation, attempt):
        raise _known(generation)
    if resolution is Resolution.ATTACH:
        accepted = _accepted(context, attempt, vendor_id)
        await _decide(context, generation, attempt, _attaching(context, accepted))
        generation = await load(context, generation_id)
        if generation.state.is_terminal:
            return await stop_unwanted(context, generation, attempt.number)
        return generation
    if resolution is Resolution.CHARGED:
        await _decide(context, generation, attempt, _charging(context))
    else:
        await _decide(context, generation, attempt, _releasing(context, by="operator"))
    return await load(context, generation_id)


async def resolve_absent(context: JobContext, generation: Generation, attempt: Attempt) -> None:
    """Settle an unknown submit of which the provider has said that it never had it.

    Raises:
        ConflictError: `not_unknown`: somebody found out meanwhile.
    """
    await _decide(context, generation, attempt, _releasing(context, by="lookup"))


async def _decide(
    context: JobContext, generation: Generation, attempt: Attempt, decide: _Decide
) -> None:
    def work(connection: Connection) -> None:
        current = generations.lock(connection, generation.id)
        known = attempts.get(connection, generation.id, attempt.number)
        if current is None or known is None or not _is_open(current, known):
            raise _known(current or generation)
        decide(connection, current, known)

    await context.database.write(work)
    context.signals.changed(generation.id)


def _is_open(generation: Generation, attempt: Attempt) -> bool:
    is_unbooked = generation.charge_micros is None
    is_doubtful = generation.state is GenerationState.UNKNOWN or generation.state.is_terminal
    return attempt.state is AttemptState.UNKNOWN and is_doubtful and is_unbooked


def _attaching(context: JobContext, accepted: Accepted) -> _Decide:
    def decide(connection: Connection, generation: Generation, attempt: Attempt) -> None:
        number = attempt.number
        adopt_now(context, connection, generation.id, number, accepted, found_by="operator")
        _tell(context, connection, generation, as_=Resolution.ATTACH, vendor_id=accepted.vendor_id)

    return decide


def _charging(context: JobContext) -> _Decide:
    def decide(connection: Connection, generation: Generation, attempt: Attempt) -> None:
        now = context.clock.now()
        problem = Problem(
            code="submit_charged",
            message=f"{attempt.provider} billed this submit, and its answer was lost.",
            hint="The charge stands because the money is spent; giving it back is a refund.",
            details={"provider": attempt.provider},
        )
        cost = cost_of(context, generation, attempt, None)
        attempts.settle(
            connection,
            generation.id,
            attempt.number,
            AttemptState.ACKNOWLEDGED,
            expected=(AttemptState.UNKNOWN,),
            is_closed=True,
            now=now,
        )
        _tell(context, connection, generation, as_=Resolution.CHARGED)
        charged = context.ledger.capture(connection, generation, full_charge(generation), now=now)
        _end(context, connection, generation, problem, charged, **as_changes(cost))
        if generation.state.is_terminal:
            book_cost_once(connection, generation, cost, now=now)

    return decide


def _releasing(context: JobContext, *, by: str) -> _Decide:
    def decide(connection: Connection, generation: Generation, attempt: Attempt) -> None:
        now = context.clock.now()
        problem = Problem(
            code="submit_not_charged",
            message=f"{attempt.provider} never took this submit.",
            hint="Nothing was charged; start it again if it is still wanted.",
            details={"provider": attempt.provider},
        )
        attempts.settle(
            connection,
            generation.id,
            attempt.number,
            AttemptState.REJECTED,
            expected=(AttemptState.UNKNOWN,),
            problem=problem,
            now=now,
        )
        _tell(context, connection, generation, as_=Resolution.NOT_CHARGED, by=by)
        context.ledger.release(connection, generation, now=now)
        _end(context, connection, generation, problem, 0)

    return decide


def _end(
    context: JobContext,
    connection: Connection,
    generation: Generation,
    problem: Problem,
    charged: int,
    **cost: Any,
) -> None:
    now = context.clock.now()
    if generation.state.is_terminal:
        # It was cancelled, which it stays; only its money was open.
        bookings.note_problem(connection, generation.id, problem, now=now)
        bookings.book(connection, generation.id, charge_micros=charged, now=now)
        return
    failed = generations.transition(
        connection,
        generation.id,
        GenerationState.FAILED,
        now=now,
        expected=(GenerationState.UNKNOWN,),
        problem=problem,
        stage=None,
        finished_at=now,
        **cost,
    )
    if failed is not None:
        close_books(context, connection, failed, charged, now=now)


def _tell(
    context: JobContext,
    connection: Connection,
    generation: Generation,
    *,
    as_: Resolution,
    by: str = "operator",
    vendor_id: str | None = None,
) -> None:
    data: dict[str, Any] = {"as": as_.value, "by": by}
    if vendor_id is not None:
        data["vendor_id"] = vendor_id
    tell(connection, generation, EventType.GENERATION_RESOLVED, context.clock.now(), data)


def _accepted(context: JobContext, attempt: Attempt, vendor_id: str | None) -> Accepted:
    if not vendor_id:
        raise InvalidRequestError(
            "vendor_id_required",
            "To attach a job, its name at the provider is needed.",
            pointer="/vendor_id",
            hint="The provider's dashboard shows it.",
        )
    handle = context.providers.get(attempt.provider).attach(vendor_id, attempt.upstream_id)
    if handle is None:
        raise InvalidRequestError(
            "attach_unsupported",
            f"{attempt.provider} answers at once and has no jobs to be asked about.",
            pointer="/as",
            hint="Resolve it as `charged` or `not_charged`, as the provider's bill says.",
        )
    return Accepted(handle=handle, vendor_id=vendor_id)


def _known(generation: Generation) -> ConflictError:
    return ConflictError(
        "not_unknown",
        f"It is known what became of {generation.id}: it is {generation.state.value}.",
        details={"state": generation.state.value},
    )
