"""Models by a provider's own id, `provider:upstream-id`, for which there need be no row."""

from __future__ import annotations

import re
from collections.abc import Mapping

import msgspec

from mediawright.catalog.model import Model, ParameterRule
from mediawright.catalog.parameters import PARAMETERS

LONGEST_ID = 200
"""Characters of such an id, the provider's name included."""

_STEP = r"[A-Za-z0-9][A-Za-z0-9._-]*"
_UPSTREAM_ID = re.compile(rf"{_STEP}(?:/{_STEP})*(?::{_STEP})?")
_VERSION = re.compile(r"[0-9a-f]{32,64}")
_REPLICATE = "replicate"
_SAID_OTHERWISE = frozenset({"size", "edit_mode"})
"""Parameters that no provider has by our name: pixels go as width and height."""


def completed(row: Model) -> Model:
    """Return the pattern for a provider's models, with every parameter let through.

    Args:
        row: From the data: what to take, and the provider's names where they differ from ours.
    """
    (route,) = row.routes
    own_names = {name: name for name in PARAMETERS if name not in _SAID_OTHERWISE}
    route = msgspec.structs.replace(
        route,
        fields={**own_names, **route.fields},
        implied=(*route.implied, "edit_mode"),
        free_settings=True,
    )
    anything = {name: ParameterRule() for name in PARAMETERS}
    return msgspec.structs.replace(row, parameters={**anything, **row.parameters}, routes=(route,))


def open_model(patterns: Mapping[str, Model], model_id: str) -> Model | None:
    """Return the model that an open id stands for, or `None` if it is none.

    Args:
        patterns: By provider.
        model_id: `provider:upstream-id`; for Replicate `owner/model:version` as well (rule 84).
    """
    provider, colon, upstream_id = model_id.partition(":")
    if not colon or len(model_id) > LONGEST_ID:
        return None
    if "/" in provider and _VERSION.fullmatch(upstream_id):
        provider, upstream_id = _REPLICATE, model_id
    pattern = patterns.get(provider)
    if pattern is None or not _UPSTREAM_ID.fullmatch(upstream_id):
        return None
    route = msgspec.structs.replace(pattern.routes[0], upstream_id=upstream_id)
    return msgspec.structs.replace(
        pattern, id=f"{provider}:{upstream_id}", title=upstream_id, routes=(route,)
    )
