"""What a model endpoint of fal is, and the fields that many of them share."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

from mediawright.sandbox.kit.fields import (
    Choice,
    Fault,
    Field,
    Flag,
    ListOf,
    Path,
    Record,
    Text,
    TextOr,
    Violation,
    Whole,
)

IMAGE_SIZES = {
    "square_hd": (1024, 1024),
    "square": (512, 512),
    "portrait_4_3": (768, 1024),
    "portrait_16_9": (576, 1024),
    "landscape_4_3": (1024, 768),
    "landscape_16_9": (1024, 576),
}
DEFAULT_IMAGE_SIZE = "landscape_4_3"
AUTO = "auto"
"""The size or ratio of the input picture."""
_LONGEST_SIDE = 14_142
_MOST_PIXELS = 4096 * 4096


class OutputForm(Enum):
    """How a model writes its output."""

    FLUX = "flux"
    """Images with timings, seed, safety flags and prompt."""
    SEEDED_IMAGES = "seeded_images"
    """Images and the seed."""
    BARE_IMAGES = "bare_images"
    """Images alone."""
    DESCRIBED_IMAGES = "described_images"
    """Images and a description."""
    REVISED_IMAGES = "revised_images"
    """Images and the prompt as the model understood it."""
    VIDEO = "video"


@dataclass(frozen=True, kw_only=True)
class Application:
    """One model endpoint."""

    rules: Record
    form: OutputForm
    defaults: Mapping[str, Any]
    """Values of fields that are left out and decide what is made."""
    pictures: tuple[str, ...] = ()
    """Fields that name input pictures by URL, the one to change or begin with first."""
    last_picture: str | None = None
    """The field that names the picture a video ends with."""
    files: tuple[str, ...] = ()
    """Fields that name other files by URL."""
    clip: str | None = None
    """The field that names the clip whose length the video takes."""
    has_safety_checker: bool = False
    """Whether it answers black pictures where others refuse."""


def _check_pixels(body: Mapping[str, Any], path: Path) -> Iterator[Violation]:
    if body["width"] * body["height"] > _MOST_PIXELS:
        message = f"the image must have at most {_MOST_PIXELS} pixels"
        yield Violation(fault=Fault.RULE, path=path, value=dict(body), message=message)


PROMPT = Text(shortest=1)
URL = Text(shortest=1)
_PIXELS = Record(
    required={
        "width": Whole(least=1, most=_LONGEST_SIDE),
        "height": Whole(least=1, most=_LONGEST_SIDE),
    },
    closed=False,
    rules=(_check_pixels,),
)
SIZE = TextOr(Choice(tuple(IMAGE_SIZES)), _PIXELS)
SIZE_OR_AUTO = TextOr(Choice((*IMAGE_SIZES, AUTO)), _PIXELS)
SAFETY_TOLERANCE = Choice(("1", "2", "3", "4", "5", "6"))


def urls(most: int, fewest: int = 1) -> ListOf:
    """Return the rule for a list of addresses."""
    return ListOf(item=URL, fewest=fewest, most=most)


def image_fields(*formats: str) -> dict[str, Field]:
    """Return the rules of fields that nearly every image model has."""
    return {
        "seed": Whole(),
        "num_images": Whole(least=1, most=4),
        "output_format": Choice(formats),
        "sync_mode": Flag(),
    }


def rules(*required: str, **optional: Field) -> Record:
    """Return the rules of an input; fal ignores fields that it does not know.

    Args:
        required: Fields that must be there: the prompt, and addresses; `image_urls` is a list.
        optional: Rules of the others, and of required fields with a rule of their own.
    """
    known: dict[str, Field] = {"prompt": PROMPT, "image_urls": urls(10)}
    return Record(
        required={name: optional.pop(name, known.get(name, URL)) for name in required},
        optional=optional,
        closed=False,
        null_is_absent=True,
    )
