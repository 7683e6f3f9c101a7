"""Ends of models and routes as a running installation meets them, with the clock moved."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from mediawright.app.generate import Prepared, prepare
from mediawright.app.intake import Draft
from mediawright.app.models import describe_model, list_models
from mediawright.app.parameters import parameters_from
from mediawright.app.runtime import Runtime
from mediawright.app.settings import AccountSettings, MediaSettings, Settings
from mediawright.app.workspaces import DEFAULT_WORKSPACE
from mediawright.core.clock import ManualClock
from mediawright.core.errors import InvalidRequestError

KEYS = {"OPENAI_API_KEY": "sk-one", "FAL_KEY": "fal-one", "RUNWAYML_API_SECRET": "key_one"}
LAST_DAY = datetime(2026, 12, 1, 12, tzinfo=UTC)
DAY = 86_400.0

Open = Callable[..., Any]


@pytest.fixture
async def opened(tmp_path: Path) -> AsyncIterator[Open]:
    """Opens an installation at a time; nothing can be sent from it."""
    runtimes: list[Runtime] = []

    async def opening(when: datetime, **media: Any) -> Runtime:
        given = Settings(
            data_dir=tmp_path,
            media=MediaSettings(**media),
            account=AccountSettings(initial_credits=Decimal(100)),
        )
        runtime = Runtime(given, clock=ManualClock(when), environment=KEYS)
        runtimes.append(runtime)
        await runtime.open()
        return runtime

    yield opening
    for runtime in runtimes:
        await runtime.close()


async def ask(runtime: Runtime, model: str, **parameters: Any) -> Prepared:
    draft = Draft(model=model, prompt="a fox", parameters=parameters_from(parameters))
    return await prepare(runtime, DEFAULT_WORKSPACE, draft)


async def look(runtime: Runtime) -> dict[str, Any]:
    return await describe_model(runtime, DEFAULT_WORKSPACE, "gpt-1.5-image-medium")


def told(prepared: Prepared) -> list[tuple[str, str]]:
    return [
        (item.kind.value, item.pointer)
        for item in prepared.checked.adjustments
        if item.pointer in {"/model", "/provider"}
    ]


async def test_from_warning_to_successor(opened: Open) -> None:
    runtime = await opened(LAST_DAY)
    warned = await ask(runtime, "gpt-1.5-image-medium", aspect_ratio="3:2")
    assert [(route.provider, route.upstream_id) for route in warned.routes] == [
        ("openai", "gpt-image-1.5")
    ]
    assert ("warned", "/model") in told(warned)
    assert (await look(runtime))["live"] is True
    await runtime.clock.advance(DAY)
    served = await ask(runtime, "gpt-1.5-image-medium", aspect_ratio="3:2")
    assert served.checked.model.id == "gpt-image-2"
    assert [route.provider for route in served.routes] == ["openai", "fal"]
    assert served.routes[0].fields["size"] == "1536x1024"
    assert told(served) == [("replaced", "/model")]
    shown = await look(runtime)
    assert (shown["live"], shown["lifecycle"]["successor"]) == (False, "gpt-image-2")
    living = {model["id"] for model in await list_models(runtime, DEFAULT_WORKSPACE, live=True)}
    assert "gpt-1.5-image-medium" not in living
    listed = {model["id"] for model in await list_models(runtime, DEFAULT_WORKSPACE)}
    assert "gpt-1.5-image-medium" in listed


async def test_successors_can_be_switched_off(opened: Open) -> None:
    runtime = await opened(LAST_DAY, use_successors=False)
    with pytest.raises(InvalidRequestError) as raised:
        await ask(runtime, "dall-e-2", size="512x512")
    assert raised.value.code == "model_ended"
    assert raised.value.details["successor"] == "gpt-image-2"


async def test_how_early_it_warns_can_be_set(opened: Open) -> None:
    runtime = await opened(LAST_DAY, end_warning_days=0)
    assert ("warned", "/model") in told(await ask(runtime, "gpt-1.5-image-medium"))
    early = await opened(datetime(2026, 11, 30, tzinfo=UTC), end_warning_days=0)
    assert told(await ask(early, "gpt-1.5-image-medium")) == []


async def test_a_small_picture_of_dall_e_2_becomes_a_larger_one(opened: Open) -> None:
    runtime = await opened(LAST_DAY)
    made = await ask(runtime, "dall-e-2", size="256x256")
    assert made.checked.model.id == "gpt-image-2"
    assert made.routes[0].fields["size"] == "1024x1024"
    (mapped,) = [item for item in made.checked.adjustments if item.pointer == "/parameters/size"]
    assert (mapped.requested, mapped.applied) == ("256x256", "1024x1024")


async def test_routes_that_ended_are_listed_as_skipped(opened: Open) -> None:
    runtime = await opened(LAST_DAY)
    imagined = [
        model.id
        for model in runtime.catalogue
        if any(route.provider == "fal" for route in model.live_routes(LAST_DAY.date()))
        and any(model.has_ended(route, LAST_DAY.date()) for route in model.routes)
        and model.live_routes(LAST_DAY.date())
    ]
    assert imagined
    prepared = await ask(runtime, imagined[0])
    ended = [item for item in prepared.skipped_routes if item.reason == "route_ended"]
    assert ended
    assert "no longer serves" in ended[0].message
