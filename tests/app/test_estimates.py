"""How long a request would take: the catalogue's word, and what was made here."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from mediawright.app.estimates import SAMPLE, Confidence, EstimateBasis, estimate
from mediawright.app.runtime import Runtime
from mediawright.app.settings import Settings
from mediawright.app.workspaces import DEFAULT_WORKSPACE
from mediawright.core.clock import ManualClock
from mediawright.core.errors import InvalidRequestError, MediawrightError, NotFoundError
from mediawright.core.generation import Generation, RoutePlan
from mediawright.core.ids import IdPrefix, new_id
from mediawright.core.money import Price
from mediawright.core.operations import Operation
from mediawright.core.request import GenerationRequest, Parameters
from mediawright.core.states import GenerationState
from mediawright.store import generations

CLIP = GenerationRequest(model="gen4.5", prompt="waves", parameters=Parameters(duration=5))
CATALOGUE = 70.0
NOW = datetime(2026, 1, 1, tzinfo=UTC)

pytestmark = pytest.mark.rule(46, shows="accepts")


@pytest.fixture
async def runtime(tmp_path: Path) -> AsyncIterator[Runtime]:
    opened = Runtime(Settings(data_dir=tmp_path), clock=ManualClock(), environment={})
    await opened.open()
    yield opened
    await opened.close()


async def add(runtime: Runtime, *seconds: float, **changes: Any) -> None:
    """Add generations that took so long."""

    def work(connection: Any) -> None:
        for length in seconds:
            generations.insert(connection, _finished(length, **changes))

    await runtime.database.write(work)


def _finished(seconds: float, *, duration: float = 5, **changes: Any) -> Generation:
    values: dict[str, Any] = {
        "id": new_id(IdPrefix.GENERATION),
        "workspace_id": DEFAULT_WORKSPACE,
        "trace_id": new_id(IdPrefix.TRACE),
        "state": GenerationState.SUCCEEDED,
        "operation": Operation.TEXT_TO_VIDEO,
        "model": "gen4.5",
        "provider": "runway",
        "request": GenerationRequest(
            model="gen4.5", prompt="x", parameters=Parameters(duration=duration)
        ),
        "routes": (RoutePlan(provider="runway", upstream_id="gen4.5"),),
        "price": Price(),
        "estimated_seconds": CATALOGUE,
        "created_at": NOW - timedelta(hours=1),
        "updated_at": NOW,
        "started_at": NOW - timedelta(seconds=seconds),
        "finished_at": NOW,
    }
    return Generation(**{**values, **changes})


async def test_without_a_history_the_catalogue_says(runtime: Runtime) -> None:
    found = await estimate(runtime, CLIP)
    assert found.seconds == found.catalogue_seconds == CATALOGUE
    assert (found.basis, found.confidence) == (EstimateBasis.CATALOGUE, Confidence.LOW)
    assert (found.sample_size, found.p50_seconds, found.p90_seconds) == (0, None, None)


async def test_only_the_model_must_be_named(runtime: Runtime) -> None:
    found = await estimate(runtime, GenerationRequest(model="gpt-image-2"))
    assert found.operation is Operation.TEXT_TO_IMAGE
    assert found.seconds > 0
    # A model that needs a picture is no obstacle: nothing is run.
    still = await estimate(runtime, GenerationRequest(model="gen4_turbo"))
    assert still.operation is Operation.IMAGE_TO_VIDEO


async def test_longer_output_takes_longer(runtime: Runtime) -> None:
    longer = GenerationRequest(model="gen4.5", parameters=Parameters(duration=10))
    assert (await estimate(runtime, longer)).seconds > CATALOGUE


async def test_what_was_made_here_counts_more(runtime: Runtime) -> None:
    await add(runtime, *range(10, 20))
    found = await estimate(runtime, CLIP)
    assert found.basis is EstimateBasis.HISTORY
    assert (found.seconds, found.p50_seconds, found.p90_seconds) == (14, 14, 18)
    assert found.sample_size == 10
    assert found.confidence is Confidence.MEDIUM
    assert found.catalogue_seconds == CATALOGUE


async def test_many_alike_make_it_sure_and_few_do_not(runtime: Runtime) -> None:
    await add(runtime, 10, 11)
    assert (await estimate(runtime, CLIP)).basis is EstimateBasis.CATALOGUE
    await add(runtime, 12)
    assert (await estimate(runtime, CLIP)).confidence is Confidence.LOW
    await add(runtime, *[11] * 27)
    assert (await estimate(runtime, CLIP)).confidence is Confidence.HIGH


async def test_what_varies_much_is_less_sure(runtime: Runtime) -> None:
    await add(runtime, *[10] * 26, *[100] * 4)
    found = await estimate(runtime, CLIP)
    assert (found.p50_seconds, found.p90_seconds) == (10, 100)
    assert found.confidence is Confidence.MEDIUM


async def test_other_settings_count_in_proportion(runtime: Runtime) -> None:
    # Twice as long as the catalogue had expected of clips of ten seconds.
    await add(runtime, *[220] * 12, duration=10, estimated_seconds=110.0)
    found = await estimate(runtime, CLIP)
    assert found.basis is EstimateBasis.SIMILAR_HISTORY
    assert found.seconds == 2 * CATALOGUE
    assert found.confidence is Confidence.LOW

    await add(runtime, 20, 20, 20)
    assert (await estimate(runtime, CLIP)).seconds == 20


async def test_only_what_was_delivered_by_this_model_counts(runtime: Runtime) -> None:
    await add(runtime, *[5] * 5, state=GenerationState.FAILED)
    await add(runtime, *[5] * 5, model="gen4_turbo")
    await add(runtime, *[5] * 5, operation=Operation.IMAGE_TO_VIDEO)
    await add(runtime, *[5] * 5, started_at=None)
    assert (await estimate(runtime, CLIP)).basis is EstimateBasis.CATALOGUE


async def test_a_named_provider_counts_alone(runtime: Runtime) -> None:
    await add(runtime, *[10] * 5)
    await add(runtime, *[90] * 5, provider="elsewhere")
    named = GenerationRequest(
        model="gen4.5", provider="elsewhere", parameters=Parameters(duration=5)
    )
    assert (await estimate(runtime, named)).seconds == 90


async def test_only_the_latest_are_looked_at(runtime: Runtime) -> None:
    await add(runtime, *[500] * 50)
    await add(runtime, *[10] * SAMPLE)
    found = await estimate(runtime, CLIP)
    assert (found.sample_size, found.p90_seconds) == (SAMPLE, 10)


@pytest.mark.parametrize(
    ("request_", "code"),
    [
        (GenerationRequest(model="nothing-like-it"), "model_not_found"),
        (GenerationRequest(model=""), "model_required"),
        (
            GenerationRequest(model="gen4.5", operation=Operation.TEXT_TO_SPEECH),
            "unsupported_generation_type",
        ),
        (
            GenerationRequest(model="gen4.5", parameters=Parameters(duration=99)),
            "invalid_duration",
        ),
    ],
)
async def test_what_cannot_be_asked_for_has_no_estimate(
    runtime: Runtime, request_: GenerationRequest, code: str
) -> None:
    with pytest.raises(MediawrightError) as caught:
        await estimate(runtime, request_)
    assert caught.value.code == code
    assert isinstance(caught.value, NotFoundError | InvalidRequestError)
