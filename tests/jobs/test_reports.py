"""Providers' reports, in every state of a generation, and as often and late as they like."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import Any

import pytest
from tests.jobs.bench import LOST, Bench, ScriptedProvider, declined, remote_reply

from mediawright.core.clock import ManualClock
from mediawright.core.errors import UnavailableError
from mediawright.core.generation import Attempt, Generation
from mediawright.core.provider import Accepted, FaultKind, Feature, Waiting
from mediawright.core.states import AttemptState, GenerationState
from mediawright.jobs.fencing import fenced
from mediawright.jobs.reports import Reports
from mediawright.jobs.submitting import first_attempt
from mediawright.store import attempts, bookings, generations, provider_events
from mediawright.store.provider_events import OpenEvent

S, A = GenerationState, AttemptState
ACCEPTED = Accepted(handle={"id": "job-1"}, vendor_id="job-1")
WAITING = Waiting(stage="running")
UNSENT = (S.AWAITING_APPROVAL, S.QUEUED)
MEANINGFUL = [
    (state, attempt)
    for state in S
    if state not in UNSENT
    for attempt in A
    if not (state in (S.RUNNING, S.STORING) and attempt is not A.ACKNOWLEDGED)
    and not (state is S.UNKNOWN and attempt is not A.UNKNOWN)
]
ENDED = [state for state in S if state.is_terminal]


class Office:
    """Reports about generations on a bench, and what was asked to run again."""

    def __init__(self, bench: Bench) -> None:
        self.bench = bench
        self.resumed: list[str] = []
        self.working: set[str] = set()
        self.reports = Reports(bench.context, self.working.__contains__, self._resume)
        self.resume_error: Exception | None = None

    async def _resume(self, generation_id: str) -> None:
        if self.resume_error is not None:
            raise self.resume_error
        self.resumed.append(generation_id)

    async def place(
        self, state: GenerationState, attempt: AttemptState, *, settled: bool = False
    ) -> Generation:
        """Put a generation with one attempt and its hold into the database."""
        bench = self.bench
        charge = 0 if settled else None
        made = bench.queued(state=state, executor="test", charge_micros=charge)
        known = {"handle": {"id": "job-1"}, "vendor_id": "job-1"}
        if attempt is not A.ACKNOWLEDGED:
            known = {}

        def work(c: Any) -> None:
            assert generations.insert(c, made)
            bench.ledger.hold(c, made)
            if settled:
                bench.ledger.release(c, made, now=bench.clock.now())
                bookings.book(c, made.id, charge_micros=0, now=bench.clock.now())
            first = first_attempt(made, "test", bench.clock.now())
            attempts.begin(c, made.workspace_id, first)
            if attempt is not A.INTENT:
                attempts.settle(c, made.id, 1, attempt, now=bench.clock.now(), **known)

        await bench.database.write(work)
        return made

    async def report(
        self, generation: Generation, delivery_id: str = "d_1", vendor_id: str | None = "job-1"
    ) -> OpenEvent:
        """Write a report down, as the server does when it comes in."""

        def work(c: Any) -> OpenEvent | None:
            provider_events.insert(
                c,
                workspace_id=generation.workspace_id,
                generation_id=generation.id,
                attempt_number=1,
                provider="scripted",
                delivery_id=delivery_id,
                vendor_id=vendor_id,
                body="{}",
                now=self.bench.clock.now(),
            )
            return provider_events.of_delivery(c, "scripted", delivery_id)

        found = await self.bench.database.write(work)
        assert found is not None
        return found

    async def attempt(self, generation: Generation) -> Attempt:
        found = await self.bench.database.read(lambda c: attempts.get(c, generation.id, 1))
        assert found is not None
        return found

    async def left(self) -> list[str]:
        """Return the reports that nobody has acted on."""
        found = await self.bench.database.read(lambda c: provider_events.unhandled(c, limit=100))
        return [report.event.delivery_id for report in found]

    async def picture(self, generation: Generation) -> tuple[Any, ...]:
        """Return all that a report might change."""
        return (
            (await self.bench.look(generation)).state,
            await self.bench.entries(generation),
            (await self.attempt(generation)).state,
        )


@pytest.fixture
def office(bench: Bench) -> Office:
    bench.use(
        ScriptedProvider(
            features=frozenset({Feature.CANCEL, Feature.WEBHOOK}),
            submits=[ACCEPTED],
            polls=[WAITING],
        )
    )
    return Office(bench)


@pytest.mark.parametrize(("state", "attempt"), MEANINGFUL)
async def test_a_report_is_harmless_in_every_state(
    office: Office, state: GenerationState, attempt: AttemptState
) -> None:
    generation = await office.place(state, attempt)
    await office.reports.act(await office.report(generation))
    once = await office.picture(generation)
    for delivery_id in ("d_1", "d_2", "d_3"):
        await office.reports.act(await office.report(generation, delivery_id))
    await office.reports.look()
    assert await office.picture(generation) == once

    provider = office.bench.directory.by_name["scripted"]
    assert provider.calls == []
    kinds = Counter(kind for kind, _ in once[1])
    assert kinds["hold"] == 1
    assert kinds["capture"] + kinds["release"] <= 1
    if state in (S.SUBMITTING, S.UNKNOWN) and attempt is not A.ACKNOWLEDGED:
        assert once[0] is S.RUNNING
    else:
        assert once[0] is state
    assert once[2] is A.ACKNOWLEDGED
    # Only what was wanted no longer and still at the provider was stopped there.
    stopped = state.is_terminal and attempt is not A.ACKNOWLEDGED
    assert bool(provider.cancelled) is stopped


@pytest.mark.parametrize("attempt", list(A))
@pytest.mark.parametrize("state", ENDED)
async def test_nothing_that_is_settled_is_settled_again(
    office: Office, state: GenerationState, attempt: AttemptState
) -> None:
    generation = await office.place(state, attempt, settled=True)
    before = await office.bench.entries(generation)
    for delivery_id in ("d_1", "d_1", "d_2"):
        await office.reports.act(await office.report(generation, delivery_id))
    await office.reports.look()
    assert await office.bench.entries(generation) == before
    assert (await office.bench.look(generation)).state is state
    assert await office.left() == []
    assert office.resumed == []


@pytest.mark.parametrize("attempt", [A.INTENT, A.UNKNOWN, A.REJECTED])
async def test_it_tells_the_name_of_a_job_whose_acknowledgement_was_lost(
    office: Office, attempt: AttemptState
) -> None:
    state = S.UNKNOWN if attempt is A.UNKNOWN else S.SUBMITTING
    generation = await office.place(state, attempt)
    await office.reports.act(await office.report(generation, vendor_id="job-9"))
    known = await office.attempt(generation)
    assert known.vendor_id == "job-9"
    assert known.handle == {"id": "job-9"}
    assert office.resumed == [generation.id]


async def test_a_later_report_does_not_rename_the_job(office: Office) -> None:
    generation = await office.place(S.RUNNING, A.ACKNOWLEDGED)
    await office.reports.act(await office.report(generation, vendor_id="job-9"))
    assert (await office.attempt(generation)).vendor_id == "job-1"


async def test_a_report_that_names_no_job_wakes_and_no_more(office: Office) -> None:
    generation = await office.place(S.UNKNOWN, A.UNKNOWN)
    with office.bench.context.signals.waiting(generation.id) as changed:
        await office.reports.act(await office.report(generation, vendor_id=None))
        await asyncio.sleep(0)
        assert changed.is_set()
    assert (await office.bench.look(generation)).state is S.UNKNOWN


async def test_a_vendor_that_cannot_be_asked_by_name_is_not_adopted_from(office: Office) -> None:
    office.bench.directory.by_name["scripted"].attachable = False
    generation = await office.place(S.UNKNOWN, A.UNKNOWN)
    await office.reports.act(await office.report(generation))
    assert (await office.bench.look(generation)).state is S.UNKNOWN


async def test_without_the_key_it_waits_until_there_is_one(office: Office) -> None:
    generation = await office.place(S.UNKNOWN, A.UNKNOWN)
    provider = office.bench.directory.by_name.pop("scripted")
    await office.reports.act(await office.report(generation))
    assert (await office.bench.look(generation)).state is S.UNKNOWN
    office.bench.directory.by_name["scripted"] = provider
    await office.reports.look()
    assert (await office.bench.look(generation)).state is S.RUNNING


async def test_it_is_handled_by_the_process_that_runs_the_generation(office: Office) -> None:
    generation = await office.place(S.RUNNING, A.ACKNOWLEDGED)
    elsewhere = Office(office.bench)
    elsewhere.working.add(generation.id)
    await office.reports.act(await office.report(generation))
    await office.reports.look()
    assert await office.left() == ["d_1"]
    with office.bench.context.signals.waiting(generation.id) as changed:
        await elsewhere.reports.look()
        await asyncio.sleep(0)
        assert changed.is_set()
    assert await office.left() == []


async def test_what_another_process_is_in_charge_of_is_left_to_it(office: Office) -> None:
    generation = await office.place(S.SUBMITTING, A.INTENT)
    office.resume_error = fenced(generation.id)
    await office.reports.act(await office.report(generation))
    assert (await office.attempt(generation)).state is A.ACKNOWLEDGED


async def test_one_report_that_makes_trouble_keeps_no_other_waiting(office: Office) -> None:
    office.resume_error = UnavailableError("full", "no room")
    lost = await office.place(S.UNKNOWN, A.UNKNOWN)
    fine = await office.place(S.RUNNING, A.ACKNOWLEDGED)
    office.working.add(fine.id)
    await office.report(lost, "d_1")
    await office.report(fine, "d_2")
    await office.reports.look()
    assert await office.left() == ["d_1"]


async def test_more_reports_than_a_page_are_all_acted_on(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mediawright.jobs.reports._PAGE", 2)
    generation = await office.place(S.RUNNING, A.ACKNOWLEDGED)
    for number in range(5):
        await office.report(generation, f"d_{number}")
    await office.reports.look()
    assert len(await office.left()) == 5
    office.working.add(generation.id)
    await office.reports.look()
    assert await office.left() == []


class Addresses:
    """Gives an address for every attempt."""

    def of(self, provider: str, generation_id: str, attempt: int) -> str | None:
        return f"https://example.com/{provider}/{generation_id}/{attempt}"


@pytest.fixture
def reported(bench: Bench) -> Office:
    """An office whose provider is told where to report, and that really runs generations."""
    provider = ScriptedProvider(
        features=frozenset({Feature.CANCEL, Feature.WEBHOOK}),
        submits=[ACCEPTED],
        polls=[WAITING],
    )
    bench.use(provider)
    object.__setattr__(bench.context, "hook_urls", Addresses())
    office = Office(bench)
    office.reports = Reports(bench.context, bench.steps.is_active, bench.jobs.resume)
    return office


async def polls_by_then(bench: Bench, clock: ManualClock, seconds: float) -> int:
    provider = bench.directory.by_name["scripted"]
    for _ in range(int(seconds * 4)):
        await bench.spin(4)
        await clock.advance(0.25)
    return provider.polled


async def test_a_provider_that_will_report_is_asked_less_often(reported: Office) -> None:
    bench = reported.bench
    provider = bench.directory.by_name["scripted"]
    generation = await bench.jobs.create(bench.queued())
    await bench.jobs.start()
    await bench.until_state(generation, S.RUNNING)
    assert provider.calls[0].hook_url == Addresses().of("scripted", generation.id, 1)
    asked = await polls_by_then(bench, bench.clock, 12)
    assert 2 <= asked <= 4

    # Woken by a report, it asks at once, and from then on as often as any.
    await reported.reports.act(await reported.report(generation))
    await bench.until(lambda: provider.polled == asked + 1)
    assert await polls_by_then(bench, bench.clock, 12) >= asked + 5

    provider.polls[:] = [remote_reply()]
    await reported.reports.act(await reported.report(generation, "d_2"))
    await bench.until_state(generation, S.SUCCEEDED)
    assert await bench.entries(generation) == [("hold", -10), ("capture", 0)]
    assert len(provider.calls) == 1


async def test_a_report_comes_before_the_answer_to_the_submit(reported: Office) -> None:
    bench = reported.bench
    provider = bench.directory.by_name["scripted"]
    provider.gate = asyncio.Event()
    provider.polls[:] = [remote_reply()]
    generation = await bench.jobs.create(bench.queued())
    await bench.jobs.start()
    await bench.until(lambda: len(provider.calls) == 1)
    await reported.reports.act(await reported.report(generation))
    assert (await reported.attempt(generation)).state is A.ACKNOWLEDGED
    provider.gate.set()
    await bench.until_state(generation, S.SUCCEEDED)
    assert await bench.entries(generation) == [("hold", -10), ("capture", 0)]
    assert len(provider.calls) == 1


@pytest.mark.parametrize("answer", [LOST, declined(FaultKind.UNAVAILABLE)])
async def test_a_report_comes_before_bad_news_about_the_submit(
    reported: Office, answer: Any
) -> None:
    bench = reported.bench
    provider = bench.directory.by_name["scripted"]
    provider.gate = asyncio.Event()
    provider.submits[:] = [answer]
    provider.polls[:] = [remote_reply()]
    generation = await bench.jobs.create(bench.queued())
    await bench.jobs.start()
    await bench.until(lambda: len(provider.calls) == 1)
    await reported.reports.act(await reported.report(generation))
    provider.gate.set()
    ended = await bench.settle(generation)
    assert ended.state is S.SUCCEEDED
    assert len(provider.calls) == 1


async def test_a_lost_answer_is_made_good_by_the_report(reported: Office) -> None:
    bench = reported.bench
    provider = bench.directory.by_name["scripted"]
    provider.submits[:] = [LOST]
    provider.polls[:] = [remote_reply()]
    generation = await bench.jobs.create(bench.queued())
    await bench.jobs.start()
    await bench.until(lambda: len(provider.calls) == 1)
    await bench.spin(50)
    await reported.reports.act(await reported.report(generation))
    await bench.until_state(generation, S.SUCCEEDED)
    assert await bench.entries(generation) == [("hold", -10), ("capture", 0)]
    assert len(provider.calls) == 1


async def test_an_unknown_submit_is_made_good_by_a_late_report(reported: Office) -> None:
    bench = reported.bench
    provider = bench.directory.by_name["scripted"]
    provider.submits[:] = [LOST]
    provider.polls[:] = [remote_reply()]
    generation = await bench.jobs.create(bench.queued())
    await bench.jobs.start()
    unknown = await bench.settle(generation, seconds=200)
    assert unknown.state is S.UNKNOWN
    await reported.reports.act(await reported.report(generation))
    await bench.until_state(generation, S.SUCCEEDED)
    assert await bench.entries(generation) == [("hold", -10), ("capture", 0)]
    assert len(provider.calls) == 1
