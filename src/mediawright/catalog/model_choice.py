"""Chooses the model that serves a request: by name, by lifecycle, by what its values name."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta
from typing import Any, NamedTuple

from mediawright.catalog.catalogue import Catalogue
from mediawright.catalog.findings import Findings
from mediawright.catalog.model import Model, ModelStatus, Route, Scalar
from mediawright.core.errors import Problem

_MAX_SUBSTITUTIONS = 5


class FoundModel(NamedTuple):
    """The model that serves a request."""

    model: Model
    presets: dict[str, Scalar]
    """Parameters that the name sets."""
    replaced: tuple[Model, ...] = ()
    """The ended models it takes the place of, the one that was named first."""


def find_model(
    catalogue: Catalogue,
    name: str,
    findings: Findings,
    *,
    today: date,
    use_successors: bool,
    end_warning_days: int,
    adapters: frozenset[str] | None = None,
) -> FoundModel | None:
    """Return the living model behind a name, and the parameters that the name sets.

    Args:
        catalogue: The models.
        name: A model's id, or another name for it.
        findings: Where to note why there is none, which model takes its place, and that its
            end is near.
        today: The day on which the model must be alive.
        use_successors: Whether an ended model's successor may take its place, where the
            catalogue allows it.
        end_warning_days: How many days before its announced end a model is warned of.
        adapters: The providers that there is an adapter for; `None` counts all.
    """
    found, problem = catalogue.find(name)
    if problem is not None or found is None:
        if problem is not None:
            findings.problems.append(problem)
        return None
    model, presets = found
    if model.id != name:
        findings.replaced("/model", "another name for it", name, model.id)
    rows = catalogue.rows_of(model)
    if rows:
        findings.warned("/model", f"{' and '.join(rows)} has rules and a price for this model")
    replaced: list[Model] = []
    for _ in range(_MAX_SUBSTITUTIONS):
        if model.callable_routes(today, adapters):
            routes = model.callable_routes(today, adapters)
            _warn_of_end(model, routes, today, end_warning_days, findings)
            return FoundModel(model, presets, tuple(replaced))
        served = model.live_routes(today)
        life = model.lifecycle
        if not (use_successors and life.substitute and life.successor in catalogue):
            break
        why = "cannot be called from here" if served else "has ended"
        findings.replaced("/model", f"{model.id} {why}", model.id, life.successor)
        replaced.append(model)
        model = catalogue.get(life.successor or "")
    if model.live_routes(today):
        findings.problems.append(adapter_missing(model, model.live_routes(today), "/model"))
    else:
        _model_ended(model, findings)
    return None


def adapter_missing(model: Model, routes: Iterable[Route], pointer: str) -> Problem:
    """Return the problem that says which providers a model would need.

    Args:
        model: The model.
        routes: Its routes that nothing here can speak to.
        pointer: What in the request asks for them.
    """
    providers = list(dict.fromkeys(route.provider for route in routes))
    return Problem(
        code="provider_not_available",
        message=f"{model.id} is served by {' and '.join(providers)}, which this version cannot "
        "speak to yet.",
        pointer=pointer,
        hint="Choose another model or provider; `mediawright models list --ready` shows some.",
        details={"providers": providers},
    )


def _model_ended(model: Model, findings: Findings) -> None:
    life = model.lifecycle
    when = f" on {life.ends_on.isoformat()}" if life.ends_on else ""
    findings.problem(
        "model_ended",
        f"{model.id} ended{when}." if model.routes or when else f"{model.id} cannot be called.",
        "/model",
        hint=f"Use {life.successor}." if life.successor else "Choose another model.",
        successor=life.successor,
        ends_on=life.ends_on.isoformat() if life.ends_on else None,
    )


def _warn_of_end(
    model: Model, routes: tuple[Route, ...], today: date, end_warning_days: int, findings: Findings
) -> None:
    ends = [model.route_ends_on(route) for route in routes]
    known = [end for end in ends if end is not None]
    if model.lifecycle.status is ModelStatus.ENDED or len(known) < len(ends) or not known:
        return
    last = max(known)
    if last - today <= timedelta(days=end_warning_days):
        successor = model.lifecycle.successor
        after = f"; {successor} comes after it" if successor else ""
        findings.warned("/model", f"{model.id} ends on {last.isoformat()}{after}")


def carry_over(found: FoundModel, given: dict[str, Any], findings: Findings) -> dict[str, Any]:
    """Return what the caller set, with values of ended models written as their successors'."""
    for ended in found.replaced:
        for name, table in ended.lifecycle.maps.items():
            value = given.get(name)
            wanted = table.get(value) if isinstance(value, str) else None
            if wanted is None:
                continue
            given = {key: item for key, item in given.items() if key != name} | wanted
            shown = ", ".join(
                str(item) if key == name else f"{key} {item}" for key, item in wanted.items()
            )
            findings.replaced(
                f"/parameters/{name}",
                f"{ended.lifecycle.successor} makes {shown} in place of what {ended.id} made",
                value,
                shown,
            )
    return given


def switch_model(
    catalogue: Catalogue, model: Model, given: dict[str, Any], findings: Findings
) -> Model:
    """Follow a parameter value that names a sibling of the model (C31)."""
    for name, siblings in model.switches.items():
        value = given.get(name)
        sibling = siblings.get(value) if isinstance(value, str) else None
        if sibling is None or sibling == model.id or sibling not in catalogue:
            continue
        findings.replaced("/model", f"{name} {value} is the model {sibling}", model.id, sibling)
        return catalogue.get(sibling)
    return model
