"""The shapes of quotes and estimates, as the OpenAPI document shows them."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from mediawright.api.reply_bodies import AdjustmentBody, PriceBody
from mediawright.api.texts import Text, readable
from mediawright.app.estimates import Confidence, EstimateBasis
from mediawright.core.operations import Operation

EstimateParameters = Annotated[dict[str, Any], Field(max_length=64), AfterValidator(readable)]


class _Reply(BaseModel):
    # A later release may say more; whoever reads a reply should not fall over it.
    model_config = ConfigDict(extra="allow")


class EstimateBody(BaseModel):
    """What is thought of; only the model must be named (rule 46)."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)

    model: Text = Field(description="A model of `GET /v1/models`.")
    generation_type: Text | None = Field(
        default=None, description="By default text-to-image, or what the model does."
    )
    prompt: Text | None = None
    negative_prompt: Text | None = None
    provider: Text | None = Field(default=None, description="Only as fast as this provider was.")
    parameters: EstimateParameters = Field(
        default={}, description="Such as `duration`, `resolution` and `count`."
    )


class ShownEstimateBody(_Reply):
    """How long a request is expected to take, from its begin to its end."""

    model: str
    generation_type: Operation
    estimated_time_seconds: float
    basis: EstimateBasis = Field(
        description="`history`: generations with the same settings that were made here; "
        "`similar_history`: those with other settings, in proportion; `catalogue`: it alone."
    )
    confidence: Confidence
    sample_size: int = Field(description="How many generations it rests on.")
    p50_seconds: float | None = Field(description="Half of them took no longer.")
    p90_seconds: float | None = Field(description="Nine in ten of them took no longer.")
    catalogue_seconds: float
    adjustments: list[AdjustmentBody]


class QuotedRouteBody(_Reply):
    """One way to run a quoted request."""

    provider: str
    upstream_id: str
    synchronous: bool = Field(description="Whether the provider answers with the media.")
    price: PriceBody


class PassedRouteBody(_Reply):
    """A route that could not be taken when the quote was made."""

    provider: str
    upstream_id: str
    reason: str = Field(description="A stable code.")
    message: str


class ShownQuoteBody(_Reply):
    """What a request would cost, promised until it expires."""

    quote_id: str
    model: str
    generation_type: Operation
    request: dict[str, Any] = Field(
        description="The request as it would be run; it may be sent like that."
    )
    adjustments: list[AdjustmentBody]
    price: PriceBody
    estimated_cost_credits: float | None
    credits_per_usd: str = Field(
        description="How many credits a US dollar becomes where the catalogue names no credits; "
        "an exact decimal number."
    )
    markup: str = Field(description="What is added to such a price, as a part: 0.2 for a fifth.")
    estimated_time_seconds: float | None
    provider: str
    route: QuotedRouteBody = Field(description="The route that would be taken.")
    other_routes: list[QuotedRouteBody] = Field(description="Those that would be tried next.")
    skipped_routes: list[PassedRouteBody]
    created_at: datetime
    expires_at: datetime
    generation_id: str | None = Field(description="The generation that it was used for.")
