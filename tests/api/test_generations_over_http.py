"""Looking at generations, listing them page by page, and cancelling them."""

from __future__ import annotations

import time
from typing import Any

import pytest
from tests.api.running import LONG_FILM, Member, RunningServer


@pytest.fixture(scope="module")
def full(server: RunningServer) -> Member:
    """A workspace with seven pictures of three conversations, and a cancelled film."""
    member = server.new_member()
    for number in range(7):
        metadata = {"conversation_id": f"c{number % 3}", "persona": "ann" if number < 5 else "bob"}
        member.make(prompt=f"picture {number}", metadata=metadata)
    film = member.http.post("/v1/generate/media", json=LONG_FILM).json()
    member.http.post(f"/v1/generations/{film['generation_id']}/cancel")
    return member


def pages(member: Member, **query: Any) -> list[list[dict[str, Any]]]:
    found: list[list[dict[str, Any]]] = []
    cursor = None
    while True:
        asked = {**query, **({"cursor": cursor} if cursor else {})}
        page = member.http.get("/v1/generations", params=asked).json()
        found.append(page["data"])
        assert page["has_more"] == (page["next_cursor"] is not None)
        cursor = page["next_cursor"]
        if cursor is None:
            return found


def test_pages_hold_everything_once_and_newest_first(full: Member) -> None:
    found = pages(full, limit=3)
    assert [len(page) for page in found] == [3, 3, 2]
    ids = [item["generation_id"] for page in found for item in page]
    assert ids == sorted(ids, reverse=True)
    assert len(set(ids)) == 8
    assert [item["prompt"] for item in found[2]] == ["picture 1", "picture 0"]


def test_a_page_that_is_just_full_has_nothing_after_it(full: Member) -> None:
    assert [len(page) for page in pages(full, limit=8)] == [8]
    assert [len(page) for page in pages(full, limit=4)] == [4, 4]


def test_a_list_shows_what_looking_shows(full: Member) -> None:
    for item in pages(full)[0]:
        assert full.http.get(f"/v1/generations/{item['generation_id']}").json() == item


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ({"status": "completed"}, 7),
        ({"status": "cancelled"}, 1),
        ({"status": "failed"}, 0),
        ({"status": "queued"}, 0),
        ({"model": "local-sketch-image"}, 7),
        ({"model": "local-sketch-video"}, 1),
        ({"generation_type": "text-to-image"}, 7),
        ({"generation_type": "text-to-music"}, 0),
        ({"conversation_id": "c0"}, 3),
        ({"conversation_id": "c1"}, 2),
        ({"conversation_id": "c0", "persona": "bob"}, 1),
        ({"conversation_id": "c0", "persona": "nobody"}, 0),
        ({"persona": "ann", "status": "completed", "model": "local-sketch-image"}, 5),
        ({"persona": "ann", "status": "cancelled"}, 0),
    ],
)
def test_filters(full: Member, query: dict[str, str], count: int) -> None:
    found = pages(full, limit=2, **query)
    assert sum(len(page) for page in found) == count


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ({"limit": 0}, "invalid_limit"),
        ({"limit": 101}, "invalid_limit"),
        ({"limit": "many"}, "invalid_limit"),
        ({"cursor": "7"}, "invalid_cursor"),
        ({"cursor": "ast_01a1f8d22dbf71b8a5823bfd1cfd797f"}, "invalid_cursor"),
        ({"status": "done"}, "invalid_status"),
        ({"model": "nothing\0like it"}, "invalid_model"),
        ({"persona": "\0"}, "invalid_persona"),
        ({"generation_type": "painting"}, "invalid_generation_type"),
    ],
)
def test_filters_that_make_no_sense(member: Member, query: dict[str, Any], code: str) -> None:
    reply = member.http.get("/v1/generations", params=query)
    assert reply.status_code == 400
    assert reply.json()["error"] == code
    assert reply.json()["pointer"] == f"/{next(iter(query))}"


def test_a_running_generation_is_listed_as_it_is_shown(server: RunningServer) -> None:
    """What a provider has not begun is running for us and queued for the caller."""
    member = server.new_member()
    made = member.make()
    for stage in ["queued", "rendering", "rendering", "queued", "rendering", "queued", "queued"]:
        server.add_running(member, made, stage)
    for status, count in (("queued", 4), ("processing", 3), ("completed", 1)):
        found = pages(member, limit=2, status=status)
        assert [item["status"] for page in found for item in page] == [status] * count
        assert all(len(page) == 2 for page in found[:-1])


def test_a_film_is_cancelled_at_once(member: Member) -> None:
    started = member.http.post("/v1/generate/media", json=LONG_FILM).json()
    path = f"/v1/generations/{started['generation_id']}"
    before = time.monotonic()
    reply = member.http.post(f"{path}/cancel")
    assert time.monotonic() - before < 2
    assert reply.status_code == 200
    assert reply.json()["status"] == "cancelled"
    assert reply.json()["outputs"] == []
    assert member.http.get(path).json()["status"] == "cancelled"
    again = member.http.post(f"{path}/cancel")
    assert (again.status_code, again.json()["status"]) == (200, "cancelled")
    waited = member.http.get(path, headers={"Prefer": "wait=5"}).json()
    assert waited["status"] == "cancelled"


def test_what_has_ended_cannot_be_cancelled(member: Member) -> None:
    made = member.make()
    reply = member.http.post(f"/v1/generations/{made['generation_id']}/cancel")
    assert reply.status_code == 409
    assert reply.json()["error"] == "generation_finished"
    assert reply.json()["state"] == "succeeded"
    assert member.ended(made["generation_id"]) == made


@pytest.mark.parametrize(
    "generation_id",
    ["gen_0197f0c29d2a7b1e8c3d5f6a7b8c9d0e", "gen_", "7", "%00", "a%20b", "..%2f", "ä"],
)
def test_what_is_not_there(member: Member, generation_id: str) -> None:
    for method, path in (("GET", ""), ("POST", "/cancel")):
        reply = member.http.request(method, f"/v1/generations/{generation_id}{path}")
        assert reply.status_code == 404
        if "%" not in generation_id or "%20" in generation_id:
            assert reply.json()["error"] == "generation_not_found"


def test_a_wait_ends_with_the_generation(member: Member) -> None:
    started = member.start()
    ended = member.ended(started.json()["generation_id"])
    assert ended["status"] == "completed"
    assert ended["finished_at"] is not None
