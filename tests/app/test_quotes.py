"""Quotes: what they promise, how they are used, and that they cost nothing."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from tests.app.pricing_bench import KEYS, VIDEO, draft, files, made, reprice

from mediawright.app.generate import generate
from mediawright.app.intake import Draft, InputSource
from mediawright.app.quotes import get_quote, quote, quote_view
from mediawright.app.runtime import Runtime
from mediawright.app.settings import AccountSettings, Settings
from mediawright.app.workspaces import DEFAULT_WORKSPACE, ensure_workspace
from mediawright.core.clock import ManualClock
from mediawright.core.errors import (
    ConflictError,
    InsufficientCreditError,
    InvalidRequestError,
    MediawrightError,
    MissingApiKeyError,
    NotFoundError,
)
from mediawright.core.operations import Operation
from mediawright.core.request import Parameters

Open = Callable[..., Any]
CREDITS = Decimal(1_000)
PRICE = Decimal(60)
"""Five seconds of the video model."""


@pytest.fixture
async def opened(tmp_path: Path) -> AsyncIterator[Open]:
    """Opens an installation that takes requests and sends none."""
    runtimes: list[Runtime] = []

    async def opening(environment: dict[str, str] = KEYS, **account: Any) -> Runtime:
        settings = Settings(
            data_dir=tmp_path / "data", account=AccountSettings(initial_credits=CREDITS, **account)
        )
        runtime = Runtime(settings, clock=ManualClock(), environment=environment)
        runtimes.append(runtime)
        runtime.jobs.only_create()
        await runtime.open()
        return runtime

    yield opening
    for runtime in runtimes:
        await runtime.close()


@pytest.fixture
async def runtime(opened: Open) -> Runtime:
    return await opened()


async def use(runtime: Runtime, quote_id: str, request: Draft | None = None, **keys: Any) -> Any:
    return await generate(runtime, DEFAULT_WORKSPACE, request or draft(), quote_id=quote_id, **keys)


async def held(runtime: Runtime) -> Decimal:
    return (await runtime.ledger.balance(DEFAULT_WORKSPACE)).held.amount


async def refused(runtime: Runtime, quote_id: str, *asked: Draft) -> MediawrightError:
    """Have a request refused, and check that it leaves nothing."""
    before = (await held(runtime), len(await made(runtime)), files(runtime))
    with pytest.raises(MediawrightError) as caught:
        await use(runtime, quote_id, *asked)
    assert (await held(runtime), len(await made(runtime)), files(runtime)) == before
    return caught.value


async def test_a_quote_says_what_would_be_done_and_at_which_price(runtime: Runtime) -> None:
    made_quote = await quote(runtime, DEFAULT_WORKSPACE, draft())
    view = quote_view(made_quote)

    assert made_quote.price.credits == PRICE
    assert view["price"]["usd"] == 0.6
    assert view["price"]["basis"] == "computed"
    assert view["price"]["price_book_date"]
    assert (view["provider"], view["route"]["upstream_id"]) == ("runway", "gen4.5")
    assert view["generation_type"] == "text-to-video"
    assert view["request"]["duration"] == 5
    assert view["estimated_time_seconds"] > 0
    assert {item["pointer"] for item in view["adjustments"]} >= {"/operation"}
    assert made_quote.expires_at - made_quote.created_at == timedelta(minutes=15)
    assert await get_quote(runtime, DEFAULT_WORKSPACE, made_quote.id) == made_quote


async def test_a_quote_holds_keeps_and_makes_nothing(runtime: Runtime, tmp_path: Path) -> None:
    Image.new("RGB", (1280, 720), "teal").save(tmp_path / "sea.png")
    before = await runtime.ledger.balance(DEFAULT_WORKSPACE)
    picture = draft(inputs=(InputSource(path=tmp_path / "sea.png", name="sea.png"),))
    view = quote_view(await quote(runtime, DEFAULT_WORKSPACE, picture))

    assert await runtime.ledger.balance(DEFAULT_WORKSPACE) == before
    assert await made(runtime) == []
    assert files(runtime) == []
    # The picture was not kept, so there is no id to name it by.
    assert view["request"]["inputs"] == [{"role": "first_frame", "name": "sea.png"}]


async def test_a_request_that_breaks_rules_gets_no_quote_but_all_of_them(runtime: Runtime) -> None:
    wrong = draft(prompt=" ", parameters=Parameters(duration=99, aspect_ratio="7:5"))
    with pytest.raises(InvalidRequestError) as caught:
        await quote(runtime, DEFAULT_WORKSPACE, wrong)
    assert [problem.code for problem in caught.value.problems] == [
        "prompt_required",
        "invalid_aspect_ratio",
        "invalid_duration",
    ]
    assert caught.value.code == "prompt_required"


async def test_without_a_key_there_is_nothing_to_quote(opened: Open) -> None:
    with pytest.raises(MissingApiKeyError):
        await quote(await opened({}), DEFAULT_WORKSPACE, draft())


async def test_routes_that_are_passed_over_are_named_with_the_reason(opened: Open) -> None:
    runtime = await opened({"FAL_KEY": "fal-one"})
    request = Draft(model="gpt-image-2", prompt="a fox")
    view = quote_view(await quote(runtime, DEFAULT_WORKSPACE, request))
    assert view["provider"] == "fal"
    assert ("openai", "missing_api_key") in {
        (route["provider"], route["reason"]) for route in view["skipped_routes"]
    }


async def test_a_quote_of_today_s_price_is_charged_as_it_is(runtime: Runtime) -> None:
    promised = await quote(runtime, DEFAULT_WORKSPACE, draft())
    generation = await use(runtime, promised.id)

    assert generation.price.credits == PRICE
    assert await held(runtime) == PRICE
    used = await get_quote(runtime, DEFAULT_WORKSPACE, promised.id)
    assert used.generation_id == generation.id


async def test_when_the_price_has_risen_the_quote_s_is_charged(runtime: Runtime) -> None:
    promised = await quote(runtime, DEFAULT_WORKSPACE, draft())
    reprice(runtime, VIDEO, Decimal(3))
    generation = await use(runtime, promised.id)

    assert generation.price.credits == PRICE
    assert generation.price.usd == Decimal("1.8")
    assert promised.id in generation.price.explanation
    assert await held(runtime) == PRICE
    assert (await generate(runtime, DEFAULT_WORKSPACE, draft())).price.credits == 3 * PRICE


async def test_when_the_price_has_fallen_the_lower_one_is_charged(runtime: Runtime) -> None:
    promised = await quote(runtime, DEFAULT_WORKSPACE, draft())
    reprice(runtime, VIDEO, Decimal("0.5"))
    generation = await use(runtime, promised.id)

    assert generation.price.credits == PRICE / 2
    assert await held(runtime) == PRICE / 2


async def test_when_nobody_knows_the_price_any_more_the_quote_s_is_charged(
    runtime: Runtime,
) -> None:
    promised = await quote(runtime, DEFAULT_WORKSPACE, draft())
    reprice(runtime, VIDEO, None)
    assert (await use(runtime, promised.id)).price.credits == PRICE


async def test_an_unknown_price_stays_unknown_and_promises_nothing(runtime: Runtime) -> None:
    known, prices = runtime.catalogue, Decimal(1)
    reprice(runtime, VIDEO, None)
    promised = await quote(runtime, DEFAULT_WORKSPACE, draft())
    view = quote_view(promised)
    assert view["price"]["credits"] is None
    assert view["estimated_cost_credits"] is None
    assert view["price"]["basis"] == "unknown"

    runtime.catalogue = known
    reprice(runtime, VIDEO, prices)
    assert (await use(runtime, promised.id)).price.credits == PRICE


async def test_unknown_prices_are_not_quoted_where_they_are_not_allowed(opened: Open) -> None:
    runtime = await opened(allow_unknown_price=False)
    reprice(runtime, VIDEO, None)
    with pytest.raises(InsufficientCreditError) as caught:
        await quote(runtime, DEFAULT_WORKSPACE, draft())
    assert caught.value.code == "price_unknown"


async def test_a_quote_is_used_once(runtime: Runtime) -> None:
    promised = await quote(runtime, DEFAULT_WORKSPACE, draft())
    first = await use(runtime, promised.id)
    error = await refused(runtime, promised.id)

    assert isinstance(error, ConflictError)
    assert error.code == "quote_used"
    assert error.details["generation_id"] == first.id


async def test_the_same_request_under_its_key_is_not_another_use(runtime: Runtime) -> None:
    promised = await quote(runtime, DEFAULT_WORKSPACE, draft())
    first = await use(runtime, promised.id, idempotency_key="k")
    again = await use(runtime, promised.id, idempotency_key="k")

    assert again.id == first.id
    assert await held(runtime) == PRICE
    with pytest.raises(ConflictError) as caught:
        await generate(runtime, DEFAULT_WORKSPACE, draft(), idempotency_key="k")
    assert caught.value.code == "idempotency_key_reused"


async def test_of_many_at_once_one_has_the_quote(runtime: Runtime) -> None:
    promised = await quote(runtime, DEFAULT_WORKSPACE, draft())
    results = await asyncio.gather(
        *(use(runtime, promised.id) for _ in range(6)), return_exceptions=True
    )
    codes = [item.code for item in results if isinstance(item, MediawrightError)]

    assert codes == ["quote_used"] * 5
    assert len(await made(runtime)) == 1
    assert await held(runtime) == PRICE


async def test_many_at_once_under_one_key_are_one(runtime: Runtime) -> None:
    promised = await quote(runtime, DEFAULT_WORKSPACE, draft())
    results = await asyncio.gather(
        *(use(runtime, promised.id, idempotency_key="k") for _ in range(6))
    )
    assert len({item.id for item in results}) == 1


async def test_a_quote_expires(runtime: Runtime) -> None:
    promised = await quote(runtime, DEFAULT_WORKSPACE, draft())
    await runtime.clock.advance(15 * 60)  # pyright: ignore[reportAttributeAccessIssue] - a test's
    error = await refused(runtime, promised.id)

    assert isinstance(error, ConflictError)
    assert (error.code, error.pointer) == ("quote_expired", "/quote")
    assert (await get_quote(runtime, DEFAULT_WORKSPACE, promised.id)).id == promised.id


async def test_how_long_it_holds_is_a_setting(opened: Open) -> None:
    promised = await quote(await opened(quote_seconds=60), DEFAULT_WORKSPACE, draft())
    assert promised.expires_at - promised.created_at == timedelta(minutes=1)


async def test_there_must_be_such_a_quote(runtime: Runtime) -> None:
    error = await refused(runtime, "quo_nonsense")
    assert isinstance(error, NotFoundError)
    assert error.code == "quote_not_found"


async def test_a_quote_belongs_to_its_workspace(runtime: Runtime) -> None:
    await ensure_workspace(runtime, "wsp_other")
    theirs = await quote(runtime, "wsp_other", draft())
    with pytest.raises(NotFoundError):
        await get_quote(runtime, DEFAULT_WORKSPACE, theirs.id)
    assert (await refused(runtime, theirs.id)).code == "quote_not_found"


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        ({"prompt": "dunes"}, "/prompt"),
        ({"parameters": Parameters(duration=10)}, "/parameters/duration"),
        ({"parameters": Parameters(duration=5, seed=7)}, "/parameters/seed"),
        ({"provider": "runway"}, "/provider"),
        ({"model": "gen4_turbo"}, "/model"),
    ],
)
async def test_a_quote_is_for_its_own_request(
    runtime: Runtime, tmp_path: Path, changes: dict[str, Any], pointer: str
) -> None:
    promised = await quote(runtime, DEFAULT_WORKSPACE, draft())
    if "model" in changes:
        Image.new("RGB", (1280, 720), "teal").save(tmp_path / "sea.png")
        changes["inputs"] = (InputSource(path=tmp_path / "sea.png"),)
    error = await refused(runtime, promised.id, draft(**changes))

    assert (error.code, error.pointer) == ("quote_mismatch", pointer)
    assert pointer in error.details["differing"]
    await use(runtime, promised.id)


async def test_labels_and_the_place_of_the_file_may_differ(runtime: Runtime) -> None:
    promised = await quote(runtime, DEFAULT_WORKSPACE, draft())
    generation = await use(
        runtime, promised.id, draft(metadata={"persona": "ada"}, output_path="sea/waves.mp4")
    )
    assert generation.request.metadata == {"persona": "ada"}


async def test_a_request_said_in_full_is_the_one_that_was_quoted_in_short(
    runtime: Runtime,
) -> None:
    promised = await quote(runtime, DEFAULT_WORKSPACE, draft())
    full = promised.request
    spelt = draft(operation=Operation.TEXT_TO_VIDEO, parameters=full.parameters)
    assert (await use(runtime, promised.id, spelt)).price.credits == PRICE


async def test_the_files_must_be_those_that_were_quoted(runtime: Runtime, tmp_path: Path) -> None:
    place = tmp_path / "sea.png"
    request = draft(inputs=(InputSource(path=place),))
    Image.new("RGB", (1280, 720), "teal").save(place)
    promised = await quote(runtime, DEFAULT_WORKSPACE, request)
    Image.new("RGB", (1280, 768), "teal").save(place)
    error = await refused(runtime, promised.id, request)
    assert (error.code, error.pointer) == ("quote_mismatch", "/inputs")

    Image.new("RGB", (1280, 720), "teal").save(place)
    assert (await use(runtime, promised.id, request)).price.credits == PRICE


async def test_a_refused_request_does_not_use_its_quote(runtime: Runtime) -> None:
    promised = await quote(runtime, DEFAULT_WORKSPACE, draft())
    while (await runtime.ledger.balance(DEFAULT_WORKSPACE)).available.amount >= PRICE:
        await generate(runtime, DEFAULT_WORKSPACE, draft())
    assert (await refused(runtime, promised.id)).code == "insufficient_credit"
    assert (await get_quote(runtime, DEFAULT_WORKSPACE, promised.id)).generation_id is None


async def test_quotes_that_expired_long_ago_go(runtime: Runtime) -> None:
    old = await quote(runtime, DEFAULT_WORKSPACE, draft())
    await runtime.clock.advance(25 * 3600)  # pyright: ignore[reportAttributeAccessIssue] - a test's
    fresh = await quote(runtime, DEFAULT_WORKSPACE, draft())

    assert (await runtime.retention.tidy_database()).quotes == 1
    with pytest.raises(NotFoundError):
        await get_quote(runtime, DEFAULT_WORKSPACE, old.id)
    assert (await get_quote(runtime, DEFAULT_WORKSPACE, fresh.id)).id == fresh.id
