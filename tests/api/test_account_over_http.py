"""The account, its ledger, budgets and usage over HTTP."""

from __future__ import annotations

import csv
import io
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import httpx
import pytest
from tests.api.running import LONG_FILM, Member, RunningServer
from tests.api.test_openapi import require_shape

from mediawright.api.account_bodies import (
    AccountBody,
    BudgetBody,
    BudgetPage,
    EntryBody,
    EntryPage,
    UsageBody,
)
from mediawright.app.account import refund, top_up
from mediawright.app.api_keys import create_key

PAID = {"model": "gpt-image-2", "prompt": "waves"}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Any:
    with RunningServer(tmp_path_factory.mktemp("account"), sandbox=True) as running:
        yield running


@pytest.fixture
def plain(server: RunningServer, member: Member) -> httpx.Client:
    """A client of the same workspace whose key has no scope."""

    async def prepare() -> str:
        return (await create_key(server.runtime, member.workspace_id, "plain", ()))[1]

    return server.client(server.run(prepare()))


def account(member: Member) -> dict[str, Any]:
    reply = member.http.get("/v1/account")
    require_shape(AccountBody, reply)
    return reply.json()


def paid(member: Member, **changes: Any) -> dict[str, Any]:
    """Have something made that costs credits."""
    reply = member.http.post(
        "/v1/generate/media", json={**PAID, **changes}, headers={"Prefer": "wait=30"}
    )
    assert reply.status_code == 200, reply.text
    assert reply.json()["status"] == "completed"
    return reply.json()


def test_a_new_account(member: Member) -> None:
    assert account(member) == {
        "workspace_id": member.workspace_id,
        "currency": "credits",
        "available_credits": "500",
        "held_credits": "0",
        "spent_today_credits": "0",
        "spent_this_month_credits": "0",
        "credits_per_usd": "100",
        "markup": "0",
        "has_own_markup": False,
        "budgets": [],
    }


def test_what_is_charged_shows_in_the_account_the_ledger_and_the_usage(member: Member) -> None:
    made = paid(member)
    after = account(member)
    charge = Decimal(str(made["charge_credits"]))
    assert charge > 0
    assert Decimal(after["available_credits"]) == 500 - charge
    assert Decimal(after["spent_today_credits"]) == charge
    ledger = member.http.get("/v1/account/ledger")
    require_shape(EntryPage, ledger)
    kinds = [(one["kind"], one["generation_id"]) for one in ledger.json()["data"]]
    made_id = made["generation_id"]
    assert kinds == [("capture", made_id), ("hold", made_id), ("top_up", None)]
    amounts = [Decimal(one["amount_credits"]) for one in ledger.json()["data"]]
    assert sum(amounts) == Decimal(after["available_credits"])
    usage = member.http.get("/v1/usage", params={"by": "model,key"})
    require_shape(UsageBody, usage)
    (row,) = usage.json()["data"]
    assert (row["model"], row["key_name"], row["generations"]) == ("gpt-image-2", "test", 1)
    assert Decimal(row["charge_credits"]) == charge
    assert Decimal(row["cost_usd"]) > 0


def test_what_is_held_is_not_available(server: RunningServer, member: Member) -> None:
    film = member.http.post("/v1/generate/media", json=LONG_FILM).json()
    now = account(member)
    held = Decimal(now["held_credits"])
    assert held == Decimal(str(film["price"]["credits"]))
    assert Decimal(now["available_credits"]) + held == 500
    member.http.post(f"/v1/generations/{film['generation_id']}/cancel")


def test_the_ledger_comes_in_pages(server: RunningServer, member: Member) -> None:
    for number in range(4):
        server.run(top_up(server.runtime, member.workspace_id, Decimal(number + 1)))
    seen: list[str] = []
    cursor: str | None = None
    while True:
        params = {"limit": 2} | ({} if cursor is None else {"cursor": cursor})
        page = member.http.get("/v1/account/ledger", params=params).json()
        seen += [one["amount_credits"] for one in page["data"]]
        cursor = page["next_cursor"]
        assert page["has_more"] == (cursor is not None)
        if cursor is None:
            break
    assert seen == ["4", "3", "2", "1", "500"]
    for bad in ("x", "-1", "", "9" * 19):
        reply = member.http.get("/v1/account/ledger", params={"cursor": bad})
        assert (reply.status_code, reply.json()["error"]) == (400, "invalid_cursor")


def test_a_top_up_is_booked_once(member: Member) -> None:
    body = {"amount_credits": "12.5", "reference": "invoice 7", "note": "by bank"}
    first, again = (member.http.post("/v1/account/top-ups", json=body) for _ in range(2))
    assert (first.status_code, again.status_code) == (201, 200)
    require_shape(EntryBody, first)
    assert first.json() == again.json()
    assert (first.json()["reference"], first.json()["note"]) == ("invoice 7", "by bank")
    other = member.http.post("/v1/account/top-ups", json={**body, "amount_credits": "13"})
    assert (other.status_code, other.json()["error"]) == (409, "reference_reused")
    assert account(member)["available_credits"] == "512.5"


