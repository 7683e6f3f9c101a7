"""What requests for images may say."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from mediawright.sandbox.emulators.openai.models import FINE_QUALITIES, IMAGE_MODELS, ImageModel
from mediawright.sandbox.emulators.openai.wire import (
    broken_rule,
    invalid,
    model_not_found,
    supported_values,
)
from mediawright.sandbox.kit.call import Call, VendorError
from mediawright.sandbox.kit.fields import Choice, Field, Flag, ListOf, Record, Text, Whole

FORMATS = ("png", "jpeg", "webp")
_PREVIEW_FORMATS = ("gif", "svg")
_FIXED_SIZES = ("1024x1024", "1024x1536", "1536x1024", "auto")
_DEFAULT_MODEL = "dall-e-2"
"""Still the documented default, though retired: who names no model gets nothing."""

_SIZE = re.compile(r"([1-9]\d{0,4})x([1-9]\d{0,4})")
_SIDE_STEP = 16
_LONGEST_SIDE = 3840
_FEWEST_PIXELS = 655_360
_MOST_PIXELS = 8_294_400
_WIDEST = 3

_PROMPT = Text(shortest=1, longest=32_000)
_SHARED: dict[str, Field] = {
    "model": Text(),
    "n": Whole(least=1, most=10),
    "size": Text(),
    "quality": Choice(FINE_QUALITIES),
    "complexity": Choice(("low", "medium", "high")),
    "background": Choice(("transparent", "opaque", "auto")),
    "output_format": Choice((*FORMATS, *_PREVIEW_FORMATS)),
    "output_compression": Whole(least=0, most=100),
    "frame_count": Whole(least=2, most=16),
    "frame_duration_ms": Whole(least=1),
    "svg": Record(closed=False),
    "stream": Flag(),
    "partial_images": Whole(least=0, most=3),
    "safety_identifier": Text(longest=128),
    "user": Text(),
}
_MODERATION = Choice(("auto", "low"))
_PICTURE = Record(
    optional={"image_url": Text(longest=20_971_520), "file_id": Text(shortest=1)},
    null_is_absent=True,
)

GENERATION = Record(
    required={"prompt": _PROMPT},
    optional={**_SHARED, "moderation": _MODERATION},
    null_is_absent=True,
)
EDIT_FORM = Record(
    required={"prompt": _PROMPT},
    optional={**_SHARED, "input_fidelity": Choice(("high", "low"))},
    null_is_absent=True,
)
EDIT_JSON = Record(
    required={"prompt": _PROMPT, "images": ListOf(item=_PICTURE, fewest=1, most=16)},
    optional={
        **_SHARED,
        "mask": _PICTURE,
        "moderation": _MODERATION,
        "input_fidelity": Choice(("high", "low")),
    },
    null_is_absent=True,
)


@dataclass(frozen=True, kw_only=True)
class ImageOrder:
    """A valid request for images."""

    prompt: str
    model: ImageModel
    count: int
    width: int
    """Pixels."""
    height: int
    """Pixels."""
    quality: str
    output_format: str
    transparent: bool
    streams: bool
    partial_images: int
    safety_identifier: str | None

    @property
    def size(self) -> str:
        """The size as OpenAI writes it."""
        return f"{self.width}x{self.height}"

    @property
    def background(self) -> str:
        """The background as OpenAI reports it."""
        return "transparent" if self.transparent else "opaque"


def json_fields(call: Call) -> dict[str, Any]:
    """Return the members of a request's JSON body.

    Raises:
        VendorError: If there is no JSON object.
    """
    if call.body.fields is None:
        raise invalid(
            "We could not parse the JSON body of your request. (HINT: This likely means you "
            "aren't using your HTTP library correctly. The OpenAI API expects a JSON payload.)",
            None,
            None,
        )
    return call.body.fields


def read_order(fields: Mapping[str, Any], rules: Record) -> ImageOrder:
    """Return what a request asks for.

    Raises:
        VendorError: If it breaks a rule.
    """
    model = _model(fields)
    for violation in rules.check(fields):
        raise broken_rule(violation)
    given = {name: value for name, value in fields.items() if value is not None}
    _check_model(given, model)
    _check_output(given)
    width, height = _size(given.get("size", "auto"), model)
    quality = given.get("quality", "auto")
    return ImageOrder(
        prompt=given["prompt"],
        model=model,
        count=int(given.get("n", 1)),
        width=width,
        height=height,
        quality="medium" if quality == "auto" else quality,
        output_format=given.get("output_format", "png"),
        transparent=given.get("background") == "transparent",
        streams=bool(given.get("stream", False)),
        partial_images=int(given.get("partial_images", 0)),
        safety_identifier=given.get("safety_identifier") or given.get("user"),
    )


def _model(fields: Mapping[str, Any]) -> ImageModel:
    name = fields.get("model") or _DEFAULT_MODEL
    model = IMAGE_MODELS.get(name) if isinstance(name, str) else None
    if model is None:
        raise model_not_found(str(name))
    return model


def _check_model(given: Mapping[str, Any], model: ImageModel) -> None:
    quality = given.get("quality", "auto")
    if quality not in model.qualities:
        raise supported_values(quality, model.qualities, "quality")
    if "complexity" in given and not model.complexity:
        raise _unsupported("complexity", given["model"])
    fidelity = given.get("input_fidelity")
    if fidelity is not None and not model.fidelities:
        raise _unsupported("input_fidelity", given["model"])
    if fidelity is not None and fidelity not in model.fidelities:
        raise supported_values(fidelity, model.fidelities, "input_fidelity")


def _check_output(given: Mapping[str, Any]) -> None:
    output_format = given.get("output_format", "png")
    if output_format in _PREVIEW_FORMATS:
        message = f"Your project does not have access to '{output_format}' output."
        raise invalid(message, "output_format")
    for name in ("frame_count", "frame_duration_ms", "svg"):
        if name in given:
            needed = "svg" if name == "svg" else "gif"
            raise invalid(f"'{name}' is only supported with output_format '{needed}'.", name)
    if given.get("background") == "transparent" and output_format == "jpeg":
        message = "Transparent background is not supported for 'jpeg' output format."
        raise invalid(message, "background")
    if output_format == "png" and given.get("output_compression", 100) != 100:  # noqa: PLR2004 - percent
        message = "Compression less than 100 is not supported for PNG output format."
        raise invalid(message, "output_compression")
    if given.get("partial_images") and not given.get("stream"):
        raise invalid("'partial_images' is only supported when streaming.", "partial_images")


def _size(text: str, model: ImageModel) -> tuple[int, int]:
    if text == "auto":
        return 1024, 1024
    match = _SIZE.fullmatch(text)
    if match is None or (not model.any_size and text not in _FIXED_SIZES):
        raise supported_values(text, _FIXED_SIZES, "size")
    width, height = int(match[1]), int(match[2])
    problem = _size_problem(width, height) if model.any_size else None
    if problem is not None:
        raise invalid(f"Invalid size '{text}'. {problem}", "size")
    return width, height


def _size_problem(width: int, height: int) -> str | None:
    if width % _SIDE_STEP or height % _SIDE_STEP:
        return "Width and height must both be divisible by 16."
    if max(width, height) > _LONGEST_SIDE:
        return f"The longest edge must be at most {_LONGEST_SIDE} pixels."
    if max(width, height) > _WIDEST * min(width, height):
        return "The aspect ratio must be between 1:3 and 3:1."
    if not _FEWEST_PIXELS <= width * height <= _MOST_PIXELS:
        return f"The total number of pixels must be between {_FEWEST_PIXELS} and {_MOST_PIXELS}."
    return None


def _unsupported(parameter: str, model: str) -> VendorError:
    message = f"Unsupported parameter: '{parameter}' is not supported with the model '{model}'."
    return invalid(message, parameter, "unsupported_parameter")
