"""The jobs layer's face: create a generation, follow it, cancel it, take up what was left."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import msgspec
import structlog

from mediawright.core.errors import ConflictError, NotFoundError
from mediawright.core.events import EventType
from mediawright.core.states import GenerationState
from mediawright.jobs.settling import (
    acknowledged_attempt,
    book_cancelled,
    is_repeatable,
    load,
    reload,
    settle_abandoned,
)
from mediawright.jobs.signals import wait_for_event
from mediawright.jobs.submitting import first_attempt
from mediawright.store import attempts, bookings, events, generations

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from mediawright.core.generation import Attempt, Generation
    from mediawright.jobs.advance import Steps
    from mediawright.jobs.context import JobContext
    from mediawright.jobs.ports import Engine

log = structlog.get_logger(__name__)

_LOOK_AGAIN = 1.0
"""Seconds between two looks at rows that another process may change."""
_CLOSE_PATIENCE = 30.0
"""Seconds that closing waits for paid requests which are under way."""
_PAGE = 500


class Jobs:
    """Runs generations: at once where the provider answers at once, durably otherwise."""

    def __init__(self, context: JobContext, steps: Steps, engine: Engine) -> None:
        """Put the parts together; nothing is started."""
        self._context = context
        self._steps = steps
        self._engine = engine
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._free: set[str] = set()
        """Tasks that may be broken off: their submit costs nothing and can be made again."""
        self._watcher: asyncio.Task[None] | None = None

    async def start(self, *, eager: bool = False) -> int:
        """Take up what an earlier process left; return how many generations that is.

        Args:
            eager: Start the engine even when nothing is waiting for it, as a server does.
        """
        left = await self._left_behind()
        if left or eager:
            await self._engine.start()
        for generation_id in left:
            await self._engine.enqueue(generation_id)
        self._watcher = asyncio.create_task(self._watch())
        return len(left)

    async def create(self, generation: Generation) -> Generation:
        """Write a new generation with its hold, and set it going.

        Returns:
            The generation; an earlier one when its idempotency key was used before.

        Raises:
            InsufficientCreditError: The balance does not cover the price; nothing is written.
            ConflictError: The idempotency key was used for another request.
        """
        attempt: Attempt | None = None
        if generation.routes[0].synchronous:
            generation, attempt = self._begun(generation)
        created = await self._context.database.write(
            lambda connection: self._insert(connection, generation, attempt)
        )
        if created.id != generation.id:
            return created
        self._context.signals.changed(created.id)
        if attempt is not None:
            if is_repeatable(self._context, attempt.provider):
                self._free.add(created.id)
            self._spawn(created.id, self._run_at_once(created, attempt))
        else:
            await self._engine.enqueue(created.id)
        return created

    async def cancel(self, workspace_id: str, generation_id: str) -> Generation:
        """Cancel a generation; its state flips at once, whatever the provider says.

        Raises:
            NotFoundError: There is no such generation in the workspace.
            ConflictError: It has already ended, or nobody knows whether it was accepted.
        """
        after = await self._context.database.write(
            lambda connection: self._cancel(connection, workspace_id, generation_id)
        )
        self._context.signals.changed(generation_id)
        settled = after.charge_micros is not None
        # A process that only looks on leaves it to the one that works to tell the provider.
        works_here = self._watcher is not None
        if not settled and works_here and not self._steps.is_active(generation_id):
            self._spawn(f"{generation_id}:cancel", self._stop_at_provider(after))
        return after

    async def wait(self, generation: Generation, seconds: float | None = None) -> Generation:
        """Return the generation when it has ended or `seconds` have passed, whichever is first.

        An unknown submit is returned too: only reconciliation can move it.
        """
        loop = asyncio.get_running_loop()
        deadline = None if seconds is None else loop.time() + seconds
        with self._context.signals.waiting(generation.id) as changed:
            while True:
                current = await reload(self._context, generation)
                if current.state.is_terminal or current.state is GenerationState.UNKNOWN:
                    return current
                pause = _LOOK_AGAIN
                if deadline is not None:
                    pause = min(pause, deadline - loop.time())
                    if pause <= 0:
                        return current
                await wait_for_event(changed, pause)

    async def close(self) -> None:
        """Stop. Waits go on at the next start; paid requests under way are seen through."""
        if self._watcher is not None:
            self._watcher.cancel()
            with suppress(asyncio.CancelledError):
                await self._watcher
            await self._finish_cancellations()
        await self._engine.close()
        for name in self._free:
            if name in self._tasks:
                self._tasks[name].cancel()
        if self._tasks:
            await asyncio.wait(self._tasks.values(), timeout=_CLOSE_PATIENCE)
        for task in list(self._tasks.values()):
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    def _begun(self, generation: Generation) -> tuple[Generation, Attempt]:
        now = generation.created_at
        begun = msgspec.structs.replace(
            generation,
            state=GenerationState.SUBMITTING,
            executor=self._context.executor,
            started_at=now,
        )
        return begun, first_attempt(begun, self._context.executor, now)

    def _insert(
        self, connection: Connection, generation: Generation, attempt: Attempt | None
    ) -> Generation:
        if generation.idempotency_key is not None:
            earlier = generations.by_idempotency_key(
                connection, generation.workspace_id, generation.idempotency_key
            )
            if earlier is not None:
                return same_request(earlier, generation.request_hash)
        if not generations.insert(connection, generation):
            # Another process came first, between the two statements.
            return self._insert(connection, generation, attempt)
        self._context.ledger.hold(connection, generation)
        if attempt is not None:
            attempts.begin(connection, attempt)
        self._context.tracer.begin(connection, generation)
        events.append(
            connection,
            workspace_id=generation.workspace_id,
            type=EventType.GENERATION_CREATED,
            generation_id=generation.id,
            data={"model": generation.model, "operation": generation.operation.value},
            now=generation.created_at,
        )
        return generation

    def _cancel(self, connection: Connection, workspace_id: str, generation_id: str) -> Generation:
        now = self._context.clock.now()
        before = generations.get(connection, workspace_id, generation_id)
        if before is None:
            raise NotFoundError("generation_not_found", f"There is no generation {generation_id}.")
        if before.state is GenerationState.CANCELLED:
            return before
        after = None
        if before.state is not GenerationState.UNKNOWN:
            after = generations.transition(
                connection,
                generation_id,
                GenerationState.CANCELLED,
                now=now,
                cancel_requested=True,
                stage=None,
                finished_at=now,
            )
        if after is None:
            raise _cannot_cancel(before)
        return book_cancelled(
            self._context,
            connection,
            after,
            now=now,
            unsent=before.state in (GenerationState.AWAITING_APPROVAL, GenerationState.QUEUED),
        )

    async def _run_at_once(self, generation: Generation, attempt: Attempt) -> None:
        ended = await self._steps.run_at_once(generation, attempt)
        if ended.state is GenerationState.RUNNING:
            await self._engine.enqueue(ended.id)

    async def _stop_at_provider(self, generation: Generation) -> None:
        """Settle a cancelled generation that nobody in this process is working on."""
        acknowledged = await acknowledged_attempt(self._context, generation.id)
        await settle_abandoned(self._context, generation, acknowledged)

    async def _finish_cancellations(self) -> None:
        """Tell the providers of cancelled generations before nobody is left to do it.

        What is not acknowledged yet is left to whoever awaits its reply.
        """
        for generation_id in await self._cancelled_and_open(self._context.executor):
            attempt = await acknowledged_attempt(self._context, generation_id)
            if attempt is not None:
                generation = await load(self._context, generation_id)
                await settle_abandoned(self._context, generation, attempt)

    def _spawn(self, name: str, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks[name] = task
        task.add_done_callback(lambda done: self._ended(name, done))

    def _ended(self, name: str, task: asyncio.Task[None]) -> None:
        self._tasks.pop(name, None)
        self._free.discard(name)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("background work failed", work=name, exc_info=error)

    async def _left_behind(self) -> list[str]:
        found: list[str] = []
        after: str | None = None
        while True:
            last = after
            page = await self._context.database.read(
                lambda connection, last=last: generations.unfinished(
                    connection, limit=_PAGE, after=last
                )
            )
            found.extend(item.id for item in page if item.state is not GenerationState.UNKNOWN)
            if len(page) < _PAGE:
                return found + await self._cancelled_and_open(None)
            after = page[-1].id

    async def _watch(self) -> None:
        """Notice what another process asked of our generations."""
        while True:
            await asyncio.sleep(_LOOK_AGAIN)
            try:
                wanted = await self._cancelled_and_open(self._context.executor)
            except Exception:
                # A database that is away for a moment must not end this for good.
                log.exception("looking for cancellations failed")
                continue
            for generation_id in wanted:
                self._context.signals.changed(generation_id)

    async def _cancelled_and_open(self, executor: str | None) -> list[str]:
        return await self._context.database.read(
            lambda connection: bookings.cancelled_and_open(connection, executor)
        )


def same_request(earlier: Generation, request_hash: str | None) -> Generation:
    """Return the generation that an idempotency key belongs to.

    Raises:
        ConflictError: `idempotency_key_reused`: it was made for another request.
    """
    if earlier.request_hash == request_hash:
        return earlier
    raise ConflictError(
        "idempotency_key_reused",
        "This Idempotency-Key was used for another request.",
        hint="Use a new key for a new request.",
        details={"generation_id": earlier.id},
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
