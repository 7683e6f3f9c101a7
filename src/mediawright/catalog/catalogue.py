"""The loaded catalogue: finding models by id, alias, family and filter."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime
from typing import Any

from mediawright.catalog.findings import error_from
from mediawright.catalog.model import Family, Model
from mediawright.catalog.open_models import open_model
from mediawright.core.errors import Problem
from mediawright.core.operations import MediaKind, Operation


class Catalogue:
    """Every model that can be named."""

    def __init__(
        self,
        models: Iterable[Model],
        families: Iterable[Family] = (),
        patterns: Iterable[Model] = (),
    ) -> None:
        """Index models, family labels and the patterns of open ids.

        Args:
            models: With an id of their own.
            families: Labels that are no models.
            patterns: One for each provider whose models may be named by its own ids.
        """
        self._models = {model.id: model for model in models}
        self._families = {family.label: family for family in families}
        self._aliases = {alias: model for model in self for alias in model.aliases}
        self._presets = {name: model for model in self for name in model.presets}
        self._patterns = {pattern.id: pattern for pattern in patterns}
        routed = [
            (route.provider, route.upstream_id, model.id)
            for model in self
            for route in model.routes
        ]
        self._providers = frozenset({provider for provider, _, _ in routed} | set(self._patterns))
        self._served: dict[tuple[str, str], list[str]] = {}
        for provider, upstream_id, model_id in routed:
            named = self._served.setdefault((provider, upstream_id), [])
            if model_id not in named:
                named.append(model_id)

    def __iter__(self) -> Iterator[Model]:
        """Go through the models in the order of the data."""
        return iter(self._models.values())

    def __len__(self) -> int:
        return len(self._models)

    def __contains__(self, model_id: object) -> bool:
        if model_id in self._models:
            return True
        return isinstance(model_id, str) and open_model(self._patterns, model_id) is not None

    @property
    def families(self) -> tuple[Family, ...]:
        """The family labels."""
        return tuple(self._families.values())

    @property
    def patterns(self) -> tuple[Model, ...]:
        """What stands for the models that are named by a provider's own ids."""
        return tuple(self._patterns.values())

    def rows_of(self, model: Model) -> tuple[str, ...]:
        """Return the ids of the rows for a model that was named by a provider's own id."""
        if model.id in self._models:
            return ()
        route = model.routes[0]
        return tuple(self._served.get((route.provider, route.upstream_id), ()))

    @property
    def providers(self) -> frozenset[str]:
        """Every provider that some route names."""
        return self._providers

    def get(self, model_id: str) -> Model:
        """Return a model by its id or by another name for it.

        Raises:
            InvalidRequestError: `model_required`, or `variant_required` for a family label
                (rule 30).
            NotFoundError: `model_not_found`.
        """
        found, problem = self.find(model_id)
        if found is None:
            assert problem is not None  # noqa: S101 - find gives one or the other
            raise error_from([problem])
        return found[0]

    def find(self, model_id: object) -> tuple[tuple[Model, dict[str, Any]] | None, Problem | None]:
        """Return the model and the parameters its name sets, or why there is none.

        The family label is looked for first (rule 30).
        """
        if not isinstance(model_id, str) or not model_id.strip():
            return None, Problem(
                code="model_required",
                message="No model was named.",
                pointer="/model",
                hint="Name a model; `mediawright models list` shows them.",
            )
        family = self._families.get(model_id)
        if family is not None:
            return None, _variant_required(family)
        model = self._models.get(model_id) or self._aliases.get(model_id)
        if model is not None:
            return (model, {}), None
        preset = self._presets.get(model_id)
        if preset is not None:
            return (preset, preset.presets[model_id]), None
        opened = open_model(self._patterns, model_id)
        if opened is not None:
            return (opened, {}), None
        return None, self._not_found(model_id)

    def models(
        self,
        *,
        kind: MediaKind | None = None,
        operation: Operation | None = None,
        provider: str | None = None,
        live: bool | None = None,
        now: datetime | None = None,
        adapters: frozenset[str] | None = None,
    ) -> tuple[Model, ...]:
        """Return the models that fit, in the order of the data.

        Args:
            kind: What they make (speech, music and transcripts are `audio`).
            operation: What they must be able to do.
            provider: A provider that must be among their routes.
            live: `True` for those that can be called, `False` for the others.
            now: The time to judge that by; the system's own where not given.
            adapters: The providers that there is an adapter for; `None` counts all.
        """
        today = (now or datetime.now(UTC)).date()
        return tuple(
            model
            for model in self
            if (kind is None or model.kind is kind)
            and (operation is None or operation in model.operations)
            and (provider is None or any(route.provider == provider for route in model.routes))
            and (live is None or is_live(model, today, adapters) is live)
        )

    def _not_found(self, model_id: str) -> Problem:
        known = [*self._models, *self._families, *self._aliases, *self._presets]
        lowered = {name.lower(): name for name in known}
        provider = model_id.partition(":")[0]
        if ":" in model_id and provider in self._patterns:
            return Problem(
                code="model_not_found",
                message=f"{model_id[:120]!a} holds no id that {provider} could have.",
                pointer="/model",
                hint=f"Write {provider}:OWNER/MODEL, as the provider writes it.",
                details={"close_matches": []},
            )
        matches = difflib.get_close_matches(model_id[:120].lower(), lowered, n=3, cutoff=0.6)
        close = [lowered[match] for match in matches]
        hint = (
            f"Did you mean {' or '.join(close)}?"
            if close
            else "`mediawright models list` shows the models there are."
        )
        return Problem(
            code="model_not_found",
            message=f"There is no model {model_id[:120]!a}.",
            pointer="/model",
            hint=hint,
            details={"close_matches": close},
        )


def is_live(model: Model, today: date, adapters: frozenset[str] | None = None) -> bool:
    """Tell whether some route of the model can be called on that day."""
    return bool(model.callable_routes(today, adapters))


def _variant_required(family: Family) -> Problem:
    variants = list(family.variants)
    return Problem(
        code="variant_required",
        message=f"{family.label} is a family; name one of its variants.",
        pointer="/model",
        hint=family.hint,
        details={
            "family": family.label,
            "available_variants": variants,
            "hint": family.hint,
        },
    )
