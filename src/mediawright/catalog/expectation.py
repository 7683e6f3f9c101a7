"""What a request is expected to take, told from as little of it as there is (rule 46)."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec

from mediawright.catalog.applied import applied_values
from mediawright.catalog.catalogue import Catalogue
from mediawright.catalog.findings import Findings, error_from
from mediawright.catalog.inputs import choose_operation
from mediawright.catalog.model import Model
from mediawright.catalog.model_choice import carry_over, find_model, switch_model
from mediawright.catalog.parameters import apply_parameters, given_values
from mediawright.catalog.preflight import DEFAULT_SETTINGS, PreflightSettings, estimate_seconds
from mediawright.core.operations import Operation
from mediawright.core.request import Adjustment, GenerationRequest


class Expectation(msgspec.Struct, frozen=True, kw_only=True):
    """What the catalogue expects."""

    model: Model
    operation: Operation
    values: dict[str, Any]
    """Applied parameters by name, defaults filled in."""
    seconds: float
    """How long it takes."""
    adjustments: tuple[Adjustment, ...]


def expect(
    catalogue: Catalogue,
    request: GenerationRequest,
    *,
    now: datetime,
    settings: PreflightSettings = DEFAULT_SETTINGS,
) -> Expectation:
    """Return what a request is expected to take; prompt and inputs may be left out.

    Args:
        catalogue: The models.
        request: The request as far as it is known.
        now: The time, aware, for announced ends of models.
        settings: The operator's settings.

    Raises:
        InvalidRequestError: There is no such operation of the model or parameter value; all
            that is wrong is among its `problems`.
        NotFoundError: `model_not_found`.
    """
    findings = Findings()
    found = find_model(
        catalogue,
        request.model,
        findings,
        today=now.date(),
        use_successors=settings.use_successors,
        end_warning_days=settings.end_warning_days,
        adapters=settings.adapters,
    )
    if found is None:
        raise error_from(findings.problems)
    given = given_values(request.parameters, found.presets, findings)
    given = carry_over(found, given, findings)
    model = found.model
    model = switch_model(catalogue, model, given, findings)
    operation = _operation(model, request, findings)
    values = apply_parameters(model, operation, given, findings)
    if findings.problems:
        raise error_from(findings.problems)
    applied = msgspec.structs.replace(
        applied_values(model, operation, values), characters=len(request.prompt or "")
    )
    return Expectation(
        model=model,
        operation=operation,
        values=values,
        seconds=estimate_seconds(model, applied),
        adjustments=tuple(findings.adjustments),
    )


def _operation(model: Model, request: GenerationRequest, findings: Findings) -> Operation:
    """Return what is to be done; text-to-image where that is left open and the model can."""
    if request.operation is None:
        chosen = choose_operation(model, ())
        if Operation.TEXT_TO_IMAGE in model.operations:
            chosen = Operation.TEXT_TO_IMAGE
        findings.defaulted("/operation", "chosen from the model", chosen.value)
        return chosen
    if request.operation not in model.operations:
        allowed = [operation.value for operation in model.operations]
        findings.problem(
            "unsupported_generation_type",
            f"{model.id} does not do {request.operation.value}.",
            "/operation",
            hint=f"Use {' or '.join(allowed)}.",
            allowed=allowed,
        )
        raise error_from(findings.problems)
    return request.operation
