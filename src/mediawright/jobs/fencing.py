"""Who may change a generation: the process in charge of it, and no other.

A process that was taken over from may wake up in the middle of a step. Whatever it then tries
to write is compared with the name in the generation's row, and it leaves everything as it is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mediawright.core.errors import UnavailableError
from mediawright.jobs.records import load, no_such_generation
from mediawright.store import generations
from mediawright.store.custody import GIVEN_BACK

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from mediawright.core.generation import Generation
    from mediawright.jobs.context import JobContext

_CODE = "worker_fenced"


def fenced(generation_id: str) -> UnavailableError:
    """Return the error of a process that another one has taken the generation over from."""
    return UnavailableError(
        _CODE,
        f"Another process is in charge of {generation_id} now.",
        details={"generation_id": generation_id},
    )


def is_fenced(error: BaseException) -> bool:
    """Tell whether an error says that this process may not act on the generation any more."""
    return isinstance(error, UnavailableError) and error.code == _CODE


def is_own(context: JobContext, generation: Generation) -> bool:
    """Tell whether no other process is in charge of the generation."""
    return generation.executor in (None, context.executor)


async def claim(context: JobContext, generation_id: str) -> Generation:
    """Put this process in charge of a generation, if nobody is who lives.

    Raises:
        UnavailableError: `worker_fenced`: another living process is in charge of it, or this
            one may not act any more.
    """
    while True:
        context.lease.require()
        generation = await load(context, generation_id)
        if generation.executor == context.executor:
            return generation
        if await is_run_elsewhere(context, generation):
            raise fenced(generation_id)
        before = generation.executor
        claimed = await context.database.write(
            lambda connection, before=before: generations.claim(
                connection, generation_id, context.executor, before=before
            )
        )
        if claimed is not None:
            return claimed


async def is_run_elsewhere(context: JobContext, generation: Generation) -> bool:
    """Tell whether another living process is in charge of the generation."""
    executor = generation.executor
    if executor in (None, GIVEN_BACK, context.executor):
        return False
    return await context.executors.is_alive(executor or "")


def locked(context: JobContext, connection: Connection, generation_id: str) -> Generation:
    """Return a generation that only the open transaction can change.

    Raises:
        UnavailableError: `worker_fenced`: another process is in charge of it.
        NotFoundError: There is none of that id.
    """
    current = generations.lock(connection, generation_id)
    if current is None:
        raise no_such_generation(generation_id)
    if not is_own(context, current):
        raise fenced(generation_id)
    return current
