"""Whatever is held, captured and released in whatever order, the account adds up."""

from __future__ import annotations

import tempfile
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, rule

from mediawright.core.errors import InsufficientCreditError
from mediawright.core.generation import Generation, RoutePlan
from mediawright.core.ids import IdPrefix, new_id
from mediawright.core.money import Currency, Money, Price
from mediawright.core.operations import Operation
from mediawright.core.request import GenerationRequest
from mediawright.core.states import GenerationState
from mediawright.ledger.ledger import Ledger
from mediawright.store import generations, ledger_entries, workspaces
from mediawright.store.database import Database
from mediawright.store.workspaces import Workspace

WORKSPACE = "wsp_00000000000000000000000000000001"
NOW = datetime(2026, 11, 20, tzinfo=UTC)
FIRST = Decimal(50)

prices = st.decimals(min_value=0, max_value=40, places=6) | st.none()


def generation_of(price: Decimal | None) -> Generation:
    return Generation(
        id=new_id(IdPrefix.GENERATION),
        workspace_id=WORKSPACE,
        trace_id=new_id(IdPrefix.TRACE),
        state=GenerationState.QUEUED,
        operation=Operation.TEXT_TO_IMAGE,
        model="test-model",
        request=GenerationRequest(model="test-model", prompt="a fox"),
        routes=(RoutePlan(provider="test", upstream_id="1"),),
        price=Price(credits=price),
        created_at=NOW,
        updated_at=NOW,
    )


class Account(RuleBasedStateMachine):
    """A model of the account beside the real one."""

    held = Bundle("held")

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.database = Database(f"sqlite:///{Path(self.folder.name) / 'test.db'}")
        self.database.migrate()
        self.ledger = Ledger(self.database)
        self.available = Money.credits(FIRST).micros
        self.open: dict[str, int] = {}

        def begin(connection) -> None:
            workspace = Workspace(id=WORKSPACE, name="test", created_at=NOW)
            workspaces.insert(connection, workspace)
            self.ledger.grant(connection, WORKSPACE, FIRST, now=NOW)

        self.database.write_now(begin)

    def teardown(self) -> None:
        self.database.close()
        self.folder.cleanup()

    @rule(target=held, price=prices)
    def hold(self, price: Decimal | None) -> Generation:
        generation = generation_of(price)
        needed = 0 if price is None else Money.credits(price).micros

        def work(connection) -> None:
            generations.insert(connection, generation)
            self.ledger.hold(connection, generation)

        refused = False
        try:
            self.database.write_now(work)
        except InsufficientCreditError:
            refused = True
        assert refused == (needed > self.available)
        if not refused:
            self.available -= needed
            self.open[generation.id] = needed
        return generation

    @rule(generation=held, charge=st.integers(min_value=0, max_value=60_000_000))
    def capture(self, generation: Generation, charge: int) -> None:
        was_there = generation.id in self.open
        held = self.open.get(generation.id, 0)
        if not was_there and not self._is_known(generation):
            return
        charged = self.database.write_now(
            lambda c: self.ledger.capture(c, generation, charge, now=NOW)
        )
        assert charged == min(charge, held)
        self.available += held - charged
        if was_there:
            self.open[generation.id] = 0

    @rule(generation=held)
    def release(self, generation: Generation) -> None:
        if not self._is_known(generation):
            return
        self.database.write_now(lambda c: self.ledger.release(c, generation, now=NOW))
        self.available += self.open.get(generation.id, 0)
        if generation.id in self.open:
            self.open[generation.id] = 0

    @invariant()
    def the_account_adds_up(self) -> None:
        balance, held, summed = self.database.read_now(
            lambda c: (
                ledger_entries.balance_micros(c, WORKSPACE),
                ledger_entries.held_micros(c, WORKSPACE),
                ledger_entries.sum_micros(c, WORKSPACE),
            )
        )
        assert balance == summed == self.available
        assert balance >= 0
        assert held == sum(self.open.values())

    def _is_known(self, generation: Generation) -> bool:
        """Tell whether it was written: a refused hold takes its generation along."""
        return self.database.read_now(lambda c: generations.get(c, None, generation.id)) is not None


TestAccount = Account.TestCase
TestAccount.settings = settings(
    max_examples=25,
    stateful_step_count=20,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)


async def test_the_balance_in_words(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path / 'test.db'}")
    database.migrate()
    ledger = Ledger(database)

    def begin(connection) -> None:
        workspaces.insert(connection, Workspace(id=WORKSPACE, name="test", created_at=NOW))
        ledger.grant(connection, WORKSPACE, Decimal("12.5"), now=NOW)

    await database.write(begin)
    balance = await ledger.balance(WORKSPACE)
    assert str(balance.available) == "12.5 credits"
    assert balance.held == Money.from_micros(0, Currency.CREDITS)
    database.close()
