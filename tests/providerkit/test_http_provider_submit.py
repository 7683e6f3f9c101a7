"""Every way a submit can end, over real HTTP with a small adapter."""

from __future__ import annotations

import asyncio

import msgspec
import pytest
from aiohttp import web
from tests.providerkit.tiny_vendor import SECRET, TinyAdapter, answering, fault_of, job, no_report

from mediawright.core.errors import UnavailableError
from mediawright.core.operations import MediaKind, Operation
from mediawright.core.provider import Accepted, Done, Fault, FaultKind, Feature, InlineMedia


async def test_a_provider_shows_its_adapters_name_features_and_origins(provide, serve):
    server = await serve(answering({}))
    provider = provide(server)
    assert provider.name == "tiny"
    assert provider.features == {Feature.CANCEL}
    assert provider.trusted_origins == {server.origin}


async def test_an_accepted_job_gives_its_handle(provide, serve):
    server = await serve(answering({"id": "j1"}))
    outcome = await provide(server, secret=f" {SECRET}\n").submit(job(), no_report)
    assert outcome == Accepted(handle={"id": "j1"})
    assert server.requests[0].headers["Authorization"] == f"Key {SECRET}"


async def test_media_in_the_reply_is_done(provide, serve):
    outcome = await provide(await serve(answering({"data": "png"}))).submit(job(), no_report)
    assert outcome == Done(outputs=(InlineMedia(kind=MediaKind.IMAGE, data=b"png"),))


async def test_a_streamed_reply_is_done_and_its_file_stays(provide, serve, staging):
    reply = web.Response(body=b"mp3 bytes", content_type="audio/mpeg")
    outcome = await provide(await serve(answering(reply))).submit(
        job(operation=Operation.TEXT_TO_SPEECH), no_report
    )
    assert isinstance(outcome, Done)
    assert outcome.outputs[0].path.read_bytes() == b"mp3 bytes"
    assert [*staging.iterdir()] == [outcome.outputs[0].path]


async def test_a_streamed_reply_that_is_not_used_leaves_no_file(
    provide, serve, staging, monkeypatch
):
    def misread(self, call, reply):
        raise KeyError("no such header")

    monkeypatch.setattr(TinyAdapter, "read_submit", misread)
    reply = web.Response(body=b"mp3 bytes", content_type="audio/mpeg")
    fault = await fault_of(
        provide(await serve(answering(reply))), job(operation=Operation.TEXT_TO_SPEECH)
    )
    assert (fault.kind, fault.accepted) == (FaultKind.GARBAGE, None)
    assert [*staging.iterdir()] == []


async def test_a_refusal_inside_a_success_reply_is_declined(provide, serve):
    fault = await fault_of(provide(await serve(answering({"blocked": "unsafe prompt"}))))
    assert (fault.kind, fault.message, fault.accepted) == (
        FaultKind.REFUSED,
        "unsafe prompt",
        False,
    )


async def test_what_the_adapter_cannot_describe_is_never_sent(provide, serve):
    server = await serve(answering({"id": "j1"}))
    fault = await fault_of(provide(server), job("impossible"))
    assert (fault.kind, fault.accepted) == (FaultKind.INVALID_REQUEST, False)
    assert fault.message == "Tiny cannot do that."
    assert server.requests == []


@pytest.mark.parametrize(
    ("status", "kind", "accepted"),
    [
        (400, FaultKind.INVALID_REQUEST, False),
        (401, FaultKind.BAD_CREDENTIAL, False),
        (402, FaultKind.OUT_OF_CREDIT, False),
        (403, FaultKind.BAD_CREDENTIAL, False),
        (404, FaultKind.NOT_FOUND, False),
        (422, FaultKind.INVALID_REQUEST, False),
        (429, FaultKind.RATE_LIMITED, False),
        (500, FaultKind.UNAVAILABLE, None),
        (502, FaultKind.UNAVAILABLE, None),
        (503, FaultKind.UNAVAILABLE, False),
        (504, FaultKind.UNAVAILABLE, None),
        (302, FaultKind.UNAVAILABLE, False),
    ],
)
async def test_an_error_reply_is_declined_in_the_adapters_words(
    provide, serve, status, kind, accepted
):
    headers = {"Retry-After": "12", "X-Code": "oops", "Location": "/elsewhere"}
    server = await serve(
        answering(web.Response(status=status, text="vendor words", headers=headers))
    )
    fault = await fault_of(provide(server))
    assert fault == Fault(
        kind=kind,
        message="vendor words",
        vendor_code="oops",
        retry_after=12.0,
        http_status=status,
        accepted=accepted,
    )
    assert len(server.requests) == 1


