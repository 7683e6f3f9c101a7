"""Providers as every surface shows them: what is set up, and how they fare."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import msgspec

from mediawright.core.errors import NotFoundError
from mediawright.core.states import GenerationState
from mediawright.jobs import circuit
from mediawright.jobs.health import ACCOUNT_MARK
from mediawright.store import gauges
from mediawright.store.kinds import HealthState
from mediawright.store.provider_health import Health

if TYPE_CHECKING:
    from datetime import datetime

    from mediawright.app.directory import ProviderFacts
    from mediawright.app.runtime import Runtime

_HIDDEN = (ACCOUNT_MARK, "call")
_AT_PROVIDER = (GenerationState.SUBMITTING, GenerationState.RUNNING)


class ProviderView(msgspec.Struct, frozen=True, kw_only=True):
    """A provider with all there is to know about it."""

    facts: ProviderFacts
    health: Health
    models: int
    """How many models of the catalogue it serves."""
    queued: int
    """Generations of all workspaces that wait for a place at it."""
    running: int
    """Generations of all workspaces that are at it."""


async def list_providers(runtime: Runtime) -> list[ProviderView]:
    """Return every provider, the embedded engines first."""
    standings = await runtime.circuits.standings()
    unfinished = await runtime.database.read(gauges.unfinished)
    counts: Counter[tuple[str, bool]] = Counter()
    for item in unfinished:
        if item.state in (*_AT_PROVIDER, GenerationState.QUEUED):
            counts[item.provider, item.state is GenerationState.QUEUED] += item.count
    served = Counter(
        name
        for model in runtime.catalogue
        for name in {route.provider for route in model.live_routes(runtime.clock.now().date())}
    )
    return [
        ProviderView(
            facts=facts,
            health=standings.get(facts.name) or Health(provider=facts.name),
            models=served[facts.name],
            queued=counts[facts.name, True],
            running=counts[facts.name, False],
        )
        for facts in runtime.providers.facts()
    ]


async def get_provider(runtime: Runtime, name: str) -> ProviderView:
    """Return one provider, by our name for it or another known one.

    Raises:
        NotFoundError: `provider_not_found`.
    """
    known = _known_name(runtime, name)
    return next(view for view in await list_providers(runtime) if view.facts.name == known)


async def reset_provider(runtime: Runtime, name: str) -> ProviderView:
    """Have a provider used again at once, whatever went wrong with it before.

    Raises:
        NotFoundError: `provider_not_found`.
    """
    await runtime.circuits.reset(_known_name(runtime, name))
    return await get_provider(runtime, name)


def provider_view(view: ProviderView, *, in_full: bool, now: datetime) -> dict[str, Any]:
    """Return the public form of a provider.

    Args:
        view: The provider.
        in_full: Whether to tell what it said, which may be about the operator's account.
        now: The time.
    """
    facts, health = view.facts, view.health
    return {
        "name": facts.name,
        "title": facts.title,
        "ready": facts.ready,
        "enabled": facts.enabled,
        "sandboxed": facts.sandboxed,
        "missing_variable": None if facts.ready or not facts.enabled else facts.variable,
        "features": sorted(feature.value for feature in facts.features),
        "models": view.models,
        "queued": view.queued,
        "running": view.running,
        "circuit": {
            "state": health.state.value,
            "failures": health.failures,
            "since": _moment(health.opened_at),
            "retry_at": _moment(health.retry_at),
            "retry_after": None
            if health.state is HealthState.CLOSED
            else circuit.retry_after(health, now),
        },
        "last_success_at": _moment(health.last_success_at),
        "last_failure_at": _moment(health.last_failure_at),
        "last_error": _error(health, in_full=in_full),
    }


def circuit_words(view: ProviderView, now: datetime) -> str:
    """Return in a few words whether a provider is left alone, and until when."""
    health = view.health
    if health.state is HealthState.CLOSED:
        return "working" if health.failures == 0 else f"failed {health.failures} times in a row"
    error = "" if health.last_error is None else f" ({health.last_error.code})"
    if health.state is HealthState.HALF_OPEN:
        return f"failed{error}; being tried again"
    if circuit.is_due(health, now):
        return f"failed{error}; tried again at the next request"
    return f"failed{error}; left alone for {round(circuit.retry_after(health, now))} s"


def _known_name(runtime: Runtime, name: str) -> str:
    resolved = runtime.providers.canonical(name)
    if resolved not in runtime.providers.names():
        raise NotFoundError(
            "provider_not_found",
            f"There is no provider {name!r}.",
            hint="List them: mediawright providers list",
            details={"allowed": sorted(runtime.providers.names())},
        )
    return resolved


def _error(health: Health, *, in_full: bool) -> dict[str, Any] | None:
    error = health.last_error
    if error is None:
        return None
    shown: dict[str, Any] = {"code": error.code}
    if in_full:
        shown["message"] = error.message
        shown["hint"] = error.hint
        shown["details"] = {
            name: value for name, value in error.details.items() if name not in _HIDDEN
        }
    return shown


def _moment(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()
