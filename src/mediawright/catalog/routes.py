"""Chooses the routes that can take a request and works out each one's plan."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

import msgspec

from mediawright.catalog.applied import Applied
from mediawright.catalog.findings import Findings
from mediawright.catalog.input_files import check_file
from mediawright.catalog.model import LengthUnit, Model, ParameterRule, Route
from mediawright.catalog.model_choice import adapter_missing
from mediawright.catalog.parameter_values import code_for, pointer_to
from mediawright.catalog.pricing import PriceSettings, price
from mediawright.catalog.route_ends import end_words
from mediawright.catalog.translate import carried_parameters, setting_conflicts, translate
from mediawright.core.errors import Problem
from mediawright.core.generation import RoutePlan
from mediawright.core.media import MediaFacts
from mediawright.core.operations import InputRole
from mediawright.core.request import GenerationRequest

HINTS_ONLY = frozenset(
    {
        "seed",
        "negative_prompt",
        "guidance_scale",
        "steps",
        "style",
        "language",
        "instructions",
        "strength",
    }
)
"""Parameters a route may leave unused, with a warning (rule 40); any other rules it out."""

UNSTATED_PROMPT_MAX = 32_000
"""Characters of a prompt where nobody states a limit."""


def prompt_length(prompt: str, unit: LengthUnit) -> int:
    """Return the length of a prompt in the unit a limit is counted in."""
    if unit is LengthUnit.UTF16:
        return len(prompt) + sum(ord(character) > 0xFFFF for character in prompt)  # noqa: PLR2004
    return len(prompt)


class RouteQuestion(msgspec.Struct, frozen=True, kw_only=True):
    """A request that the model can take, for which routes are wanted."""

    model: Model
    request: GenerationRequest
    """Normalised; its provider, if it names one, is the only one used."""
    given: Mapping[str, Any]
    """What the caller set."""
    applied: Applied
    today: date
    """Routes that ended before are left out."""
    settings: PriceSettings
    facts: Mapping[int, MediaFacts]
    """What is known about the inputs, by their index."""
    adapters: frozenset[str] | None = None
    """The providers that there is an adapter for; `None` counts all."""


def plan_routes(question: RouteQuestion, findings: Findings) -> tuple[RoutePlan, ...]:
    """Return a plan for each route that can take the request, in order.

    Args:
        question: The request.
        findings: Where to note why no route is left, or what a route will not pass on.
    """
    model, request, applied = question.model, question.request, question.applied
    plans: list[RoutePlan] = []
    refusals: list[Problem] = []
    absent: list[Route] = []
    unused: dict[str, list[str]] = {}
    for route in model.live_routes(question.today):
        if applied.operation not in model.route_operations(route):
            continue
        if request.provider is not None and route.provider != request.provider:
            continue
        if question.adapters is not None and route.provider not in question.adapters:
            absent.append(route)
            continue
        refusal = _refusal(question, route)
        if refusal is not None:
            refusals.append(refusal)
            continue
        plans.append(_plan(question, route))
        for name in sorted(_missing(question, route) & HINTS_ONLY):
            unused.setdefault(name, []).append(route.provider)
    if not plans:
        findings.problems.append(refusals[0] if refusals else _nothing(question, absent))
    for name, providers in unused.items():
        findings.warned(
            pointer_to(name),
            f"not passed on by {', '.join(dict.fromkeys(providers))}",
            requested=question.given[name],
        )
    return tuple(plans)


def _nothing(question: RouteQuestion, absent: list[Route]) -> Problem:
    if not absent:
        return _no_route(question)
    named = question.request.provider is not None
    return adapter_missing(question.model, absent, "/provider" if named else "/operation")


def _plan(question: RouteQuestion, route: Route) -> RoutePlan:
    vendor = (question.request.parameters.vendor or {}).get(route.provider)
    return RoutePlan(
        provider=route.provider,
        upstream_id=route.upstream_id,
        fields=translate(route, question.applied, vendor),
        price=price(question.model, route, question.applied, question.settings),
        synchronous=route.synchronous,
    )


def _refusal(question: RouteQuestion, route: Route) -> Problem | None:
    """Return why a route cannot take a request that the model can, if it cannot."""
    return (
        _prompt_refusal(route, question.request)
        or _input_refusal(question, route)
        or _file_refusal(question, route)
        or _value_refusal(route, question.applied)
        or _parameter_refusal(question, route)
        or _setting_refusal(route, question.request)
    )


def _prompt_refusal(route: Route, request: GenerationRequest) -> Problem | None:
    if route.prompt_max is None or request.prompt is None:
        return None
    length = prompt_length(request.prompt, route.prompt_unit)
    if length <= route.prompt_max:
        return None
    return Problem(
        code="prompt_too_long",
        message=f"{route.provider} takes prompts of {route.prompt_max} characters at most; "
        f"this one has {length}.",
        pointer="/prompt",
        hint="Shorten the prompt.",
        details={"maximum": route.prompt_max, "given": length, "provider": route.provider},
    )


def _role_refusal(question: RouteQuestion, route: Route, role: InputRole) -> Problem:
    """Return why a route cannot have files of a kind that the model takes elsewhere (C15)."""
    slots = question.model.operations[question.applied.operation].inputs
    instead = next((slot.instead for slot in slots if slot.role is role), ())
    return Problem(
        code="unsupported_by_model",
        message=f"{route.provider} takes no {role.value} for {question.model.id}.",
        pointer="/inputs",
        hint=f"Use {' or '.join(instead)}."
        if instead
        else "Leave it out, or use another provider.",
        details={"role": role.value, "provider": route.provider, "instead": list(instead)},
    )


def _input_refusal(question: RouteQuestion, route: Route) -> Problem | None:
    applied = question.applied
    if sum(applied.inputs.values()) < route.min_inputs:
        return Problem(
            code="source_media_required",
            message=f"{route.upstream_id} at {route.provider} needs source media.",
            pointer="/inputs",
            hint="Add a file.",
            details={"minimum": route.min_inputs, "provider": route.provider},
        )
    for role, most in route.inputs_max.items():
        number = applied.inputs.get(role.value, 0)
        if number > most == 0:
            return _role_refusal(question, route, role)
        if number > most:
            return Problem(
                code="invalid_media_count",
                message=f"{route.provider} takes {most} {role.value} at most; {number} were given.",
                pointer="/inputs",
                hint="Send fewer files.",
                details={"maximum": most, "given": number, "provider": route.provider},
            )
    return None


def _file_refusal(question: RouteQuestion, route: Route) -> Problem | None:
    if not route.input_limits:
        return None
    findings = Findings()
    for index, item in enumerate(question.request.inputs):
        limits, known = route.input_limits.get(item.role), question.facts.get(index)
        if limits is not None and (known is not None or limits.formats):
            check_file(index, item, known, (limits,), findings)
    if not findings.problems:
        return None
    first = findings.problems[0]
    return msgspec.structs.replace(first, details={**first.details, "provider": route.provider})


def _value_refusal(route: Route, applied: Applied) -> Problem | None:
    for name, limit in route.limits.items():
        value = applied.values.get(name)
        if value is None:
            continue
        if not _fits(limit, value):
            return Problem(
                code=code_for(name),
                message=f"{route.provider} does not take {name} {value!r} for this model.",
                pointer=pointer_to(name),
                hint="Choose another value or another provider.",
                details={
                    "given": value,
                    "allowed": list(limit.values),
                    "minimum": limit.minimum,
                    "maximum": limit.maximum,
                    "provider": route.provider,
                },
            )
    return None


def _fits(limit: ParameterRule, value: Any) -> bool:
    if limit.values and value not in limit.values:
        return False
    if isinstance(value, int | float):
        low, high = limit.minimum, limit.maximum
        return (low is None or value >= low) and (high is None or value <= high)
    if isinstance(value, str):
        return limit.max_length is None or len(value) <= limit.max_length
    return True


def _parameter_refusal(question: RouteQuestion, route: Route) -> Problem | None:
    model, applied = question.model, question.applied
    for name in sorted(_missing(question, route) - HINTS_ONLY):
        rule = model.parameter(name, applied.operation)
        if rule is not None and rule.default == applied.values[name]:
            continue
        return Problem(
            code="unsupported_by_provider",
            message=f"{route.provider} has no {name} for {model.id}.",
            pointer=pointer_to(name),
            hint="Leave it out or choose another provider.",
            details={"provider": route.provider, "parameter": name},
        )
    return None


def _setting_refusal(route: Route, request: GenerationRequest) -> Problem | None:
    settings = (request.parameters.vendor or {}).get(route.provider)
    conflicts = setting_conflicts(route, settings) if settings else []
    if not conflicts:
        return None
    return Problem(
        code="vendor_setting_not_allowed",
        message=f"{conflicts[0]!r} is set by this server for {route.provider}.",
        pointer=f"/parameters/vendor/{route.provider}/{conflicts[0].replace('.', '/')}",
        hint="Use the parameter of this API that it stands for.",
        details={"settings": conflicts, "provider": route.provider},
    )


def _missing(question: RouteQuestion, route: Route) -> set[str]:
    return (set(question.given) & set(question.applied.values)) - carried_parameters(route)


def _no_route(question: RouteQuestion) -> Problem:
    model, request, applied = question.model, question.request, question.applied
    if request.provider is not None:
        routes = [
            route for route in model.routes if applied.operation in model.route_operations(route)
        ]
        over = [route for route in routes if model.has_ended(route, question.today)]
        serving = [route.provider for route in routes if route not in over]
        ended = next((route for route in over if route.provider == request.provider), None)
        return Problem(
            code="unsupported_by_provider",
            message=end_words(model, ended)
            if ended is not None
            else f"{request.provider} does not serve {model.id} in {applied.operation.value}.",
            pointer="/provider",
            hint=f"Use {' or '.join(dict.fromkeys(serving))}, or name no provider.",
            details={"allowed": list(dict.fromkeys(serving))},
        )
    return Problem(
        code="unsupported_by_model",
        message=f"No provider serves {model.id} in {applied.operation.value} at present.",
        pointer="/operation",
        hint="Choose another model.",
    )