def test_an_idempotency_key_is_a_reference(member: Member) -> None:
    headers = {"Idempotency-Key": "k-1"}
    replies = [
        member.http.post("/v1/account/top-ups", json={"amount_credits": 1}, headers=headers)
        for _ in range(3)
    ]
    assert [reply.status_code for reply in replies] == [201, 200, 200]
    assert replies[0].json()["reference"] == "k-1"
    long = member.http.post(
        "/v1/account/top-ups", json={"amount_credits": 1}, headers={"Idempotency-Key": "k" * 256}
    )
    assert (long.status_code, long.json()["error"]) == (400, "invalid_reference")
    assert account(member)["available_credits"] == "501"


def test_an_adjustment_takes_away_what_is_there(member: Member) -> None:
    taken = member.http.post("/v1/account/adjustments", json={"amount_credits": "-499.5"})
    assert (taken.status_code, taken.json()["kind"]) == (201, "adjustment")
    more = member.http.post("/v1/account/adjustments", json={"amount_credits": "-1"})
    assert (more.status_code, more.json()["error"]) == (402, "balance_too_low")
    assert account(member)["available_credits"] == "0.5"


def test_a_refund(member: Member, server: RunningServer) -> None:
    made = paid(member)
    path = f"/v1/generations/{made['generation_id']}/refund"
    high = member.http.post(path, json={"amount_credits": "100000"})
    assert (high.status_code, high.json()["error"]) == (400, "refund_too_high")
    whole = member.http.post(path)
    assert whole.status_code == 201
    require_shape(EntryBody, whole)
    assert member.http.post(path).json() == whole.json()
    part = member.http.post(path, json={"amount_credits": "0.5"})
    assert (part.status_code, part.json()["error"]) == (409, "already_refunded")
    after = account(member)
    assert (after["available_credits"], after["spent_today_credits"]) == ("500", "0")
    total = member.http.get("/v1/usage").json()["total"]
    assert total["refund_credits"] == total["charge_credits"] == whole.json()["amount_credits"]
    stranger = server.new_member()
    assert stranger.http.post(path).json()["error"] == "generation_not_found"
    free = member.make()
    nothing = member.http.post(f"/v1/generations/{free['generation_id']}/refund")
    assert (nothing.status_code, nothing.json()["error"]) == (409, "nothing_charged")


def test_changes_need_an_operator(member: Member, plain: httpx.Client) -> None:
    budget = {"period": "day", "limit_credits": "1"}
    amount = {"amount_credits": "1"}
    refused = [
        plain.post("/v1/account/top-ups", json=amount),
        plain.post("/v1/account/adjustments", json=amount),
        plain.post("/v1/generations/gen_1/refund"),
        plain.put("/v1/budgets", json=budget),
        plain.delete("/v1/budgets/bud_1"),
    ]
    for reply in refused:
        assert reply.status_code == 403
        assert (reply.json()["error"], reply.json()["scope"]) == ("scope_required", "operator")
    assert plain.get("/v1/account").json() == account(member)
    assert plain.get("/v1/budgets").json() == {"data": []}
    assert plain.get("/v1/usage").status_code == 200
    assert plain.get("/v1/account/ledger").status_code == 200


def test_a_key_with_the_scope_is_an_operator(server: RunningServer, member: Member) -> None:
    async def prepare() -> str:
        return (await create_key(server.runtime, member.workspace_id, "boss", ("operator",)))[1]

    boss = server.client(server.run(prepare()))
    assert boss.post("/v1/account/top-ups", json={"amount_credits": "1"}).status_code == 201


def test_a_budget_refuses_and_begins_anew(member: Member) -> None:
    reply = member.http.put(
        "/v1/budgets", json={"period": "day", "limit_credits": "0.5", "action": "refuse"}
    )
    assert reply.status_code == 200
    require_shape(BudgetBody, reply)
    budget = reply.json()
    assert (budget["left_credits"], budget["key_id"]) == ("0.5", None)
    refused = member.http.post("/v1/generate/media", json=PAID)
    body = refused.json()
    assert (refused.status_code, body["error"]) == (402, "budget_exceeded")
    assert (body["budget_id"], body["limit_credits"]) == (budget["budget_id"], "0.5")
    assert datetime.fromisoformat(body["resets_at"]) > datetime.now(UTC)
    member.make()
    raised = member.http.put("/v1/budgets", json={"period": "day", "limit_credits": 400})
    assert raised.json()["budget_id"] == budget["budget_id"]
    made = paid(member)
    (shown,) = account(member)["budgets"]
    assert Decimal(shown["spent_credits"]) == Decimal(str(made["charge_credits"]))
    assert Decimal(shown["left_credits"]) + Decimal(shown["spent_credits"]) == 400
    removed = member.http.delete(f"/v1/budgets/{budget['budget_id']}")
    assert (removed.status_code, removed.content) == (204, b"")
    gone = member.http.delete(f"/v1/budgets/{budget['budget_id']}")
    assert (gone.status_code, gone.json()["error"]) == (404, "budget_not_found")


