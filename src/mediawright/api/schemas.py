"""The shapes of requests and replies, as the OpenAPI document shows them."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from mediawright.core.operations import EditMode, InputRole

Number = int | float


class _Request(BaseModel):
    model_config = ConfigDict(extra="forbid")


class _Reply(BaseModel):
    model_config = ConfigDict(extra="allow")


class InputBody(_Request):
    """One input file: a URL or the id of an asset, and what it is for."""

    url: str | None = None
    asset_id: str | None = None
    role: InputRole | None = Field(default=None, description="By default the kind of file decides.")


class GenerateBody(_Request):
    """A request for generated media."""

    prompt: str | None = Field(default=None, description="What is wanted, or the text to speak.")
    model: str = Field(description="A model of `GET /v1/models`.")
    generation_type: str | None = Field(
        default=None,
        description="Such as `text-to-image`; by default the model and the inputs decide.",
    )
    source_media_urls: str | list[str] | None = Field(
        default=None, description="Input files by URL; `inputs` can say more about each."
    )
    inputs: list[InputBody] | None = None
    provider: str | None = Field(default=None, description="This provider and no other.")
    file_path: str | None = Field(default=None, description="Where in the drive the file goes.")
    metadata: dict[str, str] | None = Field(
        default=None, description="Your own labels, such as `conversation_id` and `persona`."
    )
    negative_prompt: str | None = None
    aspect_ratio: str | None = Field(default=None, examples=["16:9"])
    size: str | None = Field(default=None, examples=["1024x1024"])
    resolution: str | None = Field(default=None, examples=["1K", "720p"])
    quality: str | None = None
    duration: str | Number | None = Field(
        default=None, description="Seconds, as a number or as `5s`."
    )
    sound: bool | None = None
    seed: int | None = None
    count: int | None = None
    n: int | None = Field(default=None, description="Another name for `count`.")
    style: str | None = None
    strength: float | None = None
    guidance_scale: float | None = None
    steps: int | None = None
    edit_mode: EditMode | None = None
    background: str | None = None
    voice: str | None = None
    speed: float | None = None
    language: str | None = None
    instructions: str | None = None
    lyrics: str | None = None
    instrumental: bool | None = None
    output_format: str | None = None
    timestamps: str | None = None
    vendor: dict[str, dict[str, Any]] | None = Field(
        default=None, description="Settings passed untouched to one provider, by its name."
    )


class DimensionsBody(_Reply):
    """Pixels."""

    width: int
    height: int


class AssetBody(_Reply):
    """A stored file; its facts were probed from its bytes."""

    asset_id: str
    generation_id: str | None
    url: str | None
    thumbnail_url: str | None
    optimized_url: str | None
    media_type: str
    kind: str
    dimensions: DimensionsBody | None
    bytes: int
    seconds: float | None
    frames_per_second: float | None
    video_codec: str | None
    audio_codec: str | None
    channels: int | None
    sample_rate: int | None
    sha256: str
    text: str | None
    seed: int | None
    revised_prompt: str | None
    created_at: str


class PriceBody(_Reply):
    """A price; `null` means unknown, never zero."""

    credits: Number | None
    usd: Number | None
    basis: str
    price_book_date: str | None
    explanation: str


class AdjustmentBody(_Reply):
    """Something that is done otherwise than asked."""

    kind: str
    pointer: str
    reason: str
    requested: Any = None
    applied: Any = None


class ProblemBody(_Reply):
    """Why a generation brought nothing."""

    code: str
    message: str
    pointer: str | None = None
    hint: str | None = None
    details: dict[str, Any] = Field(default_factory=dict)


class GenerationBody(_Reply):
    """A generation."""

    generation_id: str
    status: Annotated[
        str, Field(examples=["pending", "queued", "processing", "completed", "failed", "cancelled"])
    ]
    state: str
    model: str
    generation_type: str
    provider: str | None
    prompt: str | None
    progress: float | None
    stage: str | None
    estimated_time_seconds: float | None
    estimated_cost_credits: Number | None
    price: PriceBody
    charge_credits: Number | None
    cost_usd: Number | None
    cost_basis: str
    adjustments: list[AdjustmentBody]
    outputs: list[AssetBody]
    metadata: dict[str, str]
    trace_id: str
    overdue: bool
    created_at: str
    finished_at: str | None
    error: ProblemBody | None
    attention: str | None


class GenerationPage(_Reply):
    """A page of generations, newest first."""

    data: list[GenerationBody]
    has_more: bool
    next_cursor: str | None = Field(description="Give it as `cursor` to get the next page.")


class ModelPage(_Reply):
    """The models of the catalogue."""

    data: list[dict[str, Any]]


class ErrorBody(_Reply):
    """Every error has this shape; some have further fields."""

    error: str = Field(description="A stable code.")
    message: str
    pointer: str | None = Field(default=None, description="JSON pointer to the field at fault.")
    hint: str | None = None
    request_id: str


class HealthBody(_Reply):
    """Whether the server works."""

    status: str
    version: str
    sandbox: bool
