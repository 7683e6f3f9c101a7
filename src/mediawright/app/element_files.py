"""Looks at the files that show the elements of a prompt, before money is spent (rule 36)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mediawright.app.intake import InputSource, discard, inspect_inputs
from mediawright.catalog.elements import element_sources, read_elements
from mediawright.catalog.findings import Findings
from mediawright.core.errors import MediawrightError
from mediawright.core.ids import IdPrefix, has_prefix

if TYPE_CHECKING:
    from mediawright.app.intake import Draft
    from mediawright.app.runtime import Runtime
    from mediawright.catalog.model import ParameterRule
    from mediawright.core.media import MediaFacts
    from mediawright.core.operations import InputRole


async def inspect_elements(
    runtime: Runtime, workspace_id: str, draft: Draft
) -> dict[str, MediaFacts]:
    """Return what is known about the files of a draft's elements, by URL or asset id.

    Elements that are refused anyway, because of their shape or because the model takes none,
    are not looked at. Nothing that was fetched stays.

    Raises:
        InvalidRequestError: A file is missing, empty, no media file, or too large.
        ForbiddenError: Its URL may not be fetched.
        NotFoundError: There is no such asset.
    """
    elements = draft.parameters.kling_elements
    rule = _rule_of(runtime, draft) if elements else None
    if not elements or rule is None or not read_elements(elements, rule, Findings()):
        return {}
    facts: dict[str, MediaFacts] = {}
    for source, place, role in element_sources(elements, rule):
        if source not in facts:
            found = await _facts_of(runtime, workspace_id, source, place, role)
            if found is not None:
                facts[source] = found
    return facts


def _rule_of(runtime: Runtime, draft: Draft) -> ParameterRule | None:
    found, _ = runtime.catalogue.find(draft.model)
    if found is None:
        return None
    model = found[0]
    rules = (model.parameter("kling_elements", operation) for operation in model.operations)
    return next((rule for rule in rules if rule is not None), None)


async def _facts_of(
    runtime: Runtime, workspace_id: str, source: str, place: str, role: InputRole
) -> MediaFacts | None:
    ours = has_prefix(source, IdPrefix.ASSET)
    named = InputSource(role=role, asset_id=source if ours else None, url=None if ours else source)
    try:
        inspected = await inspect_inputs(runtime, workspace_id, (named,))
    except MediawrightError as error:
        error.pointer = place
        raise
    await discard(inspected)
    return inspected[0].facts
