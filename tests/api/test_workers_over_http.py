"""The processes at work, for operators."""

from __future__ import annotations

import os

from tests.api.running import Member, RunningServer
from tests.api.test_openapi import require_shape

from mediawright.api.worker_bodies import WorkersBody


def test_an_operator_sees_who_works(member: Member) -> None:
    reply = member.http.get("/v1/workers")
    assert reply.status_code == 200
    require_shape(WorkersBody, reply)
    (worker,) = reply.json()["workers"]
    assert worker["process_id"] == os.getpid()
    assert worker["id"] == "local"
    assert (worker["stopping"], worker["generations"]) == (False, 0)


def test_others_do_not(server: RunningServer, member: Member) -> None:
    made = member.http.post("/v1/keys", json={"name": "plain"})
    plain = Member(server, member.workspace_id, made.json()["key"])
    refused = plain.http.get("/v1/workers")
    assert (refused.status_code, refused.json()["error"]) == (403, "scope_required")
