"""How jobs advance."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from mediawright.sandbox.kit.bodies import Body
from mediawright.sandbox.kit.call import Call, Reply, VendorError
from mediawright.sandbox.kit.clock import VirtualClock
from mediawright.sandbox.kit.jobs import Job, JobBook, JobState, Work
from mediawright.sandbox.kit.progression import Progression
from mediawright.sandbox.kit.scenario import OK, RequestKind, Scenario

QUEUED, RUNNING, UNHEARD_OF = JobState.QUEUED, JobState.RUNNING, JobState.UNHEARD_OF
SUCCEEDED, FAILED, CANCELLED = JobState.SUCCEEDED, JobState.FAILED, JobState.CANCELLED


async def make() -> str:
    return "made"


def submit(
    work: Work = make,
    *,
    progression: str = "now",
    scenario: Scenario = OK,
    clock: VirtualClock | None = None,
    patience: float | None = None,
    **settings: Any,
) -> Job:
    call = Call(
        vendor="acme",
        kind=RequestKind.SUBMIT,
        method="POST",
        path="/acme/v1/videos",
        query={},
        headers={},
        match={},
        body=Body(),
        scenario=scenario,
        progression=Progression.parse(progression),
    )
    book = JobBook(clock or VirtualClock(), patience)
    job = book.create(call, "job-1", work, **settings)
    assert call.job is job is book.find("job-1")
    return job


async def ask(job: Job) -> JobState:
    job.count_poll()
    return await job.advance()


async def test_is_done_at_once() -> None:
    job = submit()
    assert await ask(job) is SUCCEEDED
    assert (job.result, job.done) == ("made", 1.0)
    assert job.finished_at


async def test_is_done_after_polls() -> None:
    job = submit(progression="polls=4")
    done: list[float] = []
    states: list[JobState] = []
    for _ in range(5):
        states.append(await ask(job))
        done.append(job.done)
    assert states == [QUEUED, RUNNING, RUNNING, RUNNING, SUCCEEDED]
    assert done == [0.0, 0.25, 0.5, 0.75, 1.0]


async def test_is_done_after_virtual_seconds() -> None:
    clock = VirtualClock()
    job = submit(progression="seconds=100", clock=clock)
    states: list[JobState] = []
    for _ in range(3):
        states.append(await ask(job))
        clock.advance(50)
    assert states == [QUEUED, RUNNING, SUCCEEDED]


async def test_looking_without_polling_changes_nothing() -> None:
    job = submit(progression="polls=1")
    assert [await job.advance() for _ in range(3)] == [QUEUED] * 3


async def test_shows_an_unheard_of_state_first() -> None:
    job = submit(progression="polls=1", scenario=Scenario.parse("unknown_status; polls=2"))
    assert [await ask(job) for _ in range(4)] == [UNHEARD_OF, UNHEARD_OF, QUEUED, SUCCEEDED]


@pytest.mark.parametrize(("name", "refused"), [("job_failed", False), ("moderated", True)])
async def test_fails_when_it_is_due(name: str, refused: bool) -> None:
    job = submit(progression="polls=1", scenario=Scenario.parse(name))
    assert [await ask(job) for _ in range(2)] == [QUEUED, FAILED]
    assert job.is_refused is refused
    assert job.error is None


async def test_work_may_deal_with_moderation_itself() -> None:
    job = submit(scenario=Scenario.parse("moderated"), refuses_itself=True)
    assert await ask(job) is SUCCEEDED


async def test_keeps_the_vendors_error() -> None:
    error = VendorError(Reply.json({"error": "no"}, 422))

    async def fail() -> None:
        raise error

    job = submit(fail)
    assert await ask(job) is FAILED
    assert job.error is error


async def test_broken_work_fails_the_job(caplog: pytest.LogCaptureFixture) -> None:
    async def fail() -> None:
        raise RuntimeError("a defect")

    job = submit(fail)
    assert await ask(job) is FAILED
    assert "a defect" in caplog.text


async def test_works_once_for_many_questions() -> None:
    count = 0

    async def work() -> None:
        nonlocal count
        count += 1
        await asyncio.sleep(0)

    job = submit(work)
    assert set(await asyncio.gather(*(ask(job) for _ in range(5)))) == {SUCCEEDED}
    assert count == 1


async def test_goes_on_working_while_it_is_shown_as_running() -> None:
    ready = asyncio.Event()

    async def work() -> str:
        await ready.wait()
        return "made"

    job = submit(work, patience=0)
    assert await ask(job) is RUNNING
    assert 0.9 < job.done < 1.0
    ready.set()
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert await ask(job) is SUCCEEDED
    assert job.result == "made"


async def test_cancelling_stops_the_work() -> None:
    stopped = asyncio.Event()

    async def work() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            stopped.set()

    job = submit(work, patience=0)
    assert await ask(job) is RUNNING
    await asyncio.sleep(0)
    assert job.cancel()
    await stopped.wait()
    assert await ask(job) is CANCELLED
    assert not job.cancel()


async def test_interrupted_work_begins_again() -> None:
    begun = 0

    async def work() -> str:
        nonlocal begun
        begun += 1
        if begun == 1:
            await asyncio.Event().wait()
        return "made"

    job = submit(work, patience=0.05)
    assert await ask(job) is RUNNING
    job.interrupt()
    assert await ask(job) is SUCCEEDED
    assert begun == 2
