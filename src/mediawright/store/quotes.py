"""Quotes: added, found, used once, and removed when they have long expired."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any

import msgspec
import sqlalchemy as sa
from sqlalchemy import Connection, Row, bindparam, delete, select, update

from mediawright.core.generation import RoutePlan, SkippedRoute
from mediawright.core.money import Price
from mediawright.core.operations import Operation
from mediawright.core.quote import Quote
from mediawright.core.request import Adjustment, GenerationRequest
from mediawright.store.codec import from_micros, to_json, to_micros
from mediawright.store.tables import quotes

_request = msgspec.json.Decoder(GenerationRequest)
_adjustments = msgspec.json.Decoder(tuple[Adjustment, ...])
_routes = msgspec.json.Decoder(tuple[RoutePlan, ...])
_skipped = msgspec.json.Decoder(tuple[SkippedRoute, ...])
_price = msgspec.json.Decoder(Price)

_INSERT = sa.insert(quotes)
_GET = select(quotes).where(
    quotes.c.id == bindparam("quote_id"), quotes.c.workspace_id == bindparam("workspace_id")
)
_USE = (
    update(quotes)
    .where(
        quotes.c.id == bindparam("quote_id"),
        quotes.c.workspace_id == bindparam("of_workspace"),
        quotes.c.generation_id.is_(None),
    )
    .values(generation_id=bindparam("used_for"))
)
_EXPIRED = (
    select(quotes.c.id)
    .where(quotes.c.expires_at < bindparam("before"))
    .order_by(quotes.c.expires_at)
    .limit(bindparam("most"))
)
_DROP = delete(quotes).where(quotes.c.id.in_(_EXPIRED.scalar_subquery()))


def insert(c: Connection, quote: Quote) -> None:
    """Add a quote."""
    c.execute(
        _INSERT,
        {
            "id": quote.id,
            "workspace_id": quote.workspace_id,
            "generation_id": quote.generation_id,
            "operation": quote.operation.value,
            "request": to_json(quote.request),
            "request_hash": quote.request_hash,
            "adjustments": to_json(quote.adjustments),
            "routes": to_json(quote.routes),
            "skipped_routes": to_json(quote.skipped_routes),
            "price": to_json(quote.price),
            "credits_per_usd": str(quote.credits_per_usd),
            "markup": str(quote.markup),
            "estimated_seconds": quote.estimated_seconds,
            "created_at": to_micros(quote.created_at),
            "expires_at": to_micros(quote.expires_at),
        },
    )


def get(c: Connection, workspace_id: str, quote_id: str) -> Quote | None:
    """Return a workspace's quote, expired and used ones too."""
    row = c.execute(_GET, {"quote_id": quote_id, "workspace_id": workspace_id}).first()
    return None if row is None else _to_quote(row)


def use(c: Connection, workspace_id: str, quote_id: str, generation_id: str) -> bool:
    """Use a quote for a generation that is written in the same transaction.

    Returns:
        Whether it was used now: `False` if it is gone, or was used before.
    """
    values = {"quote_id": quote_id, "of_workspace": workspace_id, "used_for": generation_id}
    return c.execute(_USE, values).rowcount == 1


def drop_expired(c: Connection, before: datetime, most: int) -> int:
    """Remove at most so many quotes that expired before then; return how many."""
    return c.execute(_DROP, {"before": to_micros(before), "most": most}).rowcount


def _to_quote(row: Row[Any]) -> Quote:
    return Quote(
        id=row.id,
        workspace_id=row.workspace_id,
        generation_id=row.generation_id,
        operation=Operation(row.operation),
        request=_request.decode(row.request),
        request_hash=row.request_hash,
        adjustments=_adjustments.decode(row.adjustments),
        routes=_routes.decode(row.routes),
        skipped_routes=_skipped.decode(row.skipped_routes),
        price=_price.decode(row.price),
        credits_per_usd=Decimal(row.credits_per_usd),
        markup=Decimal(row.markup),
        estimated_seconds=row.estimated_seconds,
        created_at=from_micros(row.created_at),
        expires_at=from_micros(row.expires_at),
    )
