"""Every way a submit, a poll and a cancel can end, over real HTTP with a small adapter."""

from __future__ import annotations

import asyncio
from typing import Any, ClassVar

import pytest
from aiohttp import web

from mediawright.core.errors import InvalidRequestError
from mediawright.core.operations import InputRole, MediaKind, Operation
from mediawright.core.provider import (
    Accepted,
    Broken,
    Declined,
    Done,
    Fault,
    FaultKind,
    Feature,
    InlineMedia,
    LoadedInput,
    MediaCall,
    RemoteMedia,
    StagedMedia,
    Waiting,
)
from mediawright.core.request import Parameters
from mediawright.providerkit.adapter import Adapter, Again, CredentialRule
from mediawright.providerkit.http import Expectation, HttpCall, JsonBody, RawBody, Trust
from mediawright.providerkit.http_provider import HttpProvider
from mediawright.providerkit.status_faults import fault_for_status

SECRET = "tiny-secret-0123456789"


class TinyAdapter(Adapter):
    """A vendor as small as can be: jobs on `/jobs`, uploads on `/files`."""

    name = "tiny"
    title = "Tiny"
    documentation = "https://tiny.example.com/docs"
    credential = CredentialRule(variables=("TINY_API_KEY",), header="Authorization", prefix="Key ")
    default_base_urls: ClassVar = {"api": "https://api.tiny.example.com/v1/"}
    features = frozenset({Feature.CANCEL})

    def submit(self, call, uploads):
        if call.prompt == "impossible":
            raise InvalidRequestError("option_unsupported", "Tiny cannot do that.")
        expects = (
            Expectation.MEDIA if call.operation is Operation.TEXT_TO_SPEECH else Expectation.JSON
        )
        return HttpCall(
            method="POST",
            url=f"{self.base_urls['api']}/jobs",
            body=JsonBody({"prompt": call.prompt, "files": [*uploads.items()]}),
            expects=expects,
        )

    def read_submit(self, call, reply):
        if reply.spooled is not None:
            media = StagedMedia(
                kind=MediaKind.AUDIO, path=reply.spooled, content_type=reply.content_type
            )
            return Done(outputs=(media,))
        body = reply.json()
        if "data" in body:
            return Done(outputs=(InlineMedia(kind=MediaKind.IMAGE, data=body["data"].encode()),))
        if body.get("blocked"):
            return Broken(fault=Fault(kind=FaultKind.REFUSED, message=body["blocked"]))
        return Accepted(handle={"id": body["id"]})

    def upload(self, media):
        return None if media.url else self._converse(media)

    def _converse(self, media):
        ticket = (
            yield HttpCall(method="POST", url=f"{self.base_urls['api']}/files", body=JsonBody({}))
        ).json()
        yield HttpCall(
            method="PUT",
            url=ticket["put"],
            trust=Trust.REPLY,
            body=RawBody(media.data, media.content_type),
        )
        return ticket["get"]

    def poll(self, handle):
        return HttpCall(method="GET", url=f"{self.base_urls['api']}/jobs/{handle['id']}")

    def read_poll(self, handle, reply):
        body = reply.json()
        match body["status"]:
            case "next":
                return Again(handle={"id": body["id"]})
            case "done":
                return Done(outputs=(RemoteMedia(kind=MediaKind.VIDEO, url=body["url"]),))
            case "failed":
                return Broken(fault=Fault(kind=FaultKind.FAILED, message=body["why"]))
            case other:
                return Waiting(stage=other, warning=body.get("note"))

    def cancel(self, handle):
        if handle["id"] == "fixed":
            return None
        return HttpCall(method="DELETE", url=f"{self.base_urls['api']}/jobs/{handle['id']}")

    def read_error(self, reply):
        text = reply.body.decode(errors="replace")
        if text == "confusing":
            raise ValueError("an adapter's mistake")
        return fault_for_status(
            reply, text, synchronous=False, vendor_code=reply.headers.get("x-code")
        )


def job(prompt: str = "a cat", **fields: Any) -> MediaCall:
    return MediaCall(
        **{
            "generation_id": "gen_1",
            "client_reference": "ref_1",
            "operation": Operation.TEXT_TO_VIDEO,
            "upstream_id": "tiny-1",
            "prompt": prompt,
            "parameters": Parameters(),
            "fields": {},
            **fields,
        }
    )


