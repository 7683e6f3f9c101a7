"""Quotes: a request checked and priced, with its price promised for a while."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import msgspec

from mediawright.app.estimates import refined
from mediawright.app.generate import abandon, prepare
from mediawright.app.quote_use import digest_of, require_found, without_own_ids
from mediawright.app.views import price_view
from mediawright.core.ids import IdPrefix, new_id
from mediawright.core.money import plain
from mediawright.core.quote import Quote
from mediawright.core.request import given_parameters
from mediawright.store import quotes

if TYPE_CHECKING:
    from mediawright.app.generate import Prepared
    from mediawright.app.intake import Draft
    from mediawright.app.runtime import Runtime
    from mediawright.core.generation import RoutePlan
    from mediawright.core.request import GenerationRequest, MediaInput


async def quote(runtime: Runtime, workspace_id: str, draft: Draft) -> Quote:
    """Check and price a request, and promise the price; nothing is held, kept or sent.

    The request passes the checks that `generate` makes, so whoever gets a quote could have had
    the generation, if the balance covers it. Files at URLs are fetched where a rule or the price
    needs to know them, and dropped again.

    Args:
        runtime: The installation.
        workspace_id: Whose request it is.
        draft: What is wanted.

    Returns:
        The quote. Where nobody knows the price, it says so and promises nothing.

    Raises:
        InvalidRequestError: It breaks a rule; all of them are among its `problems`.
        MissingApiKeyError: No provider for it has a key.
        InsufficientCreditError: Nobody knows its price, and unknown prices are not allowed.
        UnavailableError: Every provider for it is left alone for a while, because it failed.
    """
    prepared = await prepare(runtime, workspace_id, draft)
    await abandon(prepared)
    checked = prepared.checked
    expected = await refined(
        runtime,
        checked.model.id,
        checked.operation,
        given_parameters(checked.request.parameters),
        checked.estimated_seconds,
        provider=prepared.routes[0].provider,
    )
    made = _made(runtime, workspace_id, prepared, expected.seconds)
    await runtime.database.write(lambda connection: quotes.insert(connection, made))
    return made


async def get_quote(runtime: Runtime, workspace_id: str, quote_id: str) -> Quote:
    """Return a workspace's quote, also when it was used or has expired.

    Raises:
        NotFoundError: `quote_not_found`: there is none, or it expired long ago.
    """
    found = await runtime.database.read(
        lambda connection: quotes.get(connection, workspace_id, quote_id)
    )
    return require_found(quote_id, found)


def quote_view(found: Quote) -> dict[str, Any]:
    """Return the public form of a quote.

    `request` has the form of the body that asked for it, with everything filled in; sent like
    that, it is the request of the quote.
    """
    first = found.routes[0]
    price = price_view(found.price)
    return {
        "quote_id": found.id,
        "model": found.request.model,
        "generation_type": found.operation.value,
        "request": request_view(found.request),
        "adjustments": [msgspec.to_builtins(item) for item in found.adjustments],
        "price": price,
        "estimated_cost_credits": price["credits"],
        "credits_per_usd": plain(found.credits_per_usd),
        "markup": plain(found.markup),
        "estimated_time_seconds": found.estimated_seconds,
        "provider": first.provider,
        "route": _route_view(first),
        "other_routes": [_route_view(route) for route in found.routes[1:]],
        "skipped_routes": [
            {
                "provider": route.provider,
                "upstream_id": route.upstream_id,
                "reason": route.reason,
                "message": route.message,
            }
            for route in found.skipped_routes
        ],
        "created_at": found.created_at.isoformat(),
        "expires_at": found.expires_at.isoformat(),
        "generation_id": found.generation_id,
    }


def request_view(request: GenerationRequest) -> dict[str, Any]:
    """Return a normalised request in the form of the body that asks for it."""
    parameters = given_parameters(request.parameters)
    shown: dict[str, Any] = {
        "model": request.model,
        "generation_type": None if request.operation is None else request.operation.value,
        "prompt": request.prompt,
        "inputs": [_input_view(item) for item in request.inputs],
        **msgspec.to_builtins(parameters),
        "vendor": request.parameters.vendor,
        "provider": request.provider,
        "fallback": request.fallback.value,
        "file_path": request.output_path,
        "metadata": request.metadata,
    }
    return {name: value for name, value in shown.items() if value not in (None, [], {})}


def _made(runtime: Runtime, workspace_id: str, prepared: Prepared, seconds: float) -> Quote:
    checked = prepared.checked
    bare = without_own_ids(checked.request, prepared.inspected)
    now = runtime.clock.now()
    return Quote(
        id=new_id(IdPrefix.QUOTE),
        workspace_id=workspace_id,
        operation=checked.operation,
        request=bare,
        request_hash=digest_of(bare, prepared.inspected),
        adjustments=checked.adjustments,
        routes=prepared.routes,
        skipped_routes=prepared.skipped_routes,
        price=prepared.price,
        credits_per_usd=prepared.prices.credits_per_usd,
        markup=prepared.prices.markup,
        estimated_seconds=seconds,
        created_at=now,
        expires_at=now + timedelta(seconds=runtime.settings.account.quote_seconds),
    )


def _route_view(route: RoutePlan) -> dict[str, Any]:
    return {
        "provider": route.provider,
        "upstream_id": route.upstream_id,
        "synchronous": route.synchronous,
        "price": price_view(route.price),
    }


def _input_view(item: MediaInput) -> dict[str, Any]:
    shown = {
        "role": item.role.value,
        "url": item.url,
        "asset_id": item.asset_id,
        "name": None if item.url or item.asset_id else item.name,
    }
    return {name: value for name, value in shown.items() if value is not None}
