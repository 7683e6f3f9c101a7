"""POST /v1/generate/media: bodies, waiting, and asking twice."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import msgspec
import pytest
from tests.api.running import LONG_FILM, PICTURE, Member, RunningServer, until_empty

from mediawright.store import generations


def test_a_picture_in_one_request(member: Member) -> None:
    reply = member.start(prefer="wait=30", metadata={"persona": "Keeper"}, seed=7)
    assert reply.status_code == 200
    assert reply.headers["Preference-Applied"] == "wait=30"
    body = reply.json()
    assert reply.headers["Location"] == f"/v1/generations/{body['generation_id']}"
    assert body["status"] == "completed"
    assert body["estimated_cost_credits"] == 0
    assert body["charge_credits"] == 0
    assert body["metadata"] == {"persona": "Keeper"}
    [output] = body["outputs"]
    assert output["dimensions"] == {"width": 64, "height": 64}
    assert output["media_type"] == "image/png"
    assert output["seed"] == 7
    picture = member.http.get(output["url"])
    assert picture.content.startswith(b"\x89PNG")
    assert len(picture.content) == output["bytes"]
    assert member.http.get(reply.headers["Location"]).json() == body


def test_without_a_preference_nobody_waits(member: Member) -> None:
    reply = member.http.post("/v1/generate/media", json=LONG_FILM)
    assert reply.status_code == 202
    assert "Preference-Applied" not in reply.headers
    body = reply.json()
    assert body["status"] in {"pending", "queued", "processing"}
    assert body["outputs"] == []
    assert body["estimated_time_seconds"] > 1
    assert body["charge_credits"] is None
    member.http.post(f"/v1/generations/{body['generation_id']}/cancel")


def test_a_wait_that_is_too_short(member: Member) -> None:
    reply = member.http.post(
        "/v1/generate/media", json=LONG_FILM, headers={"Prefer": "respond-async, wait=0.2"}
    )
    assert reply.status_code == 202
    assert reply.headers["Preference-Applied"] == "wait=0.2"
    assert reply.json()["status"] in {"queued", "processing"}
    member.http.post(f"/v1/generations/{reply.json()['generation_id']}/cancel")


@pytest.mark.parametrize(
    ("prefer", "applied"),
    [
        ("wait=900", "wait=30"),
        ('wait = "5"', "wait=5"),
        ("Wait=2; foo=bar, respond-async", "wait=2"),
        ("wait=nan", None),
        ("wait=inf", None),
        ("wait=-1", None),
        ("wait=", None),
        ("wait=²", None),
        ("return=minimal", None),
    ],
)
def test_preferences_that_make_sense_are_applied(
    member: Member, prefer: str, applied: str | None
) -> None:
    made = member.make()
    reply = member.http.get(
        f"/v1/generations/{made['generation_id']}", headers={"Prefer": prefer.encode("latin-1")}
    )
    assert reply.status_code == 200
    assert reply.headers.get("Preference-Applied") == applied


def test_the_source_example_with_a_model_of_this_catalogue(member: Member) -> None:
    body = {
        "prompt": "A futuristic city at sunset with flying cars",
        "model": "local-sketch-image",
        "generation_type": "text-to-image",
        "aspect_ratio": "16:9",
        "resolution": "512",
        "quality": "pro",
    }
    made = member.http.post("/v1/generate/media", json=body, headers={"Prefer": "wait=30"}).json()
    size = made["outputs"][0]["dimensions"]
    assert size["width"] > size["height"]
    dropped = [item for item in made["adjustments"] if item["kind"] == "dropped"]
    assert [(item["pointer"], item["requested"]) for item in dropped] == [("/quality", "pro")]


@pytest.mark.parametrize("duration", ["1s", "1", 1, 1.0, " 1 s "])
def test_durations_may_be_written_in_many_ways(member: Member, duration: Any) -> None:
    reply = member.http.post(
        "/v1/generate/media", json={**LONG_FILM, "size": "64x64", "duration": duration}
    )
    assert reply.status_code == 202, reply.text
    ended = member.ended(reply.json()["generation_id"])
    assert ended["outputs"][0]["seconds"] == pytest.approx(1, abs=0.1)


@pytest.mark.parametrize("form", ["id", "list of ids", "url", "list of urls", "inputs"])
def test_an_asset_as_source_media(member: Member, form: str) -> None:
    asset = member.make()["outputs"][0]
    sources: dict[str, Any] = {
        "id": {"source_media_urls": asset["asset_id"]},
        "list of ids": {"source_media_urls": [asset["asset_id"]]},
        "url": {"source_media_urls": asset["url"]},
        "list of urls": {"source_media_urls": [asset["url"]]},
        "inputs": {"inputs": [{"asset_id": asset["asset_id"], "role": "reference_image"}]},
    }
    changed = member.make(generation_type="image-to-image", prompt="in winter", **sources[form])
    assert changed["generation_type"] == "image-to-image"
    assert changed["outputs"][0]["sha256"] != asset["sha256"]


def test_the_operation_follows_from_the_inputs(member: Member) -> None:
    asset = member.make()["outputs"][0]
    made = member.make(source_media_urls=asset["asset_id"])
    assert made["generation_type"] == "image-to-image"
    assert "/generation_type" in {item["pointer"] for item in made["adjustments"]}


def test_count_has_two_names(member: Member) -> None:
    assert len(member.make(n=2)["outputs"]) == 2
    assert len(member.make(count=2)["outputs"]) == 2
    assert member.make(n=1, count=1)["outputs"]
    reply = member.start(n=1, count=2)
    assert (reply.status_code, reply.json()["error"]) == (400, "invalid_n")


def test_addresses_are_those_that_the_caller_used(member: Member) -> None:
    asset = member.make()["outputs"][0]
    shown = member.http.get(f"/v1/assets/{asset['asset_id']}", headers={"Host": "media.example:1"})
    assert shown.json()["url"] == f"http://media.example:1/v1/assets/{asset['asset_id']}/content"


def test_addresses_behind_a_proxy(
    server: RunningServer, member: Member, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = server.runtime.settings
    proxied = msgspec.structs.replace(settings.server, public_url="https://media.example/")
    monkeypatch.setattr(
        server.runtime, "settings", msgspec.structs.replace(settings, server=proxied)
    )
    asset = member.make()["outputs"][0]
    assert asset["url"] == f"https://media.example/v1/assets/{asset['asset_id']}/content"
    assert asset["thumbnail_url"].startswith("https://media.example/v1/assets/")
    assert member.make(source_media_urls=asset["url"])["generation_type"] == "image-to-image"


def test_nothing_unfinished_is_left_behind(server: RunningServer, member: Member) -> None:
    member.make()
    until_empty(server.runtime.folder.staging, server.runtime.folder.replies)


def test_a_file_path_names_the_file(member: Member) -> None:
    output = member.make(file_path="pictures/Mia's Lëuchtturm; 1")["outputs"][0]
    reply = member.http.get(output["url"])
    assert reply.headers["Content-Disposition"] == (
        "inline; filename*=UTF-8''Mia%27s%20L%C3%ABuchtturm%3B%201.png"
    )


def test_the_key_of_a_request_is_remembered(server: RunningServer, member: Member) -> None:
    made = member.make()
    row = server.run(
        server.runtime.database.read(
            lambda c: generations.get(c, member.workspace_id, made["generation_id"])
        )
    )
    assert row is not None
    assert row.api_key_id is not None
    assert row.api_key_id.startswith("key_")


def test_the_same_key_and_request_make_one_generation(member: Member) -> None:
    first = member.start(key="order 17")
    second = member.start(key="order 17", prefer="wait=30")
    assert second.status_code == 200
    assert second.json()["generation_id"] == first.json()["generation_id"]
    assert len(member.http.get("/v1/generations").json()["data"]) == 1


def test_the_same_key_for_another_request(member: Member) -> None:
    first = member.start(key="k", prefer="wait=30").json()
    reply = member.start(key="k", prompt="something else")
    assert reply.status_code == 409
    assert reply.json()["error"] == "idempotency_key_reused"
    assert reply.json()["generation_id"] == first["generation_id"]
    assert len(member.http.get("/v1/generations").json()["data"]) == 1


def test_a_replay_does_not_look_at_the_inputs_again(server: RunningServer, member: Member) -> None:
    source = member.make()["outputs"][0]
    first = member.start(key="k", source_media_urls=source["asset_id"], prefer="wait=30").json()
    runtime = server.runtime

    async def lose() -> None:
        from mediawright.store import assets

        await runtime.database.write(
            lambda c: assets.remove(c, member.workspace_id, source["asset_id"])
        )

    server.run(lose())
    again = member.start(key="k", source_media_urls=source["asset_id"])
    assert again.json()["generation_id"] == first["generation_id"]
    assert member.start(source_media_urls=source["asset_id"]).status_code == 404


def test_keys_of_different_workspaces_do_not_meet(server: RunningServer) -> None:
    one, other = server.new_member(), server.new_member()
    made = {
        item.start(key="same", prefer="wait=30").json()["generation_id"] for item in (one, other)
    }
    assert len(made) == 2


def test_a_double_click_makes_one_generation(server: RunningServer, member: Member) -> None:
    def click(_: int) -> str:
        with server.client(member.key) as http:
            reply = http.post(
                "/v1/generate/media", json=PICTURE, headers={"Idempotency-Key": "click"}
            )
            assert reply.status_code in {200, 202}
            return reply.json()["generation_id"]

    with ThreadPoolExecutor(8) as pool:
        made = set(pool.map(click, range(8)))
    assert len(made) == 1
    assert len(member.http.get("/v1/generations").json()["data"]) == 1
    member.ended(made.pop())


@pytest.mark.parametrize("key", ["", "k" * 256])
def test_keys_have_a_length(member: Member, key: str) -> None:
    reply = member.start(key=key)
    assert reply.status_code == 400
    assert reply.json()["error"] == "invalid_idempotency_key"
