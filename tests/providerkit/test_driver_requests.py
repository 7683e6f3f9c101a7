"""What a call sends over real HTTP: headers, queries and bodies."""

from __future__ import annotations

import json

import msgspec
import pytest
from aiohttp import web
from tests.providerkit.driver_calls import echo, send

from mediawright import _version
from mediawright.core.errors import InvalidRequestError
from mediawright.providerkit.http import JsonBody, MultipartBody, Part, RawBody


async def test_a_json_call_arrives_with_its_headers_query_and_credential(serve, make_driver):
    server = await serve(echo)
    reply = await send(
        make_driver(),
        server,
        headers={"X-Version": "2"},
        query={"a": "1 2", "b": "ä&="},
        body=JsonBody({"prompt": "café", "n": 1}),
    )
    seen = reply.json()
    assert reply.status == 200
    assert reply.headers["x-request-id"] == "r-1"
    assert reply.content_type == "application/json"
    assert reply.seconds > 0
    assert seen["path"] == "/v1/images?a=1+2&b=%C3%A4%26%3D"
    assert json.loads(seen["text"]) == {"prompt": "café", "n": 1}
    assert seen["headers"]["content-type"] == "application/json"
    assert seen["headers"]["authorization"] == "Key very-secret-key"
    assert seen["headers"]["x-version"] == "2"
    assert seen["headers"]["user-agent"] == f"mediawright/{_version.__version__}"


async def test_a_call_without_a_body_names_no_content_type(serve, make_driver):
    server = await serve(echo)
    headers = (await send(make_driver(), server)).json()["headers"]
    assert "content-type" not in headers
    assert headers["content-length"] == "0"


async def test_a_content_type_of_the_call_is_kept_in_any_case(serve, make_driver):
    server = await serve(echo)
    reply = await send(
        make_driver(),
        server,
        headers={"content-type": "application/vnd.api+json"},
        body=JsonBody({}),
    )
    assert reply.json()["headers"]["content-type"] == "application/vnd.api+json"


async def test_a_query_joins_the_one_in_the_url_which_stays_as_it_is(serve, make_driver):
    server = await serve(echo)
    reply = await send(
        make_driver(), server, url=f"{server.origin}/p%2Fq?sig=a%2Fb%3D", query={"id": "7"}
    )
    assert reply.json()["path"] == "/p%2Fq?sig=a%2Fb%3D&id=7"


@pytest.mark.parametrize("size", [0, 10, 65_536, 65_537, 3_000_000])
async def test_raw_bodies_of_any_size_arrive_whole(serve, make_driver, size):
    received = []

    async def handler(request):
        received.append((request.headers["Content-Type"], await request.content.read()))
        return web.json_response({})

    server = await serve(handler)
    data = bytes(range(256)) * (size // 256) + b"x" * (size % 256)
    await send(make_driver(), server, method="PUT", body=RawBody(data, "image/png"))
    assert received == [("image/png", data)]


@pytest.mark.parametrize("file_size", [5, 500_000])
async def test_multipart_parts_keep_order_names_and_types(serve, make_driver, file_size):
    parts = []

    async def handler(request):
        parts.extend(
            [
                (
                    part.name,
                    part.filename,
                    part.headers.get("Content-Type"),
                    len(await part.read()),
                )
                async for part in await request.multipart()
            ]
        )
        return web.json_response({})

    server = await serve(handler)
    body = MultipartBody(
        (
            Part(name="model", data="gpt-image-2"),
            Part(name="image[]", data=b"p" * file_size, filename="a.png", content_type="image/png"),
            Part(name="image[]", data=b"q", filename="b.bin"),
            Part(name="prompt", data="größer"),
            Part(name="options", data="{}", content_type="application/json"),
        )
    )
    await send(make_driver(), server, body=body)
    assert parts == [
        ("model", None, None, 11),
        ("image[]", "a.png", "image/png", file_size),
        ("image[]", "b.bin", "application/octet-stream", 1),
        ("prompt", None, None, 8),
        ("options", None, "application/json", 2),
    ]


async def test_part_names_cannot_break_out_of_their_header(serve, make_driver):
    server = await serve(echo)
    part = Part(
        name='a"b',
        data=b"x",
        filename='c";\r\nX-Evil: 1\r\n\r\n.png',
        content_type="image/png\r\nX-Evil: 2",
    )
    text = (await send(make_driver(), server, body=MultipartBody((part,)))).json()["text"]
    assert 'name="a%22b"; filename="c%22;%0D%0AX-Evil: 1%0D%0A%0D%0A.png"\r\n' in text
    assert "\nX-Evil" not in text


async def test_a_line_break_in_a_header_is_refused_before_anything_is_sent(serve, make_driver):
    server = await serve(echo)
    with pytest.raises(InvalidRequestError) as caught:
        await send(make_driver(), server, credential={"Authorization": "Key abc\r\nX-Evil: 1"})
    assert caught.value.code == "header_malformed"
    assert "abc" not in str(caught.value)
    assert server.requests == []


async def test_large_json_bodies_arrive_whole(serve, make_driver):
    async def handler(request):
        return web.json_response(
            {"length": len(msgspec.json.decode(await request.content.read())["image"])}
        )

    reply = await send(make_driver(), await serve(handler), body=JsonBody({"image": "A" * 800_000}))
    assert reply.json() == {"length": 800_000}
