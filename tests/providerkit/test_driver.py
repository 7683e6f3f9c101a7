"""Calls over real HTTP: bodies, credentials, limits, and failures put in their right class."""

from __future__ import annotations

import asyncio
import json
import ssl

import msgspec
import pytest
import trustme
from aiohttp import web

from mediawright import _version
from mediawright.core.clock import ManualClock, SystemClock
from mediawright.core.errors import ForbiddenError, InvalidRequestError, UnavailableError
from mediawright.providerkit.driver import Driver
from mediawright.providerkit.http import (
    Expectation,
    HttpCall,
    JsonBody,
    MultipartBody,
    Part,
    RawBody,
    Trust,
)
from mediawright.providerkit.transport import TransportError, TransportFailure

KEY = {"Authorization": "Key very-secret-key"}


async def send(driver, server, call=None, *, trusted=None, credential=KEY, **fields):
    call = call or HttpCall(**{"method": "POST", "url": f"{server.origin}/v1/images", **fields})
    trusted = frozenset({server.origin}) if trusted is None else trusted
    return await driver.send(call, credential=credential, trusted_origins=trusted)


async def failure_of(driver, server, **fields) -> TransportError:
    with pytest.raises(TransportError) as caught:
        await send(driver, server, **fields)
    assert "very-secret-key" not in str(caught.value)
    assert caught.value.code == f"transport_{caught.value.failure.value}"
    return caught.value


async def echo(request: web.BaseRequest) -> web.StreamResponse:
    body = await request.content.read()
    return web.json_response(
        {
            "method": request.method,
            "path": request.path_qs,
            "headers": {name.lower(): value for name, value in request.headers.items()},
            "length": len(body),
            "text": body[:2000].decode(errors="replace"),
        },
        headers={"X-Request-Id": "r-1"},
    )


# --- what is sent ---------------------------------------------------------------------------


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


# --- where the credential goes --------------------------------------------------------------


async def test_the_credential_stays_home_when_the_call_is_not_authenticated(serve, make_driver):
    server = await serve(echo)
    reply = await send(make_driver(), server, authenticated=False)
    assert "authorization" not in reply.json()["headers"]


async def test_a_configured_url_must_be_of_a_trusted_origin(serve, make_driver):
    server = await serve(echo)
    with pytest.raises(ForbiddenError) as caught:
        await send(make_driver(), server, trusted=frozenset({"https://api.example.com"}))
    assert caught.value.details["reason"] == "not_configured"
    assert server.requests == []


async def test_a_url_from_a_reply_gets_the_credential_on_trusted_origins_alone(serve, make_driver):
    home, elsewhere = await serve(echo), await serve(echo)
    driver = make_driver(allowed_origins=frozenset({home.origin, elsewhere.origin}))
    for server, expected in ((home, "Key very-secret-key"), (elsewhere, None)):
        reply = await send(
            driver,
            server,
            trusted=frozenset({home.origin}),
            method="GET",
            url=f"{server.origin}/poll",
            trust=Trust.REPLY,
        )
        assert reply.json()["headers"].get("authorization") == expected


async def test_a_url_from_a_reply_goes_through_the_guard(serve, make_driver):
    server = await serve(echo)
    with pytest.raises(ForbiddenError) as caught:
        await send(make_driver(), server, trusted=frozenset(), trust=Trust.REPLY)
    assert caught.value.details["reason"] == "loopback_address"
    assert server.requests == []


async def test_no_secret_follows_a_redirect_to_another_origin(serve, make_driver):
    elsewhere = await serve(echo)

    async def redirect(request):
        return web.Response(status=307, headers={"Location": f"{elsewhere.origin}/file"})

    home = await serve(redirect)
    driver = make_driver(allowed_origins=frozenset({elsewhere.origin}))
    reply = await send(
        driver,
        home,
        method="GET",
        headers={"X-Session-Token": "s3cret", "Cookie": "a=b", "Accept": "image/png"},
    )
    assert home.requests[0].headers["Authorization"] == "Key very-secret-key"
    assert home.requests[0].headers["X-Session-Token"] == "s3cret"
    received = reply.json()["headers"]
    assert received["accept"] == "image/png"
    assert not {"authorization", "x-session-token", "cookie"} & set(received)


