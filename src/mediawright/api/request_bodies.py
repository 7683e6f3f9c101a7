"""The shapes of requests, as the OpenAPI document shows them."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field
from pydantic_core import PydanticCustomError

from mediawright.api.texts import Text, readable
from mediawright.catalog.values import read_seconds
from mediawright.core.operations import EditMode, InputRole
from mediawright.core.request import FallbackPolicy

_MOST_ITEMS = 64


def _as_list(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


def _seconds(value: Any) -> Any:
    if value is None:
        return None
    seconds = read_seconds(value)
    if seconds is None:
        raise PydanticCustomError("seconds", "It must be seconds, such as 5 or 5s.")
    return seconds


Seconds = Annotated[float, BeforeValidator(_seconds, json_schema_input_type=float | str)]
Urls = Annotated[
    list[Text],
    Field(max_length=_MOST_ITEMS),
    BeforeValidator(_as_list, json_schema_input_type=str | list[str]),
]
Labels = Annotated[dict[Text, Text], Field(max_length=_MOST_ITEMS)]
VendorSettings = Annotated[dict[str, dict[str, Any]], AfterValidator(readable)]


class _Request(BaseModel):
    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)


class InputBody(_Request):
    """One input file: a URL or the id of an asset, and what it is for."""

    url: Text | None = None
    asset_id: Text | None = None
    role: InputRole | None = Field(default=None, description="By default the kind of file decides.")


class ElementBody(_Request):
    """A person or thing that the prompt refers to as `@name`, shown by pictures or a video."""

    name: Text | None = None
    description: Text | None = None
    element_input_urls: Annotated[list[Text], Field(max_length=_MOST_ITEMS)] | None = Field(
        default=None, description="Pictures by URL or asset id."
    )
    element_input_video_urls: Annotated[list[Text], Field(max_length=_MOST_ITEMS)] | None = Field(
        default=None, description="A video by URL or asset id, in place of pictures."
    )


class ShotBody(_Request):
    """One scene of a storyboard."""

    scene: Text | None = None
    duration: Seconds | None = None


class LoraBody(_Request):
    """An adapter to mix into a model: where its weights are, and how much of it."""

    path: Text
    scale: float | None = None


class QuoteBody(_Request):
    """A request for generated media, to be checked and priced."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "prompt": "A futuristic city at sunset with flying cars",
                    "model": "local-sketch-image",
                    "generation_type": "text-to-image",
                    "aspect_ratio": "16:9",
                }
            ]
        }
    )

    prompt: Text | None = Field(
        default=None, description="What is wanted, or the text to speak; most models need it."
    )
    model: Text = Field(description="A model of `GET /v1/models`.")
    generation_type: Text | None = Field(
        default=None,
        description="Such as `text-to-image`; by default the model and the inputs decide.",
    )
    source_media_urls: Urls | None = Field(
        default=None,
        description="Input files by URL or asset id; `inputs` can say more about each.",
    )
    inputs: Annotated[list[InputBody], Field(max_length=_MOST_ITEMS)] | None = Field(
        default=None, description="Input files, after those of `source_media_urls`."
    )
    provider: Text | None = Field(default=None, description="This provider and no other.")
    fallback: FallbackPolicy | None = Field(
        default=None,
        description="When another provider is tried after one that surely did not take it: "
        "`none`, `on_outage` (the default), or `on_refusal`, which includes outages.",
    )
    file_path: Text | None = Field(default=None, description="Where in the drive the file goes.")
    metadata: Labels | None = Field(
        default=None, description="Your own labels, such as `conversation_id` and `persona`."
    )
    negative_prompt: Text | None = None
    aspect_ratio: Text | None = Field(default=None, examples=["16:9"])
    size: Text | None = Field(default=None, examples=["1024x1024"])
    resolution: Text | None = Field(default=None, examples=["1K", "720p"])
    quality: Text | None = None
    duration: Seconds | None = Field(
        default=None, description="Seconds, as a number or as `5s`.", examples=["5s", 5]
    )
    sound: bool | None = None
    seed: int | None = None
    count: int | None = None
    n: int | None = Field(default=None, description="Another name for `count`.")
    style: Text | None = None
    strength: float | None = None
    guidance_scale: float | None = None
    steps: int | None = None
    edit_mode: EditMode | None = None
    background: Text | None = None
    voice: Text | None = None
    speed: float | None = None
    language: Text | None = None
    instructions: Text | None = None
    lyrics: Text | None = None
    instrumental: bool | None = None
    output_format: Text | None = None
    timestamps: Text | None = None
    enhance_prompt: bool | None = None
    turbo: bool | None = None
    raw: bool | None = None
    safety_tolerance: int | None = None
    disable_safety_checker: bool | None = None
    watermark: bool | None = None
    return_last_frame: bool | None = None
    web_search: bool | None = None
    camera_fixed: bool | None = None
    loop: bool | None = None
    loras: Annotated[list[LoraBody], Field(max_length=_MOST_ITEMS)] | None = None
    lyrics_optimizer: bool | None = None
    sample_rate: int | None = None
    bit_rate: int | None = None
    punctuate: bool | None = None
    smart_format: bool | None = None
    diarize: bool | None = None
    utterances: bool | None = None
    kling_elements: Annotated[list[ElementBody], Field(max_length=_MOST_ITEMS)] | None = Field(
        default=None, description="What the prompt refers to as `@name`."
    )
    shots: Annotated[list[ShotBody], Field(max_length=_MOST_ITEMS)] | None = Field(
        default=None, description="The scenes of a storyboard, which set its duration."
    )
    vendor: VendorSettings | None = Field(
        default=None, description="Settings passed untouched to one provider, by its name."
    )


class GenerateBody(QuoteBody):
    """A request for generated media."""

    quote: Text | None = Field(
        default=None,
        description="The id of a quote of this request: no more is charged than it says.",
    )
