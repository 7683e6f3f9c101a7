"""Which routes a new request gets, and what it is told where none can be taken."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pytest

from mediawright.app.generate import Prepared, generate, prepare
from mediawright.app.intake import Draft
from mediawright.app.parameters import parse_fallback
from mediawright.app.runtime import Runtime
from mediawright.app.settings import (
    AccountSettings,
    MediaSettings,
    ProviderSettings,
    Settings,
)
from mediawright.app.workspaces import DEFAULT_WORKSPACE
from mediawright.core.clock import ManualClock
from mediawright.core.errors import (
    ErrorKind,
    InsufficientCreditError,
    InvalidRequestError,
    MediawrightError,
    MissingApiKeyError,
    UnavailableError,
)
from mediawright.core.money import Price
from mediawright.core.provider import Fault, FaultKind
from mediawright.core.request import FallbackPolicy

OPENAI = {"OPENAI_API_KEY": "sk-one"}
FAL = {"FAL_KEY": "fal-one"}
DOWN = Fault(kind=FaultKind.UNAVAILABLE, message="down", http_status=503)

Open = Callable[..., Any]


@pytest.fixture
async def opened(tmp_path: Path) -> AsyncIterator[Open]:
    """Opens an installation with these keys; nothing can be sent from it."""
    runtimes: list[Runtime] = []

    async def opening(environment: dict[str, str], **settings: Any) -> Runtime:
        given = Settings(data_dir=tmp_path, **settings)
        runtime = Runtime(given, clock=ManualClock(), environment=environment)
        runtimes.append(runtime)
        await runtime.open()
        return runtime

    yield opening
    for runtime in runtimes:
        await runtime.close()


async def choose(runtime: Runtime, **fields: Any) -> Prepared:
    draft = Draft(model="gpt-image-2", prompt="a fox", **fields)
    return await prepare(runtime, DEFAULT_WORKSPACE, draft)


async def shut(runtime: Runtime, provider: str) -> None:
    for _ in range(5):
        await runtime.circuits.failed(provider, DOWN)


def providers(prepared: Prepared) -> list[str]:
    return [route.provider for route in prepared.routes]


def skipped(prepared: Prepared) -> list[tuple[str, str]]:
    """Return why OpenAI or fal was passed over; others of the model have no key here."""
    passed = [(item.provider, item.reason) for item in prepared.skipped_routes]
    return [item for item in passed if item[0] in {"openai", "fal"}]


async def test_what_is_set_up_is_used_in_order(opened: Open) -> None:
    both = await choose(await opened({**OPENAI, **FAL}))
    assert providers(both) == ["openai", "fal"]
    assert skipped(both) == []
    one = await choose(await opened(FAL))
    assert providers(one) == ["fal"]
    assert skipped(one) == [("openai", "missing_api_key")]


async def test_a_provider_that_is_switched_off_is_passed_over(opened: Open) -> None:
    off = MediaSettings(providers={"openai": ProviderSettings(enabled=False)})
    prepared = await choose(await opened({**OPENAI, **FAL}, media=off))
    assert providers(prepared) == ["fal"]
    assert skipped(prepared) == [("openai", "provider_disabled")]


async def test_without_fallback_the_first_that_is_set_up_is_the_only_one(opened: Open) -> None:
    runtime = await opened({**OPENAI, **FAL})
    assert providers(await choose(runtime, fallback=FallbackPolicy.NONE)) == ["openai"]
    await shut(runtime, "openai")
    with pytest.raises(UnavailableError) as raised:
        await choose(runtime, fallback=FallbackPolicy.NONE)
    assert raised.value.code == "provider_unavailable"
    alone = await opened(FAL)
    assert providers(await choose(alone, fallback=FallbackPolicy.NONE)) == ["fal"]


async def test_no_key_at_all(opened: Open) -> None:
    with pytest.raises(MissingApiKeyError) as raised:
        await choose(await opened({}))
    assert raised.value.details["variable"] == "OPENAI_API_KEY"


@pytest.mark.parametrize("named", ["openai", "dalle"])
async def test_a_named_provider_is_never_replaced(opened: Open, named: str) -> None:
    with pytest.raises(MissingApiKeyError):
        await choose(await opened(FAL), provider=named)
    runtime = await opened({**OPENAI, **FAL})
    assert providers(await choose(runtime, provider=named)) == ["openai"]
    await shut(runtime, "openai")
    with pytest.raises(UnavailableError) as raised:
        await choose(runtime, provider=named)
    assert raised.value.code == "circuit_open"
    assert raised.value.kind is ErrorKind.UNAVAILABLE
    assert raised.value.pointer == "/provider"
    assert raised.value.details["retry_after"] == 30.0
    assert "providers reset" in str(raised.value.hint)


async def test_one_that_failed_is_passed_over_until_it_may_be_tried(opened: Open) -> None:
    runtime = await opened({**OPENAI, **FAL})
    await shut(runtime, "openai")
    prepared = await choose(runtime)
    assert providers(prepared) == ["fal"]
    assert skipped(prepared) == [("openai", "circuit_open")]
    assert prepared.price == prepared.routes[0].price
    await runtime.clock.advance(30.0)
    assert providers(await choose(runtime)) == ["openai", "fal"]


async def test_when_all_failed_the_caller_is_told_when_to_come_back(opened: Open) -> None:
    runtime = await opened({**OPENAI, **FAL})
    await shut(runtime, "openai")
    await runtime.clock.advance(10.0)
    await shut(runtime, "fal")
    with pytest.raises(UnavailableError) as raised:
        await choose(runtime)
    assert raised.value.code == "provider_unavailable"
    assert raised.value.details["retry_after"] == 20.0
    assert "openai" in raised.value.message
    assert "fal" in raised.value.message
    balance = await runtime.ledger.balance(DEFAULT_WORKSPACE)
    assert balance.held.micros == 0


async def test_a_route_without_price_is_passed_over_where_prices_must_be_known(
    opened: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    strict = AccountSettings(allow_unknown_price=False)
    runtime = await opened({**OPENAI, **FAL}, account=strict)
    from mediawright.app import generate as module

    check = module.check

    def unpriced(*names: str) -> Any:
        def checking(*arguments: Any) -> Any:
            checked = check(*arguments)
            routes = tuple(
                msgspec.structs.replace(route, price=Price()) if route.provider in names else route
                for route in checked.routes
                if route.provider in {"openai", "fal"}
            )
            return msgspec.structs.replace(checked, routes=routes)

        return checking

    monkeypatch.setattr(module, "check", unpriced("fal"))
    prepared = await choose(runtime)
    assert providers(prepared) == ["openai"]
    assert skipped(prepared) == [("fal", "price_unknown")]
    monkeypatch.setattr(module, "check", unpriced("openai", "fal"))
    with pytest.raises(InsufficientCreditError) as raised:
        await choose(runtime)
    assert raised.value.code == "price_unknown"
    lenient = await opened({**OPENAI, **FAL}, account=AccountSettings())
    assert providers(await choose(lenient)) == ["openai", "fal"]


async def test_another_key_is_another_account(opened: Open) -> None:
    runtime = await opened(OPENAI)
    rejected = Fault(kind=FaultKind.BAD_CREDENTIAL, message="no", http_status=401)
    await runtime.circuits.failed("openai", rejected)
    with pytest.raises(UnavailableError):
        await choose(runtime, provider="openai")
    await runtime.close()
    replaced = await opened({"OPENAI_API_KEY": "sk-two"})
    assert providers(await choose(replaced, provider="openai")) == ["openai"]
    stored = (await replaced.circuits.standings())["openai"].last_error
    assert "sk-one" not in str(stored)


@pytest.mark.parametrize("word", ["", "always", "ON_OUTAGE", "on-outage"])
def test_a_policy_nobody_knows(word: str) -> None:
    with pytest.raises(InvalidRequestError) as raised:
        parse_fallback(word)
    assert raised.value.code == "invalid_fallback"
    assert raised.value.details["allowed"] == ["none", "on_outage", "on_refusal"]


async def test_the_same_key_for_another_policy_is_another_request(opened: Open) -> None:
    runtime = await opened({}, account=AccountSettings(initial_credits=Decimal(10)))
    await runtime.start()
    draft = Draft(model="local-sketch-image", prompt="a fox")
    other = msgspec.structs.replace(draft, fallback=FallbackPolicy.NONE)
    made = await generate(runtime, DEFAULT_WORKSPACE, draft, idempotency_key="k")
    assert made.request.fallback is FallbackPolicy.ON_OUTAGE
    with pytest.raises(MediawrightError) as raised:
        await generate(runtime, DEFAULT_WORKSPACE, other, idempotency_key="k")
    assert raised.value.code == "idempotency_key_reused"