async def test_an_adapter_that_stumbles_over_an_error_does_not_hide_it(provide, serve):
    fault = await fault_of(
        provide(await serve(answering(web.Response(status=500, text="confusing"))))
    )
    assert (fault.kind, fault.http_status, fault.accepted) == (FaultKind.UNAVAILABLE, 500, None)


@pytest.mark.parametrize(
    "body", [b"", b"<html>", b"[]", b"null", b'"text"', b'{"status":"ok"}', b'{"id":', b"\xff\xfe"]
)
async def test_an_unreadable_success_leaves_open_whether_there_is_a_job(provide, serve, body):
    fault = await fault_of(provide(await serve(answering(web.Response(body=body)))))
    assert (fault.kind, fault.accepted) == (FaultKind.GARBAGE, None)


async def test_no_connection_means_no_job(provide, unused_port):
    server = type("Nobody", (), {"origin": f"http://127.0.0.1:{unused_port}"})
    fault = await fault_of(provide(server))
    assert (fault.kind, fault.accepted) == (FaultKind.UNREACHABLE, False)


async def test_an_unknown_host_means_no_job(provide, internet):
    server = type("Nowhere", (), {"origin": "https://api.nowhere.example.com"})
    fault = await fault_of(provide(server, resolver=internet.resolver))
    assert (fault.kind, fault.accepted) == (FaultKind.UNREACHABLE, False)


async def test_a_reply_that_never_comes_leaves_it_open(provide, serve_raw):
    async def hang_up(reader, writer):
        await reader.readuntil(b"\r\n\r\n")

    async def silent(reader, writer):
        await asyncio.Event().wait()

    async def cut(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b'HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\n{"id":')

    for handler in (hang_up, silent, cut):
        server = await serve_raw(handler)
        fault = await fault_of(provide(server, limits={"first_byte_seconds": 0.05}))
        assert (fault.kind, fault.accepted) == (FaultKind.LOST_REPLY, None)
        assert server.connections == 1


async def test_a_media_reply_that_breaks_off_leaves_it_open_and_no_file(
    provide, serve_raw, staging
):
    async def cut(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        writer.write(
            b"HTTP/1.1 200 OK\r\nContent-Type: audio/mpeg\r\nContent-Length: 5000000\r\n\r\n"
            + b"x" * 2_000_000
        )

    fault = await fault_of(provide(await serve_raw(cut)), job(operation=Operation.TEXT_TO_SPEECH))
    assert (fault.kind, fault.accepted) == (FaultKind.LOST_REPLY, None)
    assert [*staging.iterdir()] == []


async def test_a_reply_that_cannot_be_kept_leaves_it_open(provide, serve, staging):
    staging.write_text("a file where the folder should be")
    reply = web.Response(body=b"mp3 bytes", content_type="audio/mpeg")
    fault = await fault_of(
        provide(await serve(answering(reply))), job(operation=Operation.TEXT_TO_SPEECH)
    )
    assert (fault.kind, fault.accepted) == (FaultKind.LOST_REPLY, None)


async def test_a_key_that_no_header_can_carry_is_never_sent(provide, serve):
    server = await serve(answering({"id": "j1"}))
    fault = await fault_of(provide(server, secret="first-line\nsecond-line"))
    assert (fault.kind, fault.accepted) == (FaultKind.INVALID_REQUEST, False)
    assert "line-" not in fault.message
    assert "second" not in fault.message
    assert server.requests == []


async def test_the_key_is_taken_out_of_what_the_vendor_says(provide, serve):
    reply = web.Response(
        status=401, text=f"Incorrect API key: {SECRET}", headers={"X-Code": f"bad {SECRET}"}
    )
    fault = await fault_of(provide(await serve(answering(reply))))
    assert fault.message == "Incorrect API key: [redacted]"
    assert fault.vendor_code == "bad [redacted]"


async def test_long_words_of_a_vendor_are_cut(provide, serve):
    reply = web.Response(status=400, text="x" * 50_000)
    assert len((await fault_of(provide(await serve(answering(reply))))).message) < 1100


async def test_a_permit_that_is_gone_stops_the_request_after_the_uploads(provide, serve):
    server = await serve(answering({"id": "j1"}))
    asked = []

    def refuse():
        asked.append(len(server.requests))
        raise UnavailableError("worker_fenced", "others have taken over")

    with pytest.raises(UnavailableError):
        await provide(server).submit(msgspec.structs.replace(job(), permit=refuse), no_report)
    assert asked == [0]
    assert server.requests == []
