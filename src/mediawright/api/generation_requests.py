"""A request body as the draft that the use-case takes."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import msgspec

from mediawright.app.complaints import Complaints
from mediawright.app.intake import Draft, InputSource, parse_source
from mediawright.app.parameters import parameters_from, parse_fallback
from mediawright.catalog.elements import with_sources
from mediawright.catalog.values import parse_generation_type
from mediawright.core.errors import InvalidRequestError
from mediawright.core.operations import Operation
from mediawright.core.request import Parameters

if TYPE_CHECKING:
    from mediawright.api.request_bodies import QuoteBody

OwnAsset = Callable[[str], str | None]
_OUTSIDE_PARAMETERS = {
    "prompt",
    "model",
    "generation_type",
    "source_media_urls",
    "inputs",
    "provider",
    "fallback",
    "file_path",
    "metadata",
    "quote",
}


def draft_of(body: QuoteBody, own_asset: OwnAsset) -> Draft:
    """Return what a body asks for.

    Args:
        body: The request.
        own_asset: Returns the id of the asset that a URL of this server names.

    Raises:
        InvalidRequestError: `invalid_generation_type`, `invalid_source_media` or `invalid_n`;
            where more is wrong, all of it is among its `problems`.
    """
    complaints = Complaints()
    complaints.read(lambda: _check_count(body), None)
    given = body.model_dump(exclude_none=True, exclude=_OUTSIDE_PARAMETERS)
    draft = Draft(
        model=body.model,
        operation=complaints.read(lambda: _operation(body.generation_type), None),
        prompt=body.prompt,
        inputs=complaints.read(lambda: _inputs(body, own_asset), ()),
        parameters=_own_elements(
            complaints.read(lambda: parameters_from(given), Parameters()), own_asset
        ),
        provider=body.provider,
        fallback=parse_fallback(body.fallback),
        output_path=body.file_path,
        metadata=body.metadata or {},
    )
    complaints.settle()
    return draft


def _own_elements(parameters: Parameters, own_asset: OwnAsset) -> Parameters:
    """Name files of elements that this server handed out by their asset ids."""
    elements = parameters.kling_elements
    if not elements:
        return parameters
    named = with_sources(elements, lambda source: own_asset(source) or source)
    return msgspec.structs.replace(parameters, kling_elements=named)


def _check_count(body: QuoteBody) -> None:
    if body.n is not None and body.count not in (None, body.n):
        raise InvalidRequestError(
            "invalid_n", "`n` and `count` mean the same and differ.", pointer="/n"
        )


def _operation(name: str | None) -> Operation | None:
    return None if name is None else parse_generation_type(name, pointer="/generation_type")


def _inputs(body: QuoteBody, own_asset: OwnAsset) -> tuple[InputSource, ...]:
    """Return the inputs; a server reads no paths of its own machine for a caller (rule 5)."""
    given = [parse_source(item) for item in body.source_media_urls or ()]
    given += [
        InputSource(role=item.role, url=item.url, asset_id=item.asset_id)
        for item in body.inputs or ()
    ]
    complaints = Complaints()
    sources: list[InputSource] = []
    for index, source in enumerate(given):
        if source.path is not None or (source.url is None) == (source.asset_id is None):
            complaints.add(_neither_url_nor_asset(index))
        own = None if source.url is None else own_asset(source.url)
        sources.append(source if own is None else InputSource(role=source.role, asset_id=own))
    complaints.settle()
    return tuple(sources)


def _neither_url_nor_asset(index: int) -> InvalidRequestError:
    return InvalidRequestError(
        "invalid_source_media",
        "An input is either a URL or the id of an asset.",
        pointer=f"/inputs/{index}",
        hint="Give files on the internet by URL, and others by the id of an asset.",
    )
