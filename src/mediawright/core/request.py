"""The one request that every surface maps onto, and what may be reported about it."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

import msgspec

from mediawright.core.operations import EditMode, InputRole, MediaKind, Operation


class MediaInput(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True
):
    """A file the request refers to: one of ours by id, or a remote one by URL."""

    role: InputRole
    kind: MediaKind
    url: str | None = None
    asset_id: str | None = None
    name: str | None = None
    """The file's name as the caller knows it, for messages."""


class Element(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True
):
    """A person or thing that the prompt refers to as `@name`, shown by files (rule 36)."""

    name: str = ""
    description: str = ""
    element_input_urls: tuple[str, ...] = ()
    """Pictures of it, each a public URL or the id of an asset."""
    element_input_video_urls: tuple[str, ...] = ()
    """A video of it in place of pictures."""


class Shot(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True
):
    """One scene of a storyboard (rule 38)."""

    scene: str = ""
    """What is to be seen."""
    duration: float = 0.0
    """Seconds."""


class Parameters(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True
):
    """What can be tuned, under one name for every model; `None` means not given."""

    aspect_ratio: str | None = None
    """Width to height, such as `16:9`, or `auto`, or `adaptive`."""
    size: str | None = None
    """Pixels as `WIDTHxHEIGHT`."""
    resolution: str | None = None
    """A tier, such as `1K`, `2K`, `480p`, `1080p`."""
    quality: str | None = None
    duration: float | None = None
    """Length of the output in seconds."""
    sound: bool | None = None
    """Whether a video should carry generated sound."""
    seed: int | None = None
    negative_prompt: str | None = None
    count: int | None = None
    """How many outputs to make."""
    style: str | None = None
    strength: float | None = None
    """How far an image-to-image result may move from its picture, 0 to 1."""
    guidance_scale: float | None = None
    steps: int | None = None
    edit_mode: EditMode | None = None
    background: str | None = None
    voice: str | None = None
    speed: float | None = None
    """Speaking rate; 1 is normal."""
    language: str | None = None
    """ISO 639-1 code of the spoken language."""
    instructions: str | None = None
    """How a voice should speak."""
    lyrics: str | None = None
    instrumental: bool | None = None
    output_format: str | None = None
    """File format of the output, such as `png`, `mp4`, `mp3`, `wav`."""
    timestamps: str | None = None
    """Detail of a transcript's times: `none`, `word` or `segment`."""
    enhance_prompt: bool | None = None
    """Whether the provider may rewrite the prompt before it is used."""
    turbo: bool | None = None
    """Whether to work faster, with less care (rule 35)."""
    raw: bool | None = None
    """Whether the picture is to look less processed."""
    safety_tolerance: int | None = None
    """How much the provider's checker lets through; more is laxer, the range is the model's."""
    disable_safety_checker: bool | None = None
    """Whether to leave out the provider's check of what is shown (rule 35)."""
    watermark: bool | None = None
    """Whether the output is visibly marked as generated (rule 57)."""
    return_last_frame: bool | None = None
    """Whether a video's last picture comes back too, so that another can go on (rule 57)."""
    web_search: bool | None = None
    """Whether the provider may look things up on the web (rule 57)."""
    camera_fixed: bool | None = None
    """Whether the camera stands still."""
    loop: bool | None = None
    """Whether a video ends as it begins."""
    loras: tuple[dict[str, Any], ...] | None = None
    """Adapters to mix in: tables of `path` (URL or repository) and `scale` (1 is full)."""
    lyrics_optimizer: bool | None = None
    """Whether the provider may write the words to sing where none are given."""
    sample_rate: int | None = None
    """Samples of sound per second."""
    bit_rate: int | None = None
    """Bits of coded sound per second."""
    punctuate: bool | None = None
    """Whether a transcript gets punctuation and capitals."""
    smart_format: bool | None = None
    """Whether a transcript writes numbers, dates and the like as people do."""
    diarize: bool | None = None
    """Whether a transcript tells the speakers apart."""
    utterances: bool | None = None
    """Whether a transcript is cut where the speech pauses."""
    kling_elements: tuple[Element, ...] | None = None
    """What the prompt may refer to as `@name` (rule 36)."""
    shots: tuple[Shot, ...] | None = None
    """The scenes of a storyboard, which make up its duration (rule 38)."""
    vendor: dict[str, dict[str, Any]] | None = None
    """Settings passed to one provider untouched: `{"fal": {"acceleration": "high"}}`."""


class FallbackPolicy(StrEnum):
    """When another provider is tried after one that surely did not take the request."""

    NONE = "none"
    """Never: the first route that is set up here is the only one."""
    ON_OUTAGE = "on_outage"
    """When it is down, its account is the trouble, or it has no room."""
    ON_REFUSAL = "on_refusal"
    """Also when it refuses the request for what it asks."""


class GenerationRequest(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True
):
    """A request for generated media, whatever surface it came through."""

    model: str
    operation: Operation | None = None
    """What to do; `None` lets the model and the inputs decide."""
    prompt: str | None = None
    inputs: tuple[MediaInput, ...] = ()
    parameters: Parameters = Parameters()
    provider: str | None = None
    """The provider to use and no other (rule 73); `None` leaves the choice to the routes."""
    fallback: FallbackPolicy = FallbackPolicy.ON_OUTAGE
    """When the next route is tried, where no provider is named."""
    output_path: str | None = None
    """Where in the drive the file goes (rule 61); `None` lets the library name it."""
    metadata: dict[str, str] = {}
    """The caller's own labels, such as `conversation_id` and `persona` (rule 83)."""


class AdjustmentKind(StrEnum):
    """How a request differs from what was asked."""

    DROPPED = "dropped"
    ROUNDED = "rounded"
    CLAMPED = "clamped"
    REPLACED = "replaced"
    DEFAULTED = "defaulted"
    WARNED = "warned"


class Adjustment(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One thing that will be done otherwise than asked, and why."""

    kind: AdjustmentKind
    pointer: str
    """JSON pointer into the request, such as `/parameters/seed`."""
    reason: str
    requested: Any = None
    applied: Any = None


def given_parameters(parameters: Parameters) -> dict[str, Any]:
    """Return the parameters the caller set, by name, without `vendor`."""
    return {
        name: value
        for name in parameters.__struct_fields__
        if name != "vendor" and (value := getattr(parameters, name)) is not None
    }
