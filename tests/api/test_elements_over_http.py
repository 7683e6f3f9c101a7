"""Elements and shots in the body of a request (rules 36 and 38)."""

from __future__ import annotations

import io
from typing import Any

import pytest
from PIL import Image
from tests.api.running import Member

ELEMENT = {
    "name": "cat",
    "description": "a grey cat",
    "element_input_urls": ["https://h.test/front.png", "https://h.test/side.png"],
}
KLING = {
    "model": "kling-3-0-std",
    "prompt": "@cat sleeps",
    "generation_type": "text-to-video",
    "size": None,
}


def refusal(member: Member, **changes: Any) -> dict[str, Any]:
    before = member.left_behind()
    reply = member.start(**{**KLING, **changes})
    assert reply.status_code == 400, reply.text
    assert member.left_behind() == before
    return reply.json()


def upload(member: Member, size: tuple[int, int]) -> str:
    buffer = io.BytesIO()
    Image.new("RGB", size, "teal").save(buffer, "PNG")
    reply = member.http.post("/v1/upload/media", files={"file": ("a.png", buffer.getvalue())})
    assert reply.status_code == 201, reply.text
    return reply.json()["urls"][0]


@pytest.mark.rule(36, shows="refuses")
@pytest.mark.parametrize(
    ("elements", "pointer"),
    [
        ("a cat", "/kling_elements"),
        ([7], "/kling_elements/0"),
        ([{**ELEMENT, "name": 7}], "/kling_elements/0/name"),
        ([{**ELEMENT, "description": None}], "/kling_elements/0/description"),
        ([ELEMENT, {**ELEMENT, "name": ""}], "/kling_elements/1/name"),
        ([{"name": "cat", "description": "grey"}], "/kling_elements/0"),
        (
            [{**ELEMENT, "element_input_urls": ELEMENT["element_input_urls"][:1]}],
            "/kling_elements/0/element_input_urls",
        ),
    ],
)
def test_a_misshapen_element_is_refused(member: Member, elements: Any, pointer: str) -> None:
    body = refusal(member, kling_elements=elements)
    assert (body["error"], body["pointer"]) == ("invalid_elements", pointer)


@pytest.mark.rule(36, shows="refuses")
def test_the_files_of_this_server_are_known_and_checked(member: Member) -> None:
    fine, small = upload(member, (300, 300)), upload(member, (299, 400))
    shown = {**ELEMENT, "element_input_urls": [fine, small]}
    body = refusal(member, kling_elements=[shown])
    place = "/kling_elements/0/element_input_urls/1"
    assert (body["error"], body["pointer"]) == ("image_side_out_of_range", place)


@pytest.mark.rule(36, shows="refuses")
def test_a_name_that_no_element_has_is_refused(member: Member) -> None:
    fine = upload(member, (300, 300))
    shown = {**ELEMENT, "element_input_urls": [fine, fine]}
    body = refusal(member, kling_elements=[shown], prompt="@dog")
    assert (body["error"], body["pointer"]) == ("unknown_element", "/prompt")


@pytest.mark.rule(38, shows="refuses")
def test_shots_are_for_storyboards(member: Member) -> None:
    body = refusal(member, shots=[{"scene": "dawn", "duration": "10s"}])
    assert (body["error"], body["pointer"]) == ("unsupported_by_model", "/shots")
    body = refusal(member, shots=[{"scene": "dawn", "duration": "long"}])
    assert (body["error"], body["pointer"]) == ("invalid_shots", "/shots/0/duration")


def test_the_schema_of_a_model_shows_its_elements(member: Member) -> None:
    model = member.http.get("/v1/models/kling-3-0-std").json()
    schema = model["parameter_schema"]["properties"]["kling_elements"]
    assert schema["items"]["required"] == ["name", "description"]
    document = member.http.get("/v1/openapi.json").json()
    assert "ElementBody" in document["components"]["schemas"]
