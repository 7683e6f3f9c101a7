"""Finding out what became of a submit whose answer was lost, and what follows from it."""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec
import pytest
from tests.jobs.bench import (
    LOST,
    WORKSPACE,
    Bench,
    ScriptedProvider,
    declined,
    remote_reply,
)

from mediawright.app.views import attention_of
from mediawright.core.errors import ConflictError, InvalidRequestError, NotFoundError
from mediawright.core.generation import Generation
from mediawright.core.provider import (
    Absent,
    Accepted,
    FaultKind,
    Feature,
    MediaCall,
    Waiting,
)
from mediawright.core.states import GenerationState
from mediawright.jobs.reconciling import adopt
from mediawright.jobs.resolving import Resolution, resolve
from mediawright.store import attempts, events

S = GenerationState
ACCEPTED = Accepted(handle={"id": "v-1"}, vendor_id="v-1")
LOOKUP = frozenset({Feature.LOOKUP})
WEBHOOK = frozenset({Feature.WEBHOOK})


class Hooks:
    """Addresses at which reports of providers arrive."""

    def of(self, provider: str, generation_id: str, attempt: int) -> str | None:
        return f"https://here.test/{provider}/{generation_id}/{attempt}"


def with_hooks(bench: Bench, provider: ScriptedProvider) -> ScriptedProvider:
    bench.use(provider)
    object.__setattr__(bench.context, "hook_urls", Hooks())
    return provider


async def pass_time(bench: Bench, seconds: float, step: float = 5.0) -> None:
    for _ in range(int(seconds / step)):
        await bench.spin(3)
        await bench.clock.advance(step)
    await bench.spin()


async def until_state(bench: Bench, generation: Generation, state: S, seconds: float) -> Generation:
    for _ in range(int(seconds)):
        if (await bench.look(generation)).state is state:
            break
        await pass_time(bench, 1.0, 1.0)
    found = await bench.look(generation)
    assert found.state is state
    return found


async def told(bench: Bench, kind: str) -> list[dict[str, Any]]:
    found = await bench.database.read(lambda c: events.after(c, WORKSPACE, 0, 500))
    return [event.data for event in found if event.type.value == kind]


async def unknown_one(bench: Bench, **fields: Any) -> tuple[Generation, ScriptedProvider]:
    provider = bench.use(ScriptedProvider(submits=[LOST], **fields))
    unknown = await bench.settle(await bench.jobs.create(bench.queued()))
    assert unknown.state is S.UNKNOWN
    return unknown, provider


async def resumed(bench: Bench, generation: Generation) -> Generation:
    await bench.jobs.resume(generation.id)
    return await bench.settle(generation)


async def test_what_the_provider_is_told_with_a_submit(bench: Bench) -> None:
    provider = with_hooks(bench, ScriptedProvider(features=WEBHOOK))
    ended = await bench.settle(await bench.jobs.create(bench.generation()))
    call: MediaCall = provider.calls[0]
    assert call.hook_url == f"https://here.test/scripted/{ended.id}/1"
    assert call.client_reference == f"{ended.id}:1"
    deaf = with_hooks(bench, ScriptedProvider())
    await bench.settle(await bench.jobs.create(bench.generation()))
    assert deaf.calls[0].hook_url is None


async def test_the_provider_s_name_for_the_job_is_kept(bench: Bench) -> None:
    bench.use(ScriptedProvider(submits=[ACCEPTED], polls=[Waiting(stage="running")]))
    created = await bench.jobs.create(bench.queued())
    await bench.until_state(created, S.RUNNING)
    attempt = await bench.database.read(lambda c: attempts.latest(c, created.id))
    assert attempt is not None
    assert (attempt.vendor_id, attempt.handle) == ("v-1", {"id": "v-1"})


