"""Any interleaving of answers, crashes, cancellations, reports, resolutions and sweeps.

A vendor keeps its own book of what it took. Whatever happens, it never takes a generation
twice, and our ledger says of every hold where it went.
"""

from __future__ import annotations

import asyncio
import shutil
import tempfile
import time
from collections.abc import Coroutine
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from sqlalchemy import Connection
from tests.jobs.bench import (
    CREDITS,
    LOST,
    WORKSPACE,
    Bench,
    ScriptedProvider,
    broken,
    declined,
    picture_reply,
    remote_reply,
)

from mediawright.core.clock import ManualClock
from mediawright.core.errors import ConflictError
from mediawright.core.generation import Asset, Generation
from mediawright.core.provider import (
    Absent,
    Accepted,
    FaultKind,
    Feature,
    MediaCall,
    Unclear,
    Waiting,
)
from mediawright.core.states import GenerationState
from mediawright.jobs.orphans import sweep
from mediawright.jobs.reconciling import adopt
from mediawright.jobs.resolving import Resolution, resolve
from mediawright.store import assets, attempts, generations, ledger_entries, workspaces
from mediawright.store.database import Database
from mediawright.store.kinds import LedgerKind
from mediawright.store.ledger_entries import LedgerEntry
from mediawright.store.workspaces import Workspace

S = GenerationState
START = int(CREDITS) * 1_000_000
ANSWERS = (
    *("accepted", "done", "refused", "down", "limited"),
    *("lost", "lost but taken", "hangs", "hangs but taken", "hangs but taken"),
)


class Job:
    """What the vendor took, in its own book."""

    def __init__(self, call: MediaCall, name: str) -> None:
        self.name = name
        self.generation_id = call.generation_id
        self.reference = call.client_reference
        self.outcome = "running"

    @property
    def accepted(self) -> Accepted:
        return Accepted(handle={"id": self.name}, vendor_id=self.name)


class Vendor(ScriptedProvider):
    """Keeps a book of what it took, and answers about it as truly as it is able to."""

    def __init__(self, features: frozenset[Feature]) -> None:
        super().__init__(features=features)
        self.book: dict[str, Job] = {}
        self.answer = "accepted"
        self.can_tell = True
        self.go_on = asyncio.Event()
        """Set to let those answers go that hang."""

    async def submit(self, call: MediaCall, report: Any) -> Any:
        self.calls.append(call)
        answer = self.answer
        taken = None
        if answer in {"accepted", "done", "lost but taken", "hangs but taken"}:
            # Sent twice, it is two jobs, whatever it is called.
            taken = Job(call, f"job {len(self.book)}")
            self.book[taken.name] = taken
        if answer.startswith("hangs"):
            await self.go_on.wait()
            return declined(FaultKind.INVALID_REQUEST) if taken is None else taken.accepted
        if taken is not None:
            if answer == "done":
                taken.outcome = "billed"
                return picture_reply()
            return taken.accepted if answer == "accepted" else LOST
        kinds = {"refused": FaultKind.REFUSED, "down": FaultKind.UNAVAILABLE}
        return LOST if answer == "lost" else declined(kinds.get(answer, FaultKind.RATE_LIMITED))

    async def poll(self, handle: dict[str, Any], upstream_id: str) -> Any:
        outcome = self.book[handle["id"]].outcome if handle["id"] in self.book else "failed"
        if outcome == "finished":
            return remote_reply()
        if outcome in {"failed", "stopped"}:
            return broken(FaultKind.FAILED)
        return Waiting(stage="running")

    async def cancel(self, handle: dict[str, Any], upstream_id: str) -> bool:
        job = self.book.get(handle["id"])
        if job is None or job.outcome != "running":
            return False
        job.outcome = "stopped"
        return True

    async def lookup(self, client_reference: str, upstream_id: str) -> Any:
        if not self.can_tell:
            return Unclear(reason="away")
        named = [job for job in self.book.values() if job.reference == client_reference]
        return named[0].accepted if named else Absent()

    def jobs_of(self, generation_id: str) -> list[Job]:
        return [job for job in self.book.values() if job.generation_id == generation_id]


