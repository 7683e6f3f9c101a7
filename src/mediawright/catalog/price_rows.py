"""The shape of a price: one row of the price book."""

from __future__ import annotations

from datetime import date
from enum import StrEnum
from typing import Annotated, Any

import msgspec

from mediawright.core.money import Currency

Amount = Annotated[str, msgspec.Meta(pattern=r"^[0-9]+(\.[0-9]+)?$")]
"""An exact amount, written as text so that no float comes near it."""


class PriceUnit(StrEnum):
    """What is counted."""

    CALL = "call"
    """Each request, however many outputs it has."""
    GENERATION = "generation"
    """Each output."""
    IMAGE = "image"
    SECOND = "second"
    MINUTE = "minute"
    CHARACTER = "character"
    MEGAPIXEL = "megapixel"
    """A million pixels of each output."""
    INPUT_MEGAPIXEL = "input_megapixel"
    TOKEN = "token"  # noqa: S105 - a unit, not a secret


class TokenKind(StrEnum):
    """Which tokens a row is about."""

    INPUT_TEXT = "input_text"
    INPUT_IMAGE = "input_image"
    OUTPUT = "output"


class SecondsOf(StrEnum):
    """Which seconds count."""

    OUTPUT = "output"
    INPUT = "input"
    """The audio or video that was handed in."""
    BOTH = "both"
    """Reference clips, without sound alone, and output together (rule 41)."""


class TokenEstimate(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True
):
    """How many tokens to expect before the provider has counted them, as a sum."""

    flat: Amount = "0"
    per_character: Amount = "0"
    """For each character of the prompt."""
    per_image: Amount = "0"
    """For each input image."""
    per_megapixel: Amount = "0"
    """For each million pixels of each output."""
    per_second: Amount = "0"
    """For each second of output."""
    per_megapixel_second: Amount = "0"
    per_megapixel_video_second: Amount = "0"
    """For each million pixels of the output and second of the reference videos."""


class PriceRow(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True
):
    """One price: so much for so many of something, under conditions.

    Rows of a currency fall into parts. In each part the first row whose conditions hold
    counts, and the parts add up.
    """

    currency: Currency
    unit: PriceUnit
    amount: Amount
    per: Amount = "1"
    """How many units the amount buys, such as 1000 characters."""
    base: Amount = "0"
    """Added once for each output."""
    minimum: Amount = "0"
    """The part costs at least this."""
    round_up: bool = False
    """Charge started units (of `per`) as whole ones."""
    when: dict[str, Any] = {}
    """Applied parameter or fact -> value, list of values, or `{minimum, maximum}`."""
    part: str = ""
    sku: str = ""
    """The id under which this row is sold, where it is not the model's own (rule 32)."""
    title: str = ""
    """What that is called."""
    token: TokenKind | None = None
    estimate: TokenEstimate | None = None
    seconds_of: SecondsOf = SecondsOf.OUTPUT
    unknown_seconds: Amount | None = None
    """Input seconds to charge when nobody knows their length (rule 42)."""
    unknown_megapixels: Amount | None = None
    """Megapixels to charge for each input picture when nobody knows their sizes."""
    max_input_seconds: Amount | None = None
    """Input seconds are charged up to this many (rule 41)."""
    estimated: bool = False
    """The amount itself is not certain."""
    seen_on: date | None = None
    """The day this row was checked, where it differs from the model's."""

    @property
    def part_name(self) -> str:
        """The part of the price this row belongs to."""
        return self.part or (self.token.value if self.token else "")
