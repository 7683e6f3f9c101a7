"""An operator's word on submits whose answer was lost."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from tests.api.running import Member, RunningServer

from mediawright.app.api_keys import create_key
from mediawright.jobs.records import latest_attempt

LOST = {
    "model": "gen4.5",
    "prompt": "waves [[sandbox: lost_reply]]",
    "duration": 2,
    "provider": "runway",
}


@pytest.fixture(scope="module")
def sandboxed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    with RunningServer(tmp_path_factory.mktemp("resolutions"), sandbox=True) as running:
        yield running


@pytest.fixture
def owner(sandboxed: RunningServer) -> Iterator[Member]:
    yield sandboxed.new_member()
    sandboxed.run(sandboxed.runtime.circuits.reset("runway"))


def with_scopes(server: RunningServer, member: Member, *scopes: str) -> httpx.Client:
    async def key() -> str:
        return (await create_key(server.runtime, member.workspace_id, "test", scopes))[1]

    return server.client(server.run(key()))


def unknown_one(owner: Member) -> str:
    reply = owner.http.post("/v1/generate/media", json=LOST, headers={"Prefer": "wait=30"})
    body = reply.json()
    assert reply.status_code == 202, body
    assert (body["status"], body["attention"]) == ("processing", "submit_unknown")
    assert body["charge_credits"] is None
    return body["generation_id"]


def resolve(client: httpx.Client, generation_id: str, **body: Any) -> httpx.Response:
    return client.post(f"/v1/generations/{generation_id}/resolve", json=body)


@pytest.mark.parametrize(
    ("word", "code", "charged"),
    [("charged", "submit_charged", True), ("not_charged", "submit_not_charged", False)],
)
def test_an_operator_says_what_the_bill_says(
    sandboxed: RunningServer, owner: Member, word: str, code: str, charged: bool
) -> None:
    generation_id = unknown_one(owner)
    operator = with_scopes(sandboxed, sandboxed.new_member(), "operator")
    reply = resolve(operator, generation_id, **{"as": word})
    assert reply.status_code == 200, reply.text
    body = owner.http.get(f"/v1/generations/{generation_id}").json()
    assert body == reply.json()
    assert (body["status"], body["error"]["code"], body["attention"]) == ("failed", code, None)
    assert body["charge_credits"] == (body["estimated_cost_credits"] if charged else 0)
    again = resolve(operator, generation_id, **{"as": word})
    assert (again.status_code, again.json()["error"]) == (409, "not_unknown")


def test_a_job_is_attached_and_asked_about(sandboxed: RunningServer, owner: Member) -> None:
    known = owner.http.post(
        "/v1/generate/media",
        json={**LOST, "prompt": "waves [[sandbox: seconds=0.1]]"},
        headers={"Prefer": "wait=30"},
    ).json()
    assert known["status"] == "completed", known
    attempt = sandboxed.run(latest_attempt(sandboxed.runtime.job_context, known["generation_id"]))
    assert attempt is not None
    generation_id = unknown_one(owner)
    # What the vendor's dashboard would show; here, the only job that there is to be seen.
    body = {"as": "attach", "vendor_id": attempt.vendor_id}
    reply = resolve(owner.http, generation_id, **body)
    assert reply.status_code == 200, reply.text
    assert reply.json()["state"] == "running"
    ended = owner.ended(generation_id)
    assert ended["status"] == "completed", ended
    assert ended["outputs"][0]["media_type"] == "video/mp4"
    assert ended["charge_credits"] == ended["estimated_cost_credits"]


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({}, "/as"),
        ({"as": "perhaps"}, "/as"),
        ({"as": "attach"}, "/vendor_id"),
        ({"as": "charged", "why": "because"}, "/why"),
    ],
)
def test_what_makes_no_sense(owner: Member, body: dict[str, Any], pointer: str) -> None:
    reply = resolve(owner.http, unknown_one(owner), **body)
    assert (reply.status_code, reply.json()["pointer"]) == (400, pointer), reply.text


def test_not_everybody_may(sandboxed: RunningServer, owner: Member) -> None:
    generation_id = unknown_one(owner)
    tenant = with_scopes(sandboxed, owner)
    reply = resolve(tenant, generation_id, **{"as": "not_charged"})
    assert (reply.status_code, reply.json()["error"]) == (403, "scope_required")
    nobody = resolve(owner.http, "gen_nobody", **{"as": "charged"})
    assert nobody.status_code == 404
