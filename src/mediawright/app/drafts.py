"""What a program asks for, as the draft that the use-cases take."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mediawright.app.complaints import Complaints
from mediawright.app.intake import Draft, InputSource, parse_source
from mediawright.app.parameters import parameters_from, parse_fallback
from mediawright.catalog.values import parse_generation_type
from mediawright.core.request import FallbackPolicy, Parameters

if TYPE_CHECKING:
    from mediawright.core.operations import InputRole, Operation

Source = str | Path | bytes
"""An input: a path, a URL, the id of an asset, or bytes."""


def draft_from(
    *,
    model: str,
    prompt: str | None = None,
    operation: Operation | str | None = None,
    inputs: Sequence[Source | InputSource] = (),
    provider: str | None = None,
    fallback: FallbackPolicy | str | None = None,
    output_path: str | None = None,
    metadata: Mapping[str, str] | None = None,
    **parameters: Any,
) -> Draft:
    """Return a draft; the arguments are those of `AsyncMediawright.generate`.

    Raises:
        InvalidRequestError: Something has no meaning; all of it is among its `problems`.
    """
    complaints = Complaints()
    draft = Draft(
        model=model,
        operation=complaints.read(
            lambda: None if operation is None else parse_generation_type(operation), None
        ),
        prompt=prompt,
        inputs=tuple(source_of(item) for item in inputs),
        parameters=complaints.read(lambda: parameters_from(parameters), Parameters()),
        provider=provider,
        fallback=complaints.read(lambda: parse_fallback(fallback), FallbackPolicy.ON_OUTAGE),
        output_path=output_path,
        metadata=dict(metadata or {}),
    )
    complaints.settle()
    return draft


def source_of(item: Source | InputSource, role: InputRole | None = None) -> InputSource:
    """Return an input as the use-cases take it."""
    if isinstance(item, InputSource):
        return item
    if isinstance(item, bytes):
        return InputSource(role=role, data=item)
    if isinstance(item, Path):
        return InputSource(role=role, path=item, name=item.name)
    return parse_source(item, role)
