"""A jobs layer on real storage, with providers that follow a script and time that is moved."""

from __future__ import annotations

import asyncio
import io
from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
from PIL import Image

from mediawright.assets.drive import Drive
from mediawright.assets.library import AssetLibrary
from mediawright.assets.staging import Staging
from mediawright.core.clock import ManualClock
from mediawright.core.errors import MissingApiKeyError, ProviderError
from mediawright.core.generation import Generation, RoutePlan
from mediawright.core.ids import IdPrefix, new_id
from mediawright.core.money import Money, Price, PriceBasis
from mediawright.core.operations import MediaKind, Operation
from mediawright.core.provider import (
    Broken,
    Declined,
    Done,
    Fault,
    FaultKind,
    Feature,
    InlineMedia,
    MediaCall,
    RemoteMedia,
    Unclear,
    Usage,
)
from mediawright.core.request import GenerationRequest
from mediawright.core.states import GenerationState
from mediawright.jobs.advance import Steps
from mediawright.jobs.context import JobContext, JobSettings
from mediawright.jobs.jobs import Jobs
from mediawright.jobs.ports import AlwaysTried, ProviderHealth
from mediawright.jobs.replies import ReplyJournal
from mediawright.ledger.ledger import Ledger
from mediawright.store import attempts, events, generations, ledger_entries
from mediawright.store.database import Database
from mediawright.tracing.tracer import Tracer

WORKSPACE = "wsp_00000000000000000000000000000001"
CREDITS = Decimal(100)


def png(colour: str = "teal", size: tuple[int, int] = (8, 6)) -> bytes:
    """Return a real picture."""
    buffer = io.BytesIO()
    Image.new("RGB", size, colour).save(buffer, "PNG")
    return buffer.getvalue()


PICTURE = png()


def picture_reply(usage: Usage | None = None) -> Done:
    """Return what a provider that answers at once gives."""
    media = InlineMedia(kind=MediaKind.IMAGE, data=PICTURE, content_type="image/png")
    return Done(outputs=(media,), usage=usage or Usage())


def remote_reply(url: str = "https://files.test/a.png", usage: Usage | None = None) -> Done:
    """Return what a provider that makes one wait gives in the end."""
    return Done(outputs=(RemoteMedia(kind=MediaKind.IMAGE, url=url),), usage=usage or Usage())


def declined(kind: FaultKind, **fields: Any) -> Declined:
    """Return a submit that was not taken, or of which nobody knows."""
    return Declined(fault=Fault(kind=kind, message=f"scripted {kind.value}", **fields))


def broken(kind: FaultKind, usage: Usage | None = None) -> Broken:
    """Return a job that ended without media."""
    fault = Fault(kind=kind, message=f"scripted {kind.value}")
    return Broken(fault=fault, usage=usage or Usage())


LOST = declined(FaultKind.LOST_REPLY, accepted=None)


@dataclass
class ScriptedProvider:
    """Answers as its script says; the last answer is repeated."""

    name: str = "scripted"
    features: frozenset[Feature] = frozenset()
    submits: list[Any] = field(default_factory=lambda: [picture_reply()])
    polls: list[Any] = field(default_factory=lambda: [remote_reply()])
    lookups: list[Any] = field(default_factory=lambda: [Unclear(reason="scripted")])
    can_cancel: bool = True
    attachable: bool = True
    looked_up: list[str] = field(default_factory=list)
    calls: list[MediaCall] = field(default_factory=list)
    polled: int = 0
    cancelled: list[dict[str, Any]] = field(default_factory=list)
    gate: asyncio.Event | None = None
    """While it is there and not set, submits hang."""

    async def submit(self, call: MediaCall, report: Any) -> Any:
        self.calls.append(call)
        report(0.5, "working")
        if self.gate is not None:
            await self.gate.wait()
        return self._next(self.submits)

    async def poll(self, handle: dict[str, Any], upstream_id: str) -> Any:
        self.polled += 1
        return self._next(self.polls)

    async def cancel(self, handle: dict[str, Any], upstream_id: str) -> bool:
        self.cancelled.append(handle)
        return self.can_cancel

    async def lookup(self, client_reference: str, upstream_id: str) -> Any:
        self.looked_up.append(client_reference)
        return self._next(self.lookups)

    def attach(self, vendor_id: str, upstream_id: str) -> dict[str, Any] | None:
        return {"id": vendor_id} if self.attachable else None

    @staticmethod
    def _next(script: list[Any]) -> Any:
        return script.pop(0) if len(script) > 1 else script[0]


