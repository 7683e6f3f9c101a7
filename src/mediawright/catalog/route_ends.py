"""Says which routes of a model are over, and which are soon: by the day, whatever they were."""

from __future__ import annotations

from datetime import date, timedelta

from mediawright.catalog.findings import Findings
from mediawright.catalog.model import Model, Route
from mediawright.core.generation import RoutePlan, SkippedRoute
from mediawright.core.operations import Operation

ROUTE_ENDED = "route_ended"


def ended_routes(
    model: Model, operation: Operation, provider: str | None, today: date
) -> tuple[SkippedRoute, ...]:
    """Return the routes that are no longer served, in order.

    Args:
        model: Whose.
        operation: What they would have to do.
        provider: The only provider that counts, if one was named.
        today: The day.
    """
    return tuple(
        SkippedRoute(
            provider=route.provider,
            upstream_id=route.upstream_id,
            reason=ROUTE_ENDED,
            message=end_words(model, route),
        )
        for route in model.routes
        if operation in model.route_operations(route)
        and (provider is None or route.provider == provider)
        and model.has_ended(route, today)
    )


def end_words(model: Model, route: Route) -> str:
    """Return since when a route is no longer served, in words."""
    end = model.route_ends_on(route)
    since = f" since {end.isoformat()}" if end is not None else ""
    return f"{route.provider} no longer serves {model.id} as {route.upstream_id}{since}."


def report_ends(
    model: Model,
    plans: tuple[RoutePlan, ...],
    operation: Operation,
    *,
    today: date,
    warning_days: int,
    findings: Findings,
) -> None:
    """Note that a route before the one to be taken is over, or that this one soon will be.

    Args:
        model: The model.
        plans: The routes that can take the request, at least one.
        operation: The operation.
        today: The day.
        warning_days: How many days before its end a route is warned of.
        findings: Where to note it.
    """
    taken = model.find_route(plans[0].provider, plans[0].upstream_id, operation)
    if taken is None:
        return
    before = model.routes[: model.routes.index(taken)]
    for route in before:
        if operation in model.route_operations(route) and model.has_ended(route, today):
            findings.warned(
                "/provider", f"{end_words(model, route)[:-1]}; {taken.provider} takes its place"
            )
    end = taken.ends_on
    if end is None or end - today > timedelta(days=warning_days):
        return
    after = next((plan.provider for plan in plans[1:] if plan.provider != taken.provider), None)
    then = f"; {after} comes after it" if after is not None else ""
    findings.warned("/provider", f"{taken.provider} serves it until {end.isoformat()}{then}")
