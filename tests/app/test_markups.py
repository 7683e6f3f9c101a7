"""What is added to the prices of providers."""

from __future__ import annotations

from collections.abc import AsyncIterator
from decimal import Decimal
from pathlib import Path

import pytest
from sqlalchemy import event
from tests.app.pricing_bench import KEYS, draft

from mediawright.app.account import account_of, account_view
from mediawright.app.generate import generate
from mediawright.app.intake import Draft
from mediawright.app.markups import FRESH, markup_of, set_markup
from mediawright.app.models import describe_model, list_models
from mediawright.app.quotes import quote
from mediawright.app.runtime import Runtime
from mediawright.app.settings import AccountSettings, Settings
from mediawright.app.workspaces import DEFAULT_WORKSPACE, ensure_workspace
from mediawright.core.clock import ManualClock
from mediawright.core.errors import InvalidRequestError, NotFoundError
from mediawright.core.request import Parameters

NAMED_IN_CREDITS = Draft(model="seedance-2-480p", prompt="waves", parameters=Parameters(duration=5))


@pytest.fixture
async def runtime(tmp_path: Path) -> AsyncIterator[Runtime]:
    account = AccountSettings(markup=Decimal("0.5"), credits_per_usd=Decimal(50))
    settings = Settings(data_dir=tmp_path / "data", account=account)
    keys = {**KEYS, "FAL_KEY": "one"}
    opened = Runtime(settings, clock=ManualClock(), environment=keys)
    opened.jobs.only_create()
    await opened.open()
    await ensure_workspace(opened, "wsp_other")
    yield opened
    await opened.close()


async def price(runtime: Runtime, workspace_id: str, request: Draft | None = None) -> Decimal:
    credits_ = (await quote(runtime, workspace_id, request or draft())).price.credits
    assert credits_ is not None
    return credits_


async def test_rate_and_markup_of_the_settings_make_the_price(runtime: Runtime) -> None:
    # 5 s x 0.12 USD x 50 credits x 1.5
    assert await price(runtime, DEFAULT_WORKSPACE) == 45
    assert (await generate(runtime, DEFAULT_WORKSPACE, draft())).price.credits == 45


async def test_a_workspace_may_have_its_own(runtime: Runtime) -> None:
    before = await quote(runtime, DEFAULT_WORKSPACE, draft())
    await set_markup(runtime, DEFAULT_WORKSPACE, Decimal("-0.25"))

    assert await price(runtime, DEFAULT_WORKSPACE) == Decimal("22.5")
    assert await price(runtime, "wsp_other") == 45
    assert (before.markup, before.credits_per_usd) == (Decimal("0.5"), 50)
    after = await quote(runtime, DEFAULT_WORKSPACE, draft())
    assert after.markup == Decimal("-0.25")
    # What the provider bills stays what it is.
    assert after.price.usd == before.price.usd == Decimal("0.6")

    await set_markup(runtime, DEFAULT_WORKSPACE, None)
    assert await price(runtime, DEFAULT_WORKSPACE) == 45


async def test_prices_named_in_credits_are_not_marked_up(runtime: Runtime) -> None:
    before = await price(runtime, DEFAULT_WORKSPACE, NAMED_IN_CREDITS)
    await set_markup(runtime, DEFAULT_WORKSPACE, Decimal(2))
    assert await price(runtime, DEFAULT_WORKSPACE, NAMED_IN_CREDITS) == before > 0


async def test_account_and_models_show_it(runtime: Runtime) -> None:
    view = account_view(await account_of(runtime, DEFAULT_WORKSPACE))
    assert (view["markup"], view["has_own_markup"], view["credits_per_usd"]) == ("0.5", False, "50")
    await set_markup(runtime, DEFAULT_WORKSPACE, Decimal(1))
    view = account_view(await account_of(runtime, DEFAULT_WORKSPACE))
    assert (view["markup"], view["has_own_markup"]) == ("1", True)

    mine = await describe_model(runtime, DEFAULT_WORKSPACE, "gen4.5")
    theirs = await describe_model(runtime, "wsp_other", "gen4.5")
    assert [cost["credits"] for cost in mine["cost"]] == ["12"]
    assert [cost["credits"] for cost in theirs["cost"]] == ["9"]
    listed = await list_models(runtime, DEFAULT_WORKSPACE)
    assert next(model for model in listed if model["id"] == "gen4.5")["cost"] == mine["cost"]


async def test_another_process_s_change_counts_soon(runtime: Runtime, tmp_path: Path) -> None:
    assert await price(runtime, DEFAULT_WORKSPACE) == 45
    other = Runtime(Settings(data_dir=tmp_path / "data"), clock=ManualClock(), environment={})
    await other.open()
    await set_markup(other, DEFAULT_WORKSPACE, Decimal(0))
    await other.close()

    await runtime.clock.advance(FRESH)  # pyright: ignore[reportAttributeAccessIssue] - a test's
    assert await price(runtime, DEFAULT_WORKSPACE) == 30


async def test_requests_do_not_ask_the_database_for_it_each_time(runtime: Runtime) -> None:
    await runtime.markups.settings_for(DEFAULT_WORKSPACE)
    asked: list[str] = []
    engine = runtime.database._read_engine

    def note(_conn, _cursor, statement, _parameters, _context, _many):
        asked.append(statement)

    event.listen(engine, "before_cursor_execute", note)
    first = await runtime.markups.settings_for(DEFAULT_WORKSPACE)
    assert await runtime.markups.settings_for(DEFAULT_WORKSPACE) is first
    assert asked == []
    await runtime.markups.settings_for("wsp_other")
    assert [statement.split()[0] for statement in asked].count("SELECT") == 1


@pytest.mark.parametrize("markup", ["-1.1", "100.1", "0.0000001", "NaN", "Infinity", "1e9"])
async def test_a_markup_has_bounds(runtime: Runtime, markup: str) -> None:
    with pytest.raises(InvalidRequestError) as caught:
        await set_markup(runtime, DEFAULT_WORKSPACE, Decimal(markup))
    assert (caught.value.code, caught.value.pointer) == ("invalid_markup", "/markup")
    assert not (await markup_of(runtime, DEFAULT_WORKSPACE)).is_own


async def test_there_must_be_such_a_workspace(runtime: Runtime) -> None:
    with pytest.raises(NotFoundError):
        await set_markup(runtime, "wsp_none", Decimal(0))


@pytest.mark.parametrize(
    "account",
    [{"markup": "-1.5"}, {"markup": "NaN"}, {"credits_per_usd": 0}, {"quote_seconds": 0}],
)
def test_settings_that_no_price_can_be_made_of(tmp_path: Path, account: dict[str, object]) -> None:
    from mediawright.app.settings import load_settings

    place = tmp_path / "mediawright.yaml"
    lines = "\n".join(f"  {name}: {value}" for name, value in account.items())
    place.write_text(f"account:\n{lines}\n")
    with pytest.raises(InvalidRequestError) as caught:
        load_settings(place, {})
    assert caught.value.code == "invalid_settings"
    assert next(iter(account)) in caught.value.message
