"""A model's parameters as JSON Schema, for the API, the command line and forms."""

from __future__ import annotations

from typing import Any

from mediawright.catalog.list_schemas import list_schema
from mediawright.catalog.model import Model, ParameterRule, SizeRule
from mediawright.catalog.parameter_values import BOOLEANS, INTEGERS, LISTS, NUMBERS
from mediawright.catalog.parameters import PARAMETERS
from mediawright.core.operations import Operation

DIALECT = "https://json-schema.org/draft/2020-12/schema"

_SIZE_PATTERN = "^[1-9][0-9]{0,5}x[1-9][0-9]{0,5}$"
_RATIO_PATTERN = "^[0-9]+(\\.[0-9]+)?:[0-9]+(\\.[0-9]+)?$"
_UNITS = {
    "duration": "seconds",
    "count": "outputs",
    "sample_rate": "Hz",
    "bit_rate": "bits per second",
}
_LORA = {
    "type": "object",
    "properties": {"path": {"type": "string", "minLength": 1}, "scale": {"type": "number"}},
    "required": ["path"],
    "additionalProperties": False,
}
_DESCRIPTIONS = {
    "aspect_ratio": "Width to height.",
    "size": "Pixels as WIDTHxHEIGHT; takes the place of aspect ratio and resolution.",
    "resolution": "The tier of the output's size.",
    "quality": "The tier of the output's quality.",
    "duration": "Length of the output.",
    "sound": "Whether the video carries generated sound.",
    "seed": "The same seed and request give the same or a similar result.",
    "negative_prompt": "What should not be there.",
    "count": "How many outputs to make.",
    "style": "The style of the picture.",
    "strength": "How far the result may move from the input picture.",
    "guidance_scale": "How closely the prompt is followed.",
    "steps": "How many steps the model takes.",
    "edit_mode": "What to do with the picture.",
    "background": "What is behind the subject.",
    "voice": "Who speaks.",
    "speed": "Speaking rate; 1 is normal.",
    "language": "The spoken language.",
    "instructions": "How to speak.",
    "lyrics": "The words to sing.",
    "instrumental": "Leave singing out.",
    "output_format": "File format of the output.",
    "timestamps": "Detail of the transcript's times.",
    "enhance_prompt": "Let the provider rewrite the prompt before it is used.",
    "turbo": "Work faster, with less care.",
    "raw": "A less processed, more natural look.",
    "safety_tolerance": "How much the provider's checker lets through; more is laxer.",
    "disable_safety_checker": "Leave out the provider's check of what is shown.",
    "watermark": "Mark the output visibly as generated.",
    "return_last_frame": "Give the last picture of the video back too.",
    "web_search": "Let the provider look things up on the web.",
    "camera_fixed": "Keep the camera still.",
    "loop": "Let the video end as it begins.",
    "kling_elements": "What the prompt refers to as @name, each shown by pictures or a video.",
    "shots": "The scenes, in order; together they set the duration.",
    "loras": "Adapters to mix in, each with its path and scale.",
    "lyrics_optimizer": "Let the provider write the words to sing where none are given.",
    "sample_rate": "Samples of sound per second.",
    "bit_rate": "Bits of coded sound per second.",
    "punctuate": "Write punctuation and capitals.",
    "smart_format": "Write numbers, dates and the like as people do.",
    "diarize": "Tell the speakers apart.",
    "utterances": "Cut the transcript where the speech pauses.",
}


