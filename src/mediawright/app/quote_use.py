"""Using a quote: whether it may be used, what it promises, and that it is used once."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import msgspec

from mediawright.core.errors import ConflictError, InvalidRequestError, NotFoundError
from mediawright.core.money import Price
from mediawright.store import quotes

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from sqlalchemy import Connection

    from mediawright.app.intake import Inspected
    from mediawright.app.runtime import Runtime
    from mediawright.core.generation import Generation
    from mediawright.core.quote import Quote
    from mediawright.core.request import GenerationRequest

_POINTER = "/quote"
_COMPARED = ("model", "operation", "prompt", "provider", "fallback", "inputs")


async def find_usable(runtime: Runtime, workspace_id: str, quote_id: str) -> Quote:
    """Return a workspace's quote that may be used now.

    Raises:
        NotFoundError: `quote_not_found`.
        ConflictError: `quote_expired` or `quote_used`.
    """
    found = await runtime.database.read(
        lambda connection: quotes.get(connection, workspace_id, quote_id)
    )
    return require_usable(quote_id, found, runtime.clock.now())


def require_usable(quote_id: str, quote: Quote | None, now: datetime) -> Quote:
    """Return a quote that may be used now.

    Args:
        quote_id: What the caller named.
        quote: What was found under that name.
        now: The time.

    Raises:
        NotFoundError: `quote_not_found`.
        ConflictError: `quote_expired` or `quote_used`.
    """
    found = require_found(quote_id, quote, pointer=_POINTER)
    if found.generation_id is not None:
        raise _used(found.id, found.generation_id)
    if now >= found.expires_at:
        raise ConflictError(
            "quote_expired",
            f"The quote {found.id} expired at {found.expires_at.isoformat(timespec='seconds')}.",
            pointer=_POINTER,
            hint="Ask for a new one, or leave it out and be charged today's price.",
            details={"expires_at": found.expires_at.isoformat()},
        )
    return found


def require_found(quote_id: str, quote: Quote | None, *, pointer: str | None = None) -> Quote:
    """Return a quote that was looked for.

    Raises:
        NotFoundError: `quote_not_found`.
    """
    if quote is None:
        raise NotFoundError(
            "quote_not_found",
            f"There is no quote {quote_id[:60]!a}.",
            pointer=pointer,
            hint="It may have expired long ago; ask for a new one.",
        )
    return quote


def require_same(quote: Quote, request: GenerationRequest, inspected: Sequence[Inspected]) -> None:
    """Return if a quote was made for this request.

    What does not bear on the price may differ: labels, and where the file goes.

    Args:
        quote: The quote.
        request: The request as normalised.
        inspected: Its inputs.

    Raises:
        InvalidRequestError: `quote_mismatch`, pointing at the first difference.
    """
    bare = without_own_ids(request, inspected)
    if digest_of(bare, inspected) == quote.request_hash:
        return
    differing = _differences(quote.request, bare) or ["/inputs"]
    raise InvalidRequestError(
        "quote_mismatch",
        f"The quote {quote.id} was made for another request.",
        pointer=differing[0],
        hint="Send the request that was quoted, or ask for a quote of this one.",
        details={"quote": quote.id, "differing": differing},
    )


def promised(quote: Quote | None, price: Price) -> Price:
    """Return what is charged under a quote: today's price, but no more than was promised."""
    if quote is None or quote.price.credits is None:
        return price
    if price.credits is not None and price.credits <= quote.price.credits:
        return price
    return Price(
        credits=quote.price.credits,
        usd=price.usd,
        basis=quote.price.basis,
        price_book_date=quote.price.price_book_date,
        explanation=f"{quote.price.explanation}, as promised by {quote.id}",
    )


def claim_of(quote: Quote | None) -> Callable[[Connection, Generation], None] | None:
    """Return what uses a quote in the transaction of its generation.

    It raises:
        NotFoundError: `quote_not_found`: it was removed meanwhile.
        ConflictError: `quote_used`: another request came first.
    """
    if quote is None:
        return None

    def claim(connection: Connection, generation: Generation) -> None:
        workspace_id = quote.workspace_id
        if quotes.use(connection, workspace_id, quote.id, generation.id):
            return
        current = require_found(quote.id, quotes.get(connection, workspace_id, quote.id))
        raise _used(quote.id, current.generation_id)

    return claim


def without_own_ids(
    request: GenerationRequest, inspected: Sequence[Inspected]
) -> GenerationRequest:
    """Return a request whose inputs have no ids but those that the caller gave."""
    inputs = tuple(
        media if item.source.asset_id else msgspec.structs.replace(media, asset_id=None)
        for item, media in zip(inspected, request.inputs, strict=True)
    )
    return msgspec.structs.replace(request, inputs=inputs)


def digest_of(request: GenerationRequest, inspected: Sequence[Inspected]) -> str:
    """Return a digest of what the price of a request is for: what it asks, of which files.

    Files count by what was found in them, because a price may depend on their length.

    Args:
        request: The request as normalised, without ids of ours.
        inspected: Its inputs.
    """
    priced = msgspec.structs.replace(
        request,
        metadata={},
        output_path=None,
        inputs=tuple(msgspec.structs.replace(media, name=None) for media in request.inputs),
    )
    shown = (priced, [item.facts for item in inspected])
    return hashlib.sha256(msgspec.json.encode(shown, order="deterministic")).hexdigest()


def _differences(quoted: GenerationRequest, request: GenerationRequest) -> list[str]:
    found = [f"/{name}" for name in _COMPARED if getattr(quoted, name) != getattr(request, name)]
    found += [
        f"/parameters/{name}"
        for name in quoted.parameters.__struct_fields__
        if getattr(quoted.parameters, name) != getattr(request.parameters, name)
    ]
    return found


def _used(quote_id: str, generation_id: str | None) -> ConflictError:
    return ConflictError(
        "quote_used",
        f"The quote {quote_id} was used before.",
        pointer=_POINTER,
        hint="A quote is used once; ask for a new one. To repeat a request safely, send it again "
        "under its Idempotency-Key.",
        details={"generation_id": generation_id},
    )
