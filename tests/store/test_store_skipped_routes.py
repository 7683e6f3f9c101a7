"""Routes that were passed over are kept once each, with the latest reason."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from mediawright.core.generation import Generation, SkippedRoute
from mediawright.store import generations, skipped_routes
from mediawright.store.database import Database


def passed(provider: str, reason: str = "circuit_open") -> SkippedRoute:
    return SkippedRoute(
        provider=provider, upstream_id="model", reason=reason, message=f"{provider} is not used"
    )


def test_they_are_added_to_those_of_the_start(
    database: Database, now: datetime, add_generation: Callable[..., Generation]
) -> None:
    started = add_generation(skipped_routes=(passed("openai", "missing_api_key"),))
    other = add_generation()
    later = now + timedelta(seconds=5)

    def append(*items: SkippedRoute) -> Generation:
        database.write_now(lambda c: skipped_routes.append(c, started.id, items, now=later))
        found = database.read_now(lambda c: generations.get(c, None, started.id))
        assert found is not None
        return found

    first = append(passed("fal"), passed("runway"))
    assert [item.provider for item in first.skipped_routes] == ["openai", "fal", "runway"]
    assert first.updated_at == later
    again = append(passed("fal", "provider_disabled"))
    assert [(item.provider, item.reason) for item in again.skipped_routes] == [
        ("openai", "missing_api_key"),
        ("fal", "provider_disabled"),
        ("runway", "circuit_open"),
    ]
    untouched = database.read_now(lambda c: generations.get(c, None, other.id))
    assert untouched is not None
    assert untouched.skipped_routes == ()