def picture(**fields: Any) -> LoadedInput:
    return LoadedInput(
        **{
            "role": InputRole.FIRST_FRAME,
            "kind": MediaKind.IMAGE,
            "content_type": "image/png",
            "name": "a.png",
            "data": b"png",
            **fields,
        }
    )


def no_report(done: float, stage: str) -> None:
    del done, stage


@pytest.fixture
def provide(make_driver):
    def provide(server, *, secret=SECRET, limits=None, **options) -> HttpProvider:
        adapter = TinyAdapter({"api": f"{server.origin}/v1"})
        return HttpProvider(adapter, make_driver(limits=limits or {}, **options), secret)

    return provide


def answering(*replies: web.Response | dict):
    """Answer with one reply after the other, the last one again and again."""
    script = list(replies)

    async def handler(request):
        await request.content.read()
        reply = script.pop(0) if len(script) > 1 else script[0]
        if isinstance(reply, dict):
            return web.json_response(reply)
        return web.Response(status=reply.status, body=reply.body, headers=reply.headers)

    return handler


async def fault_of(provider, call=None) -> Fault:
    outcome = await provider.submit(call or job(), no_report)
    assert isinstance(outcome, Declined)
    return outcome.fault


async def test_a_provider_shows_its_adapters_name_features_and_origins(provide, serve):
    server = await serve(answering({}))
    provider = provide(server)
    assert provider.name == "tiny"
    assert provider.features == {Feature.CANCEL}
    assert provider.trusted_origins == {server.origin}


# --- submit ---------------------------------------------------------------------------------


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


# --- uploads --------------------------------------------------------------------------------


def file_server(*, put_status: int = 200, ticket: dict[str, Any] | None = None):
    received: dict[str, Any] = {}

    async def handler(request):
        body = await request.content.read()
        origin = f"http://{request.host}"
        if request.path == "/v1/files":
            number = received.setdefault("tickets", 0)
            received["tickets"] = number + 1
            given = {"put": f"{origin}/store/{number}", "get": f"tiny://file/{number}"}
            return web.json_response(given if ticket is None else ticket)
        if request.method == "PUT":
            received[request.path] = body
            return web.Response(status=put_status, text="the store's words")
        received["job"] = body
        return web.json_response({"id": "j1"})

    return handler, received


async def test_inputs_are_uploaded_first_and_referred_to_by_position(provide, serve):
    handler, received = file_server()
    reports = []
    call = job(inputs=(picture(url="https://example.com/a.png"), picture(data=b"second")))
    outcome = await provide(await serve(handler)).submit(
        call, lambda done, stage: reports.append((done, stage))
    )
    assert outcome == Accepted(handle={"id": "j1"})
    assert received["/store/0"] == b"second"
    assert received["job"] == b'{"prompt":"a cat","files":[[1,"tiny://file/0"]]}'
    assert reports == [(0.0, "uploading")]


@pytest.mark.parametrize(
    ("ticket", "put_status", "kind"),
    [
        (None, 500, FaultKind.UNAVAILABLE),
        (None, 401, FaultKind.BAD_CREDENTIAL),
        ({"unexpected": True}, 200, FaultKind.GARBAGE),
        ({"put": "http://169.254.169.254/x", "get": "g"}, 200, FaultKind.FAILED),
        ({"put": "http://127.0.0.1:9/x", "get": "g"}, 200, FaultKind.FAILED),
    ],
)
async def test_a_failed_upload_is_declined_and_nothing_is_submitted(
    provide, serve, ticket, put_status, kind
):
    handler, received = file_server(put_status=put_status, ticket=ticket)
    fault = await fault_of(provide(await serve(handler)), job(inputs=(picture(),)))
    assert (fault.kind, fault.accepted) == (kind, False)
    assert "job" not in received


async def test_a_lost_reply_to_an_upload_leaves_nothing_open(provide, serve_raw):
    async def hang_up(reader, writer):
        await reader.readuntil(b"\r\n\r\n")

    fault = await fault_of(provide(await serve_raw(hang_up)), job(inputs=(picture(),)))
    assert (fault.kind, fault.accepted) == (FaultKind.LOST_REPLY, False)


