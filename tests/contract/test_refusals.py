"""A submit that fails: what it is called, and whether the vendor may hold a job for it."""

from __future__ import annotations

import msgspec
import pytest

from mediawright.core.provider import Accepted, Broken, Declined, FaultKind

from .bench import Bench
from .cases import Case, Delivery


async def declined(bench: Bench):
    outcome = await bench.submit()
    assert isinstance(outcome, Declined), outcome
    assert outcome.fault.message
    assert bench.secret not in outcome.fault.message
    return outcome.fault


@pytest.mark.parametrize(
    ("scenario", "kind"),
    [("bad_key", FaultKind.BAD_CREDENTIAL), ("out_of_credit", FaultKind.OUT_OF_CREDIT)],
)
async def test_a_request_turned_away_is_named_and_not_held(
    case: Case, bench: Bench, scenario, kind
):
    await bench.arrange(scenario)

    fault = await declined(bench)

    assert (fault.kind, fault.accepted) == (kind, False)
    assert fault.http_status is not None
    assert len(bench.heard("submit")) == 1


async def test_a_wrong_key_is_a_bad_credential_and_never_repeated_in_words(
    case: Case, bench: Bench
):
    bench.provider = bench.restarted(secret="bad-key-0123456789abcdef")

    fault = await declined(bench)

    assert fault.kind is FaultKind.BAD_CREDENTIAL
    assert "0123456789abcdef" not in fault.message


async def test_a_rate_limit_says_when_to_come_back(case: Case, bench: Bench):
    await bench.arrange("rate_limited", seconds=7)

    fault = await declined(bench)

    assert (fault.kind, fault.accepted) == (FaultKind.RATE_LIMITED, False)
    assert fault.retry_after == 7
    assert len(bench.heard("submit")) == 1


@pytest.mark.parametrize("status", [500, 503])
async def test_a_server_error_leaves_open_only_what_is_open(case: Case, bench: Bench, status):
    await bench.arrange("server_error", status=status)

    fault = await declined(bench)

    assert fault.kind is FaultKind.UNAVAILABLE
    assert fault.accepted is (None if case.is_job and status == 500 else False)
    assert len(bench.heard("submit")) == 1


async def test_moderation_is_a_refusal(moderated: Case, bench: Bench):
    await bench.arrange("moderated")

    outcome = await bench.submit()
    if isinstance(outcome, Accepted):
        _, outcome = await bench.poll_to_the_end(outcome.handle)

    assert isinstance(outcome, Broken | Declined)
    assert outcome.fault.kind is FaultKind.REFUSED
    assert len(bench.heard("submit")) == 1


async def test_a_senseless_reply_leaves_open_whether_the_job_exists(case: Case, bench: Bench):
    await bench.arrange("garbage")

    fault = await declined(bench)

    assert (fault.kind, fault.accepted) == (FaultKind.GARBAGE, None)
    assert len(bench.heard("submit")) == 1
    assert not [path for path in bench.staging.glob("*") if path.is_file()]


async def test_a_lost_reply_leaves_open_whether_the_job_exists(case: Case, bench: Bench):
    await bench.arrange("lost_reply")

    fault = await declined(bench)

    assert (fault.kind, fault.accepted) == (FaultKind.LOST_REPLY, None)
    assert len(bench.heard("submit")) == 1


async def test_without_a_connection_nothing_was_asked(case: Case, bench: Bench, unused_tcp_port):
    nowhere = f"http://127.0.0.1:{unused_tcp_port}"
    bases = dict.fromkeys(("api", "queue", "run", "rest", "cdn"), nowhere)
    bench.provider = bench.restarted(base_urls=bases)

    fault = await declined(bench)

    assert (fault.kind, fault.accepted) == (FaultKind.UNREACHABLE, False)


async def test_a_slow_answer_is_waited_for(case: Case, bench: Bench):
    await bench.arrange("slow", seconds=0.05)

    outcome = await bench.submit()

    assert not isinstance(outcome, Declined)


async def test_a_mistake_is_an_invalid_request(anyone: Case, bench: Bench):
    mistaken = dict.fromkeys({*anyone.fields, "seed"} - {"voice_id"}, "no such value")
    call = msgspec.structs.replace(bench.call(), fields={**anyone.fields, **mistaken})

    outcome = await bench.submit(call)
    if isinstance(outcome, Accepted):
        _, outcome = await bench.poll_to_the_end(outcome.handle)

    assert isinstance(outcome, Broken | Declined)
    assert outcome.fault.kind is FaultKind.INVALID_REQUEST
    assert outcome.fault.accepted is False


async def test_a_file_that_breaks_off_in_the_reply_is_a_lost_reply(streamed: Case, bench: Bench):
    assert streamed.delivery is Delivery.BODY
    await bench.arrange("truncated_file")

    fault = await declined(bench)

    assert (fault.kind, fault.accepted) == (FaultKind.LOST_REPLY, None)
    assert not [path for path in bench.staging.glob("*") if path.is_file()]
