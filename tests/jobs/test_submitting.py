"""What a submit can come to, and that none is ever made twice by mistake."""

from __future__ import annotations

import asyncio
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from tests.jobs.bench import (
    LOST,
    PICTURE,
    WORKSPACE,
    Bench,
    ScriptedProvider,
    declined,
    picture_reply,
)

from mediawright.core.errors import ConflictError, InsufficientCreditError
from mediawright.core.generation import RoutePlan
from mediawright.core.money import Money, Price
from mediawright.core.provider import Accepted, FaultKind, Feature, Usage
from mediawright.core.request import GenerationRequest
from mediawright.core.states import GenerationState
from mediawright.store import assets, generations, spans

S = GenerationState


async def test_an_answer_at_once_is_stored_charged_and_told(bench: Bench) -> None:
    provider = bench.use(ScriptedProvider())
    created = await bench.jobs.create(bench.generation())
    assert created.state is S.SUBMITTING
    ended = await bench.settle(created)

    assert ended.state is S.SUCCEEDED
    assert ended.charge_micros == 10_000_000
    assert ended.cost_micros == 80_000
    assert ended.progress == 1.0
    assert await bench.entries(ended) == [("hold", -10), ("capture", 0)]
    assert await bench.available() == 90
    assert await bench.attempt_states(ended) == ["acknowledged"]
    assert len(provider.calls) == 1
    stored = await bench.database.read(lambda c: assets.for_generation(c, WORKSPACE, ended.id))
    assert [item.facts.width for item in stored] == [8]
    assert (bench.folder / "files" / stored[0].key).read_bytes() == PICTURE
    told = await bench.event_types()
    assert told[0] == "generation.created"
    assert told[-2:] == ["asset.stored", "generation.succeeded"]
    assert not list((bench.folder / "replies").glob("*"))


async def test_the_trace_says_what_happened(bench: Bench) -> None:
    bench.use(ScriptedProvider())
    request = GenerationRequest(
        model="test-model", prompt="a fox", metadata={"conversation_id": "c-1", "persona": "Artist"}
    )
    ended = await bench.settle(await bench.jobs.create(bench.generation(request=request)))
    found = await bench.database.read(lambda c: spans.for_trace(c, WORKSPACE, ended.trace_id))
    root = next(span for span in found if span.parent_id is None)
    assert root.kind == "image"
    assert root.status == "ok"
    assert root.ended_at is not None
    expected = {
        "model": "test-model",
        "prompt": "a fox",
        "provider": "scripted",
        "metadata.conversation_id": "c-1",
        "metadata.persona": "Artist",
        "charge_credits": "10",
        "cost_usd": "0.08",
    }
    assert expected.items() <= root.attributes.items()
    assert {span.name for span in found} >= {"submit", "store"}


async def test_what_the_provider_says_it_billed_wins(bench: Bench) -> None:
    usage = Usage(cost=Money.usd("0.05"))
    bench.use(ScriptedProvider(submits=[picture_reply(usage)]))
    ended = await bench.settle(await bench.jobs.create(bench.generation()))
    assert ended.cost_micros == 50_000
    assert ended.cost_basis.value == "vendor_reported"
    assert ended.charge_micros == 10_000_000


@pytest.mark.parametrize(
    ("kind", "state", "code"),
    [
        (FaultKind.BAD_CREDENTIAL, S.FAILED, "provider_key_rejected"),
        (FaultKind.OUT_OF_CREDIT, S.FAILED, "provider_out_of_credit"),
        (FaultKind.INVALID_REQUEST, S.FAILED, "provider_rejected_request"),
        (FaultKind.REFUSED, S.REFUSED, "content_refused"),
        (FaultKind.UNAVAILABLE, S.FAILED, "provider_unavailable"),
    ],
)
async def test_a_declined_submit_ends_it_and_gives_the_hold_back(
    bench: Bench, kind: FaultKind, state: S, code: str
) -> None:
    provider = bench.use(ScriptedProvider(submits=[declined(kind)]))
    ended = await bench.settle(await bench.jobs.create(bench.generation()))
    assert ended.state is state
    assert ended.problem is not None
    assert ended.problem.code == code
    assert await bench.entries(ended) == [("hold", -10), ("release", 10)]
    assert await bench.available() == 100
    # What is down surely took nothing: without another way it is asked again, a few times.
    tries = 1 + bench.settings.submit_retries if kind is FaultKind.UNAVAILABLE else 1
    assert len(provider.calls) == tries


