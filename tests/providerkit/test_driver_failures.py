"""Failures of a call put in their right class, with whether anything was sent."""

from __future__ import annotations

import asyncio
import ssl

import pytest
import trustme
from aiohttp import web
from tests.providerkit.driver_calls import echo, failure_of, send

from mediawright.providerkit.http import JsonBody, RawBody
from mediawright.providerkit.transport import TransportFailure


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
