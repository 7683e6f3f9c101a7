"""Models as every surface shows them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mediawright.app.directory import LOCAL
from mediawright.catalog.public import public_model
from mediawright.catalog.schema import parameter_schema

if TYPE_CHECKING:
    from mediawright.app.runtime import Runtime
    from mediawright.catalog.model import Model
    from mediawright.core.operations import MediaKind, Operation


def list_models(
    runtime: Runtime,
    *,
    kind: MediaKind | None = None,
    operation: Operation | None = None,
    provider: str | None = None,
    live: bool | None = None,
) -> list[dict[str, Any]]:
    """Return the models that fit, in the shape of `get_models` (rule 47)."""
    resolved = None if provider is None else runtime.providers.canonical(provider)
    if resolved is not None and resolved not in runtime.catalogue.providers:
        resolved = runtime.providers.resolve(resolved)
    found = runtime.catalogue.models(
        kind=kind,
        operation=operation,
        provider=resolved,
        live=live,
        now=runtime.clock.now(),
        adapters=runtime.preflight_settings.adapters,
    )
    return [_shown(runtime, model) for model in found]


def describe_model(runtime: Runtime, model_id: str) -> dict[str, Any]:
    """Return one model with the JSON Schema of its parameters.

    Raises:
        NotFoundError: `model_not_found`.
        InvalidRequestError: `variant_required` for a family label (rule 30).
    """
    model = runtime.catalogue.get(model_id)
    shown = _shown(runtime, model)
    shown["parameter_schema"] = parameter_schema(model)
    local = next((route for route in model.routes if route.provider == LOCAL), None)
    if local is not None:
        shown["engine"] = runtime.local.facts(local.upstream_id)
    return shown


def _shown(runtime: Runtime, model: Model) -> dict[str, Any]:
    settings = runtime.preflight_settings
    shown = public_model(
        model, now=runtime.clock.now(), prices=settings.prices, adapters=settings.adapters
    )
    shown["ready"] = any(runtime.providers.is_ready(route.provider) for route in model.routes)
    return shown
