"""Which routes a new request can take now, in order, and why not the others."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from mediawright.core.errors import InsufficientCreditError, MediawrightError, UnavailableError
from mediawright.core.generation import RoutePlan, SkippedRoute
from mediawright.core.request import FallbackPolicy
from mediawright.jobs.routing import CIRCUIT_OPEN, skipped

if TYPE_CHECKING:
    from mediawright.app.runtime import Runtime
    from mediawright.catalog.preflight import Checked
    from mediawright.core.money import Price
    from mediawright.jobs.ports import Refusal

PRICE_UNKNOWN = "price_unknown"


class RouteChoice(msgspec.Struct, frozen=True, kw_only=True):
    """The routes of a request."""

    routes: tuple[RoutePlan, ...]
    """Those that could be taken now, at least one, in order."""
    skipped: tuple[SkippedRoute, ...] = ()


async def choose_routes(runtime: Runtime, checked: Checked) -> RouteChoice:
    """Return the routes whose provider could be called now, in order.

    A named provider is the only candidate (rule 73), and without fallback the first route that
    is set up here is.

    Raises:
        MissingApiKeyError: None has a key.
        InvalidRequestError: `provider_disabled`: the only one is switched off.
        InsufficientCreditError: Nobody knows their prices, and unknown prices are not allowed.
        UnavailableError: `circuit_open` where the provider was named, otherwise
            `provider_unavailable`: they are left alone for a while, because they failed.
    """
    passed: list[SkippedRoute] = []
    set_up = [route for route in checked.routes if _is_set_up(runtime, checked, route, passed)]
    if not set_up:
        raise _nothing_set_up(runtime, checked, passed)
    if checked.request.fallback is FallbackPolicy.NONE:
        set_up = set_up[:1]
    found: list[RoutePlan] = []
    refusals: list[Refusal] = []
    for route in set_up:
        refusal = await runtime.circuits.refusal(route.provider)
        if refusal is None:
            found.append(route)
        else:
            refusals.append(refusal)
            passed.append(skipped(route, CIRCUIT_OPEN, refusal.message))
    if not found:
        raise _left_alone(checked, refusals)
    skipped_routes = (*checked.ended_routes, *_in_order(checked, passed))
    return RouteChoice(routes=tuple(found), skipped=skipped_routes)


def _is_set_up(
    runtime: Runtime, checked: Checked, route: RoutePlan, passed: list[SkippedRoute]
) -> bool:
    """Tell whether a route can be taken as the installation is set up, or note why not."""
    obstacle = runtime.providers.obstacle(route.provider)
    if obstacle is not None:
        passed.append(skipped(route, obstacle.code, obstacle.message))
        return False
    if not _is_affordable(runtime, route.price):
        passed.append(skipped(route, PRICE_UNKNOWN, _price_unknown(checked, route)))
        return False
    return True


def _is_affordable(runtime: Runtime, price: Price) -> bool:
    return price.is_known or runtime.settings.account.allow_unknown_price


def _price_unknown(checked: Checked, route: RoutePlan) -> str:
    return f"Nobody knows what {checked.model.id} costs on {route.provider}."


def _nothing_set_up(
    runtime: Runtime, checked: Checked, passed: list[SkippedRoute]
) -> MediawrightError:
    unpriced = [item for item in passed if item.reason == PRICE_UNKNOWN]
    if unpriced:
        return InsufficientCreditError(
            PRICE_UNKNOWN,
            unpriced[0].message,
            hint="Choose a model with a price, or allow unknown prices in the settings.",
        )
    try:
        runtime.providers.get(checked.routes[0].provider)
    except MediawrightError as error:
        return error
    return runtime.providers.missing_key(checked.routes[0].provider)


def _left_alone(checked: Checked, refusals: list[Refusal]) -> UnavailableError:
    nearest = min(refusals, key=lambda refusal: refusal.retry_after)
    code = CIRCUIT_OPEN if checked.request.provider is not None else "provider_unavailable"
    others = ", or choose another model" if checked.request.provider is None else ""
    return UnavailableError(
        code,
        " ".join(dict.fromkeys(refusal.message for refusal in refusals)),
        pointer="/provider" if checked.request.provider is not None else None,
        hint=f"Come back in {round(nearest.retry_after)} seconds{others}. Once the cause is "
        "mended, an operator need not wait: mediawright providers reset NAME",
        details={"retry_after": nearest.retry_after},
    )


def _in_order(checked: Checked, passed: list[SkippedRoute]) -> tuple[SkippedRoute, ...]:
    places = {(route.provider, route.upstream_id): n for n, route in enumerate(checked.routes)}
    return tuple(sorted(passed, key=lambda item: places[item.provider, item.upstream_id]))
