"""Inputs that are uploaded before a submit, and what a failed upload means."""

from __future__ import annotations

from typing import Any

import pytest
from aiohttp import web
from tests.providerkit.tiny_vendor import fault_of, job, picture

from mediawright.core.provider import Accepted, FaultKind


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
