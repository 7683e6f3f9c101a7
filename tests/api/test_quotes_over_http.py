"""Quotes and estimates over HTTP."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import httpx
import pytest
from tests.api.running import Member, RunningServer
from tests.api.test_openapi import require_shape
from tests.app.pricing_bench import reprice

from mediawright.api.account_bodies import AccountBody
from mediawright.api.quote_bodies import ShownEstimateBody, ShownQuoteBody
from mediawright.app.api_keys import create_key

CLIP = {"model": "gen4.5", "prompt": "waves", "duration": "5s"}
PRICE = 60


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    with RunningServer(tmp_path_factory.mktemp("quotes"), sandbox=True) as running:
        yield running


@pytest.fixture
def same_prices(server: RunningServer) -> Iterator[None]:
    before = server.runtime.catalogue
    yield
    server.runtime.catalogue = before


def quoted(member: Member, **changes: Any) -> dict[str, Any]:
    reply = member.http.post("/v1/quotes", json={**CLIP, **changes})
    assert reply.status_code == 201, reply.text
    return reply.json()


def generate(member: Member, key: str | None = None, **changes: Any) -> httpx.Response:
    headers = {} if key is None else {"Idempotency-Key": key}
    return member.http.post("/v1/generate/media", json={**CLIP, **changes}, headers=headers)


def stop(member: Member, reply: httpx.Response) -> dict[str, Any]:
    """Check that a generation began, end it, and return it as it was."""
    assert reply.status_code in (200, 202), reply.text
    member.http.post(f"/v1/generations/{reply.json()['generation_id']}/cancel")
    return reply.json()


def require_refused(reply: httpx.Response, status: int, code: str, pointer: str | None) -> Any:
    assert reply.status_code == status, reply.text
    assert (reply.json()["error"], reply.json().get("pointer")) == (code, pointer)
    return reply.json()


def test_a_quote_has_the_declared_shape_and_can_be_seen_again(member: Member) -> None:
    made = member.http.post("/v1/quotes", json={**CLIP, "watermark_": 1})
    require_refused(made, 400, "unknown_parameter", "/watermark_")

    made = member.http.post("/v1/quotes", json={**CLIP, "metadata": {"persona": "ada"}})
    require_shape(ShownQuoteBody, made)
    body = made.json()
    assert made.headers["Location"] == f"/v1/quotes/{body['quote_id']}"
    assert body["price"]["credits"] == body["estimated_cost_credits"] == PRICE
    assert (body["credits_per_usd"], body["markup"]) == ("100", "0")
    assert body["route"]["provider"] == body["provider"] == "runway"
    assert "/generation_type" in {item["pointer"] for item in body["adjustments"]}
    created = datetime.fromisoformat(body["created_at"])
    assert datetime.fromisoformat(body["expires_at"]) - created == timedelta(minutes=15)

    seen = member.http.get(made.headers["Location"])
    require_shape(ShownQuoteBody, seen)
    assert seen.json() == body


def test_a_quote_leaves_no_trace_in_the_account(member: Member) -> None:
    before = member.left_behind()
    quoted(member)
    assert member.left_behind() == before


def test_nobody_else_sees_it(server: RunningServer, member: Member) -> None:
    mine = quoted(member)["quote_id"]
    stranger = server.new_member()
    require_refused(stranger.http.get(f"/v1/quotes/{mine}"), 404, "quote_not_found", None)
    require_refused(generate(stranger, quote=mine), 404, "quote_not_found", "/quote")
    assert server.client().get(f"/v1/quotes/{mine}").status_code == 401


def test_its_request_sent_back_is_the_one_that_was_quoted(member: Member) -> None:
    made = quoted(member, metadata={"persona": "ada"}, generation_type=None)
    started = stop(
        member,
        member.http.post("/v1/generate/media", json={**made["request"], "quote": made["quote_id"]}),
    )
    assert started["price"]["credits"] == PRICE
    assert started["metadata"] == {"persona": "ada"}


@pytest.mark.usefixtures("same_prices")
def test_what_is_held_is_what_the_quote_says(server: RunningServer, member: Member) -> None:
    made = quoted(member)
    reprice(server.runtime, "gen4.5", Decimal(2))
    started = generate(member, quote=made["quote_id"])
    held = member.http.get("/v1/account").json()["held_credits"]
    assert stop(member, started)["estimated_cost_credits"] == PRICE == int(held)
    assert stop(member, generate(member))["estimated_cost_credits"] == 2 * PRICE
    used = member.http.get(f"/v1/quotes/{made['quote_id']}").json()
    assert used["generation_id"] == started.json()["generation_id"]


def test_a_second_use_needs_the_same_key(member: Member) -> None:
    made = quoted(member)["quote_id"]
    first = stop(member, generate(member, "one", quote=made))
    again = generate(member, "one", quote=made)
    assert again.json()["generation_id"] == first["generation_id"]
    error = require_refused(generate(member, quote=made), 409, "quote_used", "/quote")
    assert error["generation_id"] == first["generation_id"]


def test_another_request_does_not_fit(member: Member) -> None:
    made = quoted(member)["quote_id"]
    error = require_refused(
        generate(member, quote=made, duration=10), 400, "quote_mismatch", "/duration"
    )
    assert error["hint"]


def test_all_that_is_wrong_comes_back_at_once(member: Member) -> None:
    wrong = {"prompt": " ", "duration": 99, "aspect_ratio": "7:5", "file_path": "../x"}
    for path in ("/v1/quotes", "/v1/generate/media"):
        reply = member.http.post(path, json={**CLIP, **wrong})
        body = require_refused(reply, 400, "prompt_required", "/prompt")
        found = [(problem["code"], problem["pointer"]) for problem in body["problems"]]
        assert found == [
            ("prompt_required", "/prompt"),
            ("invalid_aspect_ratio", "/aspect_ratio"),
            ("invalid_duration", "/duration"),
            ("invalid_path", "/file_path"),
        ]
        assert body["message"] == body["problems"][0]["message"]


def test_so_does_all_that_cannot_even_be_read(member: Member) -> None:
    wrong = {
        "n": 1,
        "count": 2,
        "generation_type": "x",
        "inputs": [{}, {"url": "a", "asset_id": "b"}],
    }
    body = require_refused(generate(member, **wrong), 400, "invalid_n", "/n")
    assert [problem["pointer"] for problem in body["problems"]] == [
        "/n",
        "/generation_type",
        "/inputs/0",
        "/inputs/1",
    ]


@pytest.mark.rule(46, shows="accepts")
def test_an_estimate(member: Member) -> None:
    asked = {"model": "gen4.5", "prompt": "waves", "parameters": {"duration": "10s"}}
    reply = member.http.post("/v1/estimates", json=asked)
    assert reply.status_code == 200, reply.text
    require_shape(ShownEstimateBody, reply)
    body = reply.json()
    assert body["estimated_time_seconds"] == body["catalogue_seconds"] > 0
    assert (body["basis"], body["confidence"], body["sample_size"]) == ("catalogue", "low", 0)
    shorter = member.http.post("/v1/estimates", json={**asked, "parameters": {"duration": 5}})
    assert shorter.json()["estimated_time_seconds"] < body["estimated_time_seconds"]


@pytest.mark.rule(46, shows="accepts")
def test_an_estimate_starts_nothing(member: Member) -> None:
    before = member.left_behind()
    member.http.post("/v1/estimates", json={"model": "gpt-image-2"})
    assert member.left_behind() == before


@pytest.mark.rule(46, shows="accepts")
def test_estimates_learn_from_what_was_made(server: RunningServer) -> None:
    member = server.new_member()
    for number in range(3):
        member.make(prompt=f"a lighthouse {number}", size="96x96")
    asked = {"model": "local-sketch-image", "parameters": {"size": "96x96"}}
    body = member.http.post("/v1/estimates", json=asked).json()
    assert body["basis"] in ("history", "similar_history")
    assert body["sample_size"] >= 3
    assert 0 <= body["p50_seconds"] <= body["p90_seconds"]


@pytest.mark.rule(46, shows="refuses")
@pytest.mark.parametrize(
    ("body", "status", "code", "pointer"),
    [
        ({}, 400, "model_required", "/model"),
        ({"model": "gen99"}, 404, "model_not_found", "/model"),
        (
            {"model": "gen4.5", "generation_type": "x"},
            400,
            "invalid_generation_type",
            "/generation_type",
        ),
        (
            {"model": "gen4.5", "generation_type": "text-to-speech"},
            400,
            "unsupported_generation_type",
            "/generation_type",
        ),
        (
            {"model": "gen4.5", "parameters": {"duration": 99}},
            400,
            "invalid_duration",
            "/parameters/duration",
        ),
        (
            {"model": "gen4.5", "parameters": {"colour": 1}},
            400,
            "unknown_parameter",
            "/parameters/colour",
        ),
        ({"model": "gen4.5", "parameters": ["duration"]}, 400, "invalid_parameters", "/parameters"),
        ({"model": "gen4.5", "duration": 5}, 400, "unknown_parameter", "/duration"),
    ],
)
def test_what_has_no_estimate(
    member: Member, body: dict[str, Any], status: int, code: str, pointer: str
) -> None:
    require_refused(member.http.post("/v1/estimates", json=body), status, code, pointer)


def test_a_markup_changes_quotes_and_models(server: RunningServer, member: Member) -> None:
    reply = member.http.put("/v1/account/markup", json={"markup": "0.25"})
    require_shape(AccountBody, reply)
    assert (reply.json()["markup"], reply.json()["has_own_markup"]) == ("0.25", True)
    made = quoted(member)
    assert (made["price"]["credits"], made["markup"]) == (75, "0.25")
    assert made["price"]["usd"] == 0.6
    model = member.http.get("/v1/models/gen4.5").json()
    assert model["cost"][0]["credits"] == "15"
    assert model["usual_price"]["credits"] == 75
    assert quoted(server.new_member())["price"]["credits"] == PRICE

    back = member.http.put("/v1/account/markup", json={"markup": None})
    assert back.json()["has_own_markup"] is False
    assert quoted(member)["price"]["credits"] == PRICE


def test_only_an_operator_sets_it(server: RunningServer, member: Member) -> None:
    async def prepare() -> str:
        return (await create_key(server.runtime, member.workspace_id, "plain", ()))[1]

    plain = server.client(server.run(prepare()))
    reply = plain.put("/v1/account/markup", json={"markup": 0})
    require_refused(reply, 403, "scope_required", None)
    for wrong in (101, "x", -2):
        reply = member.http.put("/v1/account/markup", json={"markup": wrong})
        require_refused(reply, 400, "invalid_markup", "/markup")
    reply = member.http.put("/v1/account/markup", json={})
    assert reply.json()["error"] == "markup_required"
