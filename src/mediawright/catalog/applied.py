"""The facts of a checked request that prices and provider fields are worked out from."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import msgspec

from mediawright.catalog.dimensions import pixels_of
from mediawright.catalog.model import Model
from mediawright.core.media import MediaFacts
from mediawright.core.operations import MediaKind, Operation
from mediawright.core.request import GenerationRequest, given_parameters

_TIMED = frozenset({MediaKind.AUDIO, MediaKind.VIDEO})
_FILMED = frozenset({MediaKind.VIDEO})


class Applied(msgspec.Struct, frozen=True, kw_only=True):
    """What will be done, in our own words."""

    operation: Operation
    values: dict[str, Any]
    """Applied parameters by name."""
    width: int | None = None
    """Pixels of each output, where they can be told."""
    height: int | None = None
    characters: int = 0
    """Length of the prompt."""
    inputs: dict[str, int] = {}
    """How many inputs there are of each role."""
    input_seconds: float | None = 0.0
    """Length of all audio and video inputs together; `None` if one is not known."""
    video_seconds: float | None = 0.0
    """Length of all video inputs together; `None` if one is not known."""
    input_pixels: int | None = 0
    """Pixels of all input images together; `None` if one is not known."""

    @property
    def count(self) -> int:
        """How many outputs are made."""
        return int(self.values.get("count") or 1)

    @property
    def seconds(self) -> float | None:
        """Length of each output in seconds, where it can be told."""
        value = self.values.get("duration")
        return None if value is None else float(value)

    @property
    def megapixels(self) -> float | None:
        """Millions of pixels of each output, where they can be told."""
        if self.width is None or self.height is None:
            return None
        return self.width * self.height / 1_000_000

    def facts(self) -> dict[str, Any]:
        """Return everything a price condition may ask about, by name."""
        facts = dict(self.values)
        facts["operation"] = self.operation.value
        facts["megapixels"] = self.megapixels
        facts["inputs"] = sum(self.inputs.values())
        for role, number in self.inputs.items():
            facts[f"inputs.{role}"] = number
        return facts


def applied_of(
    model: Model,
    request: GenerationRequest,
    input_facts: Mapping[int, MediaFacts] | None = None,
) -> Applied:
    """Return the facts of a request that preflight has normalised.

    Args:
        model: The model of `request.model`.
        request: Normalised: operation set, defaults filled in.
        input_facts: What is known about the inputs, by their index.
    """
    known = input_facts or {}
    operation = request.operation or next(iter(model.operations))
    values = given_parameters(request.parameters)
    picture = next(
        (
            (facts.width, facts.height)
            for index, item in enumerate(request.inputs)
            if item.kind is MediaKind.IMAGE
            and (facts := known.get(index)) is not None
            and facts.width
            and facts.height
        ),
        None,
    )
    pixels = pixels_of(model.dimensions, values, picture)
    counts: dict[str, int] = {}
    for item in request.inputs:
        counts[item.role.value] = counts.get(item.role.value, 0) + 1
    return Applied(
        operation=operation,
        values=values,
        width=pixels[0] if pixels else None,
        height=pixels[1] if pixels else None,
        characters=len(request.prompt or ""),
        inputs=counts,
        input_seconds=_input_seconds(request, known, _TIMED),
        video_seconds=_input_seconds(request, known, _FILMED),
        input_pixels=_input_pixels(request, known),
    )


def applied_values(model: Model, operation: Operation, values: dict[str, Any]) -> Applied:
    """Return the facts of a request without prompt and inputs, from its parameters alone."""
    pixels = pixels_of(model.dimensions, values, None)
    return Applied(
        operation=operation,
        values=values,
        width=pixels[0] if pixels else None,
        height=pixels[1] if pixels else None,
    )


def _input_seconds(
    request: GenerationRequest, known: Mapping[int, MediaFacts], kinds: frozenset[MediaKind]
) -> float | None:
    seconds: list[float] = []
    for index, item in enumerate(request.inputs):
        if item.kind not in kinds:
            continue
        facts = known.get(index)
        if facts is None or facts.seconds is None:
            return None
        seconds.append(facts.seconds)
    # Money depends on the last digit: as floats, 4.1 and 3.3 make 7.3999999999999995.
    return float(sum(Decimal(repr(one)) for one in seconds)) if len(seconds) > 1 else sum(seconds)


def _input_pixels(request: GenerationRequest, known: Mapping[int, MediaFacts]) -> int | None:
    total = 0
    for index, item in enumerate(request.inputs):
        if item.kind is not MediaKind.IMAGE:
            continue
        facts = known.get(index)
        if facts is None or facts.width is None or facts.height is None:
            return None
        total += facts.width * facts.height
    return total