async def test_a_rate_limit_is_waited_out_as_long_as_the_provider_says(bench: Bench) -> None:
    limited = declined(FaultKind.RATE_LIMITED, retry_after=7.0)
    provider = bench.use(ScriptedProvider(submits=[limited, picture_reply()]))
    created = await bench.jobs.create(bench.generation())
    await bench.settle(created, seconds=6)
    assert len(provider.calls) == 1
    ended = await bench.settle(created)
    assert ended.state is S.SUCCEEDED
    assert len(provider.calls) == 2
    assert await bench.attempt_states(ended) == ["rejected", "acknowledged"]
    assert [call.client_reference for call in provider.calls] == [
        f"{ended.id}:1",
        f"{ended.id}:2",
    ]


async def test_retries_end(bench: Bench) -> None:
    provider = bench.use(ScriptedProvider(submits=[declined(FaultKind.UNREACHABLE)]))
    ended = await bench.settle(await bench.jobs.create(bench.generation()), seconds=60)
    assert ended.state is S.FAILED
    assert len(provider.calls) == 1 + bench.settings.submit_retries


async def test_a_lost_reply_is_unknown_and_never_sent_again(bench: Bench) -> None:
    provider = bench.use(ScriptedProvider(submits=[LOST]))
    unknown = await bench.settle(await bench.jobs.create(bench.generation()))
    assert unknown.state is S.UNKNOWN
    assert unknown.status.value == "processing"
    assert await bench.entries(unknown) == [("hold", -10)]
    assert await bench.available() == 90
    assert "generation.unknown" in await bench.event_types()

    again = bench.use(ScriptedProvider())
    assert await bench.jobs.start() == 0
    await bench.settle(unknown, seconds=3)
    assert len(provider.calls) == 1
    assert again.calls == []
    with pytest.raises(ConflictError) as raised:
        await bench.jobs.cancel(WORKSPACE, unknown.id)
    assert raised.value.code == "submit_unknown"


async def test_a_repeatable_submit_is_made_again_under_the_same_terms(bench: Bench) -> None:
    features = frozenset({Feature.REPEATABLE_SUBMIT})
    provider = bench.use(ScriptedProvider(features=features, submits=[LOST, picture_reply()]))
    ended = await bench.settle(await bench.jobs.create(bench.generation()))
    assert ended.state is S.SUCCEEDED
    assert len(provider.calls) == 2


def two_routes(bench: Bench) -> tuple[RoutePlan, RoutePlan]:
    first = bench.generation().routes[0]
    return first, msgspec.structs.replace(first, provider="second", upstream_id="model-2")


@pytest.mark.parametrize(
    "kind",
    [FaultKind.UNAVAILABLE, FaultKind.BAD_CREDENTIAL, FaultKind.OUT_OF_CREDIT],
)
async def test_an_outage_goes_to_the_next_route(bench: Bench, kind: FaultKind) -> None:
    first = ScriptedProvider(submits=[declined(kind)])
    second = ScriptedProvider(name="second")
    bench.use(first, second)
    created = await bench.jobs.create(bench.generation(routes=two_routes(bench)))
    ended = await bench.settle(created)
    assert ended.state is S.SUCCEEDED
    assert ended.provider == "second"
    assert (len(first.calls), len(second.calls)) == (1, 1)
    assert await bench.attempt_states(ended) == ["rejected", "acknowledged"]


@pytest.mark.parametrize("kind", [FaultKind.REFUSED, FaultKind.INVALID_REQUEST])
async def test_a_refusal_does_not(bench: Bench, kind: FaultKind) -> None:
    second = ScriptedProvider(name="second")
    bench.use(ScriptedProvider(submits=[declined(kind)]), second)
    created = await bench.jobs.create(bench.generation(routes=two_routes(bench)))
    assert (await bench.settle(created)).state in {S.REFUSED, S.FAILED}
    assert second.calls == []


async def test_nor_does_an_unknown_submit_or_a_named_provider(bench: Bench) -> None:
    second = ScriptedProvider(name="second")
    bench.use(ScriptedProvider(submits=[LOST, declined(FaultKind.UNAVAILABLE)]), second)
    routes = two_routes(bench)
    unknown = await bench.settle(await bench.jobs.create(bench.generation(routes=routes)))
    assert unknown.state is S.UNKNOWN
    named = GenerationRequest(model="test-model", prompt="a fox", provider="scripted")
    created = await bench.jobs.create(bench.generation(routes=routes, request=named))
    assert (await bench.settle(created)).state is S.FAILED
    assert second.calls == []


