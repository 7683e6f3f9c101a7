"""Attempts, assets, spans, events, workspaces and keys."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from sqlalchemy.exc import IntegrityError

from mediawright.core.errors import Problem
from mediawright.core.events import EventType
from mediawright.core.generation import Asset, Span
from mediawright.core.ids import IdPrefix, new_id
from mediawright.core.media import MediaFacts
from mediawright.core.operations import MediaKind
from mediawright.core.states import AttemptState
from mediawright.store import api_keys, assets, attempts, events, spans, workspaces
from mediawright.store.api_keys import ApiKey
from mediawright.store.workspaces import Workspace


def make_asset(workspace_id, now, kind=MediaKind.IMAGE, **fields):
    values = {
        "id": new_id(IdPrefix.ASSET),
        "workspace_id": workspace_id,
        "key": "2026/11/20/x.png",
        "facts": MediaFacts(kind=kind, content_type="image/png", byte_count=10, width=4),
        "sha256": "ab" * 32,
        "created_at": now,
    }
    return Asset(**{**values, **fields})


def test_an_attempt_is_begun_once(database, workspace_id, add_generation, make_attempt):
    generation = add_generation()
    attempt = make_attempt(generation.id)
    rival = make_attempt(generation.id, executor="another")

    assert database.write_now(lambda c: attempts.begin(c, generation.workspace_id, attempt)) is True
    assert database.write_now(lambda c: attempts.begin(c, generation.workspace_id, rival)) is False
    assert database.read_now(lambda c: attempts.latest(c, generation.id)) == attempt


def test_of_many_who_begin_an_attempt_one_does(database, add_generation, make_attempt):
    generation = add_generation()

    def begin(number):
        attempt = make_attempt(generation.id, executor=f"executor-{number}")
        return database.write_now(lambda c: attempts.begin(c, generation.workspace_id, attempt))

    with ThreadPoolExecutor(8) as threads:
        assert sum(threads.map(begin, range(8))) == 1


def test_an_attempt_needs_its_generation(database, workspace_id, make_attempt):
    with pytest.raises(IntegrityError):
        database.write_now(lambda c: attempts.begin(c, workspace_id, make_attempt("gen_nothing")))


def test_an_attempt_is_settled_from_where_it_stood(database, add_generation, make_attempt, now):
    generation = add_generation()
    database.write_now(
        lambda c: attempts.begin(c, generation.workspace_id, make_attempt(generation.id))
    )

    def settle(state, **fields):
        return database.write_now(
            lambda c: attempts.settle(c, generation.id, 1, state, now=now, **fields)
        )

    handle = {"request_id": "r-1", "urls": ["https://example.test/1"], "n": 1.5}
    acknowledged = settle(AttemptState.ACKNOWLEDGED, handle=handle)
    again = settle(AttemptState.REJECTED)
    problem = Problem(code="lost", message="Lost.")
    unknown = settle(AttemptState.UNKNOWN, expected=[AttemptState.ACKNOWLEDGED], problem=problem)

    assert (acknowledged.state, acknowledged.handle) == (AttemptState.ACKNOWLEDGED, handle)
    assert acknowledged.updated_at == now
    assert again is None
    assert (unknown.state, unknown.handle, unknown.problem) == (
        AttemptState.UNKNOWN,
        handle,
        problem,
    )


def test_attempts_are_listed_in_order_to_their_owner(
    database, workspace_id, other_workspace_id, add_generation, make_attempt
):
    generation = add_generation()
    made = [make_attempt(generation.id, number) for number in (2, 1, 3)]
    for attempt in made:
        database.write_now(lambda c, attempt=attempt: attempts.begin(c, workspace_id, attempt))

    def numbers(owner):
        found = database.read_now(lambda c: attempts.for_generation(c, owner, generation.id))
        return [attempt.number for attempt in found]

    assert numbers(workspace_id) == numbers(None) == [1, 2, 3]
    assert numbers(other_workspace_id) == []
    assert database.read_now(lambda c: attempts.latest(c, generation.id)) == made[2]
    assert database.read_now(lambda c: attempts.latest(c, "gen_nothing")) is None


def test_an_output_is_kept_once(database, workspace_id, add_generation, now):
    generation = add_generation()
    first = make_asset(workspace_id, now, generation_id=generation.id, index=1)
    again = make_asset(workspace_id, now, generation_id=generation.id, index=1)
    uploads = [make_asset(workspace_id, now) for _ in range(2)]

    added = [
        database.write_now(lambda c, asset=asset: assets.insert(c, asset))
        for asset in (first, again, *uploads)
    ]

    assert added == [True, False, True, True]
    found = database.read_now(lambda c: assets.for_generation(c, workspace_id, generation.id))
    assert found == [first]


def test_assets_belong_to_a_workspace(
    database, workspace_id, other_workspace_id, add_generation, now
):
    generation = add_generation()
    asset = make_asset(
        workspace_id,
        now,
        generation_id=generation.id,
        seed=2**64 + 1,
        text="word",
        revised_prompt="a\0b",
        thumbnail_key="t",
        optimized_key="o",
    )
    database.write_now(lambda c: assets.insert(c, asset))
    kept = msgspec.structs.replace(asset, revised_prompt="a\ufffdb")

    assert database.read_now(lambda c: assets.get(c, workspace_id, asset.id)) == kept
    other = other_workspace_id

    def look(c):
        return (
            assets.get(c, other, asset.id),
            assets.page(c, other, limit=9),
            assets.for_generation(c, other, generation.id),
        )

    assert database.read_now(look) == (None, [], [])
    assert database.write_now(lambda c: assets.remove(c, other, asset.id)) is None
    assert database.write_now(lambda c: assets.remove(c, workspace_id, asset.id)) == kept
    assert database.read_now(lambda c: assets.get(c, workspace_id, asset.id)) is None


def test_outputs_of_many_generations_are_found_at_once(database, workspace_id, add_generation, now):
    made = [add_generation().id for _ in range(3)]
    stored = [
        make_asset(workspace_id, now, generation_id=made[which], index=index)
        for which, index in ((1, 1), (0, 0), (1, 0))
    ]
    for asset in stored:
        database.write_now(lambda c, asset=asset: assets.insert(c, asset))

    found = database.read_now(lambda c: assets.for_generations(c, workspace_id, made))

    assert found == {made[0]: [stored[1]], made[1]: [stored[2], stored[0]], made[2]: []}
    assert database.read_now(lambda c: assets.for_generations(c, workspace_id, [])) == {}


def test_assets_are_listed_by_page_and_kind(database, workspace_id, now):
    made = [
        make_asset(workspace_id, now, kind=kind) for kind in (MediaKind.IMAGE, MediaKind.VIDEO) * 3
    ]
    for asset in made:
        database.write_now(lambda c, asset=asset: assets.insert(c, asset))

    def page(**fields):
        return database.read_now(lambda c: assets.page(c, workspace_id, limit=2, **fields))

    assert page() == [made[5], made[4]]
    assert page(before=made[4].id) == [made[3], made[2]]
    assert page(kind=MediaKind.VIDEO) == [made[5], made[3]]
    assert page(kind=MediaKind.VIDEO, before=made[3].id) == [made[1]]


def test_spans_are_added_and_finished(database, workspace_id, other_workspace_id, now):
    root = Span(
        id="spn_1",
        trace_id="trc_1",
        workspace_id=workspace_id,
        name="image",
        kind="image",
        started_at=now,
        generation_id="gen_1",
        attributes={"model": "m", "tokens": 1},
    )
    child = msgspec.structs.replace(
        root,
        id="spn_0",
        parent_id="spn_1",
        name="submit",
        kind="step",
        started_at=now + timedelta(microseconds=1),
        attributes={},
    )
    for span in (child, root):
        database.write_now(lambda c, span=span: spans.insert(c, [span]))
    ended = now + timedelta(seconds=2)

    def finish(key):
        return database.write_now(
            lambda c: spans.finish(
                c, key, ended_at=ended, status="ok", attributes={"tokens": 2, "cost": "0.1"}
            )
        )

    assert finish("spn_1") is True
    assert finish("spn_none") is False
    finished = msgspec.structs.replace(
        root,
        ended_at=ended,
        status="ok",
        attributes={"tokens": 2, "cost": "0.1"},
    )

    def look(c, owner):
        return spans.for_trace(c, owner, "trc_1"), spans.for_generation(c, owner, "gen_1")

    assert database.read_now(lambda c: look(c, workspace_id)) == (
        [finished, child],
        [finished, child],
    )
    assert database.read_now(lambda c: look(c, other_workspace_id)) == ([], [])


def test_events_are_replayed_from_a_sequence(database, workspace_id, other_workspace_id, now):
    def append(owner, n):
        return database.write_now(
            lambda c: events.append(
                c,
                workspace_id=owner,
                type=EventType.GENERATION_PROGRESSED,
                now=now,
                generation_id="gen_1",
                data={"n": n},
            )
        )

    assert database.read_now(lambda c: events.latest_sequence(c, workspace_id)) == 0
    sequences = [append(workspace_id, n) for n in range(3)]
    append(other_workspace_id, 99)
    sequences.append(append(workspace_id, 3))

    assert sequences == sorted(set(sequences))
    found = database.read_now(lambda c: events.after(c, workspace_id, sequences[0], 2))
    assert [one.data for one in found] == [{"n": 1}, {"n": 2}]
    assert [one.sequence for one in found] == sequences[1:3]
    assert found[0].type is EventType.GENERATION_PROGRESSED
    assert (found[0].generation_id, found[0].created_at) == ("gen_1", now)
    latest = database.read_now(lambda c: events.latest_sequence(c, workspace_id))
    assert latest == sequences[-1]


def test_a_listener_misses_no_event_of_those_who_write_at_once(database, workspace_id, now):
    writers, each = 6, 12

    def write(_):
        for _ in range(each):
            database.write_now(
                lambda c: events.append(
                    c, workspace_id=workspace_id, type=EventType.ASSET_STORED, now=now
                )
            )

    heard: list[int] = []
    with ThreadPoolExecutor(writers) as threads:
        running = [threads.submit(write, n) for n in range(writers)]
        while len(heard) < writers * each:
            ended = all(future.done() for future in running)
            last = heard[-1] if heard else 0
            found = database.read_now(lambda c, last=last: events.after(c, workspace_id, last, 100))
            heard += [one.sequence for one in found]
            assert found or not ended, "an event became visible behind the listener"
    assert heard == sorted(set(heard))


def test_workspaces_are_made_once(database, now):
    workspace = Workspace(id="wsp_local", name="Local", created_at=now)

    assert database.write_now(lambda c: workspaces.ensure(c, workspace)) is True
    assert database.write_now(lambda c: workspaces.ensure(c, workspace)) is False
    with pytest.raises(IntegrityError):
        database.write_now(lambda c: workspaces.insert(c, workspace))
    assert database.write_now(lambda c: workspaces.rename(c, "wsp_local", "Home")) is True
    assert database.write_now(lambda c: workspaces.rename(c, "wsp_none", "Home")) is False
    renamed = msgspec.structs.replace(workspace, name="Home")
    assert database.read_now(lambda c: workspaces.page(c, limit=9)) == [renamed]
    assert database.read_now(lambda c: workspaces.page(c, limit=9, after="wsp_local")) == []
    assert database.read_now(lambda c: workspaces.get(c, "wsp_none")) is None


def test_keys_are_found_by_their_digest(database, workspace_id, other_workspace_id, now):
    key = ApiKey(
        id="key_1",
        workspace_id=workspace_id,
        name="Laptop",
        prefix="mw_abc",
        scopes=("generate", "read"),
        created_at=now,
    )
    database.write_now(lambda c: api_keys.insert(c, key, b"\0digest"))

    assert database.read_now(lambda c: api_keys.by_hash(c, b"\0digest")) == key
    assert database.read_now(lambda c: api_keys.by_hash(c, b"other")) is None
    assert database.read_now(lambda c: api_keys.for_workspace(c, workspace_id)) == [key]
    assert database.read_now(lambda c: api_keys.for_workspace(c, other_workspace_id)) == []
    assert database.read_now(lambda c: api_keys.get(c, other_workspace_id, "key_1")) is None
    duplicate = msgspec.structs.replace(key, id="key_2")
    with pytest.raises(IntegrityError):
        database.write_now(lambda c: api_keys.insert(c, duplicate, b"\0digest"))


def test_keys_are_used_and_revoked(database, workspace_id, other_workspace_id, now):
    key = ApiKey(
        id="key_1", workspace_id=workspace_id, name="K", prefix="m", scopes=(), created_at=now
    )
    later = now + timedelta(days=1)

    def revoke(owner):
        return database.write_now(lambda c: api_keys.revoke(c, owner, "key_1", later))

    database.write_now(lambda c: api_keys.insert(c, key, b"d"))
    assert database.write_now(lambda c: api_keys.touch(c, "key_1", later)) is True
    assert database.write_now(lambda c: api_keys.touch(c, "key_2", later)) is False
    assert [revoke(other_workspace_id), revoke(workspace_id), revoke(workspace_id)] == [
        False,
        True,
        False,
    ]
    stored = database.read_now(lambda c: api_keys.get(c, workspace_id, "key_1"))
    assert (stored.last_used_at, stored.revoked_at) == (later, later)


def test_a_time_without_zone_is_refused(database, make_generation, workspace_id):
    naive = datetime(2026, 1, 1, tzinfo=UTC).replace(tzinfo=None)
    workspace = Workspace(id="w", name="W", created_at=naive)

    with pytest.raises(TypeError):
        database.write_now(lambda c: workspaces.insert(c, workspace))
