"""Looks for everything that is wrong or wanting in catalogue data, before it is used.

Loading refuses data that contradicts itself; linting also asks for what is only missing: prices,
successors, dates, routes that lead somewhere. Every row is tried with the requests that it says
it can take.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from enum import StrEnum

import msgspec

from mediawright.catalog.catalogue import Catalogue
from mediawright.catalog.known_providers import KNOWN_PROVIDERS
from mediawright.catalog.loader import Rows, read_rows
from mediawright.catalog.model import Family, Model, ModelStatus, Route
from mediawright.catalog.preflight import preflight
from mediawright.catalog.rules import RULES
from mediawright.catalog.trials import Trial, trials
from mediawright.core.errors import MediawrightError

_HINTS = (
    ("there is no rule", f"Use one of {', '.join(sorted(RULES))}."),
    ("there is no such parameter", "docs/reference/models.md and the API name the parameters."),
    ("is not a parameter or fact", "Conditions name parameters, operation, provider or inputs."),
    ("there is no model", "Name a row that is there, or add one."),
    ("already means", "Choose another name, or take it from the other row."),
    ("is not among the values", "Add it to the values, or name one of them."),
    ("is out of the range", "Move it between minimum and maximum."),
    ("is of the wrong type", "Write a number, true or false, or text, as the parameter wants."),
    ("no route serves it", "Add the operation to a route, or take it from the model."),
    ("is set in", "Give it a field of the provider, or list it under implied."),
    ("there is no template", "Define [template.NAME] in one of the files."),
    ("there is no list", "Define it under [list] in one of the files."),
    ("is not WIDTHxHEIGHT", "Write pixels, such as 1024x768."),
    ("missing required field", "Add the field."),
    ("unknown field", "Correct its name, or take it out."),
    ("not valid TOML", "Correct the file at the place named."),
    ("cannot be read", "Check the path, and that the file is text in UTF-8."),
)
_GENERAL_HINT = "Correct the row; the rows that ship with the package are examples."


class Severity(StrEnum):
    """How bad a finding is."""

    ERROR = "error"
    NOTE = "note"


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """Something that is wrong or worth knowing."""

    severity: Severity
    place: str
    """File and row, or what it is about."""
    message: str
    hint: str


class LintReport(msgspec.Struct, frozen=True, kw_only=True):
    """What was looked at and what was found."""

    models: int
    families: int
    requests: int
    """Requests that were tried and can be run."""
    findings: tuple[Finding, ...]

    @property
    def is_clean(self) -> bool:
        """Whether there is no error."""
        return all(finding.severity is not Severity.ERROR for finding in self.findings)


def lint(
    sources: Iterable[tuple[str, str]],
    *,
    now: datetime,
    adapters: frozenset[str],
    faults: Iterable[str] = (),
) -> LintReport:
    """Check catalogue data and return everything found.

    Args:
        sources: (file name, TOML text) pairs; later files win.
        now: The time, aware: routes that have ended by then are not tried.
        adapters: The providers that there is an adapter for.
        faults: What was wrong with files before they could be read, each with its place.
    """
    rows = read_rows(sources)
    findings = [_from_fault(fault) for fault in (*faults, *rows.faults)]
    for model in rows.models.values():
        findings += _about_model(model, rows, now)
    for family in rows.families.values():
        findings += _about_family(family, rows)
    requests = 0
    if not rows.faults:
        requests, more = _try_all(rows, now)
        findings += more
    findings += _missing_adapters(rows.models.values(), adapters, now)
    return LintReport(
        models=len(rows.models),
        families=len(rows.families),
        requests=requests,
        findings=tuple(findings),
    )


def _error(place: str, message: str, hint: str) -> Finding:
    return Finding(severity=Severity.ERROR, place=place, message=message, hint=hint)


def _from_fault(fault: str) -> Finding:
    """Return a fault of the loader as a finding; file and positions stand before the message."""
    place, _, message = fault.partition(": ")
    while message.startswith("/") and ": " in message:
        position, _, message = message.partition(": ")
        place = f"{place}: {position}"
    hint = next((hint for phrase, hint in _HINTS if phrase in message), _GENERAL_HINT)
    return _error(place, message, hint)


def _about_model(model: Model, rows: Rows, now: datetime) -> Iterator[Finding]:
    place = rows.places[model.id]
    yield from _about_source(model, place, now)
    if model.lifecycle.status is ModelStatus.ENDED:
        yield from _about_end(model, place, rows)
        return
    if not model.live_routes(now.date()):
        yield _error(
            place,
            "no route is served any more, and the status does not say so",
            'Set lifecycle.status = "ended" and name a successor, or add a route.',
        )
    if model.lifecycle.ends_on is not None:
        yield from _about_end(model, place, rows)
    for index, route in enumerate(model.routes):
        yield from _about_route(route, f"{place}: /routes/{index}")


def _about_source(model: Model, place: str, now: datetime) -> Iterator[Finding]:
    if not model.source.text.strip():
        yield _error(f"{place}: /source/text", "the source is not named", "Say where it is from.")
    dates = [("/source/seen_on", model.source.seen_on)]
    tables = [("/prices", model.prices)]
    tables += [(f"/routes/{n}/prices", route.prices) for n, route in enumerate(model.routes)]
    for table, prices in tables:
        dates += [
            (f"{table}/{n}/seen_on", row.seen_on) for n, row in enumerate(prices) if row.seen_on
        ]
    for where, day in dates:
        if day > now.date():
            message = f"{day.isoformat()} is still to come"
            yield _error(f"{place}: {where}", message, "Name the day on which it was seen.")


def _about_end(model: Model, place: str, rows: Rows) -> Iterator[Finding]:
    """Follow the successors of a model that has ended, or will: one must be alive."""
    where = f"{place}: /lifecycle/successor"
    seen = [model.id]
    successor = model.lifecycle.successor
    while successor is not None and successor in rows.models and successor not in seen:
        seen.append(successor)
        found = rows.models[successor]
        if found.lifecycle.status is not ModelStatus.ENDED:
            return
        successor = found.lifecycle.successor
    if model.lifecycle.successor is None:
        ended = model.lifecycle.status is ModelStatus.ENDED
        yield Finding(
            severity=Severity.ERROR if ended else Severity.NOTE,
            place=where,
            message=f"it {'has ended' if ended else 'will end'} without a successor",
            hint="Name the model to use in its place.",
        )
    elif successor is None or successor in seen:
        yield _error(where, f"none of {', '.join(seen[1:])} is alive", "Name one that is.")


def _about_route(route: Route, place: str) -> Iterator[Finding]:
    if not route.upstream_id.strip():
        yield _error(
            f"{place}/upstream_id", "it is empty", "Write the provider's own id of the model."
        )
    if route.provider not in KNOWN_PROVIDERS:
        close = difflib.get_close_matches(route.provider, KNOWN_PROVIDERS, n=1)
        known = ", ".join(sorted(KNOWN_PROVIDERS))
        yield _error(
            f"{place}/provider",
            f"there is no provider {route.provider}",
            f"Did you mean {close[0]}?" if close else f"Use one of {known}.",
        )


def _about_family(family: Family, rows: Rows) -> Iterator[Finding]:
    place = rows.places[family.label]
    if not family.variants:
        yield _error(f"{place}: /variants", "it has no variants", "Name the models it stands for.")
    for variant in family.variants:
        model = rows.models.get(variant)
        if model is not None and model.family != family.label:
            yield _error(
                f"{place}: /variants",
                f"{variant} is of the family {model.family}",
                f'Set family = "{family.label}" in its row, or leave it out.',
            )
    for model in rows.models.values():
        if model.family == family.label and model.id not in family.variants:
            yield _error(
                f"{place}: /variants",
                f"{model.id} is of this family and not named",
                "Add it to the variants.",
            )


def _try_all(rows: Rows, now: datetime) -> tuple[int, list[Finding]]:
    catalogue = Catalogue(rows.models.values(), rows.families.values(), rows.patterns.values())
    findings: list[Finding] = []
    number = 0
    for model in rows.models.values():
        if model.live_routes(now.date()):
            fine, found = _try_model(catalogue, model, rows.places[model.id], now)
            number += fine
            findings += found
    return number, findings


def _try_model(
    catalogue: Catalogue, model: Model, place: str, now: datetime
) -> tuple[int, list[Finding]]:
    """Run every request that a model says it takes through the checks and the price book."""
    fine = 0
    refusals: list[str] = []
    unpriced: dict[str, Trial] = {}
    for trial in trials(model):
        try:
            checked = preflight(catalogue, trial.request, now=now, input_facts=trial.facts)
        except MediawrightError as error:
            refusals.append(f"{error.code}: {error.message}")
            continue
        fine += 1
        for plan in checked.routes:
            route = checked.model.find_route(plan.provider, plan.upstream_id, checked.operation)
            known = plan.price.usd is not None or plan.price.credits is not None
            if not known and (route is None or not route.price_note.strip()):
                unpriced.setdefault(f"{plan.provider} {plan.upstream_id}", trial)
    found = [_without_price(place, route, trial) for route, trial in unpriced.items()]
    if not fine:
        first = refusals[0] if refusals else "there is none"
        message = f"no request that it says it takes can be run; the first: {first}"
        found.append(_error(place, message, "Correct what it takes, or its rules and routes."))
    return fine, found


def _without_price(place: str, route: str, trial: Trial) -> Finding:
    chosen = ", ".join(f"{name} {value}" for name, value in trial.values.items())
    operation = trial.request.operation
    return _error(
        place,
        f"{route} has no price for {operation}{' with ' if chosen else ''}{chosen}",
        "Add a price row that holds for it, or say in price_note why it is not known.",
    )


def _missing_adapters(
    models: Iterable[Model], adapters: frozenset[str], now: datetime
) -> Iterator[Finding]:
    """Tell which known providers cannot be spoken to yet, and how many models they serve."""
    served: dict[str, set[str]] = {}
    for model in models:
        for route in model.live_routes(now.date()):
            if route.provider in KNOWN_PROVIDERS and route.provider not in adapters:
                served.setdefault(route.provider, set()).add(model.id)
    for provider, ids in sorted(served.items()):
        yield Finding(
            severity=Severity.NOTE,
            place=provider,
            message=f"there is no adapter for it yet; models it serves: {len(ids)}",
            hint="Their other routes are used, if they have any.",
        )


def errors_of(report: LintReport) -> Sequence[Finding]:
    """Return the errors of a report, without the notes."""
    return [finding for finding in report.findings if finding.severity is Severity.ERROR]
