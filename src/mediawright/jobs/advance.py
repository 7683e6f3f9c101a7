"""The steps of one generation by its id, each safe to repeat, driven by our own rows."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, TypeVar

import structlog

from mediawright.core.errors import Problem
from mediawright.core.provider import Done
from mediawright.core.states import GenerationState
from mediawright.jobs.settling import (
    acknowledged_attempt,
    latest_attempt,
    load,
    reload,
    settle_abandoned,
    settle_without_media,
)
from mediawright.jobs.storing import store
from mediawright.jobs.submitting import Delivered, Outcome, submit
from mediawright.jobs.waiting import wait

if TYPE_CHECKING:
    from mediawright.core.generation import Attempt, Generation
    from mediawright.jobs.context import JobContext

log = structlog.get_logger(__name__)

_T = TypeVar("_T")
_STEP_TRIES = 3
_BEFORE_ACCEPTANCE = (GenerationState.QUEUED, GenerationState.SUBMITTING)


class Steps:
    """Submit, wait and store, as the engine calls them.

    Between wait and store the result lies in memory; after a crash it is asked for again,
    which costs nothing.
    """

    def __init__(self, context: JobContext) -> None:
        """Work with these parts."""
        self._context = context
        self._delivered: dict[str, Delivered] = {}
        self._active: Counter[str] = Counter()

    def is_active(self, generation_id: str) -> bool:
        """Tell whether a step of that generation runs in this process now."""
        return self._active[generation_id] > 0

    async def run_at_once(self, generation: Generation, fresh: Attempt) -> Generation:
        """Run a new generation whose first provider answers at once, up to its end.

        Should a later route turn out to be asynchronous, it comes back running.
        """
        context = self._context
        unsent = [fresh]

        def send() -> Awaitable[Outcome]:
            # Only the first try may take the attempt for unsent: a second one finds its intent.
            return submit(context, generation, unsent.pop() if unsent else None)

        async with self._working(generation.id):
            outcome = await _patiently(context, generation, "submit", send)
            if isinstance(outcome, Delivered):
                return await self._store(outcome)
            return outcome

    async def submit(self, generation_id: str) -> str:
        """Get it accepted by a provider. Returns the state it is then in."""
        generation = await load(self._context, generation_id)
        if generation.state not in _BEFORE_ACCEPTANCE:
            return generation.state.value
        context = self._context
        async with self._working(generation_id):
            outcome = await _patiently(
                context, generation, "submit", lambda: submit(context, generation)
            )
        return self._keep(outcome)

    async def wait(self, generation_id: str) -> str:
        """Wait for the provider's answer. Returns the state it is then in."""
        if generation_id in self._delivered:
            return GenerationState.STORING.value
        generation = await load(self._context, generation_id)
        async with self._working(generation_id):
            outcome = await _patiently(
                self._context, generation, "wait", lambda: self._until_delivered(generation_id)
            )
        return self._keep(outcome)

    async def store(self, generation_id: str) -> str:
        """Store the media and settle. Returns the state it ended in."""
        delivered = self._delivered.pop(generation_id, None)
        if delivered is None:
            outcome = await self._until_delivered(generation_id)
            if not isinstance(outcome, Delivered):
                return outcome.state.value
            delivered = outcome
        async with self._working(generation_id):
            return (await self._store(delivered)).state.value

    async def _store(self, delivered: Delivered) -> Generation:
        return await _patiently(
            self._context,
            delivered.generation,
            "store",
            lambda: store(self._context, delivered),
        )

    @asynccontextmanager
    async def _working(self, generation_id: str) -> AsyncGenerator[None]:
        self._active[generation_id] += 1
        try:
            yield
            await self._context.tracer.flush(generation_id)
        finally:
            self._active[generation_id] -= 1
            if not self._active[generation_id]:
                del self._active[generation_id]

    def _keep(self, outcome: Outcome) -> str:
        if isinstance(outcome, Delivered):
            self._delivered[outcome.generation.id] = outcome
            return GenerationState.STORING.value
        return outcome.state.value

    async def _until_delivered(self, generation_id: str) -> Outcome:
        generation = await load(self._context, generation_id)
        if generation.state is GenerationState.RUNNING:
            return await wait(self._context, generation)
        if generation.state is GenerationState.STORING:
            attempt = await latest_attempt(self._context, generation_id)
            return generation if attempt is None else await self._result_again(generation, attempt)
        if generation.state.is_terminal and generation.charge_micros is None:
            acknowledged = await acknowledged_attempt(self._context, generation_id)
            return await settle_abandoned(self._context, generation, acknowledged)
        return generation

    async def _result_again(self, generation: Generation, attempt: Attempt) -> Outcome:
        """Get a result that was delivered before a crash and not stored."""
        kept = await self._context.replies.load(generation.id, attempt.number)
        if kept is not None:
            return Delivered(generation=generation, attempt=attempt, done=kept)
        provider = self._context.providers.get(attempt.provider)
        while True:
            polled = await provider.poll(attempt.handle or {}, attempt.upstream_id)
            if isinstance(polled, Done):
                return Delivered(generation=generation, attempt=attempt, done=polled)
            pause = self._context.settings.cadence.of(generation.operation).longest
            await self._context.clock.sleep(pause)


async def _patiently(
    context: JobContext, generation: Generation, step: str, work: Callable[[], Awaitable[_T]]
) -> _T | Generation:
    """Run a step again after a defect of ours; after the last try end the generation.

    What a provider does wrong never arrives here; this is for a full disk or a bug.
    """
    reason = ""
    for tries in range(1, _STEP_TRIES + 1):
        try:
            return await work()
        except Exception as error:
            log.exception("step failed", step=step, generation_id=generation.id, tries=tries)
            reason = type(error).__name__
            await context.clock.sleep(float(tries))
    problem = Problem(
        code="internal_error",
        message=f"The {step} step failed {_STEP_TRIES} times ({reason}).",
        hint="This is a defect of mediawright; the log has the details.",
    )
    return await settle_without_media(
        context, await reload(context, generation), GenerationState.FAILED, problem
    )
