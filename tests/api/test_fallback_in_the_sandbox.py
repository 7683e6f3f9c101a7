"""A request that one imitated provider turns away and another one takes, to its file."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest
from tests.api.running import Member, RunningServer

PICTURE = {"prompt": "a fox", "model": "gpt-image-2"}


@pytest.fixture(scope="module")
def sandboxed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    with RunningServer(tmp_path_factory.mktemp("fallback"), sandbox=True) as running:
        yield running


@pytest.fixture
def caller(sandboxed: RunningServer) -> Iterator[Member]:
    yield sandboxed.new_member()
    ask(sandboxed, "scenario", method="DELETE")
    for name in ("openai", "fal"):
        sandboxed.run(sandboxed.runtime.circuits.reset(name))


def ask(server: RunningServer, path: str, body: Any = None, method: str = "GET") -> Any:
    root = server.runtime.providers._sandbox.root
    request = urllib.request.Request(
        f"{root}/__sandbox__/{path}",
        data=None if body is None else json.dumps(body).encode(),
        headers={"Content-Type": "application/json"},
        method="POST" if body is not None else method,
    )
    with urllib.request.urlopen(request, timeout=10) as reply:
        return json.load(reply)


def submits(server: RunningServer) -> list[str]:
    entries = ask(server, "journal?kind=submit")["entries"]
    return [entry["vendor"] for entry in entries]


@pytest.mark.parametrize("shape", [{}, {"resolution": "2K", "aspect_ratio": "16:9"}])
def test_what_openai_turns_away_fal_makes(
    sandboxed: RunningServer, caller: Member, shape: dict[str, str]
) -> None:
    before = submits(sandboxed)
    outage = {"vendor": "openai", "name": "server_error", "status": 503, "times": 1}
    ask(sandboxed, "scenario", outage)
    reply = caller.http.post(
        "/v1/generate/media", json={**PICTURE, **shape}, headers={"Prefer": "wait=30"}
    )
    assert reply.status_code == 200, reply.text
    body = reply.json()
    assert (body["status"], body["provider"]) == ("completed", "fal"), body["error"]
    routes = {route["provider"]: route for route in body["routes"]}
    assert (routes["openai"]["outcome"], routes["openai"]["attempts"]) == ("failed", 1)
    assert routes["fal"]["outcome"] == "taken"
    assert routes["fal"]["upstream_id"] == "openai/gpt-image-2"
    assert submits(sandboxed)[len(before) :] == ["openai", "fal"]
    picture = caller.http.get(body["outputs"][0]["url"])
    assert picture.content.startswith(b"\x89PNG")
    assert body["charge_credits"] == (15 if shape else 11)


def test_an_edit_falls_back_too(sandboxed: RunningServer, caller: Member) -> None:
    made = caller.http.post(
        "/v1/generate/media", json=PICTURE, headers={"Prefer": "wait=30"}
    ).json()
    outage = {"vendor": "openai", "name": "server_error", "status": 503, "times": 1}
    ask(sandboxed, "scenario", outage)
    reply = caller.http.post(
        "/v1/generate/media",
        json={
            **PICTURE,
            "generation_type": "image-to-image",
            "source_media_urls": [made["outputs"][0]["asset_id"]],
        },
        headers={"Prefer": "wait=30"},
    )
    body = reply.json()
    assert (body["status"], body["provider"]) == ("completed", "fal"), reply.text