async def test_a_redirect_back_home_brings_the_credential_back_but_no_cookie(serve, make_driver):
    origins = {}

    async def handler(request):
        if request.path == "/final":
            return await echo(request)
        location = (
            f"{origins['other']}/back" if request.path == "/go" else f"{origins['home']}/final"
        )
        return web.Response(status=302, headers={"Location": location, "Set-Cookie": "c=d"})

    home, other = await serve(handler), await serve(handler)
    origins.update(home=home.origin, other=other.origin)
    driver = make_driver(allowed_origins=frozenset({other.origin}))
    reply = await send(driver, home, method="GET", url=f"{home.origin}/go")
    assert "Authorization" not in other.requests[0].headers
    assert reply.json()["headers"]["authorization"] == "Key very-secret-key"
    assert "cookie" not in reply.json()["headers"]


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_only_reading_methods_follow_redirects(serve, make_driver, method, status):
    async def redirect(request):
        return web.Response(status=status, headers={"Location": "/elsewhere"})

    server = await serve(redirect)
    reply = await send(make_driver(), server, method=method, body=JsonBody({}))
    assert reply.status == status
    assert len(server.requests) == 1


# --- replies --------------------------------------------------------------------------------


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


# --- failures, and whether anything was sent ------------------------------------------------


async def test_a_refused_connection_sent_nothing(make_driver, serve_raw, unused_port):
    server = type("Nobody", (), {"origin": f"http://127.0.0.1:{unused_port}"})
    error = await failure_of(make_driver(), server, body=JsonBody({}))
    assert (error.failure, error.sent) == (TransportFailure.CONNECTION_FAILED, False)


async def test_an_unknown_name_sent_nothing(internet, make_driver):
    server = type("Nowhere", (), {"origin": "https://nowhere.example.com"})
    error = await failure_of(make_driver(resolver=internet.resolver), server)
    assert (error.failure, error.sent) == (TransportFailure.NAME_UNRESOLVED, False)


async def test_a_connection_that_never_opens_sent_nothing(internet, make_driver, monkeypatch):
    internet.resolver.answers["slow.example.com"] = [["93.184.215.14"]]

    async def never(sock, address):
        await asyncio.Event().wait()

    monkeypatch.setattr(asyncio.get_running_loop(), "sock_connect", never)
    driver = make_driver(resolver=internet.resolver, limits={"connect_seconds": 0.05})
    error = await failure_of(driver, type("Slow", (), {"origin": "http://slow.example.com"}))
    assert (error.failure, error.sent) == (TransportFailure.CONNECTION_TIMEOUT, False)


async def test_a_tls_handshake_that_stalls_sent_nothing(serve_raw, make_driver):
    async def silent(reader, writer):
        await asyncio.Event().wait()

    server = await serve_raw(silent)
    secure = type("Secure", (), {"origin": f"https://127.0.0.1:{server.port}"})
    error = await failure_of(make_driver(limits={"connect_seconds": 0.05}), secure)
    assert (error.failure, error.sent) == (TransportFailure.CONNECTION_TIMEOUT, False)


async def test_a_server_that_speaks_no_tls_was_sent_nothing(serve, make_driver):
    server = await serve(echo)
    secure = type("Secure", (), {"origin": f"https://127.0.0.1:{server.port}"})
    error = await failure_of(make_driver(), secure)
    assert (error.failure, error.sent) == (TransportFailure.TLS_FAILED, False)


async def test_certificates_are_checked_and_an_operators_own_authority_is_taken(make_driver):
    authority = trustme.CA()
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    runner = web.ServerRunner(web.Server(echo, access_log=None), shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context).start()
    secure = type("Secure", (), {"origin": f"https://127.0.0.1:{runner.addresses[0][1]}"})
    try:
        error = await failure_of(make_driver(), secure)
        assert (error.failure, error.sent) == (TransportFailure.TLS_FAILED, False)
        trusting = ssl.create_default_context()
        authority.configure_trust(trusting)
        driver = make_driver(tls=trusting)
        assert (await send(driver, secure)).status == 200
        await driver.close()
    finally:
        await runner.cleanup()


async def test_a_connection_dropped_after_the_request_leaves_it_open(serve_raw, make_driver):
    async def hang_up(reader, writer):
        await reader.readuntil(b"\r\n\r\n")

    error = await failure_of(make_driver(), await serve_raw(hang_up), body=JsonBody({"a": 1}))
    assert (error.failure, error.sent) == (TransportFailure.DISCONNECTED, True)


async def test_a_connection_dropped_on_arrival_counts_as_sent(serve_raw, make_driver):
    """Nobody can tell how much of the request was read before the connection broke."""

    async def hang_up(reader, writer):
        writer.transport.abort()

    error = await failure_of(make_driver(), await serve_raw(hang_up), body=JsonBody({}))
    assert error.sent is True


