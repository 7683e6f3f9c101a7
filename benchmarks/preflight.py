"""Times the catalogue: loading it, and checking, pricing and translating one request.

Run with `python benchmarks/preflight.py`. It prints the median and the 95th percentile of
each model's usual request, in milliseconds.
"""

from __future__ import annotations

import statistics
import time
from datetime import UTC, datetime

from mediawright.catalog.catalogue import Catalogue
from mediawright.catalog.loader import load_catalogue
from mediawright.catalog.model import InputRule, Model, ModelStatus
from mediawright.catalog.preflight import preflight
from mediawright.core.operations import InputRole, MediaKind, Operation
from mediawright.core.request import GenerationRequest, MediaInput, Parameters

_EXTENSIONS = {MediaKind.IMAGE: "png", MediaKind.VIDEO: "mp4", MediaKind.AUDIO: "wav"}
_ROUNDS = 300


def main() -> None:
    began = time.perf_counter()
    catalogue = load_catalogue()
    loaded = (time.perf_counter() - began) * 1000
    print(f"load {len(catalogue)} models: {loaded:.1f} ms\n")
    print(f"{'model':<26}{'operation':<18}{'median ms':>10}{'p95 ms':>10}")
    for model in catalogue:
        if model.lifecycle.status is ModelStatus.ENDED and not model.lifecycle.substitute:
            continue
        for operation in model.operations:
            times = sorted(_times(catalogue, model, operation))
            middle, high = statistics.median(times), times[int(len(times) * 0.95)]
            print(f"{model.id:<26}{operation.value:<18}{middle:>10.3f}{high:>10.3f}")


def _needed(model: Model, operation: Operation, slot: InputRule) -> int:
    """Return how many inputs of a role a model's usual request has."""
    sold_with_clip = model.id.endswith("-video-ref") and slot.role is InputRole.REFERENCE_VIDEO
    rule = model.operations[operation]
    fills_up = slot is rule.inputs[0] and rule.min_inputs > sum(s.minimum for s in rule.inputs)
    return max(slot.minimum, int(sold_with_clip or fills_up))


def _times(catalogue: Catalogue, model: Model, operation: Operation) -> list[float]:
    request = GenerationRequest(
        model=model.id,
        operation=operation,
        prompt="a red kite over dunes, late light",
        inputs=tuple(
            MediaInput(
                role=slot.role,
                kind=slot.role.media_kind,
                url=f"https://host.test/{number}.{_EXTENSIONS[slot.role.media_kind]}",
            )
            for slot in model.operations[operation].inputs
            for number in range(_needed(model, operation, slot))
        ),
        parameters=Parameters(seed=7, count=2, sound=True, aspect_ratio=None),
    )
    now = datetime(2026, 11, 20, tzinfo=UTC)
    times: list[float] = []
    for _ in range(_ROUNDS):
        began = time.perf_counter()
        preflight(catalogue, request, now=now)
        times.append((time.perf_counter() - began) * 1000)
    return times


if __name__ == "__main__":
    main()
