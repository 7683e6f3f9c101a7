"""Every way a poll and a cancel can end, over real HTTP with a small adapter."""

from __future__ import annotations

import pytest
from aiohttp import web
from tests.providerkit.tiny_vendor import SECRET, answering

from mediawright.core.operations import MediaKind
from mediawright.core.provider import Broken, Done, Fault, FaultKind, RemoteMedia, Waiting


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
    assert isinstance(outcome, Waiting)
    assert (outcome.stage, outcome.retry_after) == ("unreachable", 3.0)
    assert outcome.warning == "busy [redacted]"
    assert outcome.fault is not None
    assert (outcome.fault.http_status, outcome.fault.message) == (status, "busy [redacted]")


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
