"""Limits and keys over HTTP."""

from __future__ import annotations

import httpx
import pytest
from tests.api.running import LONG_FILM, Member, RunningServer
from tests.api.test_openapi import require_shape

from mediawright.api.limit_bodies import CreatedKeyBody, KeyBody, LimitsBody
from mediawright.store import generations


@pytest.fixture
def plain(server: RunningServer, member: Member) -> Member:
    """A caller of the same workspace whose key allows nothing but generating."""
    reply = member.http.post("/v1/keys", json={"name": "plain"})
    assert reply.status_code == 201, reply.text
    return Member(server, member.workspace_id, reply.json()["key"])


def limit(member: Member, **limits: int | None) -> httpx.Response:
    return member.http.put("/v1/limits/workspace", json=limits)


def test_nothing_is_limited_at_first(member: Member) -> None:
    reply = member.http.get("/v1/limits")

    assert reply.status_code == 200
    body = reply.json()
    require_shape(LimitsBody, reply)
    unlimited = {"allowed": None, "used": 0, "left": None, "free_in_seconds": 0}
    assert body["workspace"]["requests_per_minute"] == unlimited
    assert body["key"]["concurrent_generations"] == unlimited
    assert body["credits"]["available"] == "500"
    assert body["files"]["largest_upload_bytes"] == 200 * 1024**2
    assert body["polling"]["video"]["overdue_after_seconds"] == 600
    providers = {account["provider"]: account for account in body["accounts"]}
    assert providers["local"]["queued"] == 0
    assert {known["plan"] for known in providers["runway"]["known"]} >= {"tier 1", "tier 5"}


def test_too_many_requests_are_answered_with_when_to_come_back(member: Member) -> None:
    assert limit(member, requests_per_minute=1).status_code == 200
    member.make()

    refused = member.start()

    assert refused.status_code == 429
    body = refused.json()
    assert body["error"] == "rate_limited"
    assert (body["limit"], body["of"], body["allowed"]) == (
        "requests_per_minute",
        "workspace",
        1,
    )
    seconds = int(refused.headers["Retry-After"])
    assert seconds == body["retry_after"]
    assert 50 <= seconds <= 60
    shown = member.http.get("/v1/limits").json()["workspace"]["requests_per_minute"]
    assert (shown["allowed"], shown["used"], shown["left"]) == (1, 1, 0)
    assert seconds - 5 <= shown["free_in_seconds"] <= seconds


def test_what_is_refused_leaves_nothing(member: Member) -> None:
    limit(member, requests_per_minute=1)
    member.make()
    # The files are those of the whole server, where something of others may be under way.
    before, _ = member.left_behind()

    assert member.start().status_code == 429
    after, _ = member.left_behind()
    assert after == before


def test_the_same_request_again_is_no_further_one(member: Member) -> None:
    limit(member, requests_per_minute=1)
    first = member.start(key="once").json()
    again = member.start(key="once")

    assert again.status_code in (200, 202)
    assert again.json()["generation_id"] == first["generation_id"]


def test_so_many_at_a_time(member: Member) -> None:
    limit(member, concurrent_generations=1)
    running = member.start(**LONG_FILM).json()

    refused = member.start()
    assert refused.status_code == 429
    assert refused.json()["limit"] == "concurrent_generations"
    used = member.http.get("/v1/limits").json()["workspace"]["concurrent_generations"]
    assert (used["used"], used["left"], used["free_in_seconds"]) == (1, 0, None)

    member.http.post(f"/v1/generations/{running['generation_id']}/cancel")
    member.make()


def test_a_key_has_limits_of_its_own(server: RunningServer, member: Member) -> None:
    made = member.http.post("/v1/keys", json={"name": "slow", "requests_per_minute": 1})
    require_shape(CreatedKeyBody, made)
    slow = Member(server, member.workspace_id, made.json()["key"])

    slow.make()
    assert slow.start().json()["of"] == "key"
    member.make()

    key_id = made.json()["key_id"]
    changed = member.http.put(f"/v1/keys/{key_id}/limits", json={"requests_per_minute": 2})
    require_shape(KeyBody, changed)
    slow.make()
    assert slow.start().status_code == 429