async def test_a_slow_first_byte_times_out_and_leaves_it_open(serve_raw, make_driver):
    async def silent(reader, writer):
        await asyncio.Event().wait()

    server = await serve_raw(silent)
    driver = make_driver(limits={"first_byte_seconds": 0.05})
    error = await failure_of(driver, server)
    assert (error.failure, error.sent) == (TransportFailure.REPLY_TIMEOUT, True)
    slow_call = make_driver(limits={"first_byte_seconds": 30})
    error = await failure_of(slow_call, server, read_timeout=0.05)
    assert error.failure is TransportFailure.REPLY_TIMEOUT


async def test_a_reply_that_stalls_in_the_middle_times_out(serve_raw, make_driver):
    async def stall(reader, writer):
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{")
        await asyncio.Event().wait()

    error = await failure_of(make_driver(limits={"chunk_seconds": 0.05}), await serve_raw(stall))
    assert (error.failure, error.sent) == (TransportFailure.REPLY_STALLED, True)


async def test_a_server_that_stops_taking_the_request_times_out(serve_raw, make_driver):
    async def deaf(reader, writer):
        reader._transport.pause_reading()
        await asyncio.Event().wait()

    error = await failure_of(
        make_driver(limits={"send_stall_seconds": 0.2}),
        await serve_raw(deaf),
        body=RawBody(b"x" * 20_000_000, "video/mp4"),
    )
    assert (error.failure, error.sent) == (TransportFailure.SEND_TIMEOUT, True)


async def test_a_reply_that_trickles_on_ends_at_the_total(serve_raw, make_driver):
    async def trickle(reader, writer):
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
        for _ in range(1000):
            writer.write(b" ")
            await asyncio.sleep(0.01)

    driver = make_driver(limits={"total_seconds": 0.4, "chunk_seconds": 5})
    error = await failure_of(driver, await serve_raw(trickle))
    assert (error.failure, error.sent) == (TransportFailure.TOTAL_TIMEOUT, True)


@pytest.mark.parametrize(
    "head",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{}",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 2\r\n\r\n{}",
    ],
)
async def test_a_reply_that_ends_early_is_no_reply(serve_raw, make_driver, head):
    async def cut(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        writer.write(head)

    error = await failure_of(make_driver(), await serve_raw(cut))
    assert (error.failure, error.sent) == (TransportFailure.TRUNCATED, True)


async def test_a_reply_that_is_not_http_is_no_reply(serve_raw, make_driver):
    async def babble(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"220 mail.example.com ESMTP\r\n\r\n")

    error = await failure_of(make_driver(), await serve_raw(babble))
    assert (error.failure, error.sent) == (TransportFailure.PROTOCOL, True)


async def test_a_reply_before_the_body_was_taken_is_read(serve_raw, make_driver):
    async def reject(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 413 Too Large\r\nContent-Length: 2\r\n\r\n{}")
        await writer.drain()
        await asyncio.Event().wait()

    reply = await send(
        make_driver(), await serve_raw(reject), body=RawBody(b"x" * 20_000_000, "video/mp4")
    )
    assert (reply.status, reply.body) == (413, b"{}")


async def test_nothing_is_sent_twice(serve_raw, make_driver):
    async def hang_up(reader, writer):
        await reader.readuntil(b"\r\n\r\n")

    server = await serve_raw(hang_up)
    await failure_of(make_driver(), server, body=JsonBody({}))
    assert server.connections == 1


async def test_a_cancelled_call_lets_go_of_its_connection(serve_raw, make_driver):
    gone = asyncio.Event()
    arrived = asyncio.Event()

    async def wait_for_the_end(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        arrived.set()
        assert await reader.read() == b""
        gone.set()

    task = asyncio.create_task(send(make_driver(), await serve_raw(wait_for_the_end)))
    await arrived.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    async with asyncio.timeout(5):
        await gone.wait()


async def test_time_is_measured_on_the_given_clock(serve, staging):
    clock = ManualClock()

    async def handler(request):
        await clock.advance(2.5)
        return web.json_response({})

    driver = Driver(staging=staging, clock=clock)
    reply = await send(driver, await serve(handler))
    await driver.close()
    assert reply.seconds == 2.5


async def test_large_json_bodies_arrive_whole(serve, make_driver):
    async def handler(request):
        return web.json_response(
            {"length": len(msgspec.json.decode(await request.content.read())["image"])}
        )

    reply = await send(make_driver(), await serve(handler), body=JsonBody({"image": "A" * 800_000}))
    assert reply.json() == {"length": 800_000}
