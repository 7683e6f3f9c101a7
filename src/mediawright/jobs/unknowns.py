"""Noting that nobody knows whether a provider took a job."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mediawright.core.events import EventType
from mediawright.core.provider import Fault, FaultKind
from mediawright.core.states import AttemptState, GenerationState
from mediawright.jobs.announcing import tell
from mediawright.jobs.faults import problem_of
from mediawright.jobs.fencing import locked
from mediawright.jobs.records import reload
from mediawright.store import attempts, bookings, generations

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from mediawright.core.generation import Attempt, Generation
    from mediawright.jobs.context import JobContext

BROKEN_OFF = Fault(
    kind=FaultKind.LOST_REPLY,
    message="the process ended while the request was under way",
    accepted=None,
)
"""What is known of a submit whose process has gone."""


async def settle_unknown(
    context: JobContext, generation: Generation, attempt: Attempt, fault: Fault
) -> Generation:
    """Note that nobody knows whether the provider took the job, and raise the alert.

    The hold stays until a look-up, the provider's report, a reply that turns up or an operator
    tells. A generation that was cancelled meanwhile stays so, with its money open.

    Returns:
        The generation as it is now; unchanged if the attempt's fate was found out meanwhile.
    """
    problem = problem_of(fault, attempt.provider)
    now = context.clock.now()

    def work(connection: Connection) -> bool:
        current = locked(context, connection, generation.id)
        settled = attempts.settle(
            connection,
            generation.id,
            attempt.number,
            AttemptState.UNKNOWN,
            problem=problem,
            now=now,
        )
        if settled is None:
            return False
        if current.state.is_terminal:
            bookings.note_problem(connection, generation.id, problem, now=now)
        else:
            # Nobody works on it any more; whoever finds out takes it up.
            generations.transition(
                connection,
                generation.id,
                GenerationState.UNKNOWN,
                now=now,
                problem=problem,
                executor=None,
            )
        data = {"code": problem.code, "provider": attempt.provider, "attempt": attempt.number}
        tell(connection, current, EventType.GENERATION_UNKNOWN, now, data)
        return True

    await context.database.write(work)
    context.signals.changed(generation.id)
    return await reload(context, generation)