def test_a_key_has_a_budget_of_its_own(
    server: RunningServer, member: Member, plain: httpx.Client
) -> None:
    async def plain_key() -> str:
        keys = await server.runtime.database.read(
            lambda c: api_keys.for_workspace(c, member.workspace_id)
        )
        return next(key.id for key in keys if key.name == "plain")

    from mediawright.store import api_keys

    key_id = server.run(plain_key())
    body = {"key_id": key_id, "period": "month", "limit_credits": "1", "action": "refuse"}
    assert member.http.put("/v1/budgets", json=body).json()["key_id"] == key_id
    refused = plain.post("/v1/generate/media", json=PAID)
    assert (refused.status_code, refused.json()["key_id"]) == (402, key_id)
    paid(member)
    listing = plain.get("/v1/budgets")
    require_shape(BudgetPage, listing)
    assert [one["key_id"] for one in listing.json()["data"]] == [key_id]
    stranger = server.new_member()
    unknown = stranger.http.put("/v1/budgets", json=body)
    assert (unknown.status_code, unknown.json()["error"]) == (404, "key_not_found")
    assert stranger.http.get("/v1/budgets").json() == {"data": []}


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"period": "day"},
        {"period": "year", "limit_credits": "1"},
        {"period": "day", "limit_credits": "-1"},
        {"period": "day", "limit_credits": "0.0000001"},
        {"period": "day", "limit_credits": "1", "action": "hope"},
        {"period": "day", "limit_credits": "1", "more": 1},
    ],
)
def test_budgets_that_are_none(member: Member, body: dict[str, Any]) -> None:
    reply = member.http.put("/v1/budgets", json=body)
    assert reply.status_code == 400
    assert reply.json()["pointer"].startswith("/")
    assert member.http.get("/v1/budgets").json() == {"data": []}


def test_usage_over_days(server: RunningServer, member: Member) -> None:
    member.make()
    failed = member.http.post("/v1/generate/media", json=LONG_FILM).json()
    member.http.post(f"/v1/generations/{failed['generation_id']}/cancel")
    today = server.runtime.clock.now().date().isoformat()
    report = member.http.get("/v1/usage").json()
    assert (report["from"], report["to"]) == (today[:8] + "01", today)
    assert [row["day"] for row in report["data"]] == [today]
    assert (report["total"]["generations"], report["total"]["cancelled"]) == (2, 1)
    split = member.http.get("/v1/usage", params={"by": "operation,provider"}).json()
    assert [(row["operation"], row["provider"], row["generations"]) for row in split["data"]] == [
        ("text-to-image", "local", 1),
        ("text-to-video", "local", 1),
    ]
    alone = member.http.get("/v1/usage", params={"by": ""}).json()
    assert (alone["data"], alone["total"]) == ([], report["total"])
    before = member.http.get("/v1/usage", params={"from": "2020-01-01", "to": "2020-01-31"}).json()
    assert (before["data"], before["total"]["generations"]) == ([], 0)
    assert server.new_member().http.get("/v1/usage").json()["total"]["generations"] == 0


def test_usage_as_csv(member: Member) -> None:
    member.make()
    reply = member.http.get("/v1/usage", params={"by": "day,key", "format": "csv"})
    assert reply.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert "usage-" in reply.headers["Content-Disposition"]
    (row,) = csv.DictReader(io.StringIO(reply.text))
    assert (row["key_name"], row["generations"], row["charge_credits"]) == ("test", "1", "0")


@pytest.mark.parametrize(
    ("params", "code", "pointer"),
    [
        ({"by": "colour"}, "invalid_by", "/by"),
        ({"from": "2026-02-30"}, "invalid_from", "/from"),
        ({"from": "2026-02-02", "to": "2026-02-01"}, "invalid_period", "/from"),
        ({"from": "2020-01-01", "to": "2026-01-01"}, "invalid_period", "/from"),
        ({"from": "0001-01-01", "to": "0001-01-01"}, None, None),
        ({"from": "9999-12-31", "to": "9999-12-31"}, None, None),
        ({"format": "xml"}, "invalid_format", "/format"),
    ],
)
def test_what_usage_cannot_be_asked(
    member: Member, params: dict[str, str], code: str | None, pointer: str | None
) -> None:
    reply = member.http.get("/v1/usage", params=params)
    if code is None:
        assert reply.status_code == 200, reply.text
        return
    body = reply.json()
    assert (reply.status_code, body["error"], body.get("pointer")) == (400, code, pointer)


async def test_a_workspace_that_does_not_exist(server: RunningServer) -> None:
    from mediawright.core.errors import NotFoundError

    with pytest.raises(NotFoundError) as caught:
        server.run(top_up(server.runtime, "wsp_nobody", Decimal(1)))
    assert caught.value.code == "workspace_not_found"
    with pytest.raises(NotFoundError):
        server.run(refund(server.runtime, "wsp_nobody", "gen_1"))
