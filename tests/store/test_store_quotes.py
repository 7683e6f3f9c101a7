"""Quotes as both databases keep them."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from mediawright.core.generation import Generation, RoutePlan, SkippedRoute
from mediawright.core.ids import IdPrefix, new_id
from mediawright.core.money import Price, PriceBasis
from mediawright.core.operations import InputRole, MediaKind, Operation
from mediawright.core.quote import Quote
from mediawright.core.request import (
    Adjustment,
    AdjustmentKind,
    GenerationRequest,
    MediaInput,
    Parameters,
)
from mediawright.store import generations, quotes, workspaces
from mediawright.store.database import Database


@pytest.fixture
def make_quote(workspace_id: str, now: datetime) -> Callable[..., Quote]:
    def make(**fields: Any) -> Quote:
        values: dict[str, Any] = {
            "id": new_id(IdPrefix.QUOTE),
            "workspace_id": workspace_id,
            "operation": Operation.IMAGE_TO_VIDEO,
            "request": GenerationRequest(
                model="gen4.5",
                prompt="waves \N{WATER WAVE}",
                inputs=(
                    MediaInput(
                        role=InputRole.FIRST_FRAME, kind=MediaKind.IMAGE, url="https://x.test/a.png"
                    ),
                ),
                parameters=Parameters(duration=5, vendor={"runway": {"a": [1]}}),
            ),
            "request_hash": "0" * 64,
            "adjustments": (
                Adjustment(
                    kind=AdjustmentKind.ROUNDED,
                    pointer="/parameters/duration",
                    reason="whole",
                    requested=4.6,
                    applied=5,
                ),
            ),
            "routes": (
                RoutePlan(
                    provider="runway", upstream_id="gen4.5", price=Price(credits=Decimal("0.1"))
                ),
            ),
            "skipped_routes": (
                SkippedRoute(
                    provider="fal", upstream_id="x", reason="missing_api_key", message="No."
                ),
            ),
            "price": Price(
                credits=Decimal("60.000001"),
                usd=Decimal("0.6"),
                basis=PriceBasis.COMPUTED,
                price_book_date="2026-11-20",
                explanation="5 s",
            ),
            "credits_per_usd": Decimal("99.99"),
            "markup": Decimal("-0.25"),
            "estimated_seconds": 70.5,
            "created_at": now,
            "expires_at": now + timedelta(minutes=15),
        }
        return Quote(**{**values, **fields})

    return make


def test_a_quote_comes_back_as_it_was(
    database: Database, make_quote: Callable[..., Quote], workspace_id: str
) -> None:
    for made in (make_quote(), make_quote(price=Price(), estimated_seconds=None)):
        database.write_now(lambda c, made=made: quotes.insert(c, made))
        assert database.read_now(lambda c, made=made: quotes.get(c, workspace_id, made.id)) == made


def test_it_is_used_once_however_many_try(
    database: Database,
    make_quote: Callable[..., Quote],
    make_generation: Callable[..., Generation],
    workspace_id: str,
) -> None:
    made = make_quote()
    database.write_now(lambda c: quotes.insert(c, made))

    def use(_: int) -> str | None:
        generation = make_generation(workspace_id=workspace_id)

        def work(c: Any) -> bool:
            generations.insert(c, generation)
            return quotes.use(c, workspace_id, made.id, generation.id)

        return generation.id if database.write_now(work) else None

    with ThreadPoolExecutor(6) as threads:
        used = [found for found in threads.map(use, range(12)) if found is not None]

    after = database.read_now(lambda c: quotes.get(c, workspace_id, made.id))
    assert after is not None
    assert used == [after.generation_id]


def test_nobody_else_sees_or_uses_it(
    database: Database,
    make_quote: Callable[..., Quote],
    add_generation: Callable[..., Generation],
    workspace_id: str,
    other_workspace_id: str,
) -> None:
    made = make_quote()
    database.write_now(lambda c: quotes.insert(c, made))
    stranger = add_generation(workspace_id=other_workspace_id)

    assert database.read_now(lambda c: quotes.get(c, other_workspace_id, made.id)) is None
    assert not database.write_now(lambda c: quotes.use(c, other_workspace_id, made.id, stranger.id))
    assert database.read_now(lambda c: quotes.get(c, workspace_id, made.id)) == made


def test_those_that_expired_go_a_few_at_a_time(
    database: Database, make_quote: Callable[..., Quote], workspace_id: str, now: datetime
) -> None:
    old = [make_quote(expires_at=now - timedelta(hours=number + 1)) for number in range(5)]
    kept = make_quote(expires_at=now)
    for made in (*old, kept):
        database.write_now(lambda c, made=made: quotes.insert(c, made))

    removed = [database.write_now(lambda c: quotes.drop_expired(c, now, 2)) for _ in range(4)]

    assert removed == [2, 2, 1, 0]
    assert database.read_now(lambda c: quotes.get(c, workspace_id, kept.id)) == kept


def test_a_workspace_has_its_markup_or_none(database: Database, workspace_id: str) -> None:
    def markup() -> int | None:
        return database.read_now(lambda c: workspaces.markup_micros(c, workspace_id))

    assert markup() is None
    for micros in (200_000, -1_000_000, 0, None):
        assert database.write_now(
            lambda c, micros=micros: workspaces.set_markup(c, workspace_id, micros)
        )
        assert markup() == micros
    assert not database.write_now(lambda c: workspaces.set_markup(c, "wsp_none", 1))
