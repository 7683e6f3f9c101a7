"""The pictures that an edit starts from: parts of a form, data URLs, URLs or file ids."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from mediawright.sandbox.emulators.openai.files import FileStore
from mediawright.sandbox.emulators.openai.models import ImageModel
from mediawright.sandbox.emulators.openai.wire import invalid
from mediawright.sandbox.kit.bodies import Body, Part
from mediawright.sandbox.kit.pictures import PictureFacts, picture_facts
from mediawright.sandbox.kit.shelf import FetchError, Shelf

_TYPES = ("image/jpeg", "image/png", "image/webp")
_LARGEST_IMAGE = 50 * 1024 * 1024
_LARGEST_MASK = 4 * 1024 * 1024
_MOST_IMAGES = 16
_NUMBERS = frozenset(
    {"n", "output_compression", "frame_count", "frame_duration_ms", "partial_images"}
)
_FLAGS = {"true": True, "false": False}
IMAGE_PARTS = ("image", "image[]")
_FILE_PARTS = (*IMAGE_PARTS, "mask", "markup")


@dataclass(frozen=True, kw_only=True)
class Pictures:
    """The pictures of an edit."""

    images: tuple[bytes, ...]
    mask: bytes | None = None
    """Its transparent pixels mark what is to change."""


def form_fields(body: Body) -> dict[str, Any]:
    """Return the text parts of a form with the types that JSON would have given them."""
    fields: dict[str, Any] = {}
    for part in body.parts:
        if part.name.startswith("svg["):
            fields["svg"] = {}
        elif part.name not in _FILE_PARTS:
            fields[part.name] = _typed(part.name, part.text)
    return fields


def form_pictures(body: Body, model: ImageModel) -> Pictures:
    """Return the pictures of a form.

    Raises:
        VendorError: If they are missing or break a rule.
    """
    parts = body.files(*IMAGE_PARTS)
    if not parts:
        raise invalid("Missing required parameter: 'image'.", "image", "missing_required_parameter")
    if len(parts) > _MOST_IMAGES:
        raise invalid(
            f"Invalid 'image': array too long. Expected an array with maximum length "
            f"{_MOST_IMAGES}, but got an array with length {len(parts)} instead.",
            "image",
            "array_above_max_length",
        )
    facts = [_checked_part(part, "image", index) for index, part in enumerate(parts)]
    images = tuple(part.data for part in parts)
    masks, markups = body.files("mask"), body.files("markup")
    if markups:
        _check_markup(markups[0], facts[0], model, with_mask=bool(masks))
        images = (*images, markups[0].data)
    if masks:
        _check_mask(_checked_part(masks[0], "mask", 0), len(masks[0].data), facts[0])
    return Pictures(images=images, mask=masks[0].data if masks else None)


async def json_pictures(fields: dict[str, Any], files: FileStore, shelf: Shelf) -> Pictures:
    """Return the pictures that a JSON body refers to; the body kept its rules.

    Raises:
        VendorError: If one cannot be had or breaks a rule.
    """
    images: list[bytes] = []
    facts: list[PictureFacts] = []
    for index, reference in enumerate(fields["images"]):
        data = await _load(reference, f"images[{index}]", files, shelf)
        facts.append(_facts(data, "images", index))
        images.append(data)
    mask = fields.get("mask")
    if mask is None:
        return Pictures(images=tuple(images))
    data = await _load(mask, "mask", files, shelf)
    _check_mask(_facts(data, "mask", 0), len(data), facts[0])
    return Pictures(images=tuple(images), mask=data)


def _typed(name: str, text: str) -> Any:
    if name == "stream":
        return _FLAGS.get(text.lower(), text)
    if name in _NUMBERS:
        try:
            return int(text)
        except ValueError:
            return text
    return text


def _checked_part(part: Part, param: str, index: int) -> PictureFacts:
    content_type = (part.content_type or "application/octet-stream").partition(";")[0]
    if content_type not in _TYPES:
        raise invalid(
            f"Invalid file '{param}': unsupported mimetype ('{content_type}'). Supported file "
            "formats are 'image/jpeg', 'image/png', and 'image/webp'.",
            param,
            "unsupported_file_mimetype",
        )
    if len(part.data) > _LARGEST_IMAGE:
        message = f"Invalid file '{param}': file too large. Expected less than 50MB."
        raise invalid(message, param, "file_too_large")
    return _facts(part.data, param, index)


def _facts(data: bytes, param: str, index: int) -> PictureFacts:
    facts = picture_facts(data)
    if facts is None or facts.content_type not in _TYPES:
        message = f"Invalid image file or mode for image {index + 1}, please check your image file."
        raise invalid(message, param, "invalid_image_file")
    return facts


def _check_mask(mask: PictureFacts, size: int, first: PictureFacts) -> None:
    if mask.content_type != "image/png" or not mask.has_alpha:
        message = "Invalid mask image format - mask image must be a PNG with an alpha channel."
        raise invalid(message, "mask", "invalid_image_format")
    if size > _LARGEST_MASK:
        message = "Invalid file 'mask': file too large. Expected less than 4MB."
        raise invalid(message, "mask", "file_too_large")
    if (mask.width, mask.height) != (first.width, first.height):
        message = "Invalid mask image: mask size does not match image size."
        raise invalid(message, "mask", "invalid_mask_image_size")


def _check_markup(part: Part, first: PictureFacts, model: ImageModel, *, with_mask: bool) -> None:
    if not model.markup:
        message = "Unsupported parameter: 'markup' is not supported with this model."
        raise invalid(message, "markup", "unsupported_parameter")
    if with_mask:
        raise invalid("'markup' cannot be combined with 'mask'.", "markup")
    markup = _checked_part(part, "markup", 0)
    if markup.content_type != "image/png" or not markup.has_alpha:
        message = "Invalid markup image format - markup must be a transparent PNG."
        raise invalid(message, "markup", "invalid_image_format")
    if (markup.width, markup.height) != (first.width, first.height):
        raise invalid("Invalid markup image: its size does not match the image.", "markup")


async def _load(reference: dict[str, Any], param: str, files: FileStore, shelf: Shelf) -> bytes:
    url, file_id = reference.get("image_url"), reference.get("file_id")
    if (url is None) == (file_id is None):
        message = f"Invalid '{param}': exactly one of 'image_url' or 'file_id' must be given."
        raise invalid(message, param)
    if file_id is not None:
        return files.data(file_id, param)
    if not isinstance(url, str) or not url.startswith(("https://", "http://", "data:")):
        raise invalid(f"Invalid '{param}.image_url': not a valid URL.", f"{param}.image_url")
    try:
        return (await shelf.fetch(url)).data
    except FetchError as error:
        message = f"Error while downloading the file of '{param}': {error}."
        raise invalid(message, f"{param}.image_url", "invalid_image_url") from None