class Row(NamedTuple):
    """Everything about one generation, as of one moment."""

    generation: Generation
    entries: list[LedgerEntry]
    outputs: list[Asset]
    is_unknown: bool


@pytest.fixture(scope="module")
def empty_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database with one workspace, to be copied: migrating takes longer than a whole run."""
    path = tmp_path_factory.mktemp("machine") / "test.db"
    database = Database(f"sqlite:///{path}")
    database.migrate()
    clock = ManualClock()

    def work(connection: Connection) -> None:
        workspaces.insert(connection, Workspace(id=WORKSPACE, name="test", created_at=clock.now()))
        entry = LedgerEntry(
            workspace_id=WORKSPACE,
            kind=LedgerKind.TOP_UP,
            amount_micros=START,
            created_at=clock.now(),
        )
        ledger_entries.add(connection, entry)

    database.write_now(work)
    database.close()
    return path


class GenerationMachine(RuleBasedStateMachine):
    """One installation and one vendor, to which anything may happen in any order."""

    template: Path

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(prefix="machine"))
        shutil.copy(self.template, self.folder / "test.db")
        self.loop = asyncio.new_event_loop()
        self.made: list[Generation] = []
        self.settled: dict[str, tuple[Any, ...]] = {}
        self.resolved: dict[str, Resolution] = {}

    def run(self, work: Coroutine[Any, Any, Any]) -> Any:
        return self.loop.run_until_complete(work)

    @initialize(
        features=st.sets(st.sampled_from([Feature.LOOKUP, Feature.CANCEL])).map(frozenset),
        keeps=st.booleans(),
    )
    def begin(self, features: frozenset[Feature], keeps: bool) -> None:
        self.vendor = Vendor(features)

        async def begin() -> None:
            self.bench = Bench(self.folder, ManualClock())
            self.bench.settings = self.bench.settings.__class__(keep_cancelled_results=keeps)
            self.bench.use(self.vendor)
            await self.bench.jobs.start()

        self.run(begin())

    def some(self, pick: int) -> Generation:
        return self.made[pick % len(self.made)]

    def some_job(self, pick: int) -> Job | None:
        """Return one of the vendor's; not a precondition, because it takes them in its time."""
        jobs = list(self.vendor.book.values())
        return jobs[pick % len(jobs)] if jobs else None

    async def breathe(self, steps: int = 8) -> None:
        for _ in range(steps):
            await self.bench.spin(3)
            if not self.bench.engine.runs and not self.bench.jobs._tasks.names():
                break

    @rule(answer=st.sampled_from(ANSWERS), hurries=st.booleans())
    @precondition(lambda self: len(self.made) < 5)
    def create(self, answer: str, hurries: bool) -> None:
        self.vendor.answer = answer
        made = self.bench.generation() if answer == "done" else self.bench.queued()

        async def create() -> None:
            self.made.append(await self.bench.jobs.create(made))
            if not hurries:
                await self.breathe()

        self.run(create())

    @rule(answer=st.sampled_from(ANSWERS))
    def change_mind(self, answer: str) -> None:
        # A provider answers either at once or with a job, and never both ways.
        if answer != "done":
            self.vendor.answer = answer

    @rule(can_tell=st.booleans())
    def come_and_go(self, can_tell: bool) -> None:
        self.vendor.can_tell = can_tell

    @rule(pick=st.integers(0, 9), outcome=st.sampled_from(["finished", "failed"]))
    def end_job(self, pick: int, outcome: str) -> None:
        job = self.some_job(pick)
        if job is not None and job.outcome == "running":
            job.outcome = outcome

    @rule(seconds=st.sampled_from([1.0, 10.0, 100.0, 1000.0]))
    def pass_time(self, seconds: float) -> None:
        async def pass_time() -> None:
            for _ in range(4):
                await self.bench.clock.advance(seconds / 4)
                await self.breathe(3)

        self.run(pass_time())

    @rule()
    def crash(self) -> None:
        async def crash() -> None:
            await self.bench.die()
            self.bench.use(self.vendor)
            await self.bench.jobs.start()
            await self.breathe()

        self.run(crash())

    @rule()
    def answer_at_last(self) -> None:
        async def answer() -> None:
            self.vendor.go_on.set()
            await self.breathe()
            self.vendor.go_on.clear()

        self.run(answer())

    @rule(pick=st.integers(0, 9))
    @precondition(lambda self: self.made)
    def cancel(self, pick: int) -> None:
        async def cancel() -> None:
            try:
                await self.bench.jobs.cancel(WORKSPACE, self.some(pick).id)
            except ConflictError as error:
                assert error.code in {"generation_finished", "submit_unknown"}  # noqa: PT017
            await self.breathe()

        self.run(cancel())

    @rule(pick=st.integers(0, 9))
    def report(self, pick: int) -> None:
        job = self.some_job(pick)
        if job is None or job.outcome == "billed":
            return

        async def report() -> None:
            number = int(job.reference.rpartition(":")[2])
            found = await adopt(self.bench.context, job.generation_id, number, job.accepted)
            if found.state is S.RUNNING:
                await self.bench.jobs.resume(found.id)
            await self.breathe()

        self.run(report())

    @rule(pick=st.integers(0, 9), word=st.sampled_from(list(Resolution)))
    @precondition(lambda self: self.made)
    def resolve(self, pick: int, word: Resolution) -> None:
        self.run(self._resolve(self.some(pick), word))

    async def _resolve(self, generation: Generation, word: Resolution) -> None:
        jobs = self.vendor.jobs_of(generation.id)
        name = jobs[0].name if jobs else "job of somebody else"
        try:
            found = await resolve(self.bench.context, generation.id, word, vendor_id=name)
        except ConflictError as error:
            assert error.code == "not_unknown"  # noqa: PT017
            return
        self.resolved[generation.id] = word
        if found.state is S.RUNNING:
            await self.bench.jobs.resume(found.id)
        await self.breathe()

    @rule()
    def sweep(self) -> None:
        self.run(self._sweep())

    async def _sweep(self) -> None:
        sweeping = asyncio.create_task(sweep(self.bench.context, self.bench.jobs.resume))
        while not sweeping.done():
            await asyncio.wait({sweeping}, timeout=0.2)
            if not sweeping.done():
                await self.bench.clock.advance(1.0)
        sweeping.result()
        await self.breathe()

    def rows(self) -> tuple[list[Row], int, int]:
        def work(connection: Connection) -> tuple[list[Row], int, int]:
            found: list[Row] = []
            for made in self.made:
                generation = generations.get(connection, None, made.id)
                assert generation is not None
                tried = attempts.for_generation(connection, None, made.id)
                found.append(
                    Row(
                        generation,
                        ledger_entries.for_generation(connection, WORKSPACE, made.id),
                        assets.for_generation(connection, WORKSPACE, made.id),
                        any(item.state.value == "unknown" for item in tried),
                    )
                )
            balance = ledger_entries.balance_micros(connection, WORKSPACE)
            assert balance == ledger_entries.sum_micros(connection, WORKSPACE)
            return found, balance, ledger_entries.held_micros(connection, WORKSPACE)

        return self.bench.database.read_now(work)

    @invariant()
    def nothing_is_paid_twice(self) -> None:
        if not hasattr(self, "bench"):
            return
        for made in self.made:
            assert len(self.vendor.jobs_of(made.id)) <= 1

    @invariant()
    def the_books_balance(self) -> None:
        if not hasattr(self, "bench"):
            return
        rows, balance, held = self.rows()
        total = START
        still_held = 0
        for row in rows:
            kinds = [entry.kind for entry in row.entries]
            assert kinds.count(LedgerKind.HOLD) == 1
            assert len(kinds) <= 2
            assert len(set(kinds)) == len(kinds)
            total += sum(entry.amount_micros for entry in row.entries)
            is_open = len(kinds) == 1
            assert is_open == (row.generation.charge_micros is None)
            still_held += 10_000_000 if is_open else 0
            self._look_at(row)
        assert balance == total >= 0
        assert held == still_held

    def _look_at(self, row: Row) -> None:
        generation = row.generation
        assert not (row.is_unknown and generation.charge_micros is not None)
        if generation.charge_micros is None:
            assert not generation.state.is_terminal or generation.state is S.CANCELLED
            return
        assert generation.state.is_terminal
        settled = (generation.state, generation.charge_micros, generation.problem)
        assert self.settled.setdefault(generation.id, settled) == settled
        if generation.charge_micros:
            said = self.resolved.get(generation.id) is Resolution.CHARGED
            assert said or self.vendor.jobs_of(generation.id) or self._was_attached(generation)
        if generation.state is S.SUCCEEDED:
            assert generation.charge_micros == 10_000_000
            assert len(row.outputs) == 1
        for asset in row.outputs:
            assert (self.folder / "files" / asset.key).stat().st_size == asset.facts.byte_count

    def _was_attached(self, generation: Generation) -> bool:
        return self.resolved.get(generation.id) is Resolution.ATTACH

    def teardown(self) -> None:
        try:
            if hasattr(self, "bench"):
                self.run(self._to_the_end())
                self._all_is_explained()
        finally:
            if hasattr(self, "bench"):
                self.run(self.bench.jobs.close())
                self.bench.database.close()
            self.loop.close()
            shutil.rmtree(self.folder)

    async def _to_the_end(self) -> None:
        """Let the vendor finish everything, time pass, and operators settle what is in doubt."""
        self.vendor.can_tell = True
        self.vendor.answer = "refused"
        self.vendor.go_on.set()
        for job in self.vendor.book.values():
            if job.outcome == "running":
                job.outcome = "finished"
        patience = time.monotonic() + 30
        while time.monotonic() < patience:
            await self.bench.clock.advance(20.0)
            await self.breathe()
            if all(row.generation.charge_micros is not None for row in self.rows()[0]):
                break
            if not self.bench.engine.runs:
                await self._sweep()
                for row in self.rows()[0]:
                    if row.is_unknown:
                        taken = self.vendor.jobs_of(row.generation.id)
                        word = Resolution.NOT_CHARGED
                        if taken:
                            is_billed = taken[0].outcome == "billed"
                            word = Resolution.CHARGED if is_billed else Resolution.ATTACH
                        await self._resolve(row.generation, word)

    def _all_is_explained(self) -> None:
        self.nothing_is_paid_twice()
        self.the_books_balance()
        rows, _, held = self.rows()
        assert held == 0, [(row.generation.id, row.generation.state) for row in rows]
        for row in rows:
            assert not row.is_unknown
            jobs = self.vendor.jobs_of(row.generation.id)
            if row.generation.state is S.SUCCEEDED:
                assert len(jobs) == 1
            elif jobs and jobs[0].outcome == "finished" and row.generation.state is S.FAILED:
                # A result that exists is thrown away only when somebody said that it does not.
                assert row.generation.id in self.resolved


def test_any_interleaving(empty_database: Path) -> None:
    GenerationMachine.template = empty_database
    machine = GenerationMachine.TestCase
    machine.settings = settings(
        max_examples=25,
        stateful_step_count=20,
        deadline=None,
        # Every step takes real time; making an example smaller would take minutes.
        phases=(Phase.explicit, Phase.reuse, Phase.generate),
        suppress_health_check=list(HealthCheck),
    )
    machine("runTest").runTest()
