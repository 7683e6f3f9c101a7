"""What workspaces and keys may do, refused or kept waiting beyond that."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some
from sqlalchemy import Connection
from tests.limits import rows
from tests.limits.rows import START

from mediawright.core.errors import RateLimitedError
from mediawright.core.states import GenerationState
from mediawright.jobs.admission import Admission
from mediawright.jobs.limits import CallerLimits, LimitSettings, WhenExceeded
from mediawright.store import api_keys, caller_limits, generations
from mediawright.store.api_keys import ApiKey
from mediawright.store.caller_limits import OwnLimits
from mediawright.store.database import Database


def admission(
    *, when: WhenExceeded = WhenExceeded.REJECT, key: CallerLimits | None = None, **limits: int
) -> Admission:
    return Admission(
        LimitSettings(
            workspace=CallerLimits(**limits), key=key or CallerLimits(), when_exceeded=when
        )
    )


def waiting(**limits: Any) -> Admission:
    return admission(when=WhenExceeded.QUEUE, **limits)


def create(
    database: Database, limits: Admission, now: datetime = START, key: str | None = None
) -> str:
    """Make a generation of workspace `a`, as the API does."""

    def work(c: Connection) -> str:
        rows.add_workspaces(c, "a")
        limits.check_caller(c, rows.generation("a", api_key_id=key), now)
        (name,) = rows.add(c, "a", created_at=now, api_key_id=key)
        return name

    return database.write_now(work)


def refused(
    database: Database, limits: Admission, now: datetime = START, key: str | None = None
) -> dict[str, Any]:
    with pytest.raises(RateLimitedError) as caught:
        create(database, limits, now, key)
    assert caught.value.code == "rate_limited"
    return caught.value.details


def add_key(c: Connection, name: str, *limits: int | None) -> None:
    key = ApiKey(id=name, workspace_id="a", name=name, prefix="mw", scopes=("*",), created_at=START)
    rows.add_workspaces(c, "a")
    api_keys.insert(c, key, name.encode())
    caller_limits.limit_key(c, "a", name, OwnLimits(*limits))


def admit(database: Database, limits: Admission, now: datetime = START) -> list[str]:
    return database.write_now(lambda c: limits.admit(c, executor="one", now=now, most=99))


def test_one_request_too_many_is_told_when_to_come_back(database):
    limits = admission(requests_per_minute=2)
    create(database, limits)
    create(database, limits, START + timedelta(seconds=20.5))

    details = refused(database, limits, START + timedelta(seconds=30.2))

    assert details == {
        "limit": "requests_per_minute",
        "of": "workspace",
        "allowed": 2,
        "retry_after": 30,
    }
    refused(database, limits, START + timedelta(seconds=59.999_999))
    create(database, limits, START + timedelta(seconds=60))
    refused(database, limits, START + timedelta(seconds=60))


def test_what_has_ended_counts_as_a_request_and_not_as_under_way(database):
    limits = admission(concurrent_generations=1)
    name = create(database, limits)
    assert refused(database, limits)["limit"] == "concurrent_generations"

    for state in (GenerationState.SUBMITTING, GenerationState.RUNNING, GenerationState.STORING):
        database.write_now(lambda c, state=state: rows.set_state(c, name, state))
        assert refused(database, limits)["allowed"] == 1

    database.write_now(lambda c: rows.set_state(c, name, GenerationState.SUCCEEDED))
    create(database, limits)
    assert refused(database, admission(requests_per_minute=2))["allowed"] == 2


def test_what_nobody_knows_the_fate_of_blocks_nobody(database):
    limits = admission(concurrent_generations=1)
    name = create(database, limits)
    database.write_now(lambda c: rows.set_state(c, name, GenerationState.UNKNOWN))
    create(database, limits)


def test_of_two_limits_the_later_one_is_named(database):
    limits = admission(requests_per_minute=1, concurrent_generations=1)
    create(database, limits)

    assert refused(database, limits, START)["limit"] == "requests_per_minute"
    late = START + timedelta(seconds=59)
    assert refused(database, limits, late)["limit"] == "concurrent_generations"


def test_a_row_overrides_the_settings(database):
    limits = admission(requests_per_minute=1)
    create(database, limits)
    refused(database, limits)

    database.write_now(lambda c: caller_limits.limit_workspace(c, "a", OwnLimits(2, None)))
    create(database, limits)
    assert refused(database, limits)["allowed"] == 2

    database.write_now(lambda c: caller_limits.limit_workspace(c, "a", OwnLimits(None, None)))
    assert refused(database, limits)["allowed"] == 1


def test_keys_are_limited_one_by_one(database):
    limits = admission(key=CallerLimits(requests_per_minute=2))
    database.write_now(lambda c: add_key(c, "key_1"))
    database.write_now(lambda c: add_key(c, "key_2", 1, None))

    create(database, limits, key="key_1")
    create(database, limits, key="key_1")
    assert refused(database, limits, key="key_1")["of"] == "key"
    create(database, limits, key="key_2")
    assert refused(database, limits, key="key_2")["allowed"] == 1
    create(database, limits)


def test_a_key_of_another_workspace_brings_no_limits(database):
    database.write_now(lambda c: add_key(c, "key_1", 1, 1))
    limits = admission()

    def work(c: Connection) -> None:
        rows.add(c, "b", 3, api_key_id="key_1")
        limits.check_caller(c, rows.generation("b", api_key_id="key_1"), START)

    database.write_now(work)


@pytest.mark.parametrize("field", ["requests_per_minute", "concurrent_generations"])
def test_rivals_do_not_exceed_a_limit_together(database, database_url, field):
    limits = admission(**{field: 7})
    database.write_now(lambda c: rows.add_workspaces(c, "a"))
    rivals = [Database(database_url) for _ in range(4)]

    def rival(opened: Database) -> int:
        made = 0
        for _ in range(6):
            try:
                create(opened, limits)
            except RateLimitedError:
                continue
            made += 1
        return made

    with ThreadPoolExecutor(len(rivals)) as threads:
        made = sum(threads.map(rival, rivals))
    for opened in rivals:
        opened.close()

    assert made == 7


def test_where_they_wait_nothing_is_refused(database):
    limits = waiting(requests_per_minute=1, concurrent_generations=1)
    for _ in range(5):
        create(database, limits)
    assert len(admit(database, limits)) == 1


@pytest.mark.parametrize("field", ["requests_per_minute", "concurrent_generations"])
def test_rivals_do_not_begin_too_many_together(database, database_url, field):
    """Some serve the queue, of two accounts, and some would begin at once."""
    limits = waiting(**{field: 5})
    database.write_now(lambda c: rows.add(c, "b", 20, "other"))
    database.write_now(lambda c: rows.add_workspaces(c, "a"))
    rivals = [Database(database_url) for _ in range(4)]

    def at_once(c: Connection) -> int:
        may = limits.at_once(c, rows.generation("a"), START)
        if may:
            rows.add(c, "a", state=GenerationState.SUBMITTING, started_at=START)
        return int(may)

    def rival(number: int) -> tuple[int, int]:
        served, begun = 0, 0
        for _ in range(4):
            served += len(
                rivals[number].write_now(
                    lambda c: limits.admit(c, executor="one", now=START, most=2)
                )
            )
            begun += rivals[number].write_now(at_once)
        return served, begun

    with ThreadPoolExecutor(len(rivals)) as threads:
        found = list(threads.map(rival, range(len(rivals))))
    for opened in rivals:
        opened.close()

    assert [sum(counts) for counts in zip(*found, strict=True)] == [5, 5]


@pytest.mark.postgres
def test_while_one_picks_from_the_queues_others_wait(engine):
    limits = waiting(concurrent_generations=5)
    with engine.begin() as c:
        rows.add(c, "a")
        rows.add_workspaces(c, "b")

    def admit_too(c: Connection) -> object:
        return limits.admit(c, executor="two", now=START, most=1)

    def at_once(c: Connection) -> object:
        return limits.at_once(c, rows.generation("b"), START)

    for too in (admit_too, at_once):
        with engine.begin() as first:
            limits.admit(first, executor="one", now=START, most=1)
            with pytest.raises(sa.exc.OperationalError, match="lock timeout"), engine.begin() as c:
                too(c)


def test_a_workspace_waits_for_its_own_and_holds_nobody_up(database):
    limits = waiting(concurrent_generations=2)
    database.write_now(lambda c: rows.add(c, "whale", 500))
    database.write_now(lambda c: rows.add(c, "whale", 5, "other"))
    small = database.write_now(lambda c: rows.add(c, "small", 2))

    first = admit(database, limits)

    assert len(first) == 4
    assert set(small) <= set(first)
    assert admit(database, limits) == []
    whales = [name for name in first if name not in small]
    database.write_now(lambda c: rows.set_state(c, whales[0], GenerationState.STORING))
    assert len(admit(database, limits)) == 1


def test_a_key_waits_for_its_own_and_does_not_hold_up_its_workspace(database):
    limits = waiting(key=CallerLimits(concurrent_generations=1))
    database.write_now(lambda c: add_key(c, "key_1"))
    database.write_now(lambda c: add_key(c, "key_2", None, 3))
    first = database.write_now(lambda c: rows.add(c, "a", 60, api_key_id="key_1"))
    second = database.write_now(lambda c: rows.add(c, "a", 40, api_key_id="key_2"))
    keyless = database.write_now(lambda c: rows.add(c, "a", 2))

    assert admit(database, limits) == [first[0], *second[:3], *keyless]
    assert admit(database, limits) == []


def test_whoever_waits_starts_when_the_rate_frees(database):
    limits = waiting(requests_per_minute=1)
    names = [create(database, limits), create(database, limits)]

    assert admit(database, limits) == names[:1]
    now = START + timedelta(seconds=45)
    assert admit(database, limits, now) == []
    assert database.read_now(lambda c: limits.earliest(c, now)) == 15.0
    assert admit(database, limits, START + timedelta(seconds=60)) == names[1:]
    assert database.read_now(lambda c: limits.earliest(c, now)) is None


def test_at_once_waits_behind_what_the_caller_has_queued(database):
    limits = waiting(requests_per_minute=5, concurrent_generations=2)

    def may() -> bool:
        new = rows.generation("a", "vendor")
        return database.write_now(lambda c: limits.at_once(c, new, START))

    database.write_now(lambda c: rows.add_workspaces(c, "a"))
    assert may()
    create(database, limits)
    assert not may()
    (name,) = admit(database, limits)
    assert may()
    create(database, limits)
    admit(database, limits)
    assert not may()
    database.write_now(lambda c: rows.set_state(c, name, GenerationState.SUCCEEDED))
    assert may()


def test_at_once_does_not_wait_behind_a_whale_that_waits_for_itself(database):
    limits = Admission(
        LimitSettings(
            accounts={"vendor": rows.limits(concurrent=3)},
            workspace=CallerLimits(concurrent_generations=1),
            when_exceeded=WhenExceeded.QUEUE,
        )
    )
    database.write_now(lambda c: rows.add(c, "whale", 50))
    database.write_now(lambda c: rows.add_workspaces(c, "small"))
    assert len(admit(database, limits)) == 1

    assert database.write_now(lambda c: limits.at_once(c, rows.generation("small"), START))


@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    waits=some.lists(some.sampled_from([0, 0.3, 7.0, 20.0, 59.999_999, 60.0]), max_size=25),
    rate=some.integers(1, 4),
    concurrent=some.integers(1, 4),
    when=some.sampled_from(WhenExceeded),
)
def test_no_caller_is_ever_over_its_limits(database, waits, rate, concurrent, when):
    limits = admission(when=when, requests_per_minute=rate, concurrent_generations=concurrent)
    database.write_now(rows.clear)
    now = START
    at_work: list[str] = []
    for number, wait in enumerate(waits):
        now += timedelta(seconds=wait)
        try:
            create(database, limits, now)
        except RateLimitedError:
            assert when is WhenExceeded.REJECT
        at_work += admit(database, limits, now)
        assert len(at_work) <= concurrent
        if number % 3 == 2 and at_work:
            name = at_work.pop(0)
            database.write_now(lambda c, n=name: rows.set_state(c, n, GenerationState.SUCCEEDED))

    found = database.read_now(lambda c: generations.page(c, "a", limit=100))
    moments = [item.started_at for item in found if item.started_at is not None]
    assert rows.most_in_any_minute(moments) <= rate
    if when is WhenExceeded.REJECT:
        assert rows.most_in_any_minute([item.created_at for item in found]) <= rate
