"""Models by a provider's own id: to their file, and refused where prices must be known."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

import pytest
from tests.api.running import Member, RunningServer

from mediawright.app.api_keys import create_key
from mediawright.app.budgets import set_budget
from mediawright.store.kinds import BudgetAction, BudgetPeriod

OPEN = "fal:fal-ai/flux-pro/kontext"
SCHNELL = "fal:fal-ai/flux/schnell"


@pytest.fixture(scope="module")
def sandboxed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    with RunningServer(tmp_path_factory.mktemp("open"), sandbox=True) as running:
        yield running


@pytest.fixture
def caller(sandboxed: RunningServer) -> Member:
    return sandboxed.new_member()


def ask(caller: Member, **body: object) -> tuple[int, dict[str, object]]:
    reply = caller.http.post("/v1/generate/media", json=body, headers={"Prefer": "wait=30"})
    return reply.status_code, reply.json()


def test_a_picture_from_a_prompt(caller: Member) -> None:
    status, made = ask(
        caller, model=SCHNELL, prompt="a red kite", size="512x256", count=2, seed=7, steps=2
    )
    assert (status, made["status"]) == (200, "completed"), made
    assert made["model"] == SCHNELL
    assert made["provider"] == "fal"
    assert made["generation_type"] == "text-to-image"
    assert made["estimated_cost_credits"] is None
    assert made["price"]["basis"] == "unknown"
    assert len(made["outputs"]) == 2
    assert made["outputs"][0]["seed"] == 7
    warned = [item["reason"] for item in made["adjustments"] if item["kind"] == "warned"]
    assert warned == ["flux-schnell has rules and a price for this model"]


def test_an_edit_and_a_setting_of_the_providers_own(caller: Member) -> None:
    _, first = ask(caller, model=SCHNELL, prompt="a red kite")
    picture = first["outputs"][0]["asset_id"]
    status, made = ask(
        caller,
        model=OPEN,
        prompt="make it blue",
        source_media_urls=[picture],
        aspect_ratio="21:9",
        vendor={"fal": {"safety_tolerance": "3"}},
    )
    assert (status, made["status"]) == (200, "completed"), made
    assert made["generation_type"] == "image-to-image"
    wrong = {"fal": {"safety_tolerance": "9"}}
    _, refused = ask(
        caller, model=OPEN, prompt="make it blue", source_media_urls=[picture], vendor=wrong
    )
    assert refused["status"] == "failed"
    assert "safety_tolerance" in refused["error"]["message"]


def test_several_pictures_go_as_a_list(caller: Member) -> None:
    _, first = ask(caller, model=SCHNELL, prompt="a red kite")
    picture = first["outputs"][0]["asset_id"]
    status, made = ask(
        caller,
        model="fal:fal-ai/nano-banana-2/edit",
        prompt="put them together",
        source_media_urls=[picture, picture],
    )
    assert (status, made["status"]) == (200, "completed"), made


def test_a_model_that_the_provider_does_not_have(caller: Member) -> None:
    status, made = ask(caller, model="fal:fal-ai/no-such-thing", prompt="x")
    assert (status, made["status"]) == (200, "failed"), made
    assert made["charge_credits"] in (0, None)


@pytest.mark.parametrize("model", ["fal:", "fal:../etc", "fal:a b", "fal:a//b", f"fal:{'a' * 200}"])
def test_what_can_be_no_id(caller: Member, model: str) -> None:
    status, refused = ask(caller, model=model, prompt="x")
    assert (status, refused["error"]) == (404, "model_not_found")


def test_a_provider_that_this_version_cannot_speak_to(caller: Member) -> None:
    status, refused = ask(caller, model="replicate:stability-ai/sdxl", prompt="x")
    assert (status, refused["error"]) == (400, "provider_not_available")
    assert "replicate" in refused["message"]


def test_it_can_be_looked_at(caller: Member) -> None:
    shown = caller.http.get(f"/v1/models/{OPEN}").json()
    assert (shown["id"], shown["live"], shown["ready"]) == (OPEN, True, True)
    assert shown["cost"] == []
    assert "aspect_ratio" in shown["parameter_schema"]["properties"]


@pytest.mark.parametrize("allowed", [False, True])
def test_a_budgeted_key_may_not_use_it_unless_allowed(
    sandboxed: RunningServer, caller: Member, *, allowed: bool
) -> None:
    async def budgeted() -> str:
        runtime = sandboxed.runtime
        key, secret = await create_key(runtime, caller.workspace_id, "budgeted", ())
        await set_budget(
            runtime,
            caller.workspace_id,
            Decimal(100),
            period=BudgetPeriod.DAY,
            action=BudgetAction.REFUSE,
            key_id=key.id,
            allow_unknown_price=allowed,
        )
        return secret

    client = sandboxed.client(sandboxed.run(budgeted()))
    reply = client.post(
        "/v1/generate/media",
        json={"model": SCHNELL, "prompt": "a red kite"},
        headers={"Prefer": "wait=30"},
    )
    if allowed:
        assert reply.json()["status"] == "completed"
        return
    assert reply.status_code == 402, reply.text
    assert reply.json()["error"] == "price_unknown"
