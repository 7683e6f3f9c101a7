"""Requests that a row says it can take, to try a row before anyone calls it."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from typing import Any

import msgspec

from mediawright.catalog.model import InputRule, Model, OperationRule, ParameterRule, PromptUse
from mediawright.catalog.parameter_values import BOOLEANS, INTEGERS, LISTS, NUMBERS
from mediawright.core.media import MediaFacts
from mediawright.core.operations import MediaKind, Operation
from mediawright.core.request import GenerationRequest, MediaInput, Parameters

_MOST = 240
"""Requests of all combinations for one set of inputs, at most."""
_PROMPT = "a red kite over the sea"


class Trial(msgspec.Struct, frozen=True, kw_only=True):
    """A request, and what is known about its files."""

    request: GenerationRequest
    facts: dict[int, MediaFacts]
    values: dict[str, Any]
    """The parameters that were chosen; all others are left to the model."""


def trials(model: Model) -> Iterator[Trial]:
    """Yield requests that cover what a model says it takes.

    For each operation, with as few files as it needs and with one of each kind it takes: every
    value of every parameter by itself, all combinations of those that prices depend on, and each
    of these with each of the others; then each of its other names that sets parameters. A rule
    of the model may still refuse some.
    """
    priced = priced_parameters(model)
    for operation, rule in model.operations.items():
        choices = parameter_choices(model, operation)
        for inputs, facts in _input_sets(rule):
            for values in _value_sets(choices, priced):
                request = GenerationRequest(
                    model=model.id,
                    prompt=_prompt(model, operation),
                    operation=operation,
                    inputs=inputs,
                    parameters=Parameters(**values),
                )
                yield Trial(request=request, facts=facts, values=values)
    for preset, values in model.presets.items():
        operation = next(iter(model.operations))
        inputs, facts = next(_input_sets(model.operations[operation]))
        request = GenerationRequest(
            model=preset, prompt=_prompt(model, operation), operation=operation, inputs=inputs
        )
        yield Trial(request=request, facts=facts, values=dict(values))


def priced_parameters(model: Model) -> frozenset[str]:
    """Return the parameters that conditions of the model's prices name."""
    rows = itertools.chain(model.prices, *(route.prices for route in model.routes))
    return frozenset(name for row in rows for name in row.when)


def parameter_choices(model: Model, operation: Operation) -> dict[str, list[Any]]:
    """Return the values to try of each parameter: all that are listed, and the ends of ranges."""
    names = {*model.parameters, *model.operations[operation].parameters}
    found: dict[str, list[Any]] = {}
    for name in sorted(names - LISTS):
        rule = model.parameter(name, operation)
        if rule is not None and rule.fixed is None:
            choices = _choices(name, rule)
            if choices:
                found[name] = choices
    return found


def _choices(name: str, rule: ParameterRule) -> list[Any]:
    if rule.values:
        return list(rule.values)
    ends = dict.fromkeys(end for end in (rule.minimum, rule.maximum) if end is not None)
    if ends and name in NUMBERS | INTEGERS:
        return [int(end) if float(end).is_integer() else end for end in ends]
    if name in BOOLEANS:
        return [False, True]
    return [] if rule.default is None else [rule.default]


def _value_sets(choices: dict[str, list[Any]], priced: Iterable[str]) -> Iterator[dict[str, Any]]:
    yield {}
    for name, values in choices.items():
        yield from ({name: value} for value in values)
    combined = [name for name in choices if name in set(priced)]
    others = [name for name in choices if name not in combined]
    pairs = [*itertools.product(combined, others)]
    for names in [combined, *pairs] if len(combined) > 1 else pairs:
        product = itertools.product(*(choices[name] for name in names))
        for values in itertools.islice(product, _MOST):
            yield dict(zip(names, values, strict=True))


def _input_sets(
    rule: OperationRule,
) -> Iterator[tuple[tuple[MediaInput, ...], dict[int, MediaFacts]]]:
    """Yield as few inputs as an operation needs, then those with one more of each role."""
    needed = [slot for slot in rule.inputs for _ in range(slot.minimum)]
    if len(needed) < rule.min_inputs:
        taken = [slot for slot in rule.inputs if slot.maximum]
        needed += taken[:1] * (rule.min_inputs - len(needed))
    yield _inputs(needed)
    for slot in rule.inputs:
        if needed.count(slot) < slot.maximum:
            yield _inputs([*needed, slot])


def _inputs(slots: list[InputRule]) -> tuple[tuple[MediaInput, ...], dict[int, MediaFacts]]:
    inputs: list[MediaInput] = []
    facts: dict[int, MediaFacts] = {}
    for index, slot in enumerate(slots):
        facts[index] = _facts(slot)
        extension = facts[index].content_type.rpartition("/")[2]
        kind = slot.role.media_kind
        url = f"https://example.com/{index}.{_EXTENSIONS.get(extension, extension)}"
        inputs.append(MediaInput(role=slot.role, kind=kind, url=url))
    return tuple(inputs), facts


_EXTENSIONS = {"jpeg": "jpg", "mpeg": "mp3"}


def _facts(slot: InputRule) -> MediaFacts:
    kind = slot.role.media_kind
    seconds = max(5.0, slot.min_seconds or 0.0)
    if kind is MediaKind.IMAGE:
        found = "png" if not slot.formats or "png" in slot.formats else slot.formats[0]
        return MediaFacts(
            kind=kind, content_type=f"image/{found}", byte_count=500_000, width=1024, height=1024
        )
    if kind is MediaKind.VIDEO:
        return MediaFacts(
            kind=kind,
            content_type="video/mp4",
            byte_count=5_000_000,
            width=1280,
            height=720,
            seconds=seconds,
            frames_per_second=24.0,
            video_codec="h264",
        )
    return MediaFacts(kind=kind, content_type="audio/mpeg", byte_count=100_000, seconds=seconds)


def _prompt(model: Model, operation: Operation) -> str | None:
    return None if model.prompt_rule(operation).use is PromptUse.UNUSED else _PROMPT
