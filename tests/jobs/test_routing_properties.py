"""Whatever providers do: of one generation at most one of them can send a bill."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from tests.jobs.bench import (
    CREDITS,
    LOST,
    WORKSPACE,
    Bench,
    ScriptedProvider,
    declined,
    picture_reply,
)

from mediawright.app.route_views import RouteOutcome, route_views
from mediawright.core.clock import ManualClock
from mediawright.core.provider import Accepted, Declined, FaultKind, Feature
from mediawright.core.request import FallbackPolicy, GenerationRequest
from mediawright.core.states import AttemptState, GenerationState
from mediawright.jobs.context import JobSettings
from mediawright.jobs.faults import FALLBACK_KINDS
from mediawright.jobs.health import Circuits
from mediawright.jobs.trying_again import CircuitSettings, Pauses
from mediawright.store import attempts, workspaces
from mediawright.store.database import Database
from mediawright.store.workspaces import Workspace

NAMES = ("first", "second", "third")
QUICK = JobSettings(
    submit_retries=1,
    submit_pauses=Pauses(first=0.25, growth=1.0, jitter=0.0),
    circuit=CircuitSettings(failures=2, cooldown=0.25, patience=0.5),
)

KINDS = [*sorted(FALLBACK_KINDS), FaultKind.REFUSED, FaultKind.FAILED]
answers = st.one_of(
    st.just("taken"),
    st.builds(
        lambda kind, accepted, status: declined(kind, accepted=accepted, http_status=status),
        st.sampled_from(KINDS),
        st.sampled_from([False, None]),
        st.sampled_from([None, 401, 429, 500, 503]),
    ),
)


class World(msgspec.Struct, frozen=True, kw_only=True):
    """How everything behaves in one example."""

    scripts: dict[str, list[Any]]
    synchronous: tuple[bool, bool, bool]
    repeatable: tuple[bool, bool, bool]
    keyless: frozenset[str]
    policy: FallbackPolicy
    failures_before: dict[str, int]


worlds = st.builds(
    World,
    scripts=st.fixed_dictionaries(
        {name: st.lists(answers, min_size=1, max_size=3) for name in NAMES}
    ),
    synchronous=st.tuples(*[st.booleans()] * 3),
    repeatable=st.tuples(*[st.booleans()] * 3),
    keyless=st.frozensets(st.sampled_from(NAMES[1:]), max_size=1),
    policy=st.sampled_from(
        [FallbackPolicy.NONE, FallbackPolicy.ON_OUTAGE, FallbackPolicy.ON_REFUSAL]
    ),
    failures_before=st.fixed_dictionaries({name: st.sampled_from([0, 0, 1, 2]) for name in NAMES}),
)


REPEATED = World(
    scripts={
        "first": [LOST, declined(FaultKind.UNAVAILABLE)],
        "second": ["taken"],
        "third": ["taken"],
    },
    synchronous=(True, True, True),
    repeatable=(True, False, False),
    keyless=frozenset(),
    policy=FallbackPolicy.ON_OUTAGE,
    failures_before=dict.fromkeys(NAMES, 0),
)
"""A submit that may have been taken, then the same again, which surely was not."""


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("template") / "test.db"
    database = Database(f"sqlite:///{path}")
    database.migrate()
    database.close()
    return path


@settings(max_examples=60, deadline=None)
@given(world=worlds)
@example(world=REPEATED)
def test_at_most_one_provider_can_ever_charge(template: Path, world: World) -> None:
    folder = Path(tempfile.mkdtemp(prefix="routes-"))
    try:
        shutil.copy(template, folder / "test.db")
        asyncio.run(_hold_to_it(folder, world))
    finally:
        shutil.rmtree(folder)


class Recorder(ScriptedProvider):
    """Keeps what it said to each submit."""

    def __init__(self, **fields: Any) -> None:
        super().__init__(**fields)
        self.said: list[Any] = []

    async def submit(self, call: Any, report: Any) -> Any:
        answer = await super().submit(call, report)
        self.said.append(answer)
        return answer

    @property
    def may_charge(self) -> bool:
        return any(
            not isinstance(answer, Declined) or answer.fault.accepted is not False
            for answer in self.said
        )


async def _hold_to_it(folder: Path, world: World) -> None:
    bench = Bench(folder, ManualClock())
    bench.settings = QUICK
    circuits = Circuits(bench.database, bench.clock, QUICK.circuit)
    bench.health = circuits
    made = [
        Recorder(
            name=name,
            features=frozenset({Feature.REPEATABLE_SUBMIT}) if repeatable else frozenset(),
            submits=[_answer(item, synchronous=synchronous) for item in world.scripts[name]],
        )
        for name, synchronous, repeatable in zip(
            NAMES, world.synchronous, world.repeatable, strict=True
        )
    ]
    bench.use(*[provider for provider in made if provider.name not in world.keyless])

    def open_account(connection: Any) -> None:
        workspace = Workspace(id=WORKSPACE, name="test", created_at=bench.clock.now())
        workspaces.insert(connection, workspace)
        bench.ledger.grant(connection, WORKSPACE, CREDITS, now=bench.clock.now())

    try:
        await bench.database.write(open_account)
        for name, times in world.failures_before.items():
            for _ in range(times):
                await circuits.failed(name, declined(FaultKind.UNAVAILABLE).fault)
        first = bench.generation().routes[0]
        routes = tuple(
            msgspec.structs.replace(
                first, provider=name, upstream_id=f"model of {name}", synchronous=synchronous
            )
            for name, synchronous in zip(NAMES, world.synchronous, strict=True)
        )
        request = GenerationRequest(model="test-model", prompt="a fox", fallback=world.policy)
        created = await bench.jobs.create(
            bench.generation(routes=routes, provider="first", request=request)
        )
        ended = await bench.settle(created, seconds=20)
        tries = await bench.database.read(lambda c: attempts.for_generation(c, None, ended.id))
        views = route_views(ended, tries)
        entries = await bench.entries(ended)
        available = await bench.available()
    finally:
        await bench.jobs.close()
        await circuits.close()
        bench.database.close()

    assert ended.state.is_terminal or ended.state is GenerationState.UNKNOWN
    charging = [provider.name for provider in made if provider.may_charge]
    assert len(charging) <= 1
    open_tries = [item for item in tries if item.state is not AttemptState.REJECTED]
    assert len(open_tries) <= 1
    for provider in made:
        if Feature.REPEATABLE_SUBMIT not in provider.features:
            assert sum(_may_charge(answer) for answer in provider.said) <= 1
    for view in views:
        named = view["reason"] is not None and view["message"] is not None
        assert named is (
            view["outcome"] in (RouteOutcome.FAILED, RouteOutcome.SKIPPED, RouteOutcome.UNKNOWN)
        ), view
        sent = next(len(p.said) for p in made if p.name == view["provider"])
        if view["provider"] not in world.keyless:
            assert view["attempts"] == sent
    if world.policy is FallbackPolicy.NONE:
        assert all(not provider.said for provider in made[1:])
    held = ended.state is GenerationState.UNKNOWN
    succeeded = ended.state is GenerationState.SUCCEEDED
    assert available == (90 if held or succeeded else 100)
    assert [kind for kind, _ in entries] == ["hold"] + (
        [] if held else ["capture" if succeeded else "release"]
    )


def _answer(item: Any, *, synchronous: bool) -> Any:
    if item != "taken":
        return item
    return picture_reply() if synchronous else Accepted(handle={"id": "v-1"})


def _may_charge(answer: Any) -> bool:
    return not isinstance(answer, Declined) or answer.fault.accepted is not False