async def test_a_route_whose_key_has_gone_is_skipped(bench: Bench) -> None:
    routes = two_routes(bench)
    second = bench.use(ScriptedProvider(name="second"))
    ended = await bench.settle(await bench.jobs.create(bench.generation(routes=routes)))
    assert ended.state is S.SUCCEEDED
    assert len(second.calls) == 1


async def test_what_the_balance_does_not_cover_is_not_written(bench: Bench) -> None:
    provider = bench.use(ScriptedProvider())
    dear = bench.generation(price=Price(credits=Decimal(101)))
    with pytest.raises(InsufficientCreditError) as raised:
        await bench.jobs.create(dear)
    assert raised.value.details == {"price_credits": "101", "available_credits": "100"}
    gone = await bench.database.read(lambda c: generations.get(c, None, dear.id))
    assert gone is None
    assert provider.calls == []
    assert await bench.event_types() == []


async def test_an_idempotency_key_makes_one_generation(bench: Bench) -> None:
    provider = bench.use(ScriptedProvider())
    first = await bench.jobs.create(bench.generation(idempotency_key="k"))
    second = await bench.jobs.create(bench.generation(idempotency_key="k"))
    assert second.id == first.id
    await bench.settle(first)
    assert len(provider.calls) == 1
    with pytest.raises(ConflictError) as raised:
        await bench.jobs.create(bench.generation(idempotency_key="k", request_hash="other"))
    assert raised.value.code == "idempotency_key_reused"


async def test_an_accepted_job_is_acknowledged_before_the_first_question(bench: Bench) -> None:
    provider = bench.use(ScriptedProvider(submits=[Accepted(handle={"id": "v-1"})]))
    created = await bench.jobs.create(bench.queued())
    await bench.until_state(created, S.RUNNING)
    assert await bench.attempt_states(created) == ["acknowledged"]
    ended = await bench.settle(created)
    assert ended.state is S.SUCCEEDED
    assert provider.polled >= 1


async def test_an_answer_at_once_costs_two_commits(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench.use(ScriptedProvider())
    commits = 0
    write = bench.database.write

    async def counted(work: Any) -> Any:
        nonlocal commits
        commits += 1
        return await write(work)

    monkeypatch.setattr(bench.database, "write", counted)
    ended = await bench.settle(await bench.jobs.create(bench.generation()))
    assert ended.state is S.SUCCEEDED
    assert commits == 2
    found = await bench.database.read(lambda c: spans.for_trace(c, WORKSPACE, ended.trace_id))
    assert {span.name for span in found} == {"text-to-image", "submit", "store"}


class Confused(ScriptedProvider):
    """Has a defect that shows after its request has left."""

    async def submit(self, call: Any, report: Any) -> Any:
        await super().submit(call, report)
        raise ValueError("a defect")


async def test_a_defect_after_the_request_left_does_not_send_it_again(bench: Bench) -> None:
    provider = bench.use(Confused())
    unknown = await bench.settle(await bench.jobs.create(bench.generation()))
    assert unknown.state is S.UNKNOWN
    assert len(provider.calls) == 1
    assert await bench.entries(unknown) == [("hold", -10)]


async def test_the_same_for_a_job_in_the_queue(bench: Bench) -> None:
    provider = bench.use(Confused(submits=[Accepted(handle={"id": "v-1"})]))
    unknown = await bench.settle(await bench.jobs.create(bench.queued()))
    assert unknown.state is S.UNKNOWN
    assert len(provider.calls) == 1


async def test_a_reply_that_the_disk_refuses_is_delivered_all_the_same(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    provider = bench.use(ScriptedProvider())

    async def full(*arguments: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(bench.context.replies, "save", full)
    ended = await bench.settle(await bench.jobs.create(bench.generation()))
    assert ended.state is S.SUCCEEDED
    assert len(provider.calls) == 1


async def test_what_is_not_held_any_more_is_not_charged(bench: Bench) -> None:
    provider = bench.use(ScriptedProvider(gate=asyncio.Event()))
    created = await bench.jobs.create(bench.generation())
    await bench.until(lambda: len(provider.calls) == 1)
    ledger, now = bench.context.ledger, bench.clock.now()
    await bench.database.write(lambda c: ledger.release(c, created, now=now))
    assert provider.gate is not None
    provider.gate.set()
    ended = await bench.settle(created)
    assert ended.state is S.SUCCEEDED
    assert ended.charge_micros == 0
    assert await bench.entries(ended) == [("hold", -10), ("release", 10)]
