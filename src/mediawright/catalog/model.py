"""What the catalogue says about a model: plain data, decoded strictly from TOML."""

from __future__ import annotations

from datetime import date
from enum import StrEnum
from typing import Annotated, Any

import msgspec

from mediawright.catalog.price_rows import PriceRow
from mediawright.core.operations import InputRole, MediaKind, Operation

Scalar = str | bool | int | float


class _Row(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Base of everything written in the data files: an unknown key is an error."""


class ModelStatus(StrEnum):
    """Where a model stands in its life."""

    LIVE = "live"
    PREVIEW = "preview"
    DEPRECATED = "deprecated"
    ENDED = "ended"


class VideoAudio(StrEnum):
    """How a video model deals with sound (rule 34)."""

    INCLUDED = "included"
    TOGGLE = "toggle_via_sound_param"
    SILENT = "silent"


class PromptUse(StrEnum):
    """Whether an operation wants a prompt."""

    REQUIRED = "required"
    OPTIONAL = "optional"
    UNUSED = "unused"


class LengthUnit(StrEnum):
    """What the length of a prompt is counted in."""

    CHARACTERS = "characters"
    UTF16 = "utf16"
    """UTF-16 code units, as JavaScript counts."""


class Family(_Row, frozen=True, kw_only=True):
    """A family that is named in place of a model; naming it asks for a variant (rule 30)."""

    label: str
    variants: tuple[str, ...]
    hint: str


class MediaLimits(_Row, frozen=True, kw_only=True):
    """What one input file must be like; a limit that is not given does not apply."""

    formats: tuple[str, ...] = ()
    """File formats by their usual names: `jpeg`, `png`, `webp`, `mp4`, `mov`, `wav`, ..."""
    max_bytes: int | None = None
    min_side: int | None = None
    """Pixels of the shorter side at least."""
    max_side: int | None = None
    """Pixels of the longer side at most."""
    min_ratio: float | None = None
    """Width divided by height at least."""
    max_ratio: float | None = None
    heights: tuple[int, ...] = ()
    """The shorter side in pixels must be one of these (`480p` is 480)."""
    min_seconds: float | None = None
    max_seconds: float | None = None
    total_seconds: float | None = None
    """All files of the role together at most."""
    min_frames_per_second: float | None = None
    max_frames_per_second: float | None = None
    video_codecs: tuple[str, ...] = ()
    audio_codecs: tuple[str, ...] = ()


class InputRule(MediaLimits, frozen=True, kw_only=True):
    """How many inputs of one role an operation takes, and what they must be like."""

    role: InputRole
    minimum: int = 0
    maximum: int = 1
    """0 has them refused with `count_code` (rule 19)."""
    count_code: str = "invalid_media_count"
    """The code of the error for too many, such as `too_many_videos` (rule 13)."""
    length_code: str | None = None
    """The code for one that lasts too long, such as `video_too_long` (rule 12)."""
    instead: tuple[str, ...] = ()
    """Models that take it, named where it is refused (C15)."""


class SizeRule(_Row, frozen=True, kw_only=True):
    """Which `WIDTHxHEIGHT` are fine, all in pixels."""

    multiple_of: int = 1
    min_side: int = 1
    max_side: int | None = None
    min_pixels: int | None = None
    max_pixels: int | None = None
    max_ratio: float | None = None
    """Longer side divided by the shorter at most."""


class ParameterRule(_Row, frozen=True, kw_only=True):
    """How a model treats a parameter it honours; one without a rule is ignored and reported."""

    values: tuple[Scalar, ...] = ()
    """The allowed values; empty allows whatever the other fields allow."""
    aliases: dict[str, Scalar] = {}
    """Other words for a value."""
    default: Scalar | None = None
    fixed: Scalar | None = None
    """The only value there is: whatever the caller gives is ignored and reported."""
    minimum: float | None = None
    maximum: float | None = None
    whole: bool = False
    clamp: bool = False
    """Move a number into the range, and report it, instead of refusing it."""
    required: bool = False
    operations: tuple[Operation, ...] = ()
    """The operations that honour it; empty means all."""
    any_ratio: bool = False
    """Take any `W:H` besides the values, within `minimum` to `maximum` as W/H."""
    size: SizeRule | None = None
    pattern: str | None = None
    """A regular expression that admits further values."""
    max_length: int | None = None
    """Characters at most, for texts."""
    max_items: int | None = None
    """Items at most, for lists."""
    element_files: tuple[InputRule, ...] = ()
    """For elements: the kinds of files that show one, which has exactly one kind (rule 36)."""
    totals: tuple[float, ...] = ()
    """For shots: what their durations may add up to, in seconds (rule 38)."""
    without_inputs: bool = False
    """Only for requests without source files; with them it is ignored and reported (rule 57)."""
    unless: dict[str, Scalar] = {}
    """Ignored and reported where another parameter comes to this value (rule 70)."""
    note: str = ""


class PromptRule(_Row, frozen=True, kw_only=True):
    """Whether a prompt is wanted and how long it may be."""

    use: PromptUse = PromptUse.REQUIRED
    max_length: int | None = None
    """Length at most; `None` leaves it to the server's default (rule 29)."""
    unit: LengthUnit = LengthUnit.CHARACTERS


class RuleUse(_Row, frozen=True, kw_only=True):
    """A named rule function (see `catalog.rules`) that applies to a model."""

    name: str
    operations: tuple[Operation, ...] = ()
    """Where it applies; empty means everywhere."""
    options: dict[str, Any] = {}


class OperationRule(_Row, frozen=True, kw_only=True):
    """What one operation of a model takes."""

    inputs: tuple[InputRule, ...] = ()
    min_inputs: int = 0
    """All roles together at least."""
    max_inputs: int | None = None
    """All roles together at most."""
    arrangements: tuple[tuple[InputRole, ...], ...] = ()
    """What pictures are for, by their number: the one of that length counts (rule 11)."""
    prompt: PromptRule | None = None
    """Overrides the model's."""
    parameters: dict[str, ParameterRule] = {}
    """Override the model's, one by one and whole."""


class DimensionRule(_Row, frozen=True, kw_only=True):
    """How aspect ratio and resolution become pixels.

    The table is looked up first; other pairs are worked out from the side of the tier.
    """

    tier_parameter: str = "resolution"
    """The parameter that names the tier: some models call it quality (rule 26)."""
    sides: dict[str, int] = {}
    """Resolution -> pixels: of a square's side (`area`) or of the shorter side."""
    measure: str = "area"
    """`area` keeps the number of pixels, `short_side` the length of the shorter side."""
    table: dict[str, dict[str, str]] = {}
    """Resolution -> aspect ratio -> `WIDTHxHEIGHT`."""
    default_resolution: str | None = None
    """The tier when the model has no resolution parameter."""
    fallback_ratio: str | None = None
    """What `auto` comes to when the picture's own ratio is not known."""
    multiple_of: int = 1
    up_to: dict[str, int] = {}
    """Resolution -> pixels: the tier an explicit size counts as, smallest first."""


class FieldRule(_Row, frozen=True, kw_only=True):
    """How one parameter is written for a provider."""

    field: str
    """The provider's name; dots lead into objects."""
    values: dict[str, Any] = {}
    """Our value (as text) -> theirs; a value not listed goes through as it is."""
    format: str | None = None
    """Text with `{value}` in it, such as `{value}s`."""
    scale: int | None = None
    """Multiply by this: 1000 turns seconds into milliseconds."""
    whole: bool = False
    """Write a whole number."""
    omit: tuple[Scalar, ...] = ()
    """Values that are not written at all."""


class TableRule(_Row, frozen=True, kw_only=True):
    """Several parameters that make one field of the provider."""

    parameters: tuple[str, ...]
    field: str
    values: dict[str, Any]
    """Our values, as text joined by spaces -> theirs; a combination not listed is not written."""


class Route(_Row, frozen=True, kw_only=True):
    """One way to run a model: a provider and its own id for it."""

    provider: str
    upstream_id: str
    operations: tuple[Operation, ...] = ()
    """What it can do; empty means whatever the model can."""
    synchronous: bool = False
    ends_on: date | None = None
    """The last day it is served; the model's own end where not given."""
    ended: bool = False
    """Whether it is no longer served though nobody announced a day."""
    note: str = ""
    """What there is to know about how it is served."""
    prompt_max: int | None = None
    """Where shorter than the model's."""
    prompt_unit: LengthUnit = LengthUnit.CHARACTERS
    min_inputs: int = 0
    """All roles together at least, for routes that are only for requests with files."""
    inputs_max: dict[InputRole, int] = {}
    input_limits: dict[InputRole, MediaLimits] = {}
    """What files must be like here, where narrower than the model's."""
    limits: dict[str, ParameterRule] = {}
    """Values this route takes, where narrower than the model's."""
    fields: dict[str, str | FieldRule] = {}
    """Our parameter (also `width`, `height`, `dimensions`) -> the provider's field."""
    tables: tuple[TableRule, ...] = ()
    constants: dict[str, Any] = {}
    implied: tuple[str, ...] = ()
    """Parameters this route follows without a field of their own."""
    input_fields: dict[InputRole, str] = {}
    """Role -> the provider's field; `name[]` takes a list."""
    many_input_fields: dict[InputRole, str] = {}
    """The same where there are several inputs of the role, if that field is another one."""
    free_settings: bool = False
    """Whether a caller's vendor settings may set what parameters stand for."""
    reserved: tuple[str, ...] = ()
    """Further provider fields that a caller's vendor settings may not touch."""
    prices: tuple[PriceRow, ...] = ()
    price_note: str = ""
    """Why a price is not known, or from where it comes."""


class Lifecycle(_Row, frozen=True, kw_only=True):
    """A model's life: announced end and what comes after."""

    status: ModelStatus = ModelStatus.LIVE
    ends_on: date | None = None
    """The last day it is served."""
    successor: str | None = None
    substitute: bool = False
    """Whether a request for the ended model may be served by the successor."""
    maps: dict[str, dict[str, dict[str, Scalar]]] = {}
    """Parameter -> value -> what the successor is asked for in its place."""
    note: str = ""


class TimeEstimate(_Row, frozen=True, kw_only=True):
    """How long a generation usually takes, in seconds, as a sum of its parts."""

    base: float = 0.0
    per_second: float = 0.0
    """For each second of output."""
    per_megapixel: float = 0.0
    per_output: float = 0.0
    per_character: float = 0.0
    per_input_second: float = 0.0


class Source(_Row, frozen=True, kw_only=True):
    """Where the facts come from and when they were seen."""

    text: str
    seen_on: date


class Model(_Row, frozen=True, kw_only=True):
    """One public model with everything that is known about it."""

    id: Annotated[str, msgspec.Meta(min_length=1, max_length=120)]
    title: str
    summary: str
    kind: MediaKind
    source: Source
    operations: Annotated[dict[Operation, OperationRule], msgspec.Meta(min_length=1)]
    """In order of preference."""
    family: str | None = None
    aliases: tuple[str, ...] = ()
    presets: dict[str, dict[str, Scalar]] = {}
    """Other ids that stand for this model with parameters set."""
    switches: dict[str, dict[str, str]] = {}
    """Parameter -> value -> the id of the sibling that serves it."""
    prompt: PromptRule = PromptRule()
    parameters: dict[str, ParameterRule] = {}
    ignored: dict[str, str] = {}
    """Parameter -> why it is ignored, where there is something to say."""
    dimensions: DimensionRule | None = None
    rules: tuple[RuleUse, ...] = ()
    video_audio: VideoAudio | None = None
    supports_sound: bool = False
    flags: dict[str, Scalar] = {}
    """Further facts for callers, shown as they are."""
    prices: tuple[PriceRow, ...] = ()
    """Rows that hold for every route; a route's own rows in a currency come before."""
    estimate: TimeEstimate = TimeEstimate()
    lifecycle: Lifecycle = Lifecycle()
    routes: tuple[Route, ...] = ()

    def parameter(self, name: str, operation: Operation) -> ParameterRule | None:
        """Return the rule for a parameter in an operation, or `None` if it is ignored there."""
        override = self.operations[operation].parameters.get(name)
        if override is not None:
            return override
        rule = self.parameters.get(name)
        if rule is None or (rule.operations and operation not in rule.operations):
            return None
        return rule

    def prompt_rule(self, operation: Operation) -> PromptRule:
        """Return the prompt rule of an operation."""
        return self.operations[operation].prompt or self.prompt

    def route_operations(self, route: Route) -> tuple[Operation, ...]:
        """Return the operations a route of this model serves."""
        return route.operations or tuple(self.operations)

    def route_ends_on(self, route: Route) -> date | None:
        """Return the last day of a route."""
        return route.ends_on or self.lifecycle.ends_on

    def live_routes(self, today: date) -> tuple[Route, ...]:
        """Return the routes that are served on that day, in order."""
        if self.lifecycle.status is ModelStatus.ENDED:
            return ()
        return tuple([route for route in self.routes if not self.has_ended(route, today)])

    def has_ended(self, route: Route, today: date) -> bool:
        """Tell whether a route is no longer served on that day."""
        if route.ended or self.lifecycle.status is ModelStatus.ENDED:
            return True
        end = self.route_ends_on(route)
        return end is not None and today > end

    def callable_routes(
        self, today: date, adapters: frozenset[str] | None = None
    ) -> tuple[Route, ...]:
        """Return the routes that are served on that day and can be spoken to, in order.

        Args:
            today: The day.
            adapters: The providers that there is an adapter for; `None` counts all.
        """
        live = self.live_routes(today)
        return live if adapters is None else tuple(r for r in live if r.provider in adapters)

    def find_route(
        self, provider: str, upstream_id: str, operation: Operation | None = None
    ) -> Route | None:
        """Return the route with that provider and upstream id, if there is one."""
        for route in self.routes:
            if (route.provider, route.upstream_id) != (provider, upstream_id):
                continue
            if operation is None or operation in self.route_operations(route):
                return route
        return None
