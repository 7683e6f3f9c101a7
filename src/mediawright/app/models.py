"""Models as every surface shows them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mediawright.app.directory import LOCAL
from mediawright.app.views import price_view
from mediawright.catalog.public import public_model, usual_price
from mediawright.catalog.schema import parameter_schema

if TYPE_CHECKING:
    from decimal import Decimal

    from mediawright.app.runtime import Runtime
    from mediawright.catalog.model import Model
    from mediawright.catalog.preflight import PreflightSettings
    from mediawright.core.operations import MediaKind, Operation


async def list_models(
    runtime: Runtime,
    workspace_id: str,
    *,
    kind: MediaKind | None = None,
    operation: Operation | None = None,
    provider: str | None = None,
    live: bool | None = None,
    max_credits: Decimal | None = None,
    words: str | None = None,
) -> list[dict[str, Any]]:
    """Return the models that fit, in the shape of `get_models` (rule 47).

    Args:
        runtime: The installation.
        workspace_id: Whose prices are shown.
        kind: What they make.
        operation: What they must be able to do.
        provider: Who must serve them.
        live: `True` for those that can be called, `False` for the others.
        max_credits: What their usual price may be at the most; those whose price nobody knows
            are left out.
        words: Words that must all occur in a model's names, description or operations.

    Raises:
        InvalidRequestError: `unknown_provider`.
    """
    settings = await runtime.markups.settings_for(workspace_id)
    resolved = None if provider is None else runtime.providers.canonical(provider)
    if resolved is not None and resolved not in runtime.catalogue.providers:
        resolved = runtime.providers.resolve(resolved)
    found = runtime.catalogue.models(
        kind=kind,
        operation=operation,
        provider=resolved,
        live=live,
        now=runtime.clock.now(),
        adapters=settings.adapters,
    )
    wanted = (words or "").lower().split()
    shown = [_shown(runtime, model, settings) for model in found if _is_meant(model, wanted)]
    if max_credits is None:
        return shown
    return [model for model in shown if _costs_at_most(model, max_credits)]


async def describe_model(runtime: Runtime, workspace_id: str, model_id: str) -> dict[str, Any]:
    """Return one model with the JSON Schema of its parameters.

    Args:
        runtime: The installation.
        workspace_id: Whose prices are shown.
        model_id: The model's id, or another name for it.

    Raises:
        NotFoundError: `model_not_found`.
        InvalidRequestError: `variant_required` for a family label (rule 30).
    """
    settings = await runtime.markups.settings_for(workspace_id)
    model = runtime.catalogue.get(model_id)
    shown = _shown(runtime, model, settings)
    shown["parameter_schema"] = parameter_schema(model)
    local = next((route for route in model.routes if route.provider == LOCAL), None)
    if local is not None:
        shown["engine"] = runtime.local.facts(local.upstream_id)
    return shown


def list_families(runtime: Runtime) -> list[dict[str, Any]]:
    """Return the labels that stand for several models and cannot be called (rule 30)."""
    return [
        {"label": family.label, "variants": list(family.variants), "hint": family.hint}
        for family in runtime.catalogue.families
    ]


def _shown(runtime: Runtime, model: Model, settings: PreflightSettings) -> dict[str, Any]:
    now = runtime.clock.now()
    shown = public_model(model, now=now, prices=settings.prices, adapters=settings.adapters)
    usable = model.callable_routes(now.date(), settings.adapters)
    shown["usual_price"] = price_view(usual_price(model, settings.prices, usable))
    shown["ready"] = any(runtime.providers.is_ready(route.provider) for route in model.routes)
    return shown


def _is_meant(model: Model, words: list[str]) -> bool:
    if not words:
        return True
    said = " ".join(
        (
            model.id,
            model.title,
            model.summary,
            model.family or "",
            *model.aliases,
            *model.presets,
            *(operation.value for operation in model.operations),
        )
    ).lower()
    return all(word in said for word in words)


def _costs_at_most(shown: dict[str, Any], max_credits: Decimal) -> bool:
    amount = shown["usual_price"]["credits"]
    return amount is not None and amount <= max_credits
