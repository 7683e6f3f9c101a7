from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from mediawright.core.states import (
    TERMINAL_STATES,
    TRANSITIONS,
    GenerationState,
    PublicStatus,
    can_become,
    public_status,
    sources_of,
)

S = GenerationState
states = st.sampled_from(list(GenerationState))


def test_every_state_has_its_transitions() -> None:
    assert set(TRANSITIONS) == set(GenerationState)


@given(states, states)
def test_nothing_follows_an_end(state: S, following: S) -> None:
    if state.is_terminal:
        assert not can_become(state, following)


@given(states, states)
def test_sources_are_the_transitions_read_backwards(state: S, following: S) -> None:
    assert (state in sources_of(following)) == can_become(state, following)


@given(states)
def test_an_end_can_always_be_reached(state: S) -> None:
    reached, frontier = {state}, [state]
    while frontier:
        for following in TRANSITIONS[frontier.pop()]:
            if following not in reached:
                reached.add(following)
                frontier.append(following)
    assert reached & TERMINAL_STATES


def test_what_is_unknown_is_never_submitted_again() -> None:
    assert not TRANSITIONS[S.UNKNOWN] & {S.QUEUED, S.SUBMITTING}


def test_public_words() -> None:
    assert public_status(S.UNKNOWN) is PublicStatus.PROCESSING
    assert public_status(S.RUNNING) is PublicStatus.PROCESSING
    assert public_status(S.RUNNING, waiting_at_provider=True) is PublicStatus.QUEUED
    assert public_status(S.SUBMITTING) is PublicStatus.QUEUED
    assert public_status(S.SUBMITTING, has_progress=True) is PublicStatus.PROCESSING
    assert {public_status(state) for state in TERMINAL_STATES} == {
        PublicStatus.COMPLETED,
        PublicStatus.FAILED,
        PublicStatus.CANCELLED,
    }
