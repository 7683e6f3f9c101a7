"""Which routes are taken, skipped and given up, and that no two can ever both be charged."""

from __future__ import annotations

from collections.abc import AsyncIterator
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from tests.jobs.bench import (
    LOST,
    Bench,
    ScriptedProvider,
    broken,
    declined,
    picture_reply,
)

from mediawright.core.generation import Generation
from mediawright.core.money import Price
from mediawright.core.provider import Accepted, FaultKind, Feature, Waiting
from mediawright.core.request import FallbackPolicy, GenerationRequest
from mediawright.core.states import GenerationState
from mediawright.jobs.health import Circuits
from mediawright.jobs.trying_again import CircuitSettings, Pauses
from mediawright.store import attempts
from mediawright.store.kinds import HealthState

S = GenerationState
REPEATABLE = frozenset({Feature.REPEATABLE_SUBMIT})
DOWN = declined(FaultKind.UNAVAILABLE, http_status=503)


@pytest.fixture
async def circuits(bench: Bench) -> AsyncIterator[Circuits]:
    """Circuit breakers that open at the second outage in a row."""
    made = Circuits(bench.database, bench.clock, CircuitSettings(failures=2, cooldown=20.0))
    bench.health = made
    yield made
    await made.close()


def on(bench: Bench, *providers: str, synchronous: bool = True, **request: Any) -> Generation:
    """Return a new generation with a route to each provider."""
    first = bench.generation().routes[0]
    routes = tuple(
        msgspec.structs.replace(
            first, provider=name, upstream_id=f"model-{number}", synchronous=synchronous
        )
        for number, name in enumerate(providers, 1)
    )
    wanted = GenerationRequest(model="test-model", prompt="a fox", **request)
    return bench.generation(routes=routes, provider=providers[0], request=wanted)


async def run(bench: Bench, generation: Generation, *, seconds: float = 120.0) -> Generation:
    return await bench.settle(await bench.jobs.create(generation), seconds=seconds)


def skipped(generation: Generation) -> list[tuple[str, str]]:
    return [(item.provider, item.reason) for item in generation.skipped_routes]


@pytest.mark.parametrize("policy", FallbackPolicy)
@pytest.mark.parametrize(
    ("kind", "needs"),
    [
        (FaultKind.UNAVAILABLE, FallbackPolicy.ON_OUTAGE),
        (FaultKind.UNREACHABLE, FallbackPolicy.ON_OUTAGE),
        (FaultKind.RATE_LIMITED, FallbackPolicy.ON_OUTAGE),
        (FaultKind.BAD_CREDENTIAL, FallbackPolicy.ON_OUTAGE),
        (FaultKind.OUT_OF_CREDIT, FallbackPolicy.ON_OUTAGE),
        (FaultKind.GARBAGE, FallbackPolicy.ON_OUTAGE),
        (FaultKind.REFUSED, FallbackPolicy.ON_REFUSAL),
        (FaultKind.INVALID_REQUEST, FallbackPolicy.ON_REFUSAL),
        (FaultKind.FAILED, None),
    ],
)
async def test_the_caller_says_after_what_another_route_is_tried(
    bench: Bench, policy: FallbackPolicy, kind: FaultKind, needs: FallbackPolicy | None
) -> None:
    order = list(FallbackPolicy)
    second = ScriptedProvider(name="second")
    bench.use(ScriptedProvider(submits=[declined(kind)]), second)
    ended = await run(bench, on(bench, "scripted", "second", fallback=policy))
    goes_on = needs is not None and order.index(policy) >= order.index(needs)
    assert (ended.state is S.SUCCEEDED) is goes_on
    assert len(second.calls) == int(goes_on)


@pytest.mark.parametrize("policy", FallbackPolicy)
async def test_nothing_makes_up_for_what_may_have_been_taken(
    bench: Bench, policy: FallbackPolicy
) -> None:
    second = ScriptedProvider(name="second")
    bench.use(ScriptedProvider(submits=[LOST]), second)
    unknown = await run(bench, on(bench, "scripted", "second", fallback=policy), seconds=5)
    assert unknown.state is not S.SUCCEEDED
    assert second.calls == []


@pytest.mark.parametrize("policy", FallbackPolicy)
async def test_nothing_makes_up_for_what_was_taken(bench: Bench, policy: FallbackPolicy) -> None:
    second = ScriptedProvider(name="second")
    taken = ScriptedProvider(
        submits=[Accepted(handle={"id": "v-1"})],
        polls=[Waiting(stage="running"), broken(FaultKind.REFUSED)],
    )
    bench.use(taken, second)
    ended = await run(bench, on(bench, "scripted", "second", synchronous=False, fallback=policy))
    assert ended.state is S.REFUSED
    assert second.calls == []


@pytest.mark.parametrize("last", [FaultKind.RATE_LIMITED, FaultKind.UNAVAILABLE])
async def test_a_repeated_submit_that_may_have_been_taken_rules_others_out(
    bench: Bench, last: FaultKind
) -> None:
    second = ScriptedProvider(name="second")
    maybe = ScriptedProvider(features=REPEATABLE, submits=[LOST, declined(last)])
    bench.use(maybe, second)
    ended = await run(bench, on(bench, "scripted", "second"))
    assert ended.state is not S.SUCCEEDED
    assert len(maybe.calls) > 1
    assert second.calls == []


