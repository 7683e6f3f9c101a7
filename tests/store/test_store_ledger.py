"""The ledger: each entry once, and a balance that is always their sum."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mediawright.store import ledger_entries
from mediawright.store.kinds import LedgerKind
from mediawright.store.ledger_entries import LedgerEntry

CREDIT = 1_000_000


def entry(workspace_id, kind, amount, now, generation=None):
    return LedgerEntry(
        workspace_id=workspace_id,
        kind=kind,
        amount_micros=amount,
        created_at=now,
        generation_id=None if generation is None else generation.id,
    )


def test_entries_change_the_balance_and_what_is_held(database, workspace_id, add_generation, now):
    charged, refused = add_generation(), add_generation()

    def book(c):
        steps = [
            entry(workspace_id, LedgerKind.TOP_UP, 10 * CREDIT, now),
            entry(workspace_id, LedgerKind.HOLD, -4 * CREDIT, now, charged),
            entry(workspace_id, LedgerKind.HOLD, -3 * CREDIT, now, refused),
            entry(workspace_id, LedgerKind.RELEASE, 3 * CREDIT, now, refused),
            entry(workspace_id, LedgerKind.CAPTURE, 1 * CREDIT, now, charged),
        ]
        seen = []
        for step in steps:
            assert ledger_entries.add(c, step)
            seen.append(
                (
                    ledger_entries.balance_micros(c, workspace_id) // CREDIT,
                    ledger_entries.held_micros(c, workspace_id) // CREDIT,
                )
            )
        return seen

    assert database.write_now(book) == [(10, 0), (6, 4), (3, 7), (6, 4), (7, 0)]


def test_a_kind_is_booked_once_for_a_generation(database, workspace_id, add_generation, now):
    generation = add_generation()
    hold = entry(workspace_id, LedgerKind.HOLD, -5, now, generation)
    top_up = entry(workspace_id, LedgerKind.TOP_UP, 100, now)

    added = [
        database.write_now(lambda c, one=one: ledger_entries.add(c, one))
        for one in (top_up, hold, hold, top_up)
    ]

    assert added == [True, True, False, True]
    assert database.read_now(lambda c: ledger_entries.balance_micros(c, workspace_id)) == 195
    assert database.read_now(lambda c: ledger_entries.held_micros(c, workspace_id)) == 5


def test_entries_are_listed_by_generation_and_by_page(
    database, workspace_id, other_workspace_id, add_generation, now
):
    generation = add_generation()
    entries = [
        entry(workspace_id, LedgerKind.TOP_UP, 9, now),
        entry(workspace_id, LedgerKind.HOLD, -5, now, generation),
        entry(workspace_id, LedgerKind.RELEASE, 5, now, generation),
    ]
    for one in entries:
        database.write_now(lambda c, one=one: ledger_entries.add(c, one))

    own = database.read_now(lambda c: ledger_entries.for_generation(c, workspace_id, generation.id))
    first = database.read_now(lambda c: ledger_entries.page(c, workspace_id, limit=2))
    rest = database.read_now(
        lambda c: ledger_entries.page(c, workspace_id, limit=2, before=first[-1].sequence)
    )

    assert [(one.kind, one.amount_micros) for one in own] == [("hold", -5), ("release", 5)]
    assert [one.kind for one in first + rest] == ["release", "hold", "top_up"]

    def look(c):
        return (
            ledger_entries.page(c, other_workspace_id, limit=9),
            ledger_entries.for_generation(c, other_workspace_id, generation.id),
            ledger_entries.balance_micros(c, other_workspace_id),
            ledger_entries.balance_micros(c, "wsp_nobody"),
            ledger_entries.held_micros(c, "wsp_nobody"),
        )

    assert database.read_now(look) == ([], [], 0, 0, 0)


def test_holds_at_once_never_take_more_than_there_is(database, workspace_id, add_generation, now):
    rivals = [add_generation() for _ in range(16)]
    database.write_now(
        lambda c: ledger_entries.add(c, entry(workspace_id, LedgerKind.TOP_UP, 50, now))
    )

    def hold(generation):
        def work(c):
            ledger_entries.lock_account(c, workspace_id)
            if ledger_entries.balance_micros(c, workspace_id) < 10:
                return False
            return ledger_entries.add(c, entry(workspace_id, LedgerKind.HOLD, -10, now, generation))

        return database.write_now(work)

    with ThreadPoolExecutor(8) as threads:
        held = list(threads.map(hold, rivals))

    assert sum(held) == 5
    assert database.read_now(lambda c: ledger_entries.balance_micros(c, workspace_id)) == 0
    assert database.read_now(lambda c: ledger_entries.held_micros(c, workspace_id)) == 50


def test_a_hold_closed_twice_at_once_is_taken_off_once(database, workspace_id, add_generation, now):
    def settle(one, kind):
        database.write_now(lambda c: ledger_entries.add(c, entry(workspace_id, kind, 4, now, one)))

    for _ in range(4):
        generation = add_generation()
        hold = entry(workspace_id, LedgerKind.HOLD, -8, now, generation)
        database.write_now(lambda c, hold=hold: ledger_entries.add(c, hold))
        with ThreadPoolExecutor(2) as threads:
            kinds = (LedgerKind.CAPTURE, LedgerKind.RELEASE)
            list(threads.map(settle, [generation] * 2, kinds))

    assert database.read_now(lambda c: ledger_entries.held_micros(c, workspace_id)) == 0
    assert database.read_now(lambda c: ledger_entries.balance_micros(c, workspace_id)) == 0


steps = st.lists(
    st.tuples(
        st.sampled_from(list(LedgerKind)),
        st.integers(-(10**12), 10**12),
        st.none() | st.integers(0, 3),
    ),
    max_size=25,
)


@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(steps=steps)
def test_balance_and_holds_are_sums_of_the_entries(
    database, workspace_id, add_generation, now, steps
):
    made = [add_generation() for _ in range(4)]
    # Nothing is held any more for a generation that is settled.
    steps.sort(key=lambda step: step[0] is not LedgerKind.HOLD)

    def book(c):
        for kind, amount, which in steps:
            generation = None if which is None else made[which]
            ledger_entries.add(c, entry(workspace_id, kind, amount, now, generation))
        return (
            ledger_entries.page(c, workspace_id, limit=10**6),
            ledger_entries.balance_micros(c, workspace_id),
            ledger_entries.held_micros(c, workspace_id),
            ledger_entries.sum_micros(c, workspace_id),
        )

    entries, balance, held, added_up = database.write_now(book)
    closing = (LedgerKind.CAPTURE, LedgerKind.RELEASE)
    closed = {one.generation_id for one in entries if one.kind in closing} - {None}
    assert balance == added_up == sum(one.amount_micros for one in entries)
    assert held == -sum(
        one.amount_micros
        for one in entries
        if one.kind is LedgerKind.HOLD and one.generation_id not in closed
    )
