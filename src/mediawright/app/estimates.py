"""How long a request is expected to take: from the catalogue, refined by what was made here."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import TYPE_CHECKING, Any

import msgspec

from mediawright.catalog.expectation import expect
from mediawright.store import durations

if TYPE_CHECKING:
    from mediawright.app.runtime import Runtime
    from mediawright.core.operations import Operation
    from mediawright.core.request import Adjustment, GenerationRequest
    from mediawright.store.durations import Duration

SAMPLE = 200
"""How many of the latest generations are looked at."""
ENOUGH = 3
"""With fewer, what was made here says nothing."""
_SOME, _MANY = 10, 30
_WIDE = 3.0
"""The slowest tenth takes so many times the middle: the figure is less certain."""
_CLASS = ("duration", "count", "size", "resolution", "quality", "sound", "turbo", "steps")
"""The parameters that bear on the time most."""


class EstimateBasis(StrEnum):
    """Where an estimate comes from."""

    HISTORY = "history"
    """Generations of the same model, operation and settings that were made here."""
    SIMILAR_HISTORY = "similar_history"
    """Such generations with other settings, in proportion to what the catalogue expects."""
    CATALOGUE = "catalogue"
    """The catalogue alone."""


class Confidence(StrEnum):
    """How far an estimate can be relied on."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"


class Estimate(msgspec.Struct, frozen=True, kw_only=True):
    """How long a request is expected to take, from its begin to its end."""

    model: str
    operation: Operation
    seconds: float
    """The middle of what was seen, else what the catalogue expects."""
    basis: EstimateBasis
    confidence: Confidence
    sample_size: int = 0
    """How many generations it rests on."""
    p50_seconds: float | None = None
    """Half of them took no longer; `None` where there were not enough."""
    p90_seconds: float | None = None
    """Nine in ten of them took no longer."""
    catalogue_seconds: float
    adjustments: tuple[Adjustment, ...] = ()


async def estimate(runtime: Runtime, request: GenerationRequest) -> Estimate:
    """Return how long a request is expected to take; no job is started (rule 46).

    Args:
        runtime: The installation.
        request: The request; only the model must be named. Inputs are not looked at.

    Raises:
        InvalidRequestError: The model has no such operation, or takes no such parameter value.
        NotFoundError: `model_not_found`.
    """
    expected = expect(
        runtime.catalogue,
        request,
        now=runtime.clock.now(),
        settings=runtime.preflight_settings,
    )
    found = await refined(
        runtime,
        expected.model.id,
        expected.operation,
        expected.values,
        expected.seconds,
        provider=request.provider,
    )
    return msgspec.structs.replace(found, adjustments=expected.adjustments)


async def refined(
    runtime: Runtime,
    model: str,
    operation: Operation,
    values: Mapping[str, Any],
    catalogue_seconds: float,
    *,
    provider: str | None = None,
) -> Estimate:
    """Return the catalogue's figure, corrected by what was made here.

    Args:
        runtime: The installation.
        model: The model's id.
        operation: What it is to do.
        values: Applied parameters by name.
        catalogue_seconds: What the catalogue expects.
        provider: Look only at what this provider made; at all otherwise.
    """
    latest = await runtime.database.read(
        lambda connection: durations.latest(connection, model, operation.value, most=SAMPLE)
    )
    if provider is not None:
        latest = [item for item in latest if item.provider == provider]
    alike = [item for item in latest if _class_of(item.parameters) == _class_of(values)]
    sample = alike if len(alike) >= ENOUGH else latest
    took = sorted(_in_proportion(item, catalogue_seconds) for item in sample)
    if len(took) < ENOUGH:
        return Estimate(
            model=model,
            operation=operation,
            seconds=catalogue_seconds,
            basis=EstimateBasis.CATALOGUE,
            confidence=Confidence.LOW,
            catalogue_seconds=catalogue_seconds,
        )
    middle, slow = _percentile(took, 0.5), _percentile(took, 0.9)
    same = sample is alike
    return Estimate(
        model=model,
        operation=operation,
        seconds=middle,
        basis=EstimateBasis.HISTORY if same else EstimateBasis.SIMILAR_HISTORY,
        confidence=_confidence(len(took), same=same, is_wide=slow > _WIDE * middle),
        sample_size=len(took),
        p50_seconds=middle,
        p90_seconds=slow,
        catalogue_seconds=catalogue_seconds,
    )


def estimate_view(found: Estimate) -> dict[str, Any]:
    """Return the public form of an estimate."""
    return {
        "model": found.model,
        "generation_type": found.operation.value,
        "estimated_time_seconds": found.seconds,
        "basis": found.basis.value,
        "confidence": found.confidence.value,
        "sample_size": found.sample_size,
        "p50_seconds": found.p50_seconds,
        "p90_seconds": found.p90_seconds,
        "catalogue_seconds": found.catalogue_seconds,
        "adjustments": [msgspec.to_builtins(item) for item in found.adjustments],
    }


def _class_of(parameters: Mapping[str, Any]) -> tuple[Any, ...]:
    return tuple(parameters.get(name) for name in _CLASS)


def _in_proportion(item: Duration, catalogue_seconds: float) -> float:
    """Return how long it would have taken had it been what is asked for."""
    if not item.expected_seconds or not catalogue_seconds:
        return item.seconds
    return item.seconds * catalogue_seconds / item.expected_seconds


def _percentile(ordered: Sequence[float], part: float) -> float:
    """Return the value that so large a part of a sorted sample does not exceed."""
    return round(ordered[math.ceil(part * len(ordered)) - 1], 2)


def _confidence(number: int, *, same: bool, is_wide: bool) -> Confidence:
    level = (number >= _SOME) + (number >= _MANY) - (not same) - is_wide
    return tuple(Confidence)[max(0, level)]
