"""Account, budgets and usage on the command line."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Any

import pytest

PAID = ("generate", "gpt-image-2", "-i", "prompt=waves", "--yes", "--json")


@pytest.fixture
def paid(call: Any) -> dict[str, Any]:
    """Something that was made and charged, in the sandbox."""
    made = call("--sandbox", *PAID)
    assert made.code == 0, made.err
    return made.document


def test_a_new_account(call: Any) -> None:
    shown = call("account")
    assert shown.code == 0
    assert shown.out.splitlines()[:2] == [
        "available:        10000 credits",
        "held:             0 credits",
    ]
    document = call("account", "--json").document
    assert document["available_credits"] == "10000"
    assert document["budgets"] == []


def test_top_ups_and_adjustments(call: Any) -> None:
    first = call("account", "top-up", "12.5", "--reference", "invoice-7", "--note", "by bank")
    assert (first.code, first.out) == (0, "")
    assert first.err == "Booked: top-up of 12.5 credits; 10012.5 credits available.\n"
    again = call("account", "top-up", "12.5", "--reference", "invoice-7", "--json")
    assert again.document["is_new"] is False
    taken = call("account", "adjust", "-10000.5", "--json")
    assert taken.document["amount_credits"] == "-10000.5"
    ledger = call("account", "ledger")
    lines = [line.split("\t") for line in ledger.out.splitlines()]
    assert lines[0] == ["number", "time", "kind", "credits", "for", "note"]
    assert [line[2:] for line in lines[1:]] == [
        ["adjustment", "-10000.5", "-", ""],
        ["top-up", "12.5", "invoice-7", "by bank"],
        ["top-up", "10000", "-", ""],
    ]
    before = call("account", "ledger", "--before", lines[1][0], "--limit", "1", "--json")
    assert [one["reference"] for one in before.document] == ["invoice-7"]


@pytest.mark.parametrize(
    ("arguments", "code", "error"),
    [
        (("account", "top-up", "many"), 2, "usage"),
        (("account", "top-up", "0"), 2, "invalid_amount"),
        (("account", "top-up", "1", "--reference", ""), 2, "invalid_reference"),
        (("account", "adjust", "-10001"), 5, "balance_too_low"),
        (("account", "refund", "gen_1"), 1, "generation_not_found"),
        (("account", "--workspace", "wsp_nobody"), 1, "workspace_not_found"),
        (("account", "--workspace", "wsp_nobody", "ledger"), 2, "usage"),
        (("account", "ledger", "--workspace", "wsp_nobody"), 1, "workspace_not_found"),
        (("usage", "--workspace", "wsp_nobody"), 1, "workspace_not_found"),
        (("budgets", "set", "1", "--key", "key_1"), 1, "key_not_found"),
        (("budgets", "remove", "bud_1"), 1, "budget_not_found"),
        (("usage", "--by", "colour"), 2, "invalid_by"),
        (("usage", "--from", "yesterday"), 2, "usage"),
        (("usage", "--csv"), 2, "usage"),
    ],
)
def test_what_goes_wrong(call: Any, arguments: tuple[str, ...], code: int, error: str) -> None:
    outcome = call(*arguments, "--json")
    assert outcome.code == code, outcome.err
    assert outcome.document["error"] == error


def test_a_charge_is_given_back(call: Any, paid: dict[str, Any]) -> None:
    generation = paid["generation_id"]
    before = call("--sandbox", "account", "--json").document
    refunded = call("--sandbox", "account", "refund", generation, "--amount", "1")
    assert refunded.err.startswith("Booked: refund of 1 credit; ")
    after = call("--sandbox", "account", "--json").document
    assert float(after["available_credits"]) == float(before["available_credits"]) + 1
    twice = call("--sandbox", "account", "refund", generation, "--json")
    assert (twice.code, twice.document["error"]) == (1, "already_refunded")


def test_usage_as_a_table_a_document_and_a_file(call: Any, paid: dict[str, Any]) -> None:
    table = call("--sandbox", "usage", "--by", "model,operation")
    rows = [line.split("\t") for line in table.out.splitlines()]
    assert rows[0][:3] == ["model", "operation", "generations"]
    assert [row[:4] for row in rows[1:]] == [
        ["gpt-image-2", "text-to-image", "1", "1"],
        ["total", "-", "1", "1"],
    ]
    document = call("--sandbox", "usage", "--json").document
    assert float(document["total"]["charge_credits"]) == paid["charge_credits"]
    assert document["by"] == ["day"]
    written = call("--sandbox", "usage", "--by", "provider", "--csv")
    (row,) = csv.DictReader(io.StringIO(written.out))
    assert (row["provider"], row["generations"]) == ("openai", "1")
    nothing = call("--sandbox", "usage", "--from", "2020-01-01", "--to", "2020-01-31")
    assert (nothing.out, nothing.err) == (
        "",
        "Nothing was used from 2020-01-01 to 2020-01-31.\n",
    )


def test_a_budget_refuses_and_says_what_to_type(call: Any) -> None:
    made = call("--sandbox", "budgets", "set", "1", "--period", "day")
    assert "the workspace refuses above 1 credit a day; 0 spent, 1 left until 20" in made.err
    refused = call("--sandbox", *PAID[:-1])
    assert refused.code == 5
    assert "the workspace's budget of 1" in refused.err
    assert refused.last_line.startswith("Next: mediawright --sandbox budgets list")
    (budget,) = call("--sandbox", "budgets", "list", "--json").document
    assert (budget["left_credits"], budget["action"]) == ("1", "refuse")
    assert budget["budget_id"] in call("--sandbox", "budgets", "list").out
    shown = call("--sandbox", "account")
    assert "budget:           the workspace refuses above 1 credit a day" in shown.out
    removed = call("--sandbox", "budgets", "remove", budget["budget_id"])
    assert (removed.code, removed.err) == (0, f"{budget['budget_id']} is removed.\n")
    empty = call("--sandbox", "budgets", "list")
    assert empty.err == "There are no budgets.\n"


def test_other_workspaces_have_their_own(call: Any, data: Path) -> None:
    import asyncio

    from mediawright.app.runtime import Runtime
    from mediawright.app.settings import Settings
    from mediawright.app.workspaces import ensure_workspace

    async def prepare() -> None:
        runtime = Runtime(Settings(data_dir=data), environment={})
        await runtime.open()
        await ensure_workspace(runtime, "wsp_other")
        await runtime.close()

    asyncio.run(prepare())
    call("account", "top-up", "5", "--workspace", "wsp_other")
    assert (
        call("account", "--workspace", "wsp_other", "--json").document["available_credits"]
        == "10005"
    )
    assert call("account", "--json").document["available_credits"] == "10000"
