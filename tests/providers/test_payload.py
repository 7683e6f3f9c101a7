"""The pure helpers that bodies are built with and replies read with."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mediawright.core.errors import InvalidRequestError
from mediawright.core.operations import InputRole, MediaKind, Operation
from mediawright.core.provider import INPUT_FIELDS, LoadedInput
from mediawright.providerkit.http import UnreadableReplyError
from mediawright.providerkit.payload import (
    call_fields,
    data_uri,
    data_uri_length,
    form_parts,
    inline_reference,
    parse_data_uri,
    place_inputs,
)


@given(st.binary(max_size=200), st.sampled_from(["image/png", "audio/x-wav"]))
def test_a_data_uri_is_read_back_and_its_length_known_beforehand(data, content_type):
    uri = data_uri(data, content_type)

    assert parse_data_uri(uri) == (data, content_type)
    assert data_uri_length(len(data), content_type) == len(uri)


@pytest.mark.parametrize("uri", ["", "data:image/png;base64", "https://x/,y", "data:x;base64,a!"])
def test_a_malformed_data_uri_is_unreadable(uri):
    with pytest.raises(UnreadableReplyError):
        parse_data_uri(uri)


@given(st.text(max_size=60))
def test_no_text_breaks_the_reading_of_data_uris(text):
    try:
        parse_data_uri(f"data:{text}")
    except UnreadableReplyError:
        return


def test_bytes_at_hand_go_before_a_url_until_they_are_too_long():
    media = LoadedInput(
        role=InputRole.MASK,
        kind=MediaKind.IMAGE,
        content_type="image/png",
        name="a.png",
        data=b"123",
        url="https://ex.test/a.png",
    )
    exact = data_uri_length(3, "image/png")

    assert inline_reference(media, longest=exact) == "data:image/png;base64,MTIz"
    assert inline_reference(media, longest=exact - 1) == "https://ex.test/a.png"


def test_an_input_that_no_field_takes_is_refused_by_its_pointer(make_call, make_input):
    call = make_call(Operation.IMAGE_TO_IMAGE, inputs=(make_input(), make_input(InputRole.MASK)))

    with pytest.raises(InvalidRequestError) as raised:
        place_inputs(call, {0: "a", 1: "b"}, {"reference_image": "image_url"})

    assert raised.value.pointer == "/inputs/1/role"


def test_vendor_settings_go_into_objects_without_emptying_them(make_call):
    call = make_call(
        Operation.TEXT_TO_SPEECH,
        fields={"voice_settings": {"speed": 1.1, "style": 0}, "seed": 1},
        vendor={"acme": {"voice_settings": {"style": 0.5}, "seed": {"new": 2}, "extra": [1]}},
    )

    assert call_fields(call, "acme") == {
        "voice_settings": {"speed": 1.1, "style": 0.5},
        "seed": {"new": 2},
        "extra": [1],
    }
    assert call_fields(call, "other") == call.fields


def test_forms_spell_numbers_lists_and_objects():
    parts = form_parts({"a": 1.5, "b": True, "c": [1, {"d": "x"}], "e": None, "f": ""})

    assert [(part.name, part.data) for part in parts] == [
        ("a", "1.5"),
        ("b", "true"),
        ("c[]", "1"),
        ("c[][d]", "x"),
        ("f", ""),
    ]


def test_the_last_frame_comes_last_in_a_list(make_call, make_input) -> None:
    frames = (make_input(InputRole.LAST_FRAME), make_input(InputRole.FIRST_FRAME))
    fields = {INPUT_FIELDS: {"first_frame": "image_urls[]", "last_frame": "image_urls[]"}}
    call = make_call(Operation.IMAGE_TO_VIDEO, inputs=frames, fields=fields)
    assert place_inputs(call, {0: "end", 1: "begin"}, {}) == {"image_urls": ["begin", "end"]}
