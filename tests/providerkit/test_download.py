"""Files fetched into the staging folder: whole, or not at all."""

from __future__ import annotations

import asyncio
import os
import tracemalloc

import pytest
from aiohttp import web

from mediawright.providerkit.transport import (
    DownloadStatusError,
    TransportError,
    TransportFailure,
)

MEBIBYTE = 1_048_576


@pytest.fixture
def fetch(make_driver):
    async def fetch(server, *, max_bytes=MEBIBYTE, limits=None, **options):
        driver = make_driver(allowed_origins=frozenset({server.origin}), limits=limits or {})
        return await driver.download(
            f"{server.origin}/f.mp4?sig=abc", max_bytes=max_bytes, **options
        )

    return fetch


async def failure_of(fetch, server, **options) -> TransportFailure:
    with pytest.raises(TransportError) as caught:
        await fetch(server, **options)
    assert "abc" not in str(caught.value)
    return caught.value.failure


def saying(content: bytes):
    async def handler(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        writer.write(content)

    return handler


async def test_a_download_names_its_file_type_and_size(serve, fetch, staging):
    async def handler(request):
        return web.Response(body=b"abc" * 1000, headers={"Content-Type": "Video/MP4; x=y"})

    server = await serve(handler)
    download = await fetch(server)
    assert download.path.parent == staging
    assert download.path.read_bytes() == b"abc" * 1000
    assert (download.content_type, download.byte_count) == ("video/mp4", 3000)
    sent = server.requests[0].headers
    assert sent["Accept-Encoding"] == "identity"
    assert "Authorization" not in sent


async def test_every_download_gets_its_own_file(serve, fetch):
    async def handler(request):
        return web.Response(body=b"x")

    server = await serve(handler)
    downloads = await asyncio.gather(*(fetch(server) for _ in range(5)))
    assert len({download.path for download in downloads}) == 5


async def test_an_empty_file_is_a_file(serve, fetch):
    async def handler(request):
        return web.Response(body=b"")

    download = await fetch(await serve(handler))
    assert (download.path.read_bytes(), download.byte_count) == (b"", 0)


async def test_a_durable_download_is_on_the_disk_when_it_returns(serve, fetch, monkeypatch):
    synced = []
    fsync = os.fsync
    monkeypatch.setattr(os, "fsync", lambda fd: (synced.append(os.fstat(fd).st_size), fsync(fd)))

    async def handler(request):
        return web.Response(body=b"x" * 1000)

    await fetch(await serve(handler), durable=True)
    assert synced == [1000]


async def test_a_large_download_needs_little_memory(serve, fetch):
    size, block = 64 * MEBIBYTE, b"v" * 65_536

    async def handler(request):
        response = web.StreamResponse(headers={"Content-Length": str(size)})
        await response.prepare(request)
        for _ in range(size // len(block)):
            await response.write(block)
        return response

    server = await serve(handler)
    tracemalloc.start()
    try:
        download = await fetch(server, max_bytes=size)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert download.path.stat().st_size == download.byte_count == size
    assert peak < 8 * MEBIBYTE


@pytest.mark.parametrize(
    "content",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n40\r\nhalf",
        b"HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\n",
    ],
)
async def test_a_truncated_file_is_an_error_and_leaves_nothing(serve_raw, fetch, staging, content):
    assert await failure_of(fetch, await serve_raw(saying(content))) is TransportFailure.TRUNCATED
    assert not staging.exists() or list(staging.iterdir()) == []


async def test_a_truncated_large_file_leaves_nothing(serve_raw, fetch, staging):
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 9000000\r\n\r\n"
    server = await serve_raw(saying(head + b"x" * 3_000_000))
    assert await failure_of(fetch, server, max_bytes=10 * MEBIBYTE) is TransportFailure.TRUNCATED
    assert list(staging.iterdir()) == []


async def test_a_file_without_a_length_ends_with_the_connection(serve_raw, fetch):
    server = await serve_raw(saying(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nall of it"))
    assert (await fetch(server)).byte_count == 9


@pytest.mark.parametrize("announced", [True, False])
async def test_a_file_over_the_limit_is_not_kept(serve, fetch, staging, announced):
    received = []

    async def handler(request):
        response = web.StreamResponse()
        if announced:
            response.content_length = 5 * MEBIBYTE
        await response.prepare(request)
        for _ in range(80):
            await response.write(b"x" * 65_536)
        received.append(request)
        return response

    failure = await failure_of(fetch, await serve(handler), max_bytes=2 * MEBIBYTE)
    assert failure is TransportFailure.TOO_LARGE
    assert not staging.exists() or list(staging.iterdir()) == []


async def test_a_file_of_exactly_the_limit_is_kept(serve, fetch):
    async def handler(request):
        return web.Response(body=b"x" * 1000)

    assert (await fetch(await serve(handler), max_bytes=1000)).byte_count == 1000


@pytest.mark.parametrize(
    ("status", "headers", "retry_after"), [(404, {}, None), (503, {"Retry-After": "7"}, 7.0)]
)
async def test_an_error_status_is_told_with_its_number(  # noqa: PLR0917 - fixtures
    serve, fetch, staging, status, headers, retry_after
):
    async def handler(request):
        return web.Response(status=status, headers=headers, text="<html>gone</html>")

    with pytest.raises(DownloadStatusError) as caught:
        await fetch(await serve(handler))
    error = caught.value
    assert (error.code, error.status, error.retry_after) == ("download_failed", status, retry_after)
    assert "abc" not in str(error)
    assert not staging.exists()


async def test_a_stalled_download_times_out_and_leaves_nothing(serve_raw, fetch, staging):
    async def stall(reader, writer):
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 4000000\r\n\r\n" + b"x" * 2_000_000)
        await asyncio.Event().wait()

    failure = await failure_of(
        fetch, await serve_raw(stall), max_bytes=5_000_000, limits={"chunk_seconds": 0.1}
    )
    assert failure is TransportFailure.REPLY_STALLED
    assert list(staging.iterdir()) == []


async def test_a_cancelled_download_leaves_nothing(serve_raw, fetch, staging):
    flowing = asyncio.Event()

    async def stall(reader, writer):
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 4000000\r\n\r\n" + b"x" * 2_000_000)
        await writer.drain()
        flowing.set()
        await asyncio.Event().wait()

    task = asyncio.create_task(fetch(await serve_raw(stall), max_bytes=5_000_000))
    await flowing.wait()
    while not (staging.exists() and list(staging.iterdir())):
        await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert list(staging.iterdir()) == []