class Directory:
    """Providers by name; a name without provider has no key."""

    def __init__(self, *providers: ScriptedProvider) -> None:
        self.by_name = {provider.name: provider for provider in providers}

    def get(self, name: str) -> ScriptedProvider:
        if name not in self.by_name:
            raise MissingApiKeyError(name, f"{name.upper()}_KEY")
        return self.by_name[name]


@dataclass
class Fetched:
    path: Path


class Downloads:
    """Fetches from a mapping of URLs; what is missing there fails."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.files: dict[str, bytes] = {"https://files.test/a.png": PICTURE}
        self.asked: list[str] = []

    async def download(self, url: str, *, max_bytes: int) -> Fetched:
        self.asked.append(url)
        if url not in self.files:
            raise ProviderError("download_failed", "the file is gone")
        path = self.folder / f"{len(self.asked)}.part"
        path.write_bytes(self.files[url])
        return Fetched(path)


class DirectEngine:
    """Runs the steps in tasks of this loop, without durability."""

    def __init__(self, steps: Steps) -> None:
        self.steps = steps
        self.tasks: list[asyncio.Task[str]] = []
        self.enqueued: list[str] = []
        self.runs: dict[str, asyncio.Task[str]] = {}

    async def start(self) -> None:
        return None

    async def enqueue(self, generation_id: str) -> None:
        self.enqueued.append(generation_id)
        if generation_id in self.runs:
            return
        task = asyncio.create_task(self._run(generation_id))
        self.runs[generation_id] = task
        self.tasks.append(task)
        task.add_done_callback(lambda ended: self._ended(generation_id, ended))

    async def adopt(self, generation_ids: Sequence[str]) -> None:
        for generation_id in generation_ids:
            await self.enqueue(generation_id)

    def works_on(self, generation_id: str) -> bool:
        return generation_id in self.runs

    def count(self) -> int:
        return len(self.runs)

    def _ended(self, generation_id: str, task: asyncio.Task[str]) -> None:
        if self.runs.get(generation_id) is task:
            del self.runs[generation_id]
        if not task.cancelled():
            task.exception()

    async def _run(self, generation_id: str) -> str:
        await self.steps.submit(generation_id)
        await self.steps.wait(generation_id)
        return await self.steps.store(generation_id)

    async def forget(self, generation_id: str) -> None:
        return None

    async def forget_old(self, before: datetime, living: Collection[str]) -> int:
        return 0

    async def counts(self) -> dict[str, int]:
        return {}

    async def let_go(self) -> set[str]:
        return set()

    async def close(self) -> None:
        for task in self.tasks:
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)


class Bench:
    """One process's life on a data folder; `restart` begins another on the same."""

    def __init__(self, folder: Path, clock: ManualClock) -> None:
        self.folder = folder
        self.clock = clock
        self.database = Database(f"sqlite:///{folder / 'test.db'}")
        self.database.migrate()
        self.downloads = Downloads(folder)
        self.settings = JobSettings()
        self.health: ProviderHealth = AlwaysTried()
        self.use(ScriptedProvider())

    def use(self, *providers: ScriptedProvider) -> ScriptedProvider:
        """Begin a process with these providers; return the first."""
        staging = Staging(self.folder / "staging")
        self.directory = Directory(*providers)
        self.ledger = Ledger(self.database)
        self.context = JobContext(
            database=self.database,
            ledger=self.ledger,
            tracer=Tracer(self.database, self.clock),
            library=AssetLibrary(Drive.local(self.folder / "files"), staging, self.clock),
            providers=self.directory,
            downloader=self.downloads,
            replies=ReplyJournal(self.folder / "replies"),
            cost_of=self._cost,
            clock=self.clock,
            executor="test",
            settings=self.settings,
            health=self.health,
        )
        self.steps = Steps(self.context)
        self.engine = DirectEngine(self.steps)
        self.jobs = Jobs(self.context, self.steps, self.engine)
        return providers[0]

    async def die(self) -> None:
        """End this process's work as a kill would: nothing is tidied up."""
        self.jobs._chores.cancel()
        await self.jobs._tasks.stop()
        await self.engine.close()
        await self.context.under_way.break_off()

    @staticmethod
    def _cost(generation: Generation, route: RoutePlan, usage: Usage) -> Any:
        if usage.cost is not None:
            return usage.cost.amount, PriceBasis.VENDOR_REPORTED
        return None if route.price.usd is None else (route.price.usd, PriceBasis.COMPUTED)

    def generation(self, **changes: Any) -> Generation:
        """Return a new generation of 10 credits on one synchronous route."""
        now = self.clock.now()
        price = Price(credits=Decimal(10), usd=Decimal("0.08"), basis=PriceBasis.COMPUTED)
        route = RoutePlan(provider="scripted", upstream_id="model-1", price=price, synchronous=True)
        base = Generation(
            id=new_id(IdPrefix.GENERATION),
            workspace_id=WORKSPACE,
            trace_id=new_id(IdPrefix.TRACE),
            state=GenerationState.QUEUED,
            operation=Operation.TEXT_TO_IMAGE,
            provider="scripted",
            model="test-model",
            request=GenerationRequest(model="test-model", prompt="a fox"),
            routes=(route,),
            price=price,
            request_hash="hash",
            created_at=now,
            updated_at=now,
        )
        return msgspec.structs.replace(base, **changes)

    def queued(self, **changes: Any) -> Generation:
        """Return a new generation whose provider makes one wait."""
        base = self.generation()
        route = msgspec.structs.replace(base.routes[0], synchronous=False)
        return msgspec.structs.replace(base, routes=(route,), **changes)

    async def until(self, holds: Callable[[], Awaitable[bool] | bool]) -> None:
        """Let threads and tasks make progress, without moving time, until something holds."""
        async with asyncio.timeout(20):
            while True:
                answer = holds()
                if answer if isinstance(answer, bool) else await answer:
                    return
                await asyncio.sleep(0.001)

    async def until_state(self, generation: Generation, state: GenerationState) -> None:
        """Let things go on, without moving time, until the generation is in that state."""

        async def holds() -> bool:
            return (await self.look(generation)).state is state

        await self.until(holds)

    async def settle(self, generation: Generation, *, seconds: float = 30.0) -> Generation:
        """Move time in small steps until the generation stands still or time is up."""
        for _ in range(int(seconds * 4)):
            await self.spin()
            current = await self.look(generation)
            done = current.charge_micros is not None or current.state is GenerationState.UNKNOWN
            if done:
                return current
            await self.clock.advance(0.25)
        return await self.look(generation)

    async def spin(self, times: int = 12) -> None:
        """Let threads and tasks make progress without moving time."""
        for _ in range(times):
            await asyncio.sleep(0.001)

    async def look(self, generation: Generation) -> Generation:
        found = await self.database.read(lambda c: generations.get(c, None, generation.id))
        assert found is not None
        return found

    async def entries(self, generation: Generation) -> list[tuple[str, int]]:
        """Return kind and credits of the generation's ledger entries."""
        found = await self.database.read(
            lambda c: ledger_entries.for_generation(c, WORKSPACE, generation.id)
        )
        return [(entry.kind.value, entry.amount_micros // 1_000_000) for entry in found]

    async def available(self) -> int:
        """Return the workspace's credits."""
        balance = await self.ledger.balance(WORKSPACE)
        return Money.credits(balance.available.amount).micros // 1_000_000

    async def attempt_states(self, generation: Generation) -> list[str]:
        found = await self.database.read(lambda c: attempts.for_generation(c, None, generation.id))
        return [attempt.state.value for attempt in found]

    async def event_types(self) -> list[str]:
        found = await self.database.read(lambda c: events.after(c, WORKSPACE, 0, 500))
        return [event.type.value for event in found]
