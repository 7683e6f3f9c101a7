"""Decides whether a request can be run, and what exactly will be run. Pure: no I/O.

The order of the checks is part of the contract, because the first problem names the error:

1. model: family label (`variant_required`), known, alive;
2. provider: known, serves the model;
3. operation: chosen from the inputs if not given, supported;
4. prompt: there, text, not too long;
5. inputs: shape, roles, kinds, counts, then each file;
6. parameters, in the order of `Parameters`;
7. the model's named rules, in the order of the data;
8. vendor settings, then routes: at least one can take the request.

A problem with the model, the provider or the operation ends the checks; all others are
collected.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple

import msgspec

from mediawright.catalog.applied import Applied, applied_of
from mediawright.catalog.catalogue import Catalogue
from mediawright.catalog.elements import check_elements
from mediawright.catalog.findings import Findings, error_from
from mediawright.catalog.inputs import InputCheck, check_inputs, choose_operation, readable_inputs
from mediawright.catalog.model import Model, PromptUse
from mediawright.catalog.model_choice import carry_over, find_model, switch_model
from mediawright.catalog.parameters import apply_parameters, given_values
from mediawright.catalog.pricing import PriceSettings
from mediawright.catalog.route_ends import ended_routes, report_ends
from mediawright.catalog.routes import (
    UNSTATED_PROMPT_MAX,
    RouteQuestion,
    plan_routes,
    prompt_length,
)
from mediawright.catalog.rules import RuleContext, run_rules
from mediawright.catalog.surfaces import MEDIA_TOOL_LIMITS, SurfaceLimits
from mediawright.catalog.values import is_text
from mediawright.core.errors import Problem
from mediawright.core.generation import RoutePlan, SkippedRoute
from mediawright.core.media import MediaFacts
from mediawright.core.money import Price
from mediawright.core.operations import Operation
from mediawright.core.request import Adjustment, GenerationRequest, Parameters


class PreflightSettings(msgspec.Struct, frozen=True, kw_only=True):
    """What the operator decides about checks and prices."""

    prices: PriceSettings = PriceSettings()
    surface: SurfaceLimits = MEDIA_TOOL_LIMITS
    """What the surface the request came through demands of input files."""
    prompt_max: int = UNSTATED_PROMPT_MAX
    """Characters of a prompt where the model states no limit (rule 29)."""
    use_successors: bool = True
    """Serve a request for an ended model by its successor, where the catalogue allows it."""
    end_warning_days: int = 60
    """Warn this long before a model's announced end."""
    providers: frozenset[str] = frozenset()
    """Further provider names that are known though no route names them."""
    adapters: frozenset[str] | None = None
    """The providers that there is an adapter for; `None` counts all."""


class Checked(msgspec.Struct, frozen=True, kw_only=True):
    """A request that can be run."""

    request: GenerationRequest
    """Normalised: canonical model id, operation and roles set, defaults filled in, ignored
    parameters gone. Checking it again changes nothing."""
    model: Model
    operation: Operation
    adjustments: tuple[Adjustment, ...]
    routes: tuple[RoutePlan, ...]
    """The ways to run it, in order; at least one."""
    price: Price
    """The price on the first route: what the workspace is quoted."""
    applied: Applied
    estimated_seconds: float
    ended_routes: tuple[SkippedRoute, ...] = ()
    """The routes that could have run it and are no longer served."""


class _Question(NamedTuple):
    catalogue: Catalogue
    request: GenerationRequest
    now: datetime
    input_facts: Mapping[int, MediaFacts]
    settings: PreflightSettings
    findings: Findings
    element_facts: Mapping[str, MediaFacts]


NO_FACTS: Mapping[int, MediaFacts] = {}
NO_ELEMENT_FACTS: Mapping[str, MediaFacts] = {}
DEFAULT_SETTINGS = PreflightSettings()


