"""How a generation becomes a row and a row a generation."""

from __future__ import annotations

from typing import Any

import msgspec
from sqlalchemy import Row

from mediawright.core.errors import Problem
from mediawright.core.generation import Generation, RoutePlan, SkippedRoute
from mediawright.core.money import Price, PriceBasis
from mediawright.core.operations import Operation
from mediawright.core.request import Adjustment, GenerationRequest
from mediawright.core.states import GenerationState
from mediawright.store.codec import (
    from_micros,
    from_micros_or_none,
    storable,
    to_json,
    to_json_or_none,
    to_micros,
    to_micros_or_none,
)

_request = msgspec.json.Decoder(GenerationRequest)
_routes = msgspec.json.Decoder(tuple[RoutePlan, ...])
_price = msgspec.json.Decoder(Price)
_adjustments = msgspec.json.Decoder(tuple[Adjustment, ...])
_skipped = msgspec.json.Decoder(tuple[SkippedRoute, ...])
_problem = msgspec.json.Decoder(Problem)


def to_values(generation: Generation) -> dict[str, Any]:
    """Return the columns of a generation."""
    return {
        "id": generation.id,
        "workspace_id": generation.workspace_id,
        "api_key_id": generation.api_key_id,
        "trace_id": generation.trace_id,
        "state": generation.state.value,
        "operation": generation.operation.value,
        "model": generation.model,
        "provider": generation.provider,
        "request": to_json(generation.request),
        "routes": to_json(generation.routes),
        "price": to_json(generation.price),
        "adjustments": to_json(generation.adjustments),
        "progress": generation.progress,
        "stage": storable(generation.stage),
        "problem": to_json_or_none(generation.problem),
        "cancel_requested": generation.cancel_requested,
        "overdue": generation.overdue,
        "charge_micros": generation.charge_micros,
        "cost_micros": generation.cost_micros,
        "cost_basis": generation.cost_basis.value,
        "estimated_seconds": generation.estimated_seconds,
        "idempotency_key": generation.idempotency_key,
        "request_hash": generation.request_hash,
        "executor": generation.executor,
        "created_at": to_micros(generation.created_at),
        "updated_at": to_micros(generation.updated_at),
        "started_at": to_micros_or_none(generation.started_at),
        "finished_at": to_micros_or_none(generation.finished_at),
        "skipped_routes": to_json(generation.skipped_routes),
    }


def to_generation(row: Row[Any]) -> Generation:
    """Return the generation of a whole row."""
    return Generation(
        id=row.id,
        workspace_id=row.workspace_id,
        api_key_id=row.api_key_id,
        trace_id=row.trace_id,
        state=GenerationState(row.state),
        operation=Operation(row.operation),
        model=row.model,
        provider=row.provider,
        request=_request.decode(row.request),
        routes=_routes.decode(row.routes),
        price=_price.decode(row.price),
        adjustments=_adjustments.decode(row.adjustments),
        progress=row.progress,
        stage=row.stage,
        problem=None if row.problem is None else _problem.decode(row.problem),
        cancel_requested=row.cancel_requested,
        overdue=row.overdue,
        charge_micros=row.charge_micros,
        cost_micros=row.cost_micros,
        cost_basis=PriceBasis(row.cost_basis),
        estimated_seconds=row.estimated_seconds,
        idempotency_key=row.idempotency_key,
        request_hash=row.request_hash,
        executor=row.executor,
        created_at=from_micros(row.created_at),
        updated_at=from_micros(row.updated_at),
        started_at=from_micros_or_none(row.started_at),
        finished_at=from_micros_or_none(row.finished_at),
        skipped_routes=_skipped.decode(row.skipped_routes),
    )
