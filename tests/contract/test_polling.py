"""A job that was taken: its own failures, and trouble with asking after it."""

from __future__ import annotations

import pytest

from mediawright.core.provider import Accepted, Broken, Done, FaultKind, Waiting

from .bench import Bench
from .cases import Case


async def accepted(bench: Bench):
    outcome = await bench.submit()
    assert isinstance(outcome, Accepted), outcome
    return outcome.handle


async def test_an_unknown_status_word_is_waiting_with_a_warning(job: Case, bench: Bench):
    await bench.arrange("unknown_status", polls=2)

    heard, end = await bench.poll_to_the_end(await accepted(bench))

    odd = [waiting for waiting in heard if waiting.warning]
    assert [waiting.stage for waiting in odd] == ["daydreaming", "daydreaming"]
    assert isinstance(end, Done)


async def test_a_job_that_fails_is_broken(job: Case, bench: Bench):
    await bench.arrange("job_failed")

    _, end = await bench.poll_to_the_end(await accepted(bench))

    assert isinstance(end, Broken)
    assert end.fault.kind is FaultKind.FAILED
    assert end.fault.message


@pytest.mark.parametrize(
    "scenario", ["rate_limited", "server_error", "bad_key", "garbage", "lost_reply", "slow"]
)
async def test_trouble_with_asking_is_never_the_jobs_failure(job: Case, bench: Bench, scenario):
    handle = await accepted(bench)
    await bench.arrange(scenario, kind="poll", times=2)

    heard, end = await bench.poll_to_the_end(handle)

    assert isinstance(end, Done)
    assert any(waiting.warning for waiting in heard) is (scenario != "slow")
    assert len(bench.heard("submit")) == 1


@pytest.mark.parametrize(
    "scenario", ["rate_limited", "server_error", "bad_key", "garbage", "lost_reply"]
)
async def test_trouble_with_fetching_the_result_is_waiting_too(
    fetched: Case, bench: Bench, scenario
):
    handle = await accepted(bench)
    await bench.arrange(scenario, kind="result", times=2)

    heard, end = await bench.poll_to_the_end(handle)

    assert isinstance(end, Done)
    assert any(waiting.warning for waiting in heard)


async def test_a_rate_limited_question_says_when_to_ask_again(job: Case, bench: Bench):
    handle = await accepted(bench)
    await bench.arrange("rate_limited", kind="poll", seconds=7, times=1)

    polled = await bench.provider.poll(handle, job.upstream_id)

    assert isinstance(polled, Waiting)
    assert polled.retry_after == 7


async def test_what_answers_at_once_has_no_jobs_to_ask_after(embedded: Case, bench: Bench):
    polled = await bench.provider.poll({}, embedded.upstream_id)

    assert isinstance(polled, Broken)
    assert polled.fault.kind is FaultKind.NOT_FOUND


async def test_a_job_that_never_was_is_not_waited_for(job: Case, bench: Bench):
    handle = await accepted(bench)
    (vendor_id,) = {entry.job_id for entry in bench.heard("submit")}
    unknown = vendor_id[:-1] + ("0" if vendor_id[-1] != "0" else "1")
    wrong = {
        name: value.replace(vendor_id, unknown) if isinstance(value, str) else value
        for name, value in handle.items()
    }

    polled = await bench.provider.poll(wrong, job.upstream_id)

    assert isinstance(polled, Broken)
    assert polled.fault.kind in (FaultKind.NOT_FOUND, FaultKind.CANCELLED)