def preflight(
    catalogue: Catalogue,
    request: GenerationRequest,
    *,
    now: datetime,
    input_facts: Mapping[int, MediaFacts] = NO_FACTS,
    element_facts: Mapping[str, MediaFacts] = NO_ELEMENT_FACTS,
    settings: PreflightSettings = DEFAULT_SETTINGS,
) -> Checked:
    """Return the request as it will be run, with routes and price.

    Args:
        catalogue: The models.
        request: The caller's request.
        now: The time, aware, for announced ends of models.
        input_facts: What is known about the inputs, by their index in `request.inputs`.
        element_facts: What is known about the files of elements, by URL or asset id (rule 36).
        settings: The operator's settings.

    Raises:
        InvalidRequestError: The first rule that the request breaks; when it breaks more than
            one, `details["problems"]` lists them all.
        NotFoundError: `model_not_found`.
    """
    question = _Question(catalogue, request, now, input_facts, settings, Findings(), element_facts)
    checked = _examine(question)
    if checked is None:
        raise error_from(question.findings.problems)
    return checked


def collect_problems(
    catalogue: Catalogue,
    request: GenerationRequest,
    *,
    now: datetime,
    input_facts: Mapping[int, MediaFacts] = NO_FACTS,
    element_facts: Mapping[str, MediaFacts] = NO_ELEMENT_FACTS,
    settings: PreflightSettings = DEFAULT_SETTINGS,
) -> tuple[Problem, ...]:
    """Return everything that is wrong with a request, in the order of the checks.

    The arguments are those of `preflight`.
    """
    question = _Question(catalogue, request, now, input_facts, settings, Findings(), element_facts)
    _examine(question)
    return tuple(question.findings.problems)


def _examine(question: _Question) -> Checked | None:
    request, findings = question.request, question.findings
    found = find_model(
        question.catalogue,
        request.model,
        findings,
        today=question.now.date(),
        use_successors=question.settings.use_successors,
        end_warning_days=question.settings.end_warning_days,
        adapters=question.settings.adapters,
    )
    if found is None:
        return None
    given = given_values(request.parameters, found.presets, findings)
    given = carry_over(found, given, findings)
    model = found.model
    model = switch_model(question.catalogue, model, given, findings)
    if not _provider_is_known(question, model):
        return None
    inputs, misshapen = readable_inputs(request.inputs)
    operation = _find_operation(model, request, inputs, findings)
    if operation is None:
        return None
    prompt = _check_prompt(question, model, operation)
    findings.problems.extend(misshapen)
    if not misshapen:
        inputs = check_inputs(
            inputs,
            InputCheck(
                model=model,
                operation=operation,
                facts=question.input_facts,
                surface=question.settings.surface,
                findings=findings,
            ),
        )
    values = apply_parameters(model, operation, given, findings, has_inputs=bool(inputs))
    elements, rule = values.get("kling_elements"), model.parameter("kling_elements", operation)
    if elements and rule is not None:
        check_elements(rule, elements, question.element_facts, prompt, findings)
    context = RuleContext(
        model=model, operation=operation, given=given, applied=values, inputs=inputs, options={}
    )
    run_rules(context, model.rules, findings)
    vendor = _vendor_settings(model, request.parameters, findings)
    if findings.problems:
        return None
    normalised = msgspec.structs.replace(
        request,
        model=model.id,
        operation=operation,
        prompt=prompt,
        inputs=inputs,
        parameters=Parameters(**values, vendor=vendor),
    )
    return _with_routes(question, model, normalised, given)


def _with_routes(
    question: _Question, model: Model, normalised: GenerationRequest, given: dict[str, Any]
) -> Checked | None:
    findings = question.findings
    applied = applied_of(model, normalised, question.input_facts)
    routes = plan_routes(
        RouteQuestion(
            model=model,
            request=normalised,
            given=given,
            applied=applied,
            today=question.now.date(),
            settings=question.settings.prices,
            facts=question.input_facts,
            adapters=question.settings.adapters,
        ),
        findings,
    )
    if findings.problems:
        return None
    today = question.now.date()
    report_ends(
        model,
        routes,
        applied.operation,
        today=today,
        warning_days=question.settings.end_warning_days,
        findings=findings,
    )
    return Checked(
        request=normalised,
        model=model,
        operation=applied.operation,
        adjustments=tuple(findings.adjustments),
        routes=routes,
        price=routes[0].price,
        applied=applied,
        estimated_seconds=estimate_seconds(model, applied),
        ended_routes=ended_routes(model, applied.operation, normalised.provider, today),
    )