async def test_a_lost_answer_is_looked_up_and_the_job_taken_up(bench: Bench) -> None:
    provider = bench.use(ScriptedProvider(submits=[LOST], lookups=[ACCEPTED], features=LOOKUP))
    created = await bench.jobs.create(bench.queued())
    ended = await bench.settle(created)
    assert ended.state is S.SUCCEEDED
    assert len(provider.calls) == 1
    assert provider.looked_up == [f"{created.id}:1"]
    assert await told(bench, "generation.reconciled") == [
        {"found_by": "lookup", "provider": "scripted", "attempt": 1, "vendor_id": "v-1"}
    ]
    assert await told(bench, "generation.unknown") == []


async def test_absent_is_believed_only_when_nothing_can_be_on_its_way(bench: Bench) -> None:
    provider = bench.use(
        ScriptedProvider(submits=[LOST, ACCEPTED], lookups=[Absent()], features=LOOKUP)
    )
    created = await bench.jobs.create(bench.queued())
    await bench.until(lambda: len(provider.looked_up) == 1)
    await pass_time(bench, bench.settings.submit_timeout - 1, 1.0)
    assert len(provider.calls) == 1
    assert (await bench.look(created)).state is S.SUBMITTING
    ended = await bench.settle(created)
    assert ended.state is S.SUCCEEDED
    assert len(provider.looked_up) == 2
    assert [call.client_reference for call in provider.calls] == [
        f"{created.id}:1",
        f"{created.id}:2",
    ]
    assert await bench.attempt_states(created) == ["rejected", "acknowledged"]


async def test_an_absent_job_that_turns_up_at_the_second_look_is_not_sent_again(
    bench: Bench,
) -> None:
    provider = bench.use(
        ScriptedProvider(submits=[LOST], lookups=[Absent(), ACCEPTED], features=LOOKUP)
    )
    created = await bench.jobs.create(bench.queued())
    await bench.until(lambda: len(provider.looked_up) == 1)
    await pass_time(bench, bench.settings.submit_timeout + 5)
    assert (await bench.settle(created)).state is S.SUCCEEDED
    assert len(provider.calls) == 1


async def test_a_provider_that_cannot_tell_is_asked_with_patience(bench: Bench) -> None:
    provider = bench.use(ScriptedProvider(submits=[LOST], features=LOOKUP))
    created = await bench.jobs.create(bench.queued())
    await pass_time(bench, 100)
    assert (await bench.look(created)).state is S.SUBMITTING
    unknown = await until_state(bench, created, S.UNKNOWN, 400)
    assert 10 < len(provider.looked_up) < 20
    assert len(provider.calls) == 1
    assert await bench.entries(unknown) == [("hold", -10)]


async def test_a_report_that_is_on_its_way_is_awaited(bench: Bench) -> None:
    provider = with_hooks(bench, ScriptedProvider(submits=[LOST], features=WEBHOOK))
    created = await bench.jobs.create(bench.queued())
    await bench.until(lambda: len(provider.calls) == 1)
    await pass_time(bench, 60)
    assert (await bench.look(created)).state is S.SUBMITTING
    running = await adopt(bench.context, created.id, 1, ACCEPTED)
    assert running.state is S.RUNNING
    ended = await bench.settle(created)
    assert ended.state is S.SUCCEEDED
    assert (await told(bench, "generation.reconciled"))[0]["found_by"] == "webhook"


async def test_but_not_for_ever(bench: Bench) -> None:
    with_hooks(bench, ScriptedProvider(submits=[LOST], features=WEBHOOK))
    created = await bench.jobs.create(bench.queued())
    await pass_time(bench, bench.settings.hook_patience - 5)
    assert (await bench.look(created)).state is S.SUBMITTING
    unknown = await until_state(bench, created, S.UNKNOWN, 300)
    assert unknown.problem is not None
    assert unknown.problem.code == "submit_unknown"
    assert await told(bench, "generation.unknown") == [
        {"code": "submit_unknown", "provider": "scripted", "attempt": 1}
    ]


async def test_restarts_do_not_put_the_end_off(bench: Bench) -> None:
    with_hooks(bench, ScriptedProvider(submits=[LOST], features=WEBHOOK))
    created = await bench.jobs.create(bench.queued())
    for _ in range(3):
        await pass_time(bench, 0.3 * bench.settings.hook_patience)
        assert (await bench.look(created)).state is S.SUBMITTING
        await bench.die()
        second = with_hooks(bench, ScriptedProvider(features=WEBHOOK))
        assert await bench.jobs.start() == 1
    await until_state(bench, created, S.UNKNOWN, 0.5 * bench.settings.hook_patience)
    assert second.calls == []


