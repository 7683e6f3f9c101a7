"""The transaction of a cancellation: the state flips at once, whatever the provider says."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mediawright.core.errors import ConflictError, NotFoundError
from mediawright.core.states import GenerationState, sources_of
from mediawright.jobs.settling import book_cancelled
from mediawright.store import generations

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from mediawright.core.generation import Generation
    from mediawright.jobs.context import JobContext

_CANCELLABLE = sources_of(GenerationState.CANCELLED) - {GenerationState.UNKNOWN}


def cancel_now(
    context: JobContext, connection: Connection, workspace_id: str, generation_id: str
) -> Generation:
    """Cancel a generation, and release its hold if no provider has heard of it.

    Returns:
        The generation as it has become; as it was, if it was cancelled before.

    Raises:
        NotFoundError: There is no such generation in the workspace.
        ConflictError: It has already ended, or nobody knows whether it was accepted.
    """
    now = context.clock.now()
    before = generations.get(connection, workspace_id, generation_id)
    if before is None:
        raise NotFoundError("generation_not_found", f"There is no generation {generation_id}.")
    if before.state is GenerationState.CANCELLED:
        return before
    if before.state not in _CANCELLABLE:
        raise _cannot_cancel(before)
    after = generations.transition(
        connection,
        generation_id,
        GenerationState.CANCELLED,
        now=now,
        expected=(before.state,),
        cancel_requested=True,
        stage=None,
        finished_at=now,
    )
    if after is None:
        # It went on meanwhile: to another state that can be cancelled, or to its end.
        return cancel_now(context, connection, workspace_id, generation_id)
    return book_cancelled(
        context,
        connection,
        after,
        now=now,
        unsent=before.state in (GenerationState.AWAITING_APPROVAL, GenerationState.QUEUED),
    )


def _cannot_cancel(generation: Generation) -> ConflictError:
    if generation.state is GenerationState.UNKNOWN:
        return ConflictError(
            "submit_unknown",
            "Nobody knows yet whether the provider took this generation.",
            hint="It can be resolved once that is known; its hold is kept until then.",
        )
    return ConflictError(
        "generation_finished",
        f"The generation has already ended: {generation.state.value}.",
        details={"state": generation.state.value},
    )
