"""What an account takes is never exceeded, whoever asks, and nobody is passed over for good."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some
from sqlalchemy import Connection
from tests.limits import rows
from tests.limits.rows import START

from mediawright.core.states import GenerationState
from mediawright.jobs.admission import Admission
from mediawright.jobs.limits import AccountLimits, LimitSettings
from mediawright.store import admissions, bookings, generations
from mediawright.store.database import Database


def limited(**limits: int) -> Admission:
    return Admission(LimitSettings(accounts={"vendor": AccountLimits(**limits)}))


def admit(
    database: Database,
    admission: Admission,
    now: datetime = START,
    most: int = 100,
    executor: str = "one",
) -> list[str]:
    return database.write_now(lambda c: admission.admit(c, executor=executor, now=now, most=most))


def write(database: Database, work: Callable[..., object], *args: object) -> None:
    database.write_now(lambda c: work(c, *args))


def test_what_is_admitted_belongs_to_its_executor(database):
    (generation_id,) = database.write_now(lambda c: rows.add(c, "a"))
    now = START + timedelta(seconds=7)

    assert admit(database, limited(), now, executor="worker-1") == [generation_id]

    admitted = database.read_now(lambda c: generations.get(c, None, generation_id))
    assert admitted.state is GenerationState.SUBMITTING
    assert (admitted.executor, admitted.started_at) == ("worker-1", now)
    assert admit(database, limited(), now) == []


def test_no_more_than_so_many_are_at_an_account(database):
    write(database, rows.add, "a", 5)
    admission = limited(concurrent=2)

    first = admit(database, admission)
    assert len(first) == 2
    assert admit(database, admission) == []

    write(database, rows.set_state, first[0], GenerationState.RUNNING)
    assert admit(database, admission) == []

    write(database, rows.set_state, first[0], GenerationState.STORING)
    assert len(admit(database, admission)) == 1


def test_a_cancelled_generation_keeps_its_place_until_the_provider_was_told(database):
    write(database, rows.add, "a", 2)
    admission = limited(concurrent=1)
    (first,) = admit(database, admission)

    write(database, rows.set_state, first, GenerationState.CANCELLED)
    assert admit(database, admission) == []

    database.write_now(lambda c: bookings.book(c, first, charge_micros=0, now=START))
    assert len(admit(database, admission)) == 1


def test_accounts_have_limits_of_their_own(database):
    write(database, rows.add, "a", 3, "vendor")
    write(database, rows.add, "a", 3, "other")

    admitted = admit(database, limited(concurrent=1))

    assert len(admitted) == 4
    assert database.read_now(rows.at_provider) == {"a": 1}


def test_only_so_many_are_taken_at_a_time(database):
    queued = database.write_now(lambda c: rows.add(c, "a", 40))

    assert admit(database, limited(), most=3) == queued[:3]
    assert admit(database, limited(), most=0) == []
    assert admit(database, limited(), most=100) == queued[3:]


def test_a_whale_does_not_starve_a_small_workspace(database):
    write(database, rows.add, "whale", 10_000)
    (small,) = database.write_now(lambda c: rows.add(c, "small"))
    admission = limited(concurrent=4)

    first = admit(database, admission)

    assert small in first
    assert len(first) == 4


def test_whoever_has_least_at_an_account_is_next(database):
    write(database, rows.add, "whale", 50)
    admission = limited(concurrent=6)
    whales = admit(database, admission, most=4)
    twice = database.write_now(lambda c: rows.add(c, "b", 2))

    assert admit(database, admission) == twice
    write(database, rows.add, "c", 3)
    for done in [*whales[:2], twice[0]]:
        write(database, rows.set_state, done, GenerationState.STORING)

    # The whale has two there and b one: both of the first places go to c, the third to c or
    # to the whale, whichever is older.
    third = admit(database, admission)
    counts = database.read_now(rows.at_provider)
    assert len(third) == 3
    assert counts == {"whale": 3, "b": 1, "c": 2}


def test_equals_are_served_by_age(database):
    write(database, rows.add, "b", 2)
    write(database, rows.add, "a", 2)
    order = admit(database, limited())

    owners = [
        database.read_now(lambda c, name=name: generations.get(c, None, name)).workspace_id
        for name in order
    ]
    assert owners == ["b", "a", "b", "a"]


def test_a_rate_frees_a_minute_after_each_submit(database):
    write(database, rows.add, "a", 5)
    admission = limited(requests_per_minute=2)

    for offset in (0, 20):
        (admitted,) = admit(database, admission, START + timedelta(seconds=offset), most=1)
        write(database, rows.submit, admitted, START + timedelta(seconds=offset + 1))

    now = START + timedelta(seconds=60, microseconds=999_999)
    assert admit(database, admission, now) == []
    assert database.read_now(lambda c: admission.earliest(c, now)) == pytest.approx(1e-6)
    now = START + timedelta(seconds=61)
    assert len(admit(database, admission, now)) == 1
    assert admit(database, admission, now) == []


def test_nothing_waits_for_a_rate_where_nothing_waits(database):
    admission = limited(requests_per_minute=1, concurrent=1)
    assert database.read_now(lambda c: admission.earliest(c, START)) is None

    write(database, rows.add, "a", 2)
    assert database.read_now(lambda c: admission.earliest(c, START)) is None

    (admitted,) = admit(database, admission)
    write(database, rows.submit, admitted, START)
    assert database.read_now(lambda c: admission.earliest(c, START)) == 60.0


def test_whoever_has_not_submitted_yet_counts(database):
    write(database, rows.add, "a", 3)
    admission = limited(requests_per_minute=1)
    (admitted,) = admit(database, admission)

    much_later = START + timedelta(hours=1)
    assert admit(database, admission, much_later) == []
    assert database.read_now(lambda c: admission.earliest(c, much_later)) == 60.0

    write(database, rows.set_state, admitted, GenerationState.CANCELLED)
    assert len(admit(database, admission, much_later)) == 1


def test_rejected_submits_count_as_well(database):
    write(database, rows.add, "a", 2)
    admission = limited(requests_per_minute=1)
    (admitted,) = admit(database, admission)
    write(database, rows.submit, admitted, START)
    write(database, rows.set_state, admitted, GenerationState.FAILED)

    assert admit(database, admission, START + timedelta(seconds=59)) == []


def test_at_once_only_where_there_is_room_beyond_the_queue(database):
    new = rows.generation("b")

    def may(admission: Admission) -> bool:
        return database.write_now(lambda c: admission.at_once(c, new, START))

    assert may(limited())
    assert may(limited(concurrent=1))
    assert may(limited(requests_per_minute=1))

    write(database, rows.add, "a", 2)
    assert not may(limited(concurrent=2))
    assert not may(limited(requests_per_minute=2))
    assert may(limited(concurrent=3))

    (first, _) = admit(database, limited())
    assert may(limited(concurrent=3))
    assert not may(limited(concurrent=2))
    write(database, rows.submit, first, START)
    assert not may(limited(requests_per_minute=2))
    assert may(limited(requests_per_minute=3))


def test_without_limits_nothing_is_asked(database):
    def never(*_: object) -> None:
        raise AssertionError("a statement was run")

    class Silent:
        execute = never
        exec_driver_sql = never

    assert Admission(LimitSettings()).at_once(Silent(), rows.generation("a"), START)


@pytest.mark.parametrize("limits", [{"concurrent": 5}, {"requests_per_minute": 5}])
def test_rivals_do_not_exceed_a_limit_together(database, database_url, limits):
    """Processes of their own, as far as the database can tell."""
    for number in range(8):
        write(database, rows.add, f"w{number}", 20)
    admission = limited(**limits)
    rivals = [Database(database_url) for _ in range(4)]
    begun: list[str] = []

    def create(c: Connection, name: str) -> None:
        new = rows.generation(name)
        if admission.at_once(c, new, START):
            (made,) = rows.add(c, name, state=GenerationState.SUBMITTING)
            rows.submit(c, made, START)
            begun.append(made)

    def rival(number: int) -> list[str]:
        admitted: list[str] = []
        for _ in range(6):
            admitted += admit(rivals[number], admission, executor=f"e{number}", most=2)
            rivals[number].write_now(lambda c: create(c, f"new{number}"))
        return admitted

    with ThreadPoolExecutor(len(rivals)) as threads:
        admitted = [name for found in threads.map(rival, range(len(rivals))) for name in found]
    for rival_database in rivals:
        rival_database.close()

    assert len(admitted) == len(set(admitted))
    assert len(admitted) + len(begun) == 5
    assert sum(database.read_now(rows.at_provider).values()) == 5


@pytest.mark.parametrize("limits", [{"concurrent": 5}, {"requests_per_minute": 5}])
def test_rivals_who_start_at_once_do_not_exceed_a_limit(database, database_url, limits):
    admission = limited(**limits)
    rivals = [Database(database_url) for _ in range(4)]
    for number in range(4):
        write(database, rows.add_workspaces, f"w{number}")

    def create(c: Connection, name: str) -> bool:
        may = admission.at_once(c, rows.generation(name), START)
        if may:
            (made,) = rows.add(c, name, state=GenerationState.SUBMITTING)
            rows.submit(c, made, START)
        return may

    def rival(number: int) -> int:
        return sum(rivals[number].write_now(lambda c: create(c, f"w{number}")) for _ in range(5))

    with ThreadPoolExecutor(len(rivals)) as threads:
        begun = sum(threads.map(rival, range(len(rivals))))
    for opened in rivals:
        opened.close()

    assert begun == 5


@pytest.mark.postgres
def test_whoever_admits_does_not_wait_for_one_that_is_being_cancelled(engine):
    """It holds locks for which the other may wait, over third parties."""
    with engine.begin() as c:
        first, second = rows.add(c, "a", 2)

    with engine.begin() as other, engine.begin() as c:
        rows.set_state(other, first, GenerationState.CANCELLED)
        admitted = limited(concurrent=9).admit(c, executor="one", now=START, most=9)

    assert admitted == [second]


@pytest.mark.postgres
def test_whoever_submits_again_waits_for_its_row_before_it_locks_the_account(engine):
    admission = limited(concurrent=9)
    with engine.begin() as c:
        (name,) = rows.add(c, "a", state=GenerationState.SUBMITTING)

    def again() -> float | None:
        with engine.begin() as c:
            return admission.reserve(c, name, "vendor", START)

    with ThreadPoolExecutor(1) as threads, engine.connect() as looking:
        with engine.begin() as other:
            rows.set_state(other, name, GenerationState.CANCELLED)
            waiting = threads.submit(again)
            for _ in range(1_000):
                if looking.scalar(sa.text("SELECT count(*) FROM pg_locks WHERE NOT granted")):
                    break
            admissions.lock_accounts(other, ["vendor"])
        assert waiting.result() is None


MOMENTS = some.sampled_from([0, 1e-6, 0.5, 7.0, 19.999_999, 20.0, 30.0, 59.999_999, 60.0, 61.0])
STEPS = some.lists(
    some.one_of(
        some.tuples(some.just("wait"), MOMENTS),
        some.tuples(some.just("admit"), some.integers(1, 4)),
        some.tuples(some.just("submit"), some.integers(0, 3)),
        some.tuples(some.just("create"), some.sampled_from(["a", "b"])),
        some.tuples(some.just("again"), some.integers(0, 3)),
        some.tuples(some.just("end"), some.integers(0, 3)),
    ),
    min_size=5,
    max_size=40,
)


class Account:
    """A queue of twelve, and everything that may happen to those who leave it."""

    def __init__(self, database: Database, admission: Admission) -> None:
        self.database = database
        self.admission = admission
        self.now = START
        self.unsent: list[str] = []
        self.sent: list[str] = []
        database.write_now(rows.clear)
        write(database, rows.add, "a", 8)
        write(database, rows.add, "b", 4)

    def wait(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)

    def admit(self, most: int) -> None:
        self.unsent += admit(self.database, self.admission, self.now, most)

    def submit(self, index: int) -> None:
        if index < len(self.unsent):
            name = self.unsent.pop(index)
            write(self.database, rows.submit, name, self.now)
            self.sent.append(name)

    def create(self, workspace: str) -> None:
        """Make a synchronous generation, which starts at once if it may."""

        def work(c: Connection) -> str | None:
            new = rows.generation(workspace)
            may = self.admission.at_once(c, new, self.now)
            state = GenerationState.SUBMITTING if may else GenerationState.QUEUED
            (name,) = rows.add(c, workspace, state=state)
            if may:
                rows.submit(c, name, self.now)
            return name if may else None

        begun = self.database.write_now(work)
        if begun is not None:
            self.sent.append(begun)

    def again(self, index: int) -> None:
        """Submit another time, as after a submit that was not taken."""
        if index < len(self.sent):
            name = self.sent[index]
            wait = self.database.write_now(
                lambda c: self.admission.reserve(c, name, "vendor", self.now)
            )
            if wait is None:
                self.sent.remove(name)
                self.unsent.append(name)

    def end(self, index: int) -> None:
        if index < len(self.sent):
            write(self.database, rows.set_state, self.sent.pop(index), GenerationState.STORING)

    def drain(self) -> None:
        """Go on until nothing waits, sleeping as long as one is told to."""
        for _ in range(200):
            while self.unsent:
                self.submit(0)
            while self.sent:
                self.end(0)
            self.admit(100)
            seconds = self.database.read_now(lambda c: self.admission.earliest(c, self.now))
            if not self.unsent and seconds is None:
                return
            self.wait(0 if self.unsent else seconds)
        raise AssertionError("it does not end")


@settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    steps=STEPS,
    rate=some.one_of(some.none(), some.integers(1, 5)),
    concurrent=some.one_of(some.none(), some.integers(1, 5)),
)
def test_whatever_happens_no_limit_is_exceeded(database, steps, rate, concurrent):
    limits = AccountLimits(requests_per_minute=rate, concurrent=concurrent)
    account = Account(database, Admission(LimitSettings(accounts={"vendor": limits})))

    for name, value in steps:
        getattr(account, name)(value)
        there = sum(database.read_now(rows.at_provider).values())
        assert concurrent is None or there <= concurrent
    account.drain()

    submits = database.read_now(rows.submit_times)
    assert rate is None or rows.most_in_any_minute(submits) <= rate
    assert database.read_now(rows.count_queued) == 0
