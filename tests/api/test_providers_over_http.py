"""Providers over HTTP: what they are, how they fare, and what became of a generation's routes."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Iterator
from typing import Any

import httpx
import msgspec
import pytest
from tests.api.running import Member, RunningServer
from tests.jobs.bench import ScriptedProvider

from mediawright.app.api_keys import create_key
from mediawright.app.settings import MediaSettings, ProviderSettings
from mediawright.core.provider import Fault, FaultKind
from mediawright.providers.registry import provider_names

DOWN = Fault(kind=FaultKind.UNAVAILABLE, message="down for account 4711", http_status=503)
PICTURE = {"prompt": "a fox", "model": "gpt-image-2", "size": "1024x1024"}


@pytest.fixture(scope="module")
def sandboxed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    """A server whose OpenAI is imitated, and whose fal takes whatever it is sent."""
    made = RunningServer(tmp_path_factory.mktemp("providers"), sandbox=True)
    others = {name: ProviderSettings(enabled=False) for name in provider_names()}
    for name in ("openai", "fal"):
        del others[name]
    media = MediaSettings(providers=others)
    made._settings = msgspec.structs.replace(made._settings, media=media)
    with made as running:
        running.runtime.providers._made["fal"] = ScriptedProvider(name="fal")
        yield running


@pytest.fixture
def caller(sandboxed: RunningServer) -> Iterator[Member]:
    yield sandboxed.new_member()
    for name in ("openai", "fal"):
        sandboxed.run(sandboxed.runtime.circuits.reset(name))


def tenant(server: RunningServer, member: Member) -> httpx.Client:
    """Return a client whose key has no scope."""

    async def key() -> str:
        return (await create_key(server.runtime, member.workspace_id, "tenant", ()))[1]

    return server.client(server.run(key()))


def shut(server: RunningServer, *names: str) -> None:
    async def fail() -> None:
        for name in names:
            for _ in range(5):
                await server.runtime.circuits.failed(name, DOWN)

    server.run(fail())


def break_down(server: RunningServer, vendor: str, times: int) -> None:
    """Have an imitated provider turn its next submits away; none for 0 times."""
    body = {"vendor": vendor, "name": "server_error", "status": 503, "times": times}
    root = server.runtime.providers._sandbox.root
    request = urllib.request.Request(
        f"{root}/__sandbox__/scenario",
        data=json.dumps(body).encode() if times else None,
        headers={"Content-Type": "application/json"},
        method="POST" if times else "DELETE",
    )
    urllib.request.urlopen(request, timeout=10).close()


def routes_of(body: dict[str, Any]) -> dict[str, Any]:
    return {route["provider"]: route for route in body["routes"]}


def start(caller: Member, *, wait: int = 30, **changes: Any) -> httpx.Response:
    return caller.http.post(
        "/v1/generate/media", json={**PICTURE, **changes}, headers={"Prefer": f"wait={wait}"}
    )


def test_every_provider_is_shown(server: RunningServer, member: Member) -> None:
    reply = member.http.get("/v1/providers")
    assert reply.status_code == 200
    found = {item["name"]: item for item in reply.json()["data"]}
    assert next(iter(found)) == "local"
    assert set(found) == set(server.runtime.providers.names())
    local, fal = found["local"], found["fal"]
    assert local["ready"]
    assert local["missing_variable"] is None
    assert local["features"] == ["progress", "repeatable_submit"]
    assert local["models"] == 5
    assert (fal["ready"], fal["enabled"], fal["sandboxed"]) == (False, True, False)
    assert fal["missing_variable"] == "FAL_KEY"
    assert fal["circuit"]["state"] == "closed"
    assert fal["circuit"]["retry_after"] is None
    assert member.http.get("/v1/providers/fal").json() == fal


def test_other_names_and_no_names(server: RunningServer, member: Member) -> None:
    assert member.http.get("/v1/providers/dalle").json()["name"] == "openai"
    unknown = member.http.get("/v1/providers/nobody")
    assert unknown.status_code == 404
    assert unknown.json()["error"] == "provider_not_found"
    assert server.client().get("/v1/providers").status_code == 401


def test_generations_are_counted(server: RunningServer, member: Member) -> None:
    before = member.http.get("/v1/providers/local").json()["running"]
    done = member.make()
    server.add_running(member, done, "queued")
    assert member.http.get("/v1/providers/local").json()["running"] == before + 1


def test_another_provider_takes_it_and_the_reply_says_why(
    sandboxed: RunningServer, caller: Member
) -> None:
    break_down(sandboxed, "openai", 1)
    reply = start(caller)
    assert reply.status_code == 200, reply.text
    body = reply.json()
    assert (body["status"], body["provider"]) == ("completed", "fal"), body["error"]
    assert body["fallback"] == "on_outage"
    routes = routes_of(body)
    first, second = routes["openai"], routes["fal"]
    assert (first["provider"], first["outcome"], first["attempts"]) == ("openai", "failed", 1)
    assert first["reason"] == "provider_unavailable"
    assert first["message"]
    assert (second["provider"], second["outcome"]) == ("fal", "taken")
    assert (second["reason"], second["message"]) == (None, None)
    shown = caller.http.get(f"/v1/generations/{body['generation_id']}").json()
    assert shown["routes"] == body["routes"]
    assert caller.http.get("/v1/generations").json()["data"][0]["routes"] == body["routes"]
    assert caller.http.get("/v1/providers/openai").json()["circuit"]["failures"] == 1


def test_a_named_provider_is_not_replaced(sandboxed: RunningServer, caller: Member) -> None:
    shut(sandboxed, "openai")
    refused = start(caller, provider="openai")
    assert refused.status_code == 503
    body = refused.json()
    assert body["error"] == "circuit_open"
    assert body["pointer"] == "/provider"
    assert 1 <= int(refused.headers["Retry-After"]) <= 30
    other = start(caller).json()
    assert other["provider"] == "fal"
    first = routes_of(other)["openai"]
    assert (first["outcome"], first["reason"]) == ("skipped", "circuit_open")


def test_when_all_are_left_alone_nothing_is_kept(sandboxed: RunningServer, caller: Member) -> None:
    shut(sandboxed, "openai", "fal")
    before = caller.left_behind()
    refused = start(caller)
    assert refused.status_code == 503
    assert refused.json()["error"] == "provider_unavailable"
    assert "Retry-After" in refused.headers
    assert caller.left_behind() == before


def test_only_an_operator_sees_what_a_provider_said_and_resets_it(
    sandboxed: RunningServer, caller: Member
) -> None:
    shut(sandboxed, "openai")
    client = tenant(sandboxed, caller)
    seen = client.get("/v1/providers/openai")
    assert seen.json()["circuit"]["state"] == "open"
    assert seen.json()["circuit"]["retry_after"] <= 30
    assert seen.json()["last_error"] == {"code": "provider_unavailable"}
    assert "4711" not in seen.text
    denied = client.post("/v1/providers/openai/reset")
    assert (denied.status_code, denied.json()["error"]) == (403, "scope_required")

    told = caller.http.get("/v1/providers/openai").json()["last_error"]
    assert "4711" in told["message"]
    assert set(told["details"]) == {"provider", "http_status"}
    reset = caller.http.post("/v1/providers/openai/reset")
    assert reset.status_code == 200
    assert reset.json()["circuit"]["state"] == "closed"
    assert start(caller, provider="openai").json()["status"] == "completed"
    assert caller.http.post("/v1/providers/nobody/reset").status_code == 404


def test_a_policy_nobody_knows(caller: Member) -> None:
    reply = start(caller, fallback="always")
    assert reply.status_code == 400
    assert reply.json()["error"] == "invalid_fallback"
    assert reply.json()["pointer"] == "/fallback"


def test_without_fallback_a_failure_is_the_end(sandboxed: RunningServer, caller: Member) -> None:
    break_down(sandboxed, "openai", 10)
    try:
        body = start(caller, fallback="none").json()
    finally:
        break_down(sandboxed, "openai", 0)
    assert body["status"] == "failed"
    assert body["error"]["code"] == "provider_unavailable"
    assert body["charge_credits"] == 0
    last = routes_of(body)["openai"]
    assert (last["outcome"], last["attempts"]) == ("failed", 4)
    assert "fal" not in routes_of(body)
