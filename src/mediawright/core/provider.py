"""What the jobs layer says to a provider, vendor or local, and what it hears back."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import Any, Protocol

import msgspec

from mediawright.core.media import Transcript
from mediawright.core.money import Money
from mediawright.core.operations import InputRole, MediaKind, Operation
from mediawright.core.request import Parameters

JsonObject = dict[str, Any]

INPUT_FIELDS = "input_fields"
"""Reserved key in `MediaCall.fields`: which vendor field takes the inputs of a role.

Its value maps a role to a field name, such as `{"mask": "mask_url"}`; a name that ends in
`[]` is a list of all inputs of that role. It is never sent.
"""


class Feature(StrEnum):
    """What a provider can do beyond submitting; checked by the contract suite."""

    CANCEL = "cancel"
    PROGRESS = "progress"
    WEBHOOK = "webhook"
    REPEATABLE_SUBMIT = "repeatable_submit"
    """The same client reference never makes a second paid job."""
    LOOKUP = "lookup"
    """A job can be found again by our client reference."""


class LoadedInput(msgspec.Struct, frozen=True, kw_only=True):
    """An input file, ready to be sent: its bytes, or a public URL, or both."""

    role: InputRole
    kind: MediaKind
    content_type: str
    name: str
    """A file name with the right extension."""
    data: bytes | None = None
    url: str | None = None
    """A public URL, if the caller gave one."""


class MediaCall(msgspec.Struct, frozen=True, kw_only=True):
    """One submit, complete: nothing else has to be looked up to make it."""

    generation_id: str
    client_reference: str
    operation: Operation
    upstream_id: str
    prompt: str | None
    parameters: Parameters
    fields: JsonObject
    """Parameters already in the provider's names and values (from the catalogue's route)."""
    inputs: tuple[LoadedInput, ...] = ()
    hook_url: str | None = None
    """Where the provider may report that the job has ended; `None` where it cannot reach us."""
    permit: Callable[[], None] | None = None
    """To be called just before the request that costs money leaves; what it raises stops it."""

    def inputs_for(self, *roles: InputRole) -> tuple[LoadedInput, ...]:
        """Return the inputs with one of the roles, in order."""
        return tuple(item for item in self.inputs if item.role in roles)


class FaultKind(StrEnum):
    """Why a provider did not do what it was asked."""

    BAD_CREDENTIAL = "bad_credential"
    OUT_OF_CREDIT = "out_of_credit"
    RATE_LIMITED = "rate_limited"
    INVALID_REQUEST = "invalid_request"
    REFUSED = "refused"
    NOT_FOUND = "not_found"
    UNAVAILABLE = "unavailable"
    UNREACHABLE = "unreachable"
    """No connection: not a byte of the request left."""
    LOST_REPLY = "lost_reply"
    """The request left and no readable reply came back."""
    GARBAGE = "garbage"
    CANCELLED = "cancelled"
    FAILED = "failed"


class Fault(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A provider's failure in our words, with its own words kept."""

    kind: FaultKind
    message: str
    vendor_code: str | None = None
    retry_after: float | None = None
    """Seconds after which the provider wants to be asked again."""
    http_status: int | None = None
    accepted: bool | None = False
    """Whether the provider may hold a job for this submit: no, yes, or `None`: unknown."""


class Usage(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What the provider says it used."""

    cost: Money | None = None
    """What it says it bills, in US dollars."""
    input_tokens: int | None = None
    output_tokens: int | None = None
    input_image_tokens: int | None = None
    seconds: float | None = None
    characters: int | None = None


class RemoteMedia(msgspec.Struct, frozen=True, kw_only=True, tag="remote", omit_defaults=True):
    """A file to be fetched from the provider."""

    kind: MediaKind
    url: str
    content_type: str | None = None
    seed: int | None = None
    revised_prompt: str | None = None


class InlineMedia(msgspec.Struct, frozen=True, kw_only=True, tag="inline", omit_defaults=True):
    """A file that came in the reply itself, in memory."""

    kind: MediaKind
    data: bytes
    content_type: str | None = None
    seed: int | None = None
    revised_prompt: str | None = None


class StagedMedia(msgspec.Struct, frozen=True, kw_only=True, tag="staged", omit_defaults=True):
    """A file that was streamed to a local path as it came in; whoever stores it moves it."""

    kind: MediaKind
    path: Path
    content_type: str | None = None
    seed: int | None = None
    revised_prompt: str | None = None


class TranscriptOutput(msgspec.Struct, frozen=True, kw_only=True, tag="transcript"):
    """A transcript."""

    transcript: Transcript


Output = RemoteMedia | InlineMedia | StagedMedia | TranscriptOutput


class Accepted(msgspec.Struct, frozen=True, kw_only=True):
    """The provider took the job; `handle` is plain JSON without secrets."""

    handle: JsonObject
    usage: Usage = Usage()
    vendor_id: str | None = None
    """The provider's own name for the job, for people and for reconciliation."""


class Absent(msgspec.Struct, frozen=True, kw_only=True):
    """The provider was asked and surely has no such job."""


class Unclear(msgspec.Struct, frozen=True, kw_only=True):
    """The provider could not be asked, or cannot tell."""

    reason: str


class Done(msgspec.Struct, frozen=True, kw_only=True):
    """The job is finished."""

    outputs: tuple[Output, ...]
    usage: Usage = Usage()


class Waiting(msgspec.Struct, frozen=True, kw_only=True):
    """The job is not finished."""

    stage: str
    """`queued`, `running`, or the provider's own word."""
    progress: float | None = None
    retry_after: float | None = None
    warning: str | None = None
    fault: Fault | None = None
    """Why the question got no answer, where it got none."""


class Declined(msgspec.Struct, frozen=True, kw_only=True):
    """The submit was not taken, or (`fault.accepted` is `None`) nobody knows."""

    fault: Fault


class Broken(msgspec.Struct, frozen=True, kw_only=True):
    """The job ended without media: refused, failed or cancelled, as `fault.kind` says."""

    fault: Fault
    usage: Usage = Usage()


Submitted = Accepted | Done | Declined
Polled = Waiting | Done | Broken
LookedUp = Accepted | Absent | Unclear

ProgressReport = Callable[[float, str], None]
"""Called from any thread with the part done (0 to 1) and the stage."""


class MediaProvider(Protocol):
    """A provider as the jobs layer sees it."""

    @property
    def name(self) -> str:
        """The provider's name, such as `openai`."""
        ...

    @property
    def features(self) -> frozenset[Feature]:
        """What the provider can do."""
        ...

    async def submit(self, call: MediaCall, report: ProgressReport) -> Submitted:
        """Send the job once. Never retries, and raises nothing for the provider's failures."""
        ...

    async def poll(self, handle: JsonObject, upstream_id: str) -> Polled:
        """Ask once. A failed question is `Waiting` with a warning, never the job's failure."""
        ...

    async def cancel(self, handle: JsonObject, upstream_id: str) -> bool:
        """Ask the provider to stop; `False` if it cannot or would not."""
        ...

    async def lookup(self, client_reference: str, upstream_id: str) -> LookedUp:
        """Find a job by our reference; `Unclear` without `Feature.LOOKUP`. Raises nothing."""
        ...

    def attach(self, vendor_id: str, upstream_id: str) -> JsonObject | None:
        """Return the handle of a job by the provider's own name for it.

        `None` where the provider has no jobs to be asked about, because it answers at once.
        """
        ...
