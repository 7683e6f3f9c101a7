"""Reports of providers in the database: each once, and found until somebody has acted on it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy.exc import IntegrityError

from mediawright.core.generation import Generation
from mediawright.core.states import AttemptState, GenerationState
from mediawright.store import attempts, provider_events
from mediawright.store.database import Database

Add = Callable[..., bool]


@pytest.fixture
def generation(
    database: Database, add_generation: Callable[..., Generation], make_attempt: Any
) -> Generation:
    """A generation with one attempt at fal."""
    added = add_generation(state=GenerationState.RUNNING)
    database.write_now(
        lambda c: attempts.begin(
            c, added.workspace_id, make_attempt(added.id, state=AttemptState.ACKNOWLEDGED)
        )
    )
    return added


@pytest.fixture
def add(database: Database, generation: Generation, now: datetime) -> Add:
    def insert(delivery_id: str = "d_1", **fields: Any) -> bool:
        values = {
            "workspace_id": generation.workspace_id,
            "generation_id": generation.id,
            "attempt_number": 1,
            "provider": "fal",
            "vendor_id": "v_1",
            "body": "{}",
            "now": now,
            **fields,
        }
        return database.write_now(
            lambda c: provider_events.insert(c, delivery_id=delivery_id, **values)
        )

    return insert


def test_a_delivery_is_written_down_once(database: Database, add: Add) -> None:
    assert add("d_1")
    assert not add("d_1", vendor_id="other", body="another")
    assert add("d_2")
    assert add("d_1", provider="replicate")
    found = database.read_now(lambda c: provider_events.of_delivery(c, "fal", "d_1"))
    assert found is not None
    assert found.event.vendor_id == "v_1"
    assert database.read_now(lambda c: provider_events.of_delivery(c, "fal", "d_3")) is None


def test_a_report_is_about_something_that_exists(add: Add) -> None:
    with pytest.raises(IntegrityError):
        add(generation_id="gen_0")


def test_a_report_shows_how_things_stand(
    database: Database, add: Add, generation: Generation, now: datetime
) -> None:
    add()
    (report,) = database.read_now(lambda c: provider_events.unhandled(c, limit=10))
    assert report.event.generation_id == generation.id
    assert report.event.received_at == now
    assert report.generation_state is GenerationState.RUNNING
    assert report.attempt_state is AttemptState.ACKNOWLEDGED
    assert report.upstream_id == "fal-ai/flux/schnell"
    assert not report.is_settled


def test_what_was_acted_on_is_not_looked_at_again(
    database: Database, add: Add, generation: Generation, now: datetime
) -> None:
    for name in ("a", "b", "c"):
        add(name)

    def names(**how: Any) -> list[str]:
        found = database.read_now(lambda c: provider_events.unhandled(c, **how))
        return [report.event.delivery_id for report in found]

    assert names(limit=10) == ["a", "b", "c"]
    assert names(limit=2) == ["a", "b"]
    first = database.read_now(lambda c: provider_events.of_delivery(c, "fal", "a"))
    assert names(limit=10, after=first.event.sequence) == ["b", "c"]
    for later in (0, 60):
        moment = now + timedelta(seconds=later)
        database.write_now(
            lambda c, moment=moment: provider_events.mark_handled(c, first.event.sequence, moment)
        )
    assert names(limit=10) == ["b", "c"]
    workspace = generation.workspace_id
    listed = database.read_now(
        lambda c: provider_events.for_generation(c, workspace, generation.id)
    )
    assert [event.handled_at for event in listed] == [now, None, None]


def test_nobody_sees_the_reports_of_another_workspace(
    database: Database, add: Add, generation: Generation, other_workspace_id: str
) -> None:
    add()
    other = other_workspace_id
    assert not database.read_now(lambda c: provider_events.for_generation(c, other, generation.id))


def test_no_name_of_a_delivery_is_too_odd(database: Database, add: Add) -> None:
    assert add("\0\u2603", body="\0")
    assert not add("\0\u2603")