def test_without_the_scope_only_ones_own_use_is_shown(plain: Member, member: Member) -> None:
    reply = plain.http.get("/v1/limits")

    require_shape(LimitsBody, reply)
    body = reply.json()
    for account in body["accounts"]:
        assert account["queued"] is None
        assert account["concurrent"]["used"] is None
        assert account["requests_per_minute"]["used"] is None
    assert body["key"]["id"] != member.http.get("/v1/limits").json()["key"]["id"]


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "/v1/keys", None),
        ("POST", "/v1/keys", {"name": "mine"}),
        ("PUT", "/v1/keys/key_1/limits", {}),
        ("POST", "/v1/keys/key_1/revoke", None),
        ("PUT", "/v1/limits/workspace", {}),
    ],
)
def test_keys_and_limits_are_an_operators_matter(
    plain: Member, method: str, path: str, body: dict[str, object] | None
) -> None:
    reply = plain.http.request(method, path, json=body)

    assert reply.status_code == 403
    assert reply.json()["error"] == "scope_required"


def test_a_key_is_shown_once_and_can_be_revoked(member: Member, plain: Member) -> None:
    listed = {key["name"]: key for key in member.http.get("/v1/keys").json()["data"]}
    assert set(listed) == {"test", "plain"}
    assert listed["plain"]["scopes"] == []
    assert plain.key not in str(listed)
    assert plain.key.startswith(listed["plain"]["prefix"])

    assert plain.http.get("/v1/limits").status_code == 200
    key_id = listed["plain"]["key_id"]
    revoked = member.http.post(f"/v1/keys/{key_id}/revoke")
    assert revoked.status_code == 200
    assert revoked.json()["revoked_at"] is not None
    assert plain.http.get("/v1/limits").status_code == 401
    again = member.http.post(f"/v1/keys/{key_id}/revoke")
    assert again.json()["revoked_at"] == revoked.json()["revoked_at"]


def test_keys_of_others_are_not_there(server: RunningServer, member: Member) -> None:
    other = server.new_member()
    (foreign,) = other.http.get("/v1/keys").json()["data"]

    for reply in (
        member.http.put(f"/v1/keys/{foreign['key_id']}/limits", json={}),
        member.http.post(f"/v1/keys/{foreign['key_id']}/revoke"),
    ):
        assert reply.status_code == 404
        assert reply.json()["error"] == "key_not_found"
    assert other.http.get("/v1/limits").status_code == 200


@pytest.mark.parametrize(
    "body",
    [
        {"requests_per_minute": 0},
        {"requests_per_minute": -3},
        {"requests_per_minute": 1.5},
        {"requests_per_minute": "7"},
        {"requests_per_minute": True},
        {"concurrent_generations": 10**9},
        {"concurrent": 3},
        [],
    ],
)
def test_wrong_limits_are_refused(member: Member, body: object) -> None:
    reply = member.http.put("/v1/limits/workspace", json=body)

    assert reply.status_code == 400, reply.text
    assert limit(member).json()["workspace"]["requests_per_minute"]["allowed"] is None


@pytest.mark.parametrize(
    "body",
    [{}, {"name": ""}, {"name": "x" * 101}, {"name": "a\x00b"}, {"name": "x", "scopes": ["root"]}],
)
def test_wrong_keys_are_refused(member: Member, body: dict[str, object]) -> None:
    assert member.http.post("/v1/keys", json=body).status_code == 400
    assert len(member.http.get("/v1/keys").json()["data"]) == 1


def test_the_key_of_a_request_is_kept_with_it(server: RunningServer, plain: Member) -> None:
    made = plain.make()
    key_id = plain.http.get("/v1/limits").json()["key"]["id"]

    async def look() -> str | None:
        found = await server.runtime.database.read(
            lambda c: generations.get(c, plain.workspace_id, made["generation_id"])
        )
        return None if found is None else found.api_key_id

    assert server.run(look()) == key_id


def test_refusals_are_counted(member: Member) -> None:
    limit(member, requests_per_minute=1)
    member.make()

    def counted() -> float:
        lines = member.http.get("/metrics").text.splitlines()
        name = 'mediawright_limits_reached_total{scope="workspace"}'
        return sum(float(line.split()[-1]) for line in lines if line.startswith(name))

    before = counted()
    assert member.start().status_code == 429
    assert counted() == before + 1
