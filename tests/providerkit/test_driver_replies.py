"""What comes back from a call: bodies, files, limits and the time it took."""

from __future__ import annotations

import pytest
from aiohttp import web
from tests.providerkit.driver_calls import echo, failure_of, send

from mediawright.core.clock import ManualClock, SystemClock
from mediawright.core.errors import UnavailableError
from mediawright.providerkit.driver import Driver
from mediawright.providerkit.http import Expectation
from mediawright.providerkit.transport import TransportFailure


async def test_a_media_reply_is_streamed_to_a_file(serve, make_driver, staging):
    async def handler(request):
        return web.Response(body=b"RIFF" * 400_000, content_type="audio/wav")

    reply = await send(make_driver(), await serve(handler), expects=Expectation.MEDIA)
    assert reply.body == b""
    assert reply.content_type == "audio/wav"
    assert reply.spooled is not None
    assert reply.spooled.parent == staging
    assert reply.spooled.read_bytes() == b"RIFF" * 400_000


@pytest.mark.parametrize(
    ("status", "content_type"),
    [(200, "application/json"), (200, "application/problem+json"), (422, "audio/mpeg")],
)
async def test_json_and_errors_are_read_though_media_was_hoped_for(
    serve, make_driver, staging, status, content_type
):
    async def handler(request):
        return web.Response(body=b'{"a":1}', status=status, content_type=content_type)

    reply = await send(make_driver(), await serve(handler), expects=Expectation.MEDIA)
    assert reply.spooled is None
    assert reply.json() == {"a": 1}
    assert not staging.exists()


async def test_a_compressed_reply_is_unpacked(serve, make_driver):
    async def handler(request):
        response = web.json_response({"text": "x" * 10_000})
        response.enable_compression(web.ContentCoding.gzip)
        return response

    reply = await send(make_driver(), await serve(handler))
    assert len(reply.json()["text"]) == 10_000


@pytest.mark.parametrize("compressed", [False, True])
async def test_a_reply_over_the_limit_is_not_kept(serve, make_driver, compressed):
    async def handler(request):
        response = web.Response(body=b"x" * 2_000_000, content_type="application/json")
        if compressed:
            response.enable_compression(web.ContentCoding.gzip)
        return response

    driver = make_driver(limits={"json_bytes": 1_000_000})
    error = await failure_of(driver, await serve(handler))
    assert (error.failure, error.sent) == (TransportFailure.TOO_LARGE, True)


async def test_a_media_reply_over_the_limit_leaves_no_file(serve, make_driver, staging):
    async def handler(request):
        response = web.StreamResponse(headers={"Content-Type": "video/mp4"})
        await response.prepare(request)
        for _ in range(40):
            await response.write(b"x" * 100_000)
        return response

    driver = make_driver(limits={"media_bytes": 2_000_000})
    error = await failure_of(driver, await serve(handler), expects=Expectation.MEDIA)
    assert error.failure is TransportFailure.TOO_LARGE
    assert list(staging.iterdir()) == []


async def test_of_a_long_error_the_beginning_is_kept(serve, make_driver):
    async def handler(request):
        return web.Response(status=500, body=b"e" * 3_000_000)

    reply = await send(make_driver(limits={"error_bytes": 1000}), await serve(handler))
    assert (reply.status, reply.body) == (500, b"e" * 1000)


async def test_one_connection_serves_many_calls(serve_raw, make_driver):
    async def handler(reader, writer):
        while await reader.readuntil(b"\r\n\r\n"):
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")

    server = await serve_raw(handler)
    driver = make_driver()
    for _ in range(5):
        await send(driver, server, method="GET")
    assert server.connections == 1


async def test_a_full_disk_is_named_as_such(serve, tmp_path):
    async def handler(request):
        return web.Response(body=b"data", content_type="image/png")

    blocked = tmp_path / "file"
    blocked.write_text("not a folder")
    driver = Driver(staging=blocked / "staging", clock=SystemClock())
    try:
        with pytest.raises(UnavailableError) as caught:
            await send(driver, await serve(handler), expects=Expectation.MEDIA)
    finally:
        await driver.close()
    assert caught.value.code == "staging_unwritable"


async def test_a_closed_driver_says_so(serve, make_driver):
    driver = make_driver()
    await driver.close()
    await driver.close()
    with pytest.raises(RuntimeError, match="closed"):
        await send(driver, await serve(echo))


async def test_time_is_measured_on_the_given_clock(serve, staging):
    clock = ManualClock()

    async def handler(request):
        await clock.advance(2.5)
        return web.json_response({})

    driver = Driver(staging=staging, clock=clock)
    reply = await send(driver, await serve(handler))
    await driver.close()
    assert reply.seconds == 2.5