def parameter_schema(model: Model, operation: Operation | None = None) -> dict[str, Any]:
    """Return the JSON Schema (draft 2020-12) of the parameters a model honours.

    A parameter whose rule differs between operations becomes an `anyOf` whose members name
    theirs under `x-operations`. Other words for a value are listed under `x-aliases`.

    Args:
        model: The model.
        operation: Only what this operation honours; all operations where not given.
    """
    operations = [operation] if operation is not None else list(model.operations)
    properties: dict[str, Any] = {}
    required: list[str] = []
    for name in PARAMETERS:
        rules = {item: model.parameter(name, item) for item in operations}
        honoured = {item: rule for item, rule in rules.items() if rule is not None}
        if not honoured:
            continue
        properties[name] = _property(name, honoured, everywhere=len(honoured) == len(rules))
        if len(honoured) == len(rules) and all(rule.required for rule in honoured.values()):
            required.append(name)
    schema: dict[str, Any] = {
        "$schema": DIALECT,
        "title": f"Parameters of {model.title}",
        "type": "object",
        "properties": properties,
        "additionalProperties": False,
    }
    if required:
        schema["required"] = required
    return schema


def _property(
    name: str, rules: dict[Operation, ParameterRule], *, everywhere: bool
) -> dict[str, Any]:
    groups: list[tuple[ParameterRule, list[str]]] = []
    for operation, rule in rules.items():
        for known, names in groups:
            if known == rule:
                names.append(operation.value)
                break
        else:
            groups.append((rule, [operation.value]))
    description = _DESCRIPTIONS[name]
    if len(groups) == 1:
        single = {"description": description, **_rule_schema(name, groups[0][0])}
        return single if everywhere else {**single, "x-operations": groups[0][1]}
    members = [{**_rule_schema(name, rule), "x-operations": names} for rule, names in groups]
    return {"description": description, "anyOf": members}


def _rule_schema(name: str, rule: ParameterRule) -> dict[str, Any]:
    schema: dict[str, Any] = {"type": _json_type(name, rule)}
    if rule.fixed is not None:
        schema["const"] = _plain(rule.fixed)
        return schema
    if name in LISTS:
        if name != "loras":
            return list_schema(name, rule)
        items = {"type": "array", "items": _LORA}
        return items if rule.max_items is None else {**items, "maxItems": rule.max_items}
    pattern = _pattern(rule)
    if rule.values and pattern:
        del schema["type"]
        schema["anyOf"] = [
            {"type": "string", "enum": list(rule.values)},
            {"type": "string", "pattern": pattern},
        ]
    elif rule.values:
        schema["enum"] = list(rule.values)
    elif pattern:
        schema["pattern"] = pattern
    bounds = {} if rule.any_ratio else {"minimum": rule.minimum, "maximum": rule.maximum}
    more = {**bounds, "maxLength": rule.max_length, "default": rule.default}
    schema.update({key: _plain(value) for key, value in more.items() if value is not None})
    return {**schema, **_extras(name, rule)}


def _plain(value: Any) -> Any:
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _extras(name: str, rule: ParameterRule) -> dict[str, Any]:
    extras: dict[str, Any] = {}
    if rule.size is not None:
        extras["x-size"] = _size_limits(rule.size)
    if rule.aliases:
        extras["x-aliases"] = dict(rule.aliases)
    if name in _UNITS:
        extras["x-unit"] = _UNITS[name]
    if rule.note:
        extras["x-note"] = rule.note
    return extras


def _json_type(name: str, rule: ParameterRule) -> str:
    if name in BOOLEANS:
        return "boolean"
    if name in INTEGERS or (name in NUMBERS and rule.whole):
        return "integer"
    return "number" if name in NUMBERS else "string"


def _pattern(rule: ParameterRule) -> str | None:
    if rule.size is not None:
        return _SIZE_PATTERN
    if rule.any_ratio:
        return _RATIO_PATTERN
    return f"^(?:{rule.pattern})$" if rule.pattern is not None else None


def _size_limits(rule: SizeRule) -> dict[str, Any]:
    limits = {
        "multiple_of": rule.multiple_of,
        "min_side": rule.min_side,
        "max_side": rule.max_side,
        "min_pixels": rule.min_pixels,
        "max_pixels": rule.max_pixels,
        "max_ratio": rule.max_ratio,
    }
    return {name: limit for name, limit in limits.items() if limit is not None}
