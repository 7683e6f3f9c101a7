"""Calls that tests make with ElevenLabs' own SDK, and a look into the sound that comes back."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import av
import pytest
from elevenlabs import ElevenLabs
from elevenlabs.core.api_error import ApiError

GEORGE = "JBFqnCBsd6RMkjVDRZzb"
TEXT = "The quick brown fox, they say, jumps over 12 lazy dogs!"
NO_RETRY: Any = {"max_retries": 0}
Connect = Callable[..., ElevenLabs]


def scenario(text: str) -> Any:
    return {**NO_RETRY, "additional_headers": {"X-Sandbox-Scenario": text}}


def speak(client: ElevenLabs, options: Any = NO_RETRY, **fields: Any) -> bytes:
    body = {"voice_id": GEORGE, "text": TEXT, **fields}
    return b"".join(client.text_to_speech.convert(**body, request_options=options))


def refusal(client: ElevenLabs, options: Any = NO_RETRY, **fields: Any) -> ApiError:
    with pytest.raises(ApiError) as refused:
        speak(client, options, **fields)
    return refused.value


def probe(data: bytes) -> tuple[str, int, float]:
    with av.open(io.BytesIO(data)) as container:
        stream = container.streams.audio[0]
        return stream.codec_context.name, stream.rate, container.duration / 1_000_000
