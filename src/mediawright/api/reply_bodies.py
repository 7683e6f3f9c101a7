"""The shapes of replies, as the OpenAPI document shows them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from mediawright.app.route_views import RouteOutcome
from mediawright.core.money import Currency, PriceBasis
from mediawright.core.operations import MediaKind, Operation
from mediawright.core.request import AdjustmentKind, FallbackPolicy
from mediawright.core.states import GenerationState, PublicStatus


class _Reply(BaseModel):
    # A later release may say more; whoever reads a reply should not fall over it.
    model_config = ConfigDict(extra="allow")


class DimensionsBody(_Reply):
    """Pixels."""

    width: int
    height: int


class AssetBody(_Reply):
    """A stored file; its facts were probed from its bytes."""

    asset_id: str
    generation_id: str | None
    url: str = Field(description="Where the file is.")
    thumbnail_url: str | None = Field(description="Where a small picture of it is.")
    optimized_url: str | None = Field(
        description="Where a version is that loads faster; `null` if the file is small already."
    )
    media_type: str = Field(examples=["image/png"])
    kind: MediaKind
    dimensions: DimensionsBody | None
    bytes: int
    seconds: float | None
    frames_per_second: float | None
    video_codec: str | None
    audio_codec: str | None
    channels: int | None
    sample_rate: int | None
    sha256: str
    text: str | None = Field(description="The words, for a transcript.")
    seed: int | None
    revised_prompt: str | None
    created_at: datetime


class UploadedFileBody(AssetBody):
    """A file that was uploaded."""

    name: str | None = Field(description="What the file was called where it came from.")


class UploadBody(_Reply):
    """What was uploaded, in the order of the files."""

    urls: list[str] = Field(description="To be used as `source_media_urls`.")
    files: list[UploadedFileBody]


class PriceBody(_Reply):
    """A price; `null` means unknown, never zero."""

    credits: float | None
    usd: float | None
    basis: PriceBasis
    price_book_date: str | None
    explanation: str


class AdjustmentBody(_Reply):
    """Something that is done otherwise than asked."""

    kind: AdjustmentKind
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


class RouteBody(_Reply):
    """What became of one way to run a request."""

    provider: str
    upstream_id: str
    outcome: RouteOutcome = Field(
        description="`taken`, `trying`, `failed`, `unknown` (nobody can tell whether it was "
        "taken), `skipped`, or `untried`."
    )
    attempts: int = Field(description="How often it was sent.")
    reason: str | None = Field(description="A stable code, where it was skipped or failed.")
    message: str | None


class GenerationBody(_Reply):
    """A generation."""

    generation_id: str
    status: PublicStatus
    state: GenerationState = Field(description="The status in more detail.")
    model: str
    generation_type: Operation
    provider: str | None
    fallback: FallbackPolicy = Field(description="When another provider is tried.")
    routes: list[RouteBody] = Field(description="What became of each route, in order.")
    prompt: str | None
    progress: float | None = Field(description="0 to 1; `null` while nobody knows.")
    stage: str | None = Field(description="The provider's own word for what it is doing.")
    estimated_time_seconds: float | None
    estimated_cost_credits: float | None
    price: PriceBody
    charge_credits: float | None = Field(description="What was charged; `null` until settled.")
    cost_usd: float | None = Field(description="What the provider billed, if that is known.")
    cost_basis: PriceBasis
    adjustments: list[AdjustmentBody]
    outputs: list[AssetBody] = Field(description="The files; empty until it is completed.")
    metadata: dict[str, str]
    trace_id: str
    overdue: bool
    created_at: datetime
    finished_at: datetime | None
    error: ProblemBody | None
    attention: str | None = Field(
        description="`submit_unknown`: nobody can tell whether the provider took it; do not "
        "ask for it again. `overdue`: it takes longer than it should."
    )


class GenerationPage(_Reply):
    """A page of generations, newest first."""

    data: list[GenerationBody]
    has_more: bool
    next_cursor: str | None = Field(description="Give it as `cursor` to get the next page.")


class CostBody(_Reply):
    """One row of a price: so much per unit, where `when` holds."""

    currency: Currency
    amount: str = Field(description="An exact decimal number.")
    per: str = Field(description="Of how many units.")
    unit: str
    sku: str | None = Field(default=None, description="The id it is sold under, if another.")
    title: str | None = Field(default=None, description="What that is called.")
    token: str | None = Field(default=None, description="Which tokens, where the unit is one.")
    when: dict[str, Any] | None = Field(default=None, description="Where this row holds.")
    base: str | None = Field(default=None, description="What comes on top, once.")
    minimum: str | None = Field(default=None, description="The least that is charged.")
    seconds_of: str | None = Field(default=None, description="Whose seconds count.")
    estimated: bool = Field(default=False, description="Whether the true amount comes afterwards.")
    credits: str | None = Field(default=None, description="What it is in credits.")


class ModelBody(_Reply):
    """A model: what it can be asked for, within which limits, at which price (rule 47)."""

    id: str
    title: str
    description: str
    kind: MediaKind
    family: str | None
    aliases: list[str]
    generation_types: list[Operation]
    cost: list[CostBody]
    usual_price: PriceBody = Field(
        description="What a request costs that leaves everything to the defaults, with 1,000 "
        "characters of prompt and a minute of input where those count."
    )
    price_book_date: str
    aspect_ratios: list[str]
    resolutions: list[str]
    qualities: list[str]
    duration: dict[str, Any] | None
    prompt_max_length: int | None
    input_media_types: list[MediaKind]
    inputs: dict[Operation, list[dict[str, Any]]]
    input_counts: dict[Operation, dict[str, Any]] = Field(
        description="How many files in all; `roles_by_number` says what pictures are for, where "
        "their number decides."
    )
    parameters: list[str] = Field(description="The names of what can be set.")
    flags: dict[str, Any]
    capabilities: dict[str, Any]
    supports_sound: bool
    supports_seed: bool
    estimated_time_seconds: float | None
    live: bool = Field(description="Whether it can be called.")
    unavailable_reason: str | None = Field(
        description="Why not: `ended`, or `provider_not_available` where this version cannot "
        "speak to its providers."
    )
    lifecycle: dict[str, Any]
    routes: list[dict[str, Any]]
    source: dict[str, Any]
    ready: bool = Field(description="Whether a provider of it has its key here.")


class ShownModelBody(ModelBody):
    """A model with all there is to know about it."""

    parameter_schema: dict[str, Any] = Field(description="JSON Schema of what can be set.")
    engine: dict[str, str] | None = Field(
        default=None, description="For a local model: what does the work on this machine."
    )


class FamilyBody(_Reply):
    """A label that stands for several models and cannot be called itself (rule 30)."""

    label: str
    variants: list[str]
    hint: str


class ModelPage(_Reply):
    """The models of the catalogue, each with its limits and prices."""

    data: list[ModelBody]
    families: list[FamilyBody]


class ErrorBody(_Reply):
    """Every error has this shape; some have further fields."""

    error: str = Field(description="A stable code.")
    message: str
    pointer: str | None = Field(default=None, description="JSON pointer to the field at fault.")
    hint: str | None = Field(default=None, description="What to do about it.")
    request_id: str


class HookBody(_Reply):
    """A provider's report was taken."""

    received: bool
    repeated: bool = Field(description="Whether it had come before.")


class HealthBody(_Reply):
    """Whether the server works."""

    status: str
    version: str
    sandbox: bool