async def test_a_report_makes_an_unknown_one_run_again_once(bench: Bench) -> None:
    unknown, provider = await unknown_one(bench)
    running = await adopt(bench.context, unknown.id, 1, ACCEPTED)
    assert (running.state, running.problem) == (S.RUNNING, None)
    again = await adopt(bench.context, unknown.id, 1, Accepted(handle={"id": "other"}))
    assert again.state is S.RUNNING
    ended = await resumed(bench, unknown)
    assert ended.state is S.SUCCEEDED
    assert (await adopt(bench.context, unknown.id, 1, ACCEPTED)).state is S.SUCCEEDED
    assert len(provider.calls) == 1
    assert len(await told(bench, "generation.reconciled")) == 1
    assert await bench.entries(ended) == [("hold", -10), ("capture", 0)]


async def test_a_report_that_overtakes_the_answer_to_the_submit(bench: Bench) -> None:
    provider = bench.use(ScriptedProvider(submits=[ACCEPTED], gate=asyncio.Event()))
    created = await bench.jobs.create(bench.queued())
    await bench.until(lambda: len(provider.calls) == 1)
    await adopt(bench.context, created.id, 1, Accepted(handle={"id": "by hook"}))
    assert provider.gate is not None
    provider.gate.set()
    ended = await bench.settle(created)
    assert ended.state is S.SUCCEEDED
    assert len(provider.calls) == 1
    assert await bench.attempt_states(created) == ["acknowledged"]


async def test_a_report_of_a_job_that_the_provider_then_denies(bench: Bench) -> None:
    denied = declined(FaultKind.UNAVAILABLE)
    provider = bench.use(ScriptedProvider(submits=[denied], gate=asyncio.Event()))
    created = await bench.jobs.create(bench.queued())
    await bench.until(lambda: len(provider.calls) == 1)
    await adopt(bench.context, created.id, 1, ACCEPTED)
    assert provider.gate is not None
    provider.gate.set()
    assert (await bench.settle(created)).state is S.SUCCEEDED
    assert len(provider.calls) == 1


@pytest.mark.parametrize(
    ("features", "stops", "money"),
    [
        (frozenset({Feature.CANCEL}), True, ("release", 10)),
        (frozenset({Feature.CANCEL}), False, ("capture", 0)),
        (frozenset(), True, ("capture", 0)),
    ],
)
async def test_a_report_for_one_that_was_cancelled_in_doubt(
    bench: Bench, features: frozenset[Feature], stops: bool, money: tuple[str, int]
) -> None:
    provider = ScriptedProvider(
        submits=[LOST],
        polls=[Waiting(stage="running")],
        gate=asyncio.Event(),
        features=features,
        can_cancel=stops,
    )
    bench.use(provider)
    created = await bench.jobs.create(bench.queued())
    await bench.until(lambda: len(provider.calls) == 1)
    await bench.jobs.cancel(WORKSPACE, created.id)
    assert provider.gate is not None
    provider.gate.set()
    await bench.until(lambda: not bench.engine.runs)
    doubtful = await bench.look(created)
    assert (doubtful.state, doubtful.charge_micros) == (S.CANCELLED, None)
    assert await bench.entries(doubtful) == [("hold", -10)]

    await adopt(bench.context, created.id, 1, ACCEPTED)
    ended = await bench.look(created)
    assert ended.state is S.CANCELLED
    assert ended.problem is None
    assert await bench.entries(ended) == [("hold", -10), money]
    assert (ended.cost_micros is None) == (money[0] == "release")