# --- poll -----------------------------------------------------------------------------------


async def test_a_running_job_is_waited_for(provide, serve):
    outcome = await provide(await serve(answering({"status": "running"}))).poll({"id": "j"}, "m")
    assert outcome == Waiting(stage="running")


async def test_a_finished_job_gives_its_files(provide, serve):
    url = "https://cdn.example.com/v.mp4"
    server = await serve(answering({"status": "done", "url": url}))
    outcome = await provide(server).poll({"id": "j"}, "m")
    assert outcome == Done(outputs=(RemoteMedia(kind=MediaKind.VIDEO, url=url),))


async def test_a_failed_job_is_broken_and_the_key_is_taken_out(provide, serve):
    server = await serve(answering({"status": "failed", "why": f"quota of {SECRET}"}))
    outcome = await provide(server).poll({"id": "j"}, "m")
    assert outcome == Broken(fault=Fault(kind=FaultKind.FAILED, message="quota of [redacted]"))


async def test_a_second_question_is_asked_at_once(provide, serve):
    server = await serve(
        answering({"status": "next", "id": "result-1"}, {"status": "done", "url": "https://x.y/z"})
    )
    outcome = await provide(server).poll({"id": "status-1"}, "m")
    assert isinstance(outcome, Done)
    assert [request.path for request in server.requests] == [
        "/v1/jobs/status-1",
        "/v1/jobs/result-1",
    ]


async def test_questions_without_end_are_left_for_the_next_poll(provide, serve):
    server = await serve(answering({"status": "next", "id": "more"}))
    outcome = await provide(server).poll({"id": "j"}, "m")
    assert isinstance(outcome, Waiting)
    assert outcome.warning
    assert len(server.requests) == 4


@pytest.mark.parametrize("status", [401, 408, 429, 500, 502, 503, 504])
async def test_trouble_with_asking_is_not_the_jobs_failure(provide, serve, status):
    reply = web.Response(status=status, text=f"busy {SECRET}", headers={"Retry-After": "3"})
    outcome = await provide(await serve(answering(reply))).poll({"id": "j"}, "m")
    assert outcome == Waiting(stage="unreachable", retry_after=3.0, warning="busy [redacted]")


async def test_a_job_the_vendor_no_longer_knows_is_broken(provide, serve):
    server = await serve(answering(web.Response(status=404, text="no such job")))
    outcome = await provide(server).poll({"id": "j"}, "m")
    assert isinstance(outcome, Broken)
    assert outcome.fault.kind is FaultKind.NOT_FOUND


@pytest.mark.parametrize("body", [b"<html>", b"{}", b"[]", b""])
async def test_an_unreadable_answer_is_waited_out(provide, serve, body):
    server = await serve(answering(web.Response(body=body)))
    outcome = await provide(server).poll({"id": "j"}, "m")
    assert isinstance(outcome, Waiting)
    assert outcome.stage == "unreachable"
    assert outcome.warning


async def test_an_unreachable_vendor_is_waited_out(provide, unused_port):
    server = type("Nobody", (), {"origin": f"http://127.0.0.1:{unused_port}"})
    outcome = await provide(server).poll({"id": "j"}, "m")
    assert isinstance(outcome, Waiting)
    assert outcome.stage == "unreachable"


# --- cancel ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "stopped"), [(200, True), (204, True), (404, False), (500, False)]
)
async def test_a_cancel_tells_whether_the_vendor_stops(provide, serve, status, stopped):
    server = await serve(answering(web.Response(status=status)))
    assert await provide(server).cancel({"id": "j"}, "m") is stopped
    assert server.requests[0].method == "DELETE"


async def test_what_cannot_be_cancelled_is_not_asked_for(provide, serve):
    server = await serve(answering({}))
    assert await provide(server).cancel({"id": "fixed"}, "m") is False
    assert server.requests == []


async def test_a_cancel_that_nobody_hears_did_not_happen(provide, unused_port):
    server = type("Nobody", (), {"origin": f"http://127.0.0.1:{unused_port}"})
    assert await provide(server).cancel({"id": "j"}, "m") is False
