"""Whatever is asked of the ledger in whatever order, and however often, the account adds up."""

from __future__ import annotations

from collections import Counter, defaultdict
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    invariant,
    multiple,
    rule,
    run_state_machine_as_test,
)
from tests.ledger.accounts import (
    NOW,
    add_workspace,
    begin,
    entries_of,
    events_of,
    generation_of,
    micros,
    set_budget,
    spending_kept,
    spending_recomputed,
)

from mediawright.core.errors import ConflictError, InsufficientCreditError, InvalidRequestError
from mediawright.core.generation import Generation
from mediawright.ledger.ledger import Ledger
from mediawright.store import ledger_entries
from mediawright.store.database import Database
from mediawright.store.kinds import BudgetAction, BudgetPeriod, LedgerKind
from mediawright.store.ledger_entries import LedgerEntry
from mediawright.store.spending import period_start

FIRST = Decimal(50)
KEYS = st.sampled_from([None, "key_one", "key_two"])
MOMENTS = st.sampled_from(
    [
        datetime(2026, 11, 30, 23, 59, 59, 999_999, tzinfo=UTC),
        datetime(2026, 12, 1, tzinfo=UTC),
        datetime(2026, 12, 31, 8, tzinfo=UTC),
    ]
)
CREDITS = st.decimals(min_value=0, max_value=40, places=6)
# Few enough that the same one comes up again.
REFERENCES = st.sampled_from(["a", "b", "c"]) | st.none()
ROUND = st.sampled_from([Decimal(1), Decimal(7), Decimal("0.5")])