async def test_a_crash_in_the_middle_of_a_look_up_goes_on_looking_up(bench: Bench) -> None:
    bench.use(ScriptedProvider(submits=[LOST], features=LOOKUP))
    created = await bench.jobs.create(bench.queued())
    await bench.until_state(created, S.SUBMITTING)
    await pass_time(bench, 10)
    await bench.die()
    second = bench.use(ScriptedProvider(lookups=[ACCEPTED], features=LOOKUP))
    assert await bench.jobs.start() == 1
    assert (await bench.settle(created)).state is S.SUCCEEDED
    assert second.calls == []


async def test_nothing_is_adopted_that_does_not_exist(bench: Bench) -> None:
    with pytest.raises(NotFoundError):
        await adopt(bench.context, "gen_nobody", 1, ACCEPTED)
    unknown, _ = await unknown_one(bench)
    assert (await adopt(bench.context, unknown.id, 7, ACCEPTED)).state is S.UNKNOWN


async def test_resolved_as_charged(bench: Bench) -> None:
    unknown, _ = await unknown_one(bench)
    ended = await resolve(bench.context, unknown.id, Resolution.CHARGED)
    assert ended.state is S.FAILED
    assert ended.problem is not None
    assert ended.problem.code == "submit_charged"
    assert (ended.charge_micros, ended.cost_micros) == (10_000_000, 80_000)
    assert await bench.entries(ended) == [("hold", -10), ("capture", 0)]
    assert await bench.attempt_states(ended) == ["acknowledged"]
    assert await told(bench, "generation.resolved") == [{"as": "charged", "by": "operator"}]
    assert len(await told(bench, "generation.failed")) == 1


async def test_resolved_as_not_charged(bench: Bench) -> None:
    unknown, _ = await unknown_one(bench)
    ended = await resolve(bench.context, unknown.id, Resolution.NOT_CHARGED)
    assert ended.state is S.FAILED
    assert ended.problem is not None
    assert ended.problem.code == "submit_not_charged"
    assert "start it again" in (ended.problem.hint or "")
    assert (ended.charge_micros, ended.cost_micros) == (0, None)
    assert await bench.entries(ended) == [("hold", -10), ("release", 10)]
    assert await bench.attempt_states(ended) == ["rejected"]


async def test_resolved_by_attaching_the_job(bench: Bench) -> None:
    unknown, provider = await unknown_one(bench)
    running = await resolve(bench.context, unknown.id, Resolution.ATTACH, vendor_id="job-7")
    assert running.state is S.RUNNING
    ended = await resumed(bench, unknown)
    assert ended.state is S.SUCCEEDED
    assert len(provider.calls) == 1
    attempt = await bench.database.read(lambda c: attempts.latest(c, unknown.id))
    assert attempt is not None
    assert (attempt.handle, attempt.vendor_id) == ({"id": "job-7"}, "job-7")
    said = {"as": "attach", "by": "operator", "vendor_id": "job-7"}
    assert await told(bench, "generation.resolved") == [said]


@pytest.mark.parametrize(
    ("attachable", "vendor_id", "code"),
    [(True, None, "vendor_id_required"), (False, "v", "attach_unsupported")],
)
async def test_what_cannot_be_attached(
    bench: Bench, attachable: bool, vendor_id: str | None, code: str
) -> None:
    unknown, _ = await unknown_one(bench, attachable=attachable)
    with pytest.raises(InvalidRequestError) as raised:
        await resolve(bench.context, unknown.id, Resolution.ATTACH, vendor_id=vendor_id)
    assert raised.value.code == code
    assert (await bench.look(unknown)).state is S.UNKNOWN


@pytest.mark.parametrize("second", list(Resolution))
@pytest.mark.parametrize("first", list(Resolution))
async def test_of_two_operators_one_is_heard(
    bench: Bench, first: Resolution, second: Resolution
) -> None:
    unknown, _ = await unknown_one(bench)
    results = await asyncio.gather(
        *(resolve(bench.context, unknown.id, word, vendor_id="v") for word in (first, second)),
        return_exceptions=True,
    )
    refused = [item for item in results if isinstance(item, BaseException)]
    assert len(refused) == 1
    assert isinstance(refused[0], ConflictError)
    assert refused[0].code == "not_unknown"
    assert len(await told(bench, "generation.resolved")) == 1
    assert len(await bench.entries(unknown)) <= 2


