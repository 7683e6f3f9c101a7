"""JSON Schema of the parameters that are lists of tables: elements and shots."""

from __future__ import annotations

from typing import Any

from mediawright.catalog.model import InputRule, ParameterRule
from mediawright.core.operations import MediaKind

_TEXT = {"type": "string", "minLength": 1}
_FILE_FIELDS = {
    MediaKind.IMAGE: "element_input_urls",
    MediaKind.VIDEO: "element_input_video_urls",
}


def list_schema(name: str, rule: ParameterRule) -> dict[str, Any]:
    """Return the schema of `kling_elements` (rule 36) or `shots` (rule 38).

    Args:
        name: The parameter.
        rule: The model's rule for it.
    """
    items = _element(rule.element_files) if name == "kling_elements" else _shot()
    schema: dict[str, Any] = {"type": "array", "minItems": 1, "items": items}
    if rule.max_items is not None:
        schema["maxItems"] = rule.max_items
    if rule.totals:
        schema["x-totals"] = list(rule.totals)
    if rule.note:
        schema["x-note"] = rule.note
    return schema


def _element(slots: tuple[InputRule, ...]) -> dict[str, Any]:
    files = {_FILE_FIELDS[slot.role.media_kind]: _files(slot) for slot in slots}
    return {
        "type": "object",
        "properties": {"name": _TEXT, "description": _TEXT, **files},
        "required": ["name", "description"],
        "oneOf": [{"required": [field]} for field in files],
        "additionalProperties": False,
    }


def _files(slot: InputRule) -> dict[str, Any]:
    limits = {
        "formats": list(slot.formats) or None,
        "max_bytes": slot.max_bytes,
        "min_side": slot.min_side,
    }
    return {
        "type": "array",
        "items": _TEXT,
        "minItems": slot.minimum,
        "maxItems": slot.maximum,
        "x-files": {limit: value for limit, value in limits.items() if value is not None},
    }


def _shot() -> dict[str, Any]:
    return {
        "type": "object",
        "properties": {
            "scene": _TEXT,
            "duration": {"type": "number", "exclusiveMinimum": 0, "x-unit": "seconds"},
        },
        "required": ["scene", "duration"],
        "additionalProperties": False,
    }
