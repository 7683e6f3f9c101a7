"""The table of the contract suite: what is asked of each provider.

A new vendor joins the suite by adding its rows here, and nothing else.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from mediawright.core.operations import InputRole, Operation
from mediawright.core.provider import Feature


class Delivery(Enum):
    """How the finished file reaches us."""

    BODY = "the reply's body is the file"
    INLINE = "the file is encoded inside the reply"
    URL = "the reply names where the file is"
    TEXT = "the reply is a transcript"


@dataclass(frozen=True, kw_only=True)
class Case:
    """The smallest useful request of one operation of one provider.

    Attributes:
        fields: In the vendor's names and values; the suite looks for them in what was sent.
        inputs: One file is made for each role.
        is_job: Whether the vendor answers a submit with a job to be asked after.
        has_result_call: Whether the finished job's files are asked for by another request.
        moderates: Whether the vendor refuses this operation's requests for what they say.
        large_input: Pixels of a side of a noisy picture that must be uploaded first.
        reports_usage: Fields of `Usage` that its answer fills.
        is_vendor: Whether it is somebody else's service, reached over HTTP.
        hears_exactly: Whether a transcript has every word as it was spoken.
    """

    provider: str
    operation: Operation
    upstream_id: str
    delivery: Delivery
    fields: Mapping[str, Any] = field(default_factory=dict)
    inputs: tuple[InputRole, ...] = ()
    features: frozenset[Feature] = frozenset()
    is_job: bool = False
    has_result_call: bool = False
    moderates: bool = True
    large_input: int | None = None
    reports_usage: tuple[str, ...] = ()
    is_vendor: bool = True
    hears_exactly: bool = True

    def __str__(self) -> str:
        return f"{self.provider}-{self.operation.value}"


OPENAI = (
    Case(
        provider="openai",
        operation=Operation.TEXT_TO_IMAGE,
        upstream_id="gpt-image-2",
        delivery=Delivery.INLINE,
        fields={"size": "1024x1024", "quality": "low", "n": 1, "output_format": "webp"},
        reports_usage=("input_tokens", "output_tokens"),
    ),
    Case(
        provider="openai",
        operation=Operation.IMAGE_TO_IMAGE,
        upstream_id="gpt-image-2",
        delivery=Delivery.INLINE,
        fields={"size": "1024x1024", "quality": "low", "n": 1},
        inputs=(InputRole.REFERENCE_IMAGE, InputRole.MASK),
        reports_usage=("input_tokens", "output_tokens", "input_image_tokens"),
    ),
    Case(
        provider="openai",
        operation=Operation.TEXT_TO_SPEECH,
        upstream_id="gpt-4o-mini-tts",
        delivery=Delivery.BODY,
        fields={"voice": "alloy", "response_format": "wav", "speed": 1.25},
    ),
    Case(
        provider="openai",
        operation=Operation.SPEECH_TO_TEXT,
        upstream_id="whisper-1",
        delivery=Delivery.TEXT,
        fields={
            "language": "en",
            "response_format": "verbose_json",
            "timestamp_granularities": ["word"],
        },
        inputs=(InputRole.REFERENCE_AUDIO,),
        moderates=False,
        reports_usage=("seconds",),
    ),
)

_FAL: dict[str, Any] = {
    "provider": "fal",
    "delivery": Delivery.URL,
    "features": frozenset({Feature.CANCEL, Feature.WEBHOOK}),
    "is_job": True,
    "has_result_call": True,
}
FAL = (
    Case(
        **_FAL,
        operation=Operation.TEXT_TO_IMAGE,
        upstream_id="fal-ai/flux/schnell",
        fields={
            "image_size": {"width": 512, "height": 512},
            "num_images": 1,
            "seed": 7,
            "output_format": "png",
        },
    ),
    Case(
        **_FAL,
        operation=Operation.IMAGE_TO_IMAGE,
        upstream_id="fal-ai/flux/dev/image-to-image",
        fields={"strength": 0.6},
        inputs=(InputRole.REFERENCE_IMAGE,),
        large_input=400,
    ),
)

_RUNWAY: dict[str, Any] = {
    "provider": "runway",
    "delivery": Delivery.URL,
    "features": frozenset({Feature.CANCEL, Feature.PROGRESS}),
    "is_job": True,
    "reports_usage": ("cost",),
}
RUNWAY = (
    Case(
        **_RUNWAY,
        operation=Operation.TEXT_TO_IMAGE,
        upstream_id="gen4_image",
        fields={"ratio": "1024:1024", "seed": 7},
    ),
    Case(
        **_RUNWAY,
        operation=Operation.TEXT_TO_VIDEO,
        upstream_id="gen4.5",
        fields={"ratio": "1280:720", "duration": 2, "seed": 7},
    ),
    Case(
        **_RUNWAY,
        operation=Operation.IMAGE_TO_VIDEO,
        upstream_id="gen4_turbo",
        fields={"ratio": "1280:720", "duration": 2},
        inputs=(InputRole.FIRST_FRAME,),
        large_input=1200,
    ),
)

ELEVENLABS = (
    Case(
        provider="elevenlabs",
        operation=Operation.TEXT_TO_SPEECH,
        upstream_id="eleven_multilingual_v2",
        delivery=Delivery.BODY,
        fields={
            "voice_id": "21m00Tcm4TlvDq8ikWAM",
            "output_format": "mp3_22050_32",
            "voice_settings": {"speed": 1.1},
            "seed": 7,
        },
        reports_usage=("characters",),
    ),
    Case(
        provider="elevenlabs",
        operation=Operation.TEXT_TO_MUSIC,
        upstream_id="music_v1",
        delivery=Delivery.BODY,
        fields={"music_length_ms": 3000, "output_format": "mp3_22050_32", "seed": 7},
    ),
    Case(
        provider="elevenlabs",
        operation=Operation.SPEECH_TO_TEXT,
        upstream_id="scribe_v1",
        delivery=Delivery.TEXT,
        fields={"language_code": "en", "timestamps_granularity": "word", "diarize": False},
        inputs=(InputRole.REFERENCE_AUDIO,),
        moderates=False,
        reports_usage=("seconds",),
    ),
)

_LOCAL: dict[str, Any] = {
    "provider": "local",
    "features": frozenset({Feature.PROGRESS, Feature.REPEATABLE_SUBMIT}),
    "moderates": False,
    "reports_usage": ("cost",),
    "is_vendor": False,
}
LOCAL = (
    Case(
        **_LOCAL,
        operation=Operation.TEXT_TO_IMAGE,
        upstream_id="sketch-image",
        delivery=Delivery.INLINE,
        fields={"width": 64, "height": 64, "seed": 7},
    ),
    Case(
        **_LOCAL,
        operation=Operation.IMAGE_TO_IMAGE,
        upstream_id="sketch-image",
        delivery=Delivery.INLINE,
        fields={"strength": 0.6},
        inputs=(InputRole.REFERENCE_IMAGE, InputRole.MASK),
    ),
    Case(
        **_LOCAL,
        operation=Operation.TEXT_TO_VIDEO,
        upstream_id="sketch-video",
        delivery=Delivery.BODY,
        fields={"width": 64, "height": 64, "seconds": 0.5},
    ),
    Case(
        **_LOCAL,
        operation=Operation.IMAGE_TO_VIDEO,
        upstream_id="sketch-video",
        delivery=Delivery.BODY,
        fields={"width": 64, "height": 64, "seconds": 0.5},
        inputs=(InputRole.FIRST_FRAME, InputRole.LAST_FRAME),
    ),
    Case(
        **_LOCAL,
        operation=Operation.TEXT_TO_MUSIC,
        upstream_id="sketch-music",
        delivery=Delivery.BODY,
        fields={"seconds": 2.0, "seed": 7, "output_format": "mp3"},
    ),
    Case(
        **_LOCAL,
        operation=Operation.TEXT_TO_SPEECH,
        upstream_id="voice",
        delivery=Delivery.BODY,
        fields={"speed": 1.1, "output_format": "wav"},
    ),
    Case(
        **_LOCAL,
        operation=Operation.SPEECH_TO_TEXT,
        upstream_id="listener",
        delivery=Delivery.TEXT,
        inputs=(InputRole.REFERENCE_AUDIO,),
        hears_exactly=False,
    ),
)

VENDORS = (*OPENAI, *FAL, *RUNWAY, *ELEVENLABS)
CASES = (*VENDORS, *LOCAL)