async def test_where_there_is_another_way_a_provider_that_is_down_is_not_asked_again(
    bench: Bench,
) -> None:
    first = ScriptedProvider(submits=[DOWN])
    bench.use(first, ScriptedProvider(name="second"))
    ended = await run(bench, on(bench, "scripted", "second"))
    assert ended.provider == "second"
    assert len(first.calls) == 1
    alone = bench.use(ScriptedProvider(submits=[DOWN, picture_reply()]))
    assert (await run(bench, on(bench, "scripted"))).state is S.SUCCEEDED
    assert len(alone.calls) == 2


async def test_pauses_grow_and_are_never_shorter_than_asked_for() -> None:
    pauses = Pauses(first=1.0, growth=2.0, longest=10.0, jitter=0.5)
    for tries, least in ((1, 1.0), (2, 2.0), (3, 4.0), (4, 8.0), (5, 10.0), (500, 10.0)):
        for _ in range(20):
            assert least <= pauses.after(tries) <= least * 1.5
            assert 25.0 <= pauses.after(tries, 25.0) <= 37.5
    assert len({pauses.after(1) for _ in range(20)}) > 1
    assert Pauses(jitter=0.0).after(1) == 1.0


async def test_a_provider_that_wants_too_long_a_pause_is_left_for_the_next(bench: Bench) -> None:
    first = ScriptedProvider(submits=[declined(FaultKind.RATE_LIMITED, retry_after=3_600.0)])
    bench.use(first, ScriptedProvider(name="second"))
    ended = await run(bench, on(bench, "scripted", "second"))
    assert (ended.state, ended.provider) == (S.SUCCEEDED, "second")
    assert len(first.calls) == 1


async def test_what_is_passed_over_on_the_way_is_written_down(
    bench: Bench, circuits: Circuits
) -> None:
    for _ in range(2):
        await circuits.failed("shut", DOWN.fault)
    bench.use(ScriptedProvider(submits=[DOWN]), ScriptedProvider(name="last"))
    bench.directory.by_name["shut"] = ScriptedProvider(name="shut")
    ended = await run(bench, on(bench, "scripted", "keyless", "shut", "last"))
    assert (ended.state, ended.provider) == (S.SUCCEEDED, "last")
    assert skipped(ended) == [("keyless", "missing_api_key"), ("shut", "circuit_open")]
    assert all(item.message for item in ended.skipped_routes)


async def test_the_charge_is_what_was_quoted_whoever_does_it(bench: Bench) -> None:
    bench.use(ScriptedProvider(submits=[DOWN]), ScriptedProvider(name="dear"))
    generation = on(bench, "scripted", "dear")
    dear = Price(credits=Decimal(500), usd=Decimal(5))
    routes = (generation.routes[0], msgspec.structs.replace(generation.routes[1], price=dear))
    ended = await run(bench, msgspec.structs.replace(generation, routes=routes))
    assert ended.state is S.SUCCEEDED
    assert ended.charge_micros == 10_000_000
    assert ended.cost_micros == 5_000_000
    assert await bench.available() == 90


async def test_an_outage_seen_by_others_sends_a_queued_one_elsewhere(
    bench: Bench, circuits: Circuits
) -> None:
    first = ScriptedProvider()
    bench.use(first, ScriptedProvider(name="second"))
    for _ in range(2):
        await circuits.failed("scripted", DOWN.fault)
    ended = await run(bench, on(bench, "scripted", "second"))
    assert (ended.state, ended.provider) == (S.SUCCEEDED, "second")
    assert skipped(ended) == [("scripted", "circuit_open")]
    assert first.calls == []


async def test_without_another_route_the_provider_is_waited_for(
    bench: Bench, circuits: Circuits
) -> None:
    provider = bench.use(ScriptedProvider())
    for _ in range(2):
        await circuits.failed("scripted", DOWN.fault)
    began = bench.clock.now()
    ended = await run(bench, on(bench, "scripted"))
    assert ended.state is S.SUCCEEDED
    assert len(provider.calls) == 1
    assert (bench.clock.now() - began).total_seconds() >= 20.0
    assert (await circuits.standings())["scripted"].state is HealthState.CLOSED


async def test_but_not_for_ever(bench: Bench, circuits: Circuits) -> None:
    provider = bench.use(ScriptedProvider())
    tired = declined(FaultKind.OUT_OF_CREDIT, http_status=402)
    await circuits.failed("scripted", tired.fault)
    ended = await run(bench, on(bench, "scripted"))
    assert ended.state is S.FAILED
    assert ended.problem is not None
    assert ended.problem.code == "provider_unavailable"
    assert ended.problem.details["retry_after"] > 60.0
    assert await bench.entries(ended) == [("hold", -10), ("release", 10)]
    assert skipped(ended) == [("scripted", "circuit_open")]
    assert provider.calls == []


async def test_of_many_that_wait_one_tries_and_the_others_follow(
    bench: Bench, circuits: Circuits
) -> None:
    provider = bench.use(ScriptedProvider(submits=[DOWN, DOWN, picture_reply()]))
    waiting = [await bench.jobs.create(on(bench, "scripted")) for _ in range(2)]
    for generation in waiting:
        await bench.settle(generation, seconds=120)
    more = [await bench.jobs.create(on(bench, "scripted")) for _ in range(8)]
    ended = [await bench.settle(generation, seconds=120) for generation in more]
    assert {generation.state for generation in ended} == {S.SUCCEEDED}
    found = [
        await bench.database.read(lambda c, of=item.id: attempts.for_generation(c, None, of))
        for item in more
    ]
    assert [len(made) for made in found] == [1] * 8, "nobody but the first ran into it"
    assert provider.calls
