"""From submit to file: accepted once, watched, finished, and the same after every restart."""

from __future__ import annotations

import json

from mediawright.core.media import Transcript
from mediawright.core.provider import (
    Accepted,
    Broken,
    Done,
    FaultKind,
    Feature,
    TranscriptOutput,
)

from .bench import SPOKEN, Bench, decode, sent_values, unheard
from .cases import Case, Delivery


async def test_one_submit_says_what_the_fields_say(case: Case, bench: Bench):
    await bench.submit()

    (entry,) = bench.heard("submit")
    said = sent_values(entry)
    for name, value in case.fields.items():
        spelled = [
            value,
            str(value),
            json.dumps(value),
            *(value if isinstance(value, list) else ()),
        ]
        everywhere = said.get(name, []) + said["path"]
        assert any(item in spelled for item in everywhere), (name, value, said)
    assert bench.secret not in json.dumps(entry.body)


async def test_the_job_ends_with_files_of_the_right_kind(anyone: Case, bench: Bench):
    done = await bench.finish()

    kind = anyone.operation.output_kind
    assert done.outputs
    for output in done.outputs:
        if anyone.delivery is Delivery.TEXT:
            assert isinstance(output, TranscriptOutput)
            check_transcript(output.transcript, exactly=anyone.hears_exactly)
            continue
        assert output.kind is kind
        decode(kind, await bench.fetch(output))
        assert output.content_type is None or output.content_type.startswith(f"{kind.value}/")


def check_transcript(transcript: Transcript, *, exactly: bool) -> None:
    starts = [word.start for word in transcript.words]
    assert starts
    assert starts == sorted(starts)
    if exactly:
        assert transcript.text.split() == SPOKEN.split()
        spoken = [word.text.strip(".") for word in transcript.words]
        assert spoken == SPOKEN.strip(".").split()


async def test_a_direct_answer_is_done_at_once(direct: Case, bench: Bench):
    assert isinstance(await bench.submit(), Done)
    assert not bench.heard("poll")


async def test_a_direct_answer_reports_progress_if_that_is_declared(direct: Case, bench: Bench):
    reports: list[tuple[float, str]] = []

    await bench.submit(report=lambda done, stage: reports.append((done, stage)))

    parts = [done for done, _ in reports]
    assert bool(parts) is (Feature.PROGRESS in direct.features)
    assert parts == sorted(parts)
    assert all(0 <= part <= 1 for part in parts)


async def test_a_job_shows_its_stages_in_order(job: Case, bench: Bench):
    await bench.advance_by_polls(3)
    accepted = await bench.submit()
    assert isinstance(accepted, Accepted)

    heard, end = await bench.poll_to_the_end(accepted.handle)

    assert isinstance(end, Done)
    assert [waiting.stage for waiting in heard] == ["queued", "running", "running"]
    assert all(waiting.warning is None for waiting in heard)
    progress = [waiting.progress for waiting in heard if waiting.progress is not None]
    assert bool(progress) is (Feature.PROGRESS in job.features)
    assert progress == sorted(progress)
    assert all(0 <= part <= 1 for part in progress)


async def test_a_handle_is_plain_json_without_the_key(job: Case, bench: Bench):
    accepted = await bench.submit()

    text = json.dumps(accepted.handle)
    assert json.loads(text) == accepted.handle
    assert bench.secret not in text


async def test_every_step_may_be_taken_by_a_new_process(job: Case, bench: Bench):
    await bench.advance_by_polls(3)
    accepted = await bench.restarted().submit(bench.call(), unheard)

    _, end = await bench.poll_to_the_end(accepted.handle, restarting=True)
    again = await bench.restarted().poll(accepted.handle, job.upstream_id)

    assert isinstance(end, Done)
    assert isinstance(again, Done)
    assert len(again.outputs) == len(end.outputs)
    decode(job.operation.output_kind, await bench.fetch(again.outputs[0]))
    assert len(bench.heard("submit")) == 1


async def test_a_cancelled_job_ends_cancelled(cancellable: Case, bench: Bench):
    await bench.advance_by_polls(6)
    accepted = await bench.submit()
    await bench.provider.poll(accepted.handle, cancellable.upstream_id)

    stopped = await bench.restarted().cancel(accepted.handle, cancellable.upstream_id)
    _, end = await bench.poll_to_the_end(accepted.handle)

    assert stopped
    assert isinstance(end, Broken)
    assert end.fault.kind is FaultKind.CANCELLED
    assert len(bench.heard("cancel")) == 1


async def test_a_cancel_that_the_vendor_does_not_carry_out_is_no_success(
    cancellable: Case, bench: Bench
):
    await bench.arrange("server_error", kind="cancel")
    accepted = await bench.submit()

    assert not await bench.provider.cancel(accepted.handle, cancellable.upstream_id)


async def test_what_answers_at_once_cannot_be_cancelled(direct: Case, bench: Bench):
    assert not await bench.provider.cancel({}, direct.upstream_id)
    assert not bench.heard("cancel")


async def test_features_are_the_declared_ones(anyone: Case, bench: Bench):
    assert bench.provider.features == anyone.features
    assert bench.provider.name == anyone.provider


async def test_what_it_used_is_reported_in_its_own_units(anyone: Case, bench: Bench):
    usage = (await bench.finish()).usage

    for name in anyone.reports_usage:
        assert getattr(usage, name) is not None, name
    if usage.cost is not None:
        assert (usage.cost.amount > 0) is anyone.is_vendor
