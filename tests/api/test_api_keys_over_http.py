"""Who may use the server: keys, callers on this machine, and workspaces."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

import httpx
import pytest
from tests.api.event_stream import following
from tests.api.running import PICTURE, Member, RunningServer

from mediawright.app.api_keys import create_key, first_key
from mediawright.app.workspaces import DEFAULT_WORKSPACE
from mediawright.store import api_keys


@pytest.fixture(scope="module")
def open_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    """A server that lets programs on this machine in without a key."""
    with RunningServer(tmp_path_factory.mktemp("open"), loopback_without_key=True) as running:
        yield running


def code(reply: httpx.Response) -> tuple[int, str]:
    return reply.status_code, reply.json()["error"]


def test_the_first_key_is_given_once_and_works(server: RunningServer) -> None:
    assert server.first_key is not None
    assert server.first_key.startswith("mw_live_")
    assert server.client(server.first_key).get("/v1/models").status_code == 200
    assert server.run(first_key(server.runtime, DEFAULT_WORKSPACE)) is None


def test_the_key_itself_is_nowhere_in_the_data_folder(server: RunningServer) -> None:
    assert server.first_key is not None
    server.client(server.first_key).get("/v1/generations")
    secret = server.first_key.encode()
    hidden = secret.removeprefix(b"mw_live_")
    contents = {
        path: path.read_bytes() for path in server.runtime.folder.root.rglob("*") if path.is_file()
    }
    assert not [path for path, data in contents.items() if hidden in data]
    # The search does look into the right files: what is kept instead of the key is there.
    digest = hashlib.sha256(secret).digest()
    assert [path for path, data in contents.items() if digest in data]


def test_a_key_may_come_in_two_headers(server: RunningServer, member: Member) -> None:
    for headers in (
        {"Authorization": f"Bearer {member.key}"},
        {"Authorization": f"bearer  {member.key}"},
        {"X-API-Key": member.key},
    ):
        assert server.client().get("/v1/generations", headers=headers).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authorization": ""},
        {"Authorization": "Bearer"},
        {"Authorization": "Basic bXdfbGl2ZV94Og=="},
        {"X-API-Key": ""},
    ],
)
def test_without_a_key(server: RunningServer, headers: dict[str, str]) -> None:
    reply = server.client().get("/v1/generations", headers=headers)
    assert code(reply) == (401, "api_key_required")
    assert reply.headers["WWW-Authenticate"] == "Bearer"
    assert "Authorization" in reply.json()["hint"]


@pytest.mark.parametrize("key", ["mw_live_wrong", "x", "mw_live_" + "a" * 5000, "ümlaut", "a b"])
def test_a_wrong_key(server: RunningServer, key: str) -> None:
    value = f"Bearer {key}".encode("latin-1")
    reply = server.client().get("/v1/generations", headers={"Authorization": value})
    assert code(reply) == (401, "invalid_api_key")
    assert reply.headers["WWW-Authenticate"] == "Bearer"
    assert key not in reply.text


def test_a_key_nearly_right(server: RunningServer, member: Member) -> None:
    for key in (member.key[:-1], member.key + "x", member.key.swapcase()):
        assert code(server.client(key).get("/v1/models")) == (401, "invalid_api_key")


def test_a_revoked_key(server: RunningServer, member: Member) -> None:
    runtime = server.runtime
    key, secret = server.run(create_key(runtime, member.workspace_id, "second"))
    http = server.client(secret)
    assert http.get("/v1/generations").status_code == 200

    async def revoke() -> bool:
        return await runtime.database.write(
            lambda c: api_keys.revoke(c, member.workspace_id, key.id, runtime.clock.now())
        )

    assert server.run(revoke())
    assert code(http.get("/v1/generations")) == (401, "invalid_api_key")
    assert member.http.get("/v1/generations").status_code == 200


def test_when_a_key_was_used_is_known(server: RunningServer, member: Member) -> None:
    member.http.get("/v1/generations")

    async def known() -> list[api_keys.ApiKey]:
        return await server.runtime.database.read(
            lambda c: api_keys.for_workspace(c, member.workspace_id)
        )

    [key] = server.run(known())
    assert key.last_used_at is not None
    assert key.last_used_at >= key.created_at


def test_a_workspace_sees_its_own_things_only(server: RunningServer, member: Member) -> None:
    stranger = server.new_member()
    with following(stranger.http, after=0) as heard:
        made = member.make()
        asset = made["outputs"][0]["asset_id"]
        generation = f"/v1/generations/{made['generation_id']}"
        assert code(stranger.http.get(generation)) == (404, "generation_not_found")
        assert code(stranger.http.post(f"{generation}/cancel")) == (404, "generation_not_found")
        for path in ("", "/content", "/content?variant=thumbnail"):
            reply = stranger.http.get(f"/v1/assets/{asset}{path}")
            assert code(reply) == (404, "asset_not_found")
        assert stranger.http.get("/v1/generations").json()["data"] == []
        reply = stranger.http.get("/v1/generations", params={"cursor": made["generation_id"]})
        assert reply.json()["data"] == []
        reply = stranger.start(source_media_urls=asset)
        assert code(reply) == (404, "asset_not_found")
        own = stranger.make()
        assert heard.next().data["generation_id"] == own["generation_id"]
    with following(stranger.http, after=0, generation_id=made["generation_id"]) as nothing:
        nothing.wait_for_comment()
        nothing.wait_for_comment()
    # What is not there looks the same as what belongs to somebody else.
    missing = stranger.http.get("/v1/generations/gen_0").json()
    foreign = stranger.http.get(generation).json()
    assert set(missing) == set(foreign)


def test_callers_with_the_same_workspace_share_it(server: RunningServer, member: Member) -> None:
    made = member.make()
    colleague = server.new_member(member.workspace_id)
    assert colleague.http.get(f"/v1/generations/{made['generation_id']}").json() == made


def test_health_needs_no_key(server: RunningServer) -> None:
    reply = server.client().get("/healthz")
    assert reply.status_code == 200
    assert reply.json()["status"] == "ok"
    assert server.client().get("/v1/openapi.json").status_code == 200


def test_loopback_without_a_key_only_when_told_so(
    server: RunningServer, open_server: RunningServer
) -> None:
    assert code(server.client().get("/v1/generations")) == (401, "api_key_required")
    http = open_server.client()
    assert http.get("/v1/generations").status_code == 200
    made = http.post("/v1/generate/media", json=PICTURE, headers={"Prefer": "wait=30"}).json()
    # It is the workspace of the first key.
    owner = open_server.client(open_server.first_key)
    assert owner.get(f"/v1/generations/{made['generation_id']}").json() == made


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "127.0.0.1:{port}", "localhost", "[::1]:80", "127.9.9.9"]
)
def test_names_of_this_machine(open_server: RunningServer, host: str) -> None:
    port = open_server.address.rpartition(":")[2]
    headers = {"Host": host.format(port=port)}
    assert open_server.client().get("/v1/models", headers=headers).status_code == 200


@pytest.mark.parametrize(
    "host",
    [
        "rebound.example",
        "127.0.0.1.example",
        "localhost.example:8765",
        "10.0.0.1",
        "",
        "[::1",
        "a@127.0.0.1x",
    ],
)
def test_a_name_that_only_leads_here(open_server: RunningServer, host: str) -> None:
    """A web page whose own name was made to resolve to this machine (DNS rebinding)."""
    reply = open_server.client().get("/v1/models", headers={"Host": host})
    assert code(reply) == (401, "api_key_required")


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1:1"},
    ],
)
def test_pages_of_other_sites(open_server: RunningServer, headers: dict[str, str]) -> None:
    for method, path, json in (
        ("GET", "/v1/generations", None),
        ("POST", "/v1/generate/media", PICTURE),
    ):
        reply = open_server.client().request(method, path, json=json, headers=headers)
        assert code(reply) == (403, "cross_site_request")
    keyed = open_server.client(open_server.first_key)
    assert keyed.get("/v1/generations", headers=headers).status_code == 200


def test_pages_of_this_server(open_server: RunningServer) -> None:
    headers = {"Sec-Fetch-Site": "same-origin", "Origin": open_server.address}
    assert open_server.client().get("/v1/generations", headers=headers).status_code == 200
    headers = {"Sec-Fetch-Site": "none"}
    assert open_server.client().get("/v1/generations", headers=headers).status_code == 200


@pytest.mark.parametrize("header", ["X-Forwarded-For", "Forwarded", "X-Real-IP", "Via"])
def test_what_comes_through_a_proxy_comes_from_elsewhere(
    open_server: RunningServer, header: str
) -> None:
    reply = open_server.client().get("/v1/generations", headers={header: "127.0.0.1"})
    assert code(reply) == (401, "api_key_required")


def test_a_wrong_key_is_not_excused_on_this_machine(open_server: RunningServer) -> None:
    reply = open_server.client("mw_live_wrong").get("/v1/generations")
    assert code(reply) == (401, "invalid_api_key")
