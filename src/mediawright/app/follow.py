"""Looking at generations, waiting for them, cancelling them."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from typing import TYPE_CHECKING

from mediawright.core.errors import (
    ErrorKind,
    MediawrightError,
    NotFoundError,
    ProviderError,
    RefusedError,
)
from mediawright.core.states import GenerationState, PublicStatus, public_status
from mediawright.store import assets, generations, spans

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from mediawright.app.runtime import Runtime
    from mediawright.core.generation import Asset, Generation, Span
    from mediawright.core.operations import Operation

OnProgress = Callable[[float | None, str | None], None]
"""Called with the part done (0 to 1, `None` while unknown) and the stage; from any thread."""


class GenerationFailedError(ProviderError):
    """A generation ended without media; `generation` is how it ended."""

    def __init__(self, generation: Generation) -> None:
        """Take code, message and hint from the generation's problem."""
        problem = generation.problem
        super().__init__(
            problem.code if problem else generation.state.value,
            problem.message if problem else f"The generation was {generation.state.value}.",
            hint=(problem.hint if problem else None)
            or f"See what happened: mediawright trace {generation.id}",
            details={**(problem.details if problem else {}), "generation_id": generation.id},
        )
        self.generation = generation


class GenerationRefusedError(RefusedError, GenerationFailedError):
    """The provider's safety policy refused the generation."""

    kind = ErrorKind.REFUSED

    def __init__(self, generation: Generation) -> None:
        """Take code, message and hint from the generation's problem."""
        GenerationFailedError.__init__(self, generation)


def failure_of(generation: Generation) -> MediawrightError | None:
    """Return the error that a finished generation amounts to, if it does."""
    if generation.state is GenerationState.REFUSED:
        return GenerationRefusedError(generation)
    if generation.state.is_terminal and generation.state is not GenerationState.SUCCEEDED:
        return GenerationFailedError(generation)
    if generation.state is GenerationState.UNKNOWN:
        return GenerationFailedError(generation)
    return None


async def get_generation(runtime: Runtime, workspace_id: str, generation_id: str) -> Generation:
    """Return a generation.

    Raises:
        NotFoundError: There is none of that id in the workspace.
    """
    found = await runtime.database.read(
        lambda connection: generations.get(connection, workspace_id, generation_id)
    )
    if found is None:
        raise NotFoundError(
            "generation_not_found",
            f"There is no generation {generation_id}.",
            hint="List them: mediawright generations list",
        )
    return found


async def list_generations(
    runtime: Runtime,
    workspace_id: str,
    *,
    limit: int = 20,
    before: str | None = None,
    states: frozenset[GenerationState] | None = None,
    status: PublicStatus | None = None,
    model: str | None = None,
    operation: Operation | None = None,
    metadata: dict[str, str] | None = None,
) -> list[tuple[Generation, list[Asset]]]:
    """Return a workspace's generations with their outputs, newest first.

    Args:
        runtime: The installation.
        workspace_id: Whose.
        limit: At most so many.
        before: The id of the last one already seen.
        states: Only those in one of these states.
        status: Only those that are shown with this status.
        model: Only those of this model.
        operation: Only those that do this.
        metadata: Only those whose request has all of these labels.
    """
    wanted = states if status is None else _states_shown_as(status)

    def work(connection: Connection) -> list[tuple[Generation, list[Asset]]]:
        page: list[Generation] = []
        last = before
        while True:
            found = generations.page(
                connection,
                workspace_id,
                limit=limit,
                before=last,
                states=wanted,
                model=model,
                operation=operation,
                metadata=metadata,
            )
            # A running generation is shown by what its provider says, which is no state.
            page += [item for item in found if status in (None, item.status)]
            if len(page) >= limit or len(found) < limit:
                break
            last = found[-1].id
        page = page[:limit]
        outputs = assets.for_generations(
            connection,
            workspace_id,
            [item.id for item in page],
        )
        return [(item, outputs[item.id]) for item in page]

    return await runtime.database.read(work)


def _states_shown_as(status: PublicStatus) -> frozenset[GenerationState]:
    return frozenset(
        state
        for state in GenerationState
        if status
        in (
            public_status(state),
            public_status(state, waiting_at_provider=True),
            public_status(state, has_progress=True),
        )
    )


async def wait_for(
    runtime: Runtime,
    generation: Generation,
    *,
    seconds: float | None = None,
    on_progress: OnProgress | None = None,
) -> Generation:
    """Return the generation when it has ended, or as it is after `seconds`."""
    with ExitStack() as stack:
        if on_progress is not None:
            listener = on_progress
            stack.enter_context(
                runtime.signals.listening(
                    generation.id, lambda _, done, stage: listener(done, stage)
                )
            )
        return await runtime.jobs.wait(generation, seconds)


async def trace_of(runtime: Runtime, workspace_id: str, generation_id: str) -> list[Span]:
    """Return the spans of a generation's trace, in the order they began."""
    generation = await get_generation(runtime, workspace_id, generation_id)
    return await runtime.database.read(
        lambda connection: spans.for_trace(connection, workspace_id, generation.trace_id)
    )