def estimate_seconds(model: Model, applied: Applied) -> float:
    """Return how many seconds a generation is expected to take, from the catalogue."""
    rule = model.estimate
    total = rule.base + rule.per_character * applied.characters
    total += rule.per_input_second * (applied.input_seconds or 0.0)
    each = rule.per_output + rule.per_second * (applied.seconds or 0.0)
    each += rule.per_megapixel * (applied.megapixels or 0.0)
    return round(total + each * applied.count, 2)


def _provider_is_known(question: _Question, model: Model) -> bool:
    catalogue, request, _, _, settings, findings, _ = question
    name: Any = request.provider
    if name is None or any(route.provider == name for route in model.routes):
        return True
    serving = list(dict.fromkeys(route.provider for route in model.routes))
    hint = f"Use {' or '.join(serving)}, or name no provider." if serving else None
    known = isinstance(name, str) and (name in catalogue.providers or name in settings.providers)
    if known:
        findings.problem(
            "unsupported_by_provider",
            f"{name} does not serve {model.id}.",
            "/provider",
            hint=hint,
            allowed=serving,
        )
    else:
        findings.problem(
            "unknown_provider",
            f"There is no provider {str(name)[:60]!a}.",
            "/provider",
            hint=hint,
            allowed=sorted(catalogue.providers | settings.providers),
        )
    return False


def _find_operation(
    model: Model, request: GenerationRequest, inputs: tuple[Any, ...], findings: Findings
) -> Operation | None:
    """Return what the model is to do, before files are counted (rules 4 and 39)."""
    asked: Any = request.operation
    if asked is None:
        chosen = choose_operation(model, inputs)
        findings.defaulted("/operation", "chosen from the model and the inputs", chosen.value)
        return chosen
    if isinstance(asked, str) and asked in model.operations:
        return Operation(asked)
    allowed = [operation.value for operation in model.operations]
    findings.problem(
        "unsupported_generation_type",
        f"{model.id} does not do {str(asked)[:60]!a}.",
        "/operation",
        hint=f"Use {' or '.join(allowed)}.",
        allowed=allowed,
    )
    return None


def _check_prompt(question: _Question, model: Model, operation: Operation) -> str | None:
    """Return the prompt, and note what is wrong with it (rules 1 and 29)."""
    findings = question.findings
    prompt: Any = question.request.prompt
    rule = model.prompt_rule(operation)
    if prompt is not None and not is_text(prompt):
        findings.problem(
            "invalid_prompt" if isinstance(prompt, str) else "prompt_required",
            "The prompt must be text.",
            "/prompt",
            hint="Send valid Unicode without NUL characters.",
        )
        return None
    if prompt is None or not prompt.strip():
        if rule.use is PromptUse.REQUIRED:
            findings.problem(
                "prompt_required",
                f"{operation.value} needs a prompt.",
                "/prompt",
                hint="Say what to make.",
            )
        return None
    if rule.use is PromptUse.UNUSED:
        findings.dropped("/prompt", f"{model.id} takes no prompt", prompt[:80])
        return None
    longest = rule.max_length or question.settings.prompt_max
    length = prompt_length(prompt, rule.unit)
    if length > longest:
        findings.problem(
            "prompt_too_long",
            f"The prompt has {length} characters; {model.id} takes {longest} at most.",
            "/prompt",
            hint="Shorten the prompt.",
            maximum=longest,
            given=length,
        )
    return prompt


def _vendor_settings(
    model: Model, parameters: Parameters, findings: Findings
) -> dict[str, dict[str, Any]] | None:
    vendor: Any = parameters.vendor
    if vendor is None:
        return None
    if not isinstance(vendor, dict) or not all(
        isinstance(name, str)
        and isinstance(settings, dict)
        and all(isinstance(key, str) for key in settings)  # pyright: ignore[reportUnknownVariableType]
        for name, settings in vendor.items()  # pyright: ignore[reportUnknownVariableType]
    ):
        findings.problem(
            "invalid_vendor",
            "Vendor settings must be a table of tables, by provider.",
            "/parameters/vendor",
            hint='Write {"fal": {"acceleration": "high"}}.',
        )
        return None
    named: dict[str, dict[str, Any]] = dict(vendor)  # pyright: ignore[reportUnknownArgumentType]
    providers = {route.provider for route in model.routes}
    for name in [name for name in named if name not in providers]:
        findings.dropped(
            f"/parameters/vendor/{name}", f"{name} does not serve {model.id}", named.pop(name)
        )
    return named or None
