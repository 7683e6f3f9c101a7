"""No reply, however odd, makes an adapter raise anything but the error for odd replies."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mediawright.core.operations import Operation
from mediawright.core.provider import Fault, MediaCall
from mediawright.core.request import Parameters
from mediawright.providerkit.http import HttpReply, UnreadableReplyError
from mediawright.providers.registry import adapter_class, provider_names

KEYS = st.sampled_from(
    [
        "data", "b64_json", "url", "usage", "input_tokens", "output_format", "text", "words",
        "start", "end", "type", "segments", "languages", "error", "message", "code", "detail",
        "loc", "msg", "status", "error_type", "request_id", "status_url", "response_url",
        "images", "image", "video", "seed", "has_nsfw_concepts", "id", "output", "progress",
        "failure", "failureCode", "cost", "credits", "transcripts", "audio_duration_secs",
    ]
)  # fmt: skip
WORDS = st.sampled_from(
    ["COMPLETED", "IN_QUEUE", "SUCCEEDED", "FAILED", "RUNNING", "word", "data:,x", "data:;base64,="]
)
SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | WORDS | st.text()
JSON = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=6),
    max_leaves=12,
)
BODIES = st.binary(max_size=80) | JSON.map(msgspec.json.encode)
HEADERS = st.dictionaries(
    st.sampled_from(["retry-after", "content-type", "character-cost", "x-fal-error-type"]),
    st.text(max_size=12),
)
STATUSES = st.sampled_from([200, 202, 302, 400, 401, 403, 404, 422, 429, 499, 500, 503, 504])
HANDLES = {
    "fal": [
        {"request_id": "r", "status_url": "s", "response_url": "t"},
        {"request_id": "r", "status_url": "s", "response_url": "t", "step": "result"},
    ],
    "runway": [{"id": "x", "kind": "video"}],
}
OPERATIONS = {
    "elevenlabs": Operation.SPEECH_TO_TEXT,
    "fal": Operation.TEXT_TO_IMAGE,
    "openai": Operation.TEXT_TO_IMAGE,
    "runway": Operation.TEXT_TO_VIDEO,
}
FORMATS = ["json", "text", "mp3_44100_128"]


def a_call(operation: Operation, response_format: str) -> MediaCall:
    return MediaCall(
        generation_id="gen_1",
        client_reference="ref_1",
        operation=operation,
        upstream_id="m",
        prompt="p",
        parameters=Parameters(),
        fields={"response_format": response_format},
    )


@pytest.mark.parametrize("name", provider_names())
@settings(max_examples=300)
@given(
    body=BODIES,
    headers=HEADERS,
    operation=st.sampled_from(Operation),
    form=st.sampled_from(FORMATS),
)
def test_read_submit(name, body, headers, operation, form):
    reply = HttpReply(status=200, headers=headers, body=body)
    try:
        adapter_class(name)().read_submit(a_call(operation, form), reply)
    except UnreadableReplyError:
        return


@pytest.mark.parametrize("name", provider_names())
@settings(max_examples=300)
@given(body=BODIES, headers=HEADERS, status=STATUSES)
def test_read_error(name, body, headers, status):
    fault = adapter_class(name)().read_error(HttpReply(status=status, headers=headers, body=body))

    assert isinstance(fault, Fault)
    assert fault.message


@pytest.mark.parametrize(
    ("name", "handle"), [(name, handle) for name in HANDLES for handle in HANDLES[name]]
)
@settings(max_examples=300)
@given(body=BODIES, headers=HEADERS, status=STATUSES)
def test_read_poll(name, handle, body, headers, status):
    adapter = adapter_class(name)()
    reply = HttpReply(status=status, headers=headers, body=body)
    try:
        if reply.is_success:
            adapter.read_poll(handle, reply)
        else:
            adapter.read_poll_error(handle, reply)
    except UnreadableReplyError:
        return


@pytest.mark.parametrize("body", [b"[" * 100_000, b'{"a":' * 100_000, b'{"a":"\xff"}', b"\x00"])
@pytest.mark.parametrize("name", provider_names())
def test_hostile_bodies(name, body):
    adapter = adapter_class(name)()
    reply = HttpReply(status=200, headers={}, body=body)
    assert adapter.read_error(reply).message
    with pytest.raises(UnreadableReplyError):
        adapter.read_submit(a_call(OPERATIONS[name], "json"), reply)
