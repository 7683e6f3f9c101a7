"""Loads the files a request refers to, so that an adapter can send them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mediawright.core.errors import NotFoundError
from mediawright.core.provider import LoadedInput, MediaCall
from mediawright.jobs.records import hook_url_of
from mediawright.store import assets

if TYPE_CHECKING:
    from mediawright.core.generation import Attempt, Generation, RoutePlan
    from mediawright.core.request import MediaInput
    from mediawright.jobs.context import JobContext


async def media_call(
    context: JobContext, generation: Generation, attempt: Attempt, route: RoutePlan
) -> MediaCall:
    """Return the complete submit of an attempt, with the bytes of its inputs."""
    request = generation.request
    inputs = [await _load(context, generation, item) for item in request.inputs]
    return MediaCall(
        generation_id=generation.id,
        client_reference=attempt.client_reference,
        operation=generation.operation,
        upstream_id=route.upstream_id,
        prompt=request.prompt,
        parameters=request.parameters,
        fields=route.fields,
        inputs=tuple(inputs),
        hook_url=hook_url_of(context, attempt),
        permit=context.lease.require,
    )


async def _load(context: JobContext, generation: Generation, item: MediaInput) -> LoadedInput:
    asset_id = item.asset_id
    asset = None
    if asset_id is not None:
        asset = await context.database.read(
            lambda connection: assets.get(connection, generation.workspace_id, asset_id)
        )
    if asset is None:
        raise NotFoundError(
            "asset_not_found", f"The input file {asset_id or item.name} no longer exists."
        )
    return LoadedInput(
        role=item.role,
        kind=asset.facts.kind,
        content_type=asset.facts.content_type,
        name=asset.key.rpartition("/")[2],
        data=await context.library.read(asset),
        url=item.url,
    )
