"""Generations: adding, finding, paging and changing them."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest
from sqlalchemy.exc import IntegrityError

from mediawright.core.errors import Problem
from mediawright.core.money import PriceBasis
from mediawright.core.operations import Operation
from mediawright.core.request import GenerationRequest
from mediawright.core.states import (
    TERMINAL_STATES,
    GenerationState,
    sources_of,
)
from mediawright.store import bookings, generations

UNFINISHED = [state for state in GenerationState if not state.is_terminal]


def test_a_generation_comes_back_as_it_went_in(database, workspace_id, add_generation):
    generation = add_generation(
        state=GenerationState.FAILED,
        problem=Problem(code="provider_error", message="No.", details={"a": [1, None, "x"]}),
        progress=0.1,
        stage="rendering",
        charge_micros=2**62,
        cost_micros=0,
        cost_basis=PriceBasis.VENDOR_REPORTED,
        overdue=True,
        api_key_id="key_1",
    )

    assert database.read_now(lambda c: generations.get(c, workspace_id, generation.id)) == (
        generation
    )
    assert database.read_now(lambda c: generations.get(c, None, generation.id)) == generation


def test_another_workspace_sees_nothing(database, other_workspace_id, add_generation, now):
    generation = add_generation(
        idempotency_key="once",
        request=GenerationRequest(model="m", metadata={"persona": "ada"}),
    )
    other = other_workspace_id

    def look(c):
        return (
            generations.get(c, other, generation.id),
            generations.page(c, other, limit=10),
            generations.page(c, other, limit=10, states=[GenerationState.QUEUED]),
            generations.page(c, other, limit=10, metadata={"persona": "ada"}),
            generations.by_idempotency_key(c, other, "once"),
            generations.counts_by_state(c, workspace_id=other),
        )

    assert database.read_now(look) == (None, [], [], [], None, {})


def test_an_idempotency_key_is_used_once_in_a_workspace(
    database, workspace_id, other_workspace_id, add_generation, make_generation
):
    first = add_generation(idempotency_key="once")
    again = make_generation(workspace_id=workspace_id, idempotency_key="once")
    elsewhere = make_generation(workspace_id=other_workspace_id, idempotency_key="once")

    assert database.write_now(lambda c: generations.insert(c, again)) is False
    assert database.write_now(lambda c: generations.insert(c, elsewhere)) is True
    found = database.read_now(lambda c: generations.by_idempotency_key(c, workspace_id, "once"))
    assert found == first


def test_the_same_id_twice_is_an_error(database, add_generation):
    generation = add_generation()

    with pytest.raises(IntegrityError):
        database.write_now(lambda c: generations.insert(c, generation))


def test_a_generation_needs_a_workspace(database, make_generation):
    stray = make_generation(workspace_id="wsp_nobody")

    with pytest.raises(IntegrityError):
        database.write_now(lambda c: generations.insert(c, stray))


def test_a_transition_changes_state_and_what_goes_with_it(database, add_generation, now):
    generation = add_generation(state=GenerationState.STORING, stage="fetching", executor="a")
    later = now + timedelta(seconds=5)

    changed = database.write_now(
        lambda c: generations.transition(
            c,
            generation.id,
            GenerationState.SUCCEEDED,
            now=later,
            progress=1.0,
            stage=None,
            charge_micros=5,
            cost_micros=7,
            cost_basis=PriceBasis.COMPUTED,
        )
    )

    assert changed.state is GenerationState.SUCCEEDED
    assert (changed.progress, changed.stage) == (1.0, None)
    assert (changed.charge_micros, changed.cost_micros) == (5, 7)
    assert changed.cost_basis is PriceBasis.COMPUTED
    assert changed.executor == "a"
    assert changed.updated_at == changed.finished_at == later
    assert database.read_now(lambda c: generations.get(c, None, generation.id)) == changed


@pytest.mark.parametrize("following", list(GenerationState))
def test_only_legal_transitions_happen(database, add_generation, now, following):
    for state in GenerationState:
        generation = add_generation(state=state)

        changed = database.write_now(
            lambda c, key=generation.id: generations.transition(c, key, following, now=now)
        )

        assert (changed is not None) == (state in sources_of(following)), state


def test_a_transition_can_expect_one_state(database, add_generation, now):
    generation = add_generation(state=GenerationState.QUEUED)

    def cancel(c, expected):
        return generations.transition(
            c, generation.id, GenerationState.CANCELLED, now=now, expected=[expected]
        )

    assert database.write_now(lambda c: cancel(c, GenerationState.RUNNING)) is None
    assert database.write_now(lambda c: cancel(c, GenerationState.QUEUED)) is not None


def test_of_many_transitions_at_once_one_wins(database, add_generation, now):
    rivals = 8
    rounds = [add_generation() for _ in range(5)]
    barrier = Barrier(rivals)

    def claim(executor: str) -> list[bool]:
        won: list[bool] = []
        for generation in rounds:
            barrier.wait()
            changed = database.write_now(
                lambda c, key=generation.id: generations.transition(
                    c, key, GenerationState.SUBMITTING, now=now, executor=executor
                )
            )
            won.append(changed is not None)
        return won

    with ThreadPoolExecutor(rivals) as threads:
        outcomes = list(threads.map(claim, [f"executor-{n}" for n in range(rivals)]))

    for number, generation in enumerate(rounds):
        winners = [n for n in range(rivals) if outcomes[n][number]]
        assert len(winners) == 1
        stored = database.read_now(lambda c, key=generation.id: generations.get(c, None, key))
        assert stored.executor == f"executor-{winners[0]}"


def test_progress_is_noted_until_the_end(database, add_generation, now):
    running = add_generation(state=GenerationState.RUNNING)
    ended = add_generation(state=GenerationState.CANCELLED, progress=0.2)

    def note(key):
        return database.write_now(
            lambda c: generations.update_progress(c, key, 0.5, "half\0way", now)
        )

    assert note(running.id) is True
    assert note(ended.id) is False
    stored = database.read_now(lambda c: generations.get(c, None, running.id))
    assert (stored.progress, stored.stage) == (0.5, "half\ufffdway")
    assert database.read_now(lambda c: generations.get(c, None, ended.id)).progress == 0.2


def test_a_charge_is_booked_once(database, add_generation, now):
    generation = add_generation(state=GenerationState.SUCCEEDED)
    booked = database.write_now(lambda c: bookings.book(c, generation.id, charge_micros=5, now=now))
    again = database.write_now(lambda c: bookings.book(c, generation.id, charge_micros=7, now=now))
    assert booked.charge_micros == 5
    assert again is None
    stored = database.read_now(lambda c: generations.get(c, None, generation.id))
    assert stored.charge_micros == 5


@pytest.mark.parametrize("state", list(GenerationState))
def test_what_was_cancelled_stays_open_until_its_charge_is_booked(
    database, add_generation, now, state
):
    generation = add_generation(state=state, executor="mine")

    def looked(executor):
        return database.read_now(lambda c: bookings.cancelled_and_open(c, executor))

    expected = [generation.id] if state is GenerationState.CANCELLED else []
    assert looked("mine") == looked(None) == expected
    assert looked("another") == []
    database.write_now(lambda c: bookings.book(c, generation.id, charge_micros=0, now=now))
    assert looked("mine") == []


@pytest.mark.parametrize("state", list(GenerationState))
def test_only_what_is_under_way_can_be_overdue(database, add_generation, now, state):
    generation = add_generation(state=state)
    marked = database.write_now(lambda c: bookings.mark_overdue(c, generation.id, now=now))
    assert (marked is None) is (state in TERMINAL_STATES)
    stored = database.read_now(lambda c: generations.get(c, None, generation.id))
    assert stored.overdue is (state not in TERMINAL_STATES)
    assert stored.state is state


def test_unfinished_generations_are_found_page_by_page(database, add_generation):
    everything = [
        add_generation(state=state, executor=executor)
        for state in GenerationState
        for executor in (None, "mine", "other")
    ]
    expected = sorted(
        one.id for one in everything if one.state in UNFINISHED and one.executor != "mine"
    )

    def page(after):
        return database.read_now(
            lambda c: generations.unfinished(c, executor_not="mine", limit=4, after=after)
        )

    found: list[str] = []
    while rows := page(found[-1] if found else None):
        found += [one.id for one in rows]
    assert found == expected
    all_of_them = database.read_now(lambda c: generations.unfinished(c, limit=100))
    assert len(all_of_them) == 3 * len(UNFINISHED)


def test_counts_are_by_state(
    database, workspace_id, other_workspace_id, add_generation, make_generation
):
    for state in (GenerationState.QUEUED, GenerationState.QUEUED, GenerationState.FAILED):
        add_generation(state=state)
    foreign = make_generation(workspace_id=other_workspace_id)
    database.write_now(lambda c: generations.insert(c, foreign))

    own = database.read_now(lambda c: generations.counts_by_state(c, workspace_id=workspace_id))
    everybody = database.read_now(generations.counts_by_state)

    assert own == {GenerationState.QUEUED: 2, GenerationState.FAILED: 1}
    assert everybody == {GenerationState.QUEUED: 3, GenerationState.FAILED: 1}


def test_pages_are_stable_while_generations_are_added(database, workspace_id, add_generation):
    existing = [add_generation().id for _ in range(10)]

    def page(before):
        rows = database.read_now(
            lambda c: generations.page(c, workspace_id, limit=3, before=before)
        )
        return [one.id for one in rows]

    seen: list[str] = []
    while rows := page(seen[-1] if seen else None):
        seen += rows
        add_generation()

    assert seen == existing[::-1]


LABELLED = {"persona": "ada", "conversation_id": "7"}


@pytest.mark.parametrize(
    ("filters", "keep"),
    [
        ({"states": [GenerationState.FAILED]}, lambda one: one.state == "failed"),
        (
            {"states": {GenerationState.FAILED, GenerationState.QUEUED}},
            lambda one: one.state in ("failed", "queued"),
        ),
        ({"states": []}, lambda one: False),
        ({"model": "b"}, lambda one: one.model == "b"),
        (
            {"operation": Operation.TEXT_TO_VIDEO},
            lambda one: one.operation is Operation.TEXT_TO_VIDEO,
        ),
        (
            {"model": "b", "states": [GenerationState.FAILED, GenerationState.RUNNING]},
            lambda one: one.model == "b" and one.state in ("failed", "running"),
        ),
        ({"metadata": {"persona": "ada"}}, lambda one: "persona" in one.request.metadata),
        ({"metadata": LABELLED}, lambda one: one.request.metadata == LABELLED),
        (
            {"metadata": LABELLED, "states": [GenerationState.QUEUED], "model": "a"},
            lambda one: (
                one.request.metadata == LABELLED and one.state == "queued" and one.model == "a"
            ),
        ),
        ({"metadata": {"persona": "7"}}, lambda one: False),
        ({"metadata": {"personaa": "da"}}, lambda one: False),
    ],
)
def test_pages_keep_what_the_filters_ask_for(database, workspace_id, add_generation, filters, keep):
    everything = [
        add_generation(
            state=state,
            model=model,
            operation=operation,
            request=GenerationRequest(model=model, metadata=labels),
        )
        for state in (GenerationState.QUEUED, GenerationState.RUNNING, GenerationState.FAILED)
        for model, operation in (
            ("a", Operation.TEXT_TO_IMAGE),
            ("b", Operation.TEXT_TO_VIDEO),
        )
        for labels in ({}, {"persona": "ada"}, LABELLED)
    ]
    expected = [one.id for one in reversed(everything) if keep(one)]

    def page(before):
        rows = database.read_now(
            lambda c: generations.page(c, workspace_id, limit=2, before=before, **filters)
        )
        return [one.id for one in rows]

    found: list[str] = []
    while rows := page(found[-1] if found else None):
        assert len(rows) <= 2
        found += rows
    assert found == expected


def test_labels_may_be_long_and_strange(database, workspace_id, add_generation):
    labels = {"note\0": "x" * 20_000, "": "\0"}
    generation = add_generation(request=GenerationRequest(model="m", metadata=labels))

    found = database.read_now(lambda c: generations.page(c, workspace_id, limit=5, metadata=labels))

    assert found == [generation]