async def test_what_is_known_is_not_resolved(bench: Bench) -> None:
    bench.use(ScriptedProvider())
    ended = await bench.settle(await bench.jobs.create(bench.generation()))
    with pytest.raises(ConflictError) as raised:
        await resolve(bench.context, ended.id, Resolution.NOT_CHARGED)
    assert raised.value.details == {"state": "succeeded"}
    with pytest.raises(NotFoundError):
        await resolve(bench.context, ended.id, Resolution.CHARGED, workspace_id="wsp_other")
    with pytest.raises(NotFoundError):
        await resolve(bench.context, "gen_nobody", Resolution.CHARGED)


@pytest.mark.parametrize(
    ("word", "money", "charge"),
    [
        (Resolution.CHARGED, ("capture", 0), 10_000_000),
        (Resolution.NOT_CHARGED, ("release", 10), 0),
        (Resolution.ATTACH, ("capture", 0), 10_000_000),
    ],
)
async def test_one_that_was_cancelled_before_a_crash_can_be_resolved(
    bench: Bench, word: Resolution, money: tuple[str, int], charge: int
) -> None:
    first = bench.use(ScriptedProvider(gate=asyncio.Event()))
    created = await bench.jobs.create(bench.queued())
    await bench.until(lambda: len(first.calls) == 1)
    await bench.die()
    bench.jobs.only_create()
    await bench.jobs.cancel(WORKSPACE, created.id)

    second = bench.use(ScriptedProvider(polls=[Waiting(stage="running")]))
    assert await bench.jobs.start() == 1
    async with asyncio.timeout(20):
        while await bench.attempt_states(created) != ["unknown"]:
            await asyncio.sleep(0.01)
    await bench.until(lambda: not bench.engine.runs)
    doubtful = await bench.look(created)
    assert (doubtful.state, doubtful.charge_micros) == (S.CANCELLED, None)
    assert doubtful.problem is not None
    assert doubtful.problem.code == "submit_unknown"
    assert await bench.attempt_states(created) == ["unknown"]
    assert await bench.entries(created) == [("hold", -10)]

    ended = await resolve(bench.context, created.id, word, vendor_id="v-9")
    assert ended.state is S.CANCELLED
    assert ended.charge_micros == charge
    assert await bench.entries(created) == [("hold", -10), money]
    assert second.calls == []
    with pytest.raises(ConflictError):
        await resolve(bench.context, created.id, Resolution.CHARGED)


async def test_a_result_turns_up_for_one_that_was_resolved_as_charged(bench: Bench) -> None:
    unknown, _ = await unknown_one(bench, polls=[remote_reply()])
    await resolve(bench.context, unknown.id, Resolution.CHARGED)
    ended = await adopt(bench.context, unknown.id, 1, ACCEPTED)
    assert ended.state is S.FAILED
    attempt = await bench.database.read(lambda c: attempts.latest(c, unknown.id))
    assert attempt is not None
    assert (attempt.handle, attempt.closed_at) == ({"id": "v-1"}, None)


async def test_unknowns_can_be_told_by_their_public_form(bench: Bench) -> None:
    unknown, _ = await unknown_one(bench)
    assert attention_of(unknown) == "submit_unknown"
    cancelled = msgspec.structs.replace(unknown, state=S.CANCELLED)
    assert attention_of(cancelled) == "submit_unknown"
    settled = msgspec.structs.replace(cancelled, charge_micros=0)
    assert attention_of(settled) is None


async def test_stopping_does_not_wait_until_it_is_known_what_became_of_a_submit(bench):
    with_hooks(bench, ScriptedProvider(features=WEBHOOK, submits=[LOST]))
    generation = await bench.jobs.create(bench.generation())
    await bench.until(lambda: bench.context.under_way.is_searched_for(generation.id))

    async with asyncio.timeout(10):
        await bench.jobs.close()

    assert (await bench.look(generation)).state is S.SUBMITTING
    assert await bench.attempt_states(generation) == ["intent"]
