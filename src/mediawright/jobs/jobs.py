"""The jobs layer's face: create a generation, follow it, cancel it, take up what was left."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterable
from typing import TYPE_CHECKING, Any

import structlog

from mediawright.core.errors import RateLimitedError
from mediawright.core.measures import Measure
from mediawright.core.states import GenerationState
from mediawright.jobs.abandoning import settle_abandoned
from mediawright.jobs.admission import Admission
from mediawright.jobs.background import Background
from mediawright.jobs.cancelling import cancel_now
from mediawright.jobs.chores import Chore, Chores
from mediawright.jobs.creating import create_now
from mediawright.jobs.dispatching import Dispatcher
from mediawright.jobs.fencing import claim
from mediawright.jobs.limits import LimitSettings
from mediawright.jobs.membership import Membership, SoleWorker, WorkerSettings
from mediawright.jobs.records import is_repeatable, load, reload
from mediawright.jobs.signals import Ended, wait_for_event
from mediawright.jobs.takeover import TakeOver
from mediawright.store import bookings, custody
from mediawright.store.kinds import WorkerRole

if TYPE_CHECKING:
    from mediawright.core.generation import Attempt, Generation
    from mediawright.jobs.advance import Steps
    from mediawright.jobs.context import JobContext
    from mediawright.jobs.creating import Claim
    from mediawright.jobs.ports import Engine

log = structlog.get_logger(__name__)

_LOOK_AGAIN = 1.0
"""Seconds between two looks at rows that another process may change."""
_NEGLECTED = 5.0
"""Seconds between two looks for generations of this process that nobody works on."""
_CLOSE_PATIENCE = 30.0
"""Seconds that closing waits for paid requests which are under way."""
_DISPATCH = "dispatch"
_TAKING_UP = "taking up"


class Jobs:
    """Runs generations: at once where the provider answers at once, durably otherwise."""

    def __init__(
        self,
        context: JobContext,
        steps: Steps,
        engine: Engine,
        *,
        admission: Admission | None = None,
        membership: Membership | None = None,
        settings: WorkerSettings | None = None,
    ) -> None:
        """Put the parts together; nothing is started.

        Args:
            context: The parts to work with.
            steps: What is done with a generation.
            engine: Runs the steps.
            admission: Decides which generations start; without limits by default.
            membership: Among whom this process works; alone by default.
            settings: How the work is shared.
        """
        self._context = context
        self._steps = steps
        self._engine = engine
        self._admission = admission or Admission(LimitSettings())
        self._membership = membership or SoleWorker(context.executor, context.clock)
        self._settings = settings or WorkerSettings()
        self._works = True
        self._started = False
        self._tasks = Background()
        self._beginning: set[str] = set()
        """Being written, to be run at once by this process."""
        self._at_once: set[str] = set()
        """What runs in tasks of this process, and not in the engine."""
        self._free: set[str] = set()
        """Tasks that may be broken off: their submit costs nothing and can be made again."""
        self._poked = False
        self._dispatcher = Dispatcher(
            context,
            self._admission,
            self._settings,
            begin=engine.adopt,
            busy=self._busy,
        )
        self._takeover = TakeOver(context, self._membership, self._works_on)
        self._chores = Chores(context.clock, self._membership.leads)

    async def start(
        self,
        *,
        eager: bool = False,
        role: WorkerRole = WorkerRole.EMBEDDED,
        fenced: Callable[[], None] | None = None,
        chores: Iterable[Chore] = (),
    ) -> int:
        """Begin to work, and take up what nobody works on.

        Args:
            eager: Start the engine even when nothing is waiting for it, as a server does.
            role: What this process does beside.
            fenced: What to do when others take over although this process lives; by default
                it breaks everything off and does nothing more.
            chores: Further work that comes round.

        Returns:
            How many generations earlier processes had left unfinished.
        """
        await self._membership.join(role, fenced or self._break_off)
        self._started = True
        await self._takeover.claim()
        left = await self._takeover.neglected(at_once=True)
        queued = await self._context.database.read(custody.count_queued)
        if left or eager:
            await self._engine.start()
        if left:
            # In the background: whoever waits to be served need not wait for that too.
            self._free.add(_TAKING_UP)
            self._tasks.spawn(_TAKING_UP, self._engine.adopt(left))
        if queued:
            self._poke()
        self._chores.begin((*self._own_chores(), *chores))
        self._chores.run(self._dispatcher.run())
        return len(left) + queued

    def only_create(self) -> None:
        """Leave it to other processes to run what this one creates."""
        self._works = False
        self._dispatcher.stop()

    async def create(self, generation: Generation, *, claim: Claim | None = None) -> Generation:
        """Write a new generation with its hold, and set it going or let it queue.

        Args:
            generation: The generation, queued.
            claim: What else it takes in the same transaction, such as its quote.

        Returns:
            The generation; an earlier one when its idempotency key was used before.

        Raises:
            InsufficientCreditError: The balance does not cover the price; nothing is written.
            RateLimitedError: The workspace or key is over its limits; nothing is written.
            ConflictError: The idempotency key was used for another request.
        """
        # Before it is written, so that nobody takes it for left behind.
        self._beginning.add(generation.id)
        at_once = self._works and self._busy() < self._settings.generations
        first, attempt = generation.routes[0], None
        if at_once and first.synchronous:
            # A provider that has failed is tried by one request; others wait how that goes.
            at_once = await self._context.health.take_turn(first.provider) is None
        try:
            created, attempt = await self._context.database.write(
                lambda connection: create_now(
                    self._context,
                    self._admission,
                    connection,
                    generation,
                    at_once=at_once,
                    claim=claim,
                )
            )
            if attempt is not None:
                self._tasks.spawn(created.id, self._run_at_once(created, attempt))
        except RateLimitedError as error:
            self._context.measures.count(Measure.LIMIT_REACHED, scope=error.details["of"])
            raise
        finally:
            self._beginning.discard(generation.id)
            if attempt is None and at_once and first.synchronous:
                await self._context.health.give_back(first.provider)
        if created.id != generation.id:
            return created
        self._context.signals.changed(created.id)
        if attempt is None:
            self._poke()
        return created

    async def resume(self, generation_id: str) -> None:
        """Run a generation again from where its rows say it stands.

        A process that does not work leaves it to the one that answers for it.

        Raises:
            UnavailableError: `worker_fenced`: another process answers for it, and lives.
        """
        if self._works:
            await claim(self._context, generation_id)
            await self._engine.enqueue(generation_id)

    async def cancel(self, workspace_id: str, generation_id: str) -> Generation:
        """Cancel a generation; its state flips at once, whatever the provider says.

        Raises:
            NotFoundError: There is no such generation in the workspace.
            ConflictError: It has already ended, or nobody knows whether it was accepted.
        """
        after = await self._context.database.write(
            lambda connection: cancel_now(self._context, connection, workspace_id, generation_id)
        )
        self._context.signals.changed(generation_id)
        settled = after.charge_micros is not None
        # A process that only looks on leaves it to the one that works to tell the provider.
        if not settled and self._works and not self._steps.is_active(generation_id):
            self._tasks.spawn(f"{generation_id}:cancel", self._stop_at_provider(after))
        return after

    async def wait(self, generation: Generation, seconds: float | None = None) -> Generation:
        """Return the generation when it has ended or `seconds` have passed, whichever is first.

        An unknown submit is returned too: only reconciliation can move it.
        """
        return (await self.outcome(generation, seconds)).generation

    async def outcome(self, generation: Generation, seconds: float | None = None) -> Ended:
        """Like `wait`; returns too what this process knows of how the generation ended."""
        loop = asyncio.get_running_loop()
        deadline = None if seconds is None else loop.time() + seconds
        with self._context.signals.waiting(generation.id) as changed:
            # What a task of this process runs, and was running just now, will tell when it ends.
            is_fresh = generation.id in self._tasks
            while True:
                if changed.ended is not None:
                    return changed.ended
                current = generation if is_fresh else await reload(self._context, generation)
                is_fresh = False
                if current.state.is_terminal or current.state is GenerationState.UNKNOWN:
                    return Ended(current)
                pause = _LOOK_AGAIN
                if deadline is not None:
                    pause = min(pause, deadline - loop.time())
                    if pause <= 0:
                        return Ended(current)
                await wait_for_event(changed, pause)

    def retire(self) -> None:
        """Begin nothing more; what is under way goes on until `close`."""
        self.only_create()

    async def close(self) -> None:
        """Stop. Waits go on elsewhere or later; paid requests under way are seen through."""
        self.retire()
        await self._chores.stop()
        if self._started:
            await self._tolerantly(self._finish_cancellations())
        going_on = await self._engine.let_go()
        left = {name for name in self._tasks.names() if self._may_leave(name)}
        self._tasks.cancel(left)
        if self._started:
            await self._hand_over(going_on | self._tasks.names() - left)
        await asyncio.gather(self._engine.close(), self._tasks.finish(_CLOSE_PATIENCE))
        await self._context.under_way.finish(_CLOSE_PATIENCE)
        await self._tasks.stop()
        # What was being begun when this was called may have started the engine since.
        await self._engine.close()
        if self._started:
            self._started = False
            await self._tolerantly(self._membership.leave())

    async def _run_at_once(self, generation: Generation, attempt: Attempt) -> None:
        self._at_once.add(generation.id)
        if is_repeatable(self._context, attempt.provider):
            self._free.add(generation.id)
        try:
            ended = await self._steps.run_at_once(generation, attempt)
        finally:
            self._at_once.discard(generation.id)
            self._free.discard(generation.id)
        if ended.state is GenerationState.RUNNING:
            await self._engine.enqueue(ended.id)

    async def _stop_at_provider(self, generation: Generation) -> None:
        """Settle a cancelled generation that nobody in this process is working on."""
        await settle_abandoned(self._context, generation)

    async def _finish_cancellations(self) -> None:
        """Tell the providers of cancelled generations before nobody is left to do it.

        What is not acknowledged yet is left to whoever awaits its reply.
        """
        for generation_id in await self._cancelled_and_open():
            await settle_abandoned(self._context, await load(self._context, generation_id))

    def _may_leave(self, name: str) -> bool:
        return name in self._free or self._steps.may_leave(name)

    def _busy(self) -> int:
        return self._engine.count() + len(self._at_once)

    def _works_on(self, generation_id: str) -> bool:
        return (
            self._engine.works_on(generation_id)
            or generation_id in self._tasks
            or generation_id in self._beginning
            or self._steps.is_active(generation_id)
        )

    def _poke(self) -> None:
        """Serve the queue now; what comes while it is served, is served too."""
        self._poked = True
        if self._works and _DISPATCH not in self._tasks:
            self._tasks.spawn(_DISPATCH, self._serve())

    async def _serve(self) -> None:
        while self._poked:
            self._poked = False
            await self._dispatcher.dispatch()

    def _break_off(self) -> None:
        """Stop acting at once, because others act in this process's place."""
        self.only_create()
        self._chores.cancel()
        self._tasks.cancel(self._tasks.names())
        self._tasks.spawn("let go", self._let_go())

    async def _let_go(self) -> None:
        await self._engine.let_go()

    async def _hand_over(self, kept: set[str]) -> None:
        await self._tolerantly(self._membership.hand_over(kept))

    async def _tolerantly(self, work: Coroutine[Any, Any, None]) -> None:
        try:
            await work
        except Exception:
            # Others, or the next start, will do it; the rest must be stopped all the same.
            log.exception("a part of stopping failed")

    def _own_chores(self) -> list[Chore]:
        return [
            Chore("cancellations", _LOOK_AGAIN, self._notice_cancellations),
            Chore("taking over", self._settings.sweep, self._take_over),
            Chore("neglected", _NEGLECTED, self._take_up_neglected),
        ]

    async def _take_over(self) -> None:
        taken = await self._takeover.claim()
        if taken:
            await self._engine.adopt(taken)

    async def _take_up_neglected(self) -> None:
        found = await self._takeover.neglected()
        if found:
            log.warning("generations are taken up again", count=len(found))
            await self._engine.adopt(found)

    async def _notice_cancellations(self) -> None:
        """Notice what another process asked of our generations."""
        for generation_id in await self._cancelled_and_open():
            self._context.signals.changed(generation_id)

    async def _cancelled_and_open(self) -> list[str]:
        executor = self._context.executor
        return await self._context.database.read(
            lambda connection: bookings.cancelled_and_open(connection, executor)
        )