class LedgerMachine(RuleBasedStateMachine):
    """A model of the account beside the real one."""

    made = Bundle("made")
    requested = Bundle("requested")

    def __init__(self, database: Database) -> None:
        super().__init__()
        self.database = database
        self.ledger = Ledger(database)
        self.workspace_id = add_workspace(database)
        database.write_now(lambda c: self.ledger.grant(c, self.workspace_id, FIRST, now=NOW))
        self.available = micros(FIRST)
        self.generations: dict[str, Generation] = {}
        self.open: dict[str, int] = {}
        self.charged: dict[str, int] = {}
        self.refunded: dict[str, int] = {}
        self.references: dict[str, tuple[str, int]] = {}
        self.budgets: dict[tuple[str | None, BudgetPeriod, BudgetAction], tuple[int, bool]] = {}
        self.changes = 0

    @rule(
        key=KEYS,
        period=st.sampled_from(BudgetPeriod),
        action=st.sampled_from(BudgetAction),
        limit=st.sampled_from([0, 20, 60]),
        allow_unknown=st.booleans(),
    )
    def budget(
        self,
        key: str | None,
        period: BudgetPeriod,
        action: BudgetAction,
        limit: int,
        allow_unknown: bool,
    ) -> None:
        set_budget(
            self.database,
            self.workspace_id,
            limit,
            key=key,
            period=period,
            action=action,
            allow_unknown=allow_unknown,
        )
        self.budgets[key, period, action] = (micros(limit), allow_unknown)

    @rule(target=requested, price=CREDITS | ROUND | st.none(), key=KEYS, at=MOMENTS)
    def request(self, price: Decimal | None, key: str | None, at: datetime) -> Generation:
        return generation_of(self.workspace_id, price, key=key, at=at)

    @rule(target=made, generation=consumes(requested))
    def begin(self, generation: Generation) -> object:
        refusal = self._refusal(generation)
        if refusal is not None:
            with pytest.raises(InsufficientCreditError) as caught:
                begin(self.ledger, self.database, generation)
            assert caught.value.code == refusal
            return multiple()
        begin(self.ledger, self.database, generation)
        self.generations[generation.id] = generation
        if generation.price.credits is not None:
            held = micros(generation.price.credits)
            self.available -= held
            self.open[generation.id] = held
        return generation

    @rule(generation=made)
    def hold_again(self, generation: Generation) -> None:
        if generation.price.credits is not None:
            self.database.write_now(lambda c: self.ledger.hold(c, generation))

    @rule(generation=made, charge=st.integers(min_value=0, max_value=60_000_000))
    def capture(self, generation: Generation, charge: int) -> None:
        charged = self.database.write_now(
            lambda c: self.ledger.capture(c, generation, charge, now=NOW)
        )
        if generation.id in self.open:
            held = self.open.pop(generation.id)
            self.charged[generation.id] = min(charge, held)
            self.available += held - self.charged[generation.id]
        assert charged == self.charged.get(generation.id, 0)

    @rule(generation=made)
    def release(self, generation: Generation) -> None:
        self.database.write_now(lambda c: self.ledger.release(c, generation, now=NOW))
        self.available += self.open.pop(generation.id, 0)

    @rule(generation=made, amount=st.none() | ROUND | CREDITS)
    def refund(self, generation: Generation, amount: Decimal | None) -> None:
        charged = self.charged.get(generation.id, 0)
        wanted = charged if amount is None else micros(amount)
        before = self.refunded.get(generation.id)
        expected = self._refund_problem(charged, wanted, before)

        def work(c):
            return self.ledger.refund(c, generation, amount, now=NOW)

        if expected is not None:
            with pytest.raises((ConflictError, InvalidRequestError)) as caught:
                self.database.write_now(work)
            assert caught.value.code == expected
            return
        booked = self.database.write_now(work)
        assert booked.entry.amount_micros == wanted
        assert booked.is_new == (before is None)
        if booked.is_new:
            self.refunded[generation.id] = wanted
            self.available += wanted
            self.changes += 1

    @rule(amount=ROUND, reference=REFERENCES)
    def top_up(self, amount: Decimal, reference: str | None) -> None:
        self._change("top_up", amount, reference)

    @rule(amount=ROUND | st.just(Decimal(-30)), reference=REFERENCES)
    def adjust(self, amount: Decimal, reference: str | None) -> None:
        self._change("adjustment", amount, reference)

    @invariant()
    def the_account_adds_up(self) -> None:
        balance, held, summed = self.database.read_now(
            lambda c: (
                ledger_entries.balance_micros(c, self.workspace_id),
                ledger_entries.held_micros(c, self.workspace_id),
                ledger_entries.sum_micros(c, self.workspace_id),
            )
        )
        assert balance == summed == self.available
        assert balance >= 0
        assert held == sum(self.open.values())

    @invariant()
    def every_entry_is_there_once_and_within_its_bounds(self) -> None:
        entries = entries_of(self.database, self.workspace_id)
        by_generation: dict[str, list[LedgerEntry]] = defaultdict(list)
        for entry in entries:
            if entry.generation_id is not None:
                by_generation[entry.generation_id].append(entry)
        for found in by_generation.values():
            amounts = {entry.kind: entry.amount_micros for entry in found}
            assert len(amounts) == len(found)
            assert not {LedgerKind.CAPTURE, LedgerKind.RELEASE} <= set(amounts)
            held = -amounts[LedgerKind.HOLD]
            charged = held - amounts[LedgerKind.CAPTURE] if LedgerKind.CAPTURE in amounts else 0
            assert 0 <= charged <= held
            assert 0 <= amounts.get(LedgerKind.REFUND, 0) <= charged
        references = Counter(entry.reference for entry in entries if entry.reference)
        assert set(references.values()) <= {1}
        assert spending_kept(self.database, self.workspace_id) == spending_recomputed(
            entries, self.generations
        )

    @invariant()
    def changes_are_announced_once(self) -> None:
        assert len(events_of(self.database, self.workspace_id, "credit.changed")) == self.changes

    def _change(self, kind: str, amount: Decimal, reference: str | None) -> None:
        def work(c):
            method = self.ledger.top_up if kind == "top_up" else self.ledger.adjust
            return method(c, self.workspace_id, amount, now=NOW, reference=reference)

        wanted = (kind, micros(amount))
        known = None if reference is None else self.references.get(reference)
        if known is not None and known != wanted:
            with pytest.raises(ConflictError, match="belongs to another entry"):
                self.database.write_now(work)
            return
        if known is None and self.available + micros(amount) < 0:
            with pytest.raises(InsufficientCreditError):
                self.database.write_now(work)
            return
        booked = self.database.write_now(work)
        assert booked.is_new == (known is None)
        assert (booked.entry.kind, booked.entry.amount_micros) == wanted
        if known is None:
            self.available += micros(amount)
            self.changes += 1
            if reference is not None:
                self.references[reference] = wanted

    def _refusal(self, generation: Generation) -> str | None:
        """Return the code with which the model refuses a request."""
        price = generation.price.credits
        keys = {None, generation.api_key_id}
        refusing = {
            (key, period): allowed
            for (key, period, action), allowed in self.budgets.items()
            if action is BudgetAction.REFUSE and key in keys
        }
        if price is None:
            known_only = any(not allow_unknown for _, allow_unknown in refusing.values())
            return "price_unknown" if known_only else None
        needed = micros(price)
        if needed > self.available:
            return "insufficient_credit"
        for (key, period), (limit, _) in refusing.items():
            if needed and self._spent(key, period, generation.created_at) + needed > limit:
                return "budget_exceeded"
        return None

    def _spent(self, key: str | None, period: BudgetPeriod, at: datetime) -> int:
        return sum(
            self.open.get(one.id, 0) + self.charged.get(one.id, 0) - self.refunded.get(one.id, 0)
            for one in self.generations.values()
            if key in (None, one.api_key_id)
            and period_start(period, one.created_at) == period_start(period, at)
        )

    @staticmethod
    def _refund_problem(charged: int, wanted: int, before: int | None) -> str | None:
        if before is not None:
            return None if before == wanted else "already_refunded"
        if charged == 0:
            return "nothing_charged"
        if wanted > charged:
            return "refund_too_high"
        return "invalid_amount" if wanted <= 0 else None


def run(database: Database, examples: int, steps: int) -> None:
    run_state_machine_as_test(
        lambda: LedgerMachine(database),
        settings=settings(
            max_examples=examples,
            stateful_step_count=steps,
            deadline=None,
            suppress_health_check=[HealthCheck.too_slow],
        ),
    )


def test_any_interleaving_on_sqlite(sqlite_ledger_database: Database) -> None:
    run(sqlite_ledger_database, examples=60, steps=40)


@pytest.mark.postgres
def test_any_interleaving_on_postgresql(postgresql_ledger_database: Database) -> None:
    run(postgresql_ledger_database, examples=15, steps=25)
