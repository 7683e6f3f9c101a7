"""Assets: facts, and the bytes in whole or in part."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Header, Query, Request, Response
from fastapi.responses import StreamingResponse

from mediawright.api.context import CallerOf, RuntimeOf
from mediawright.api.locations import asset_urls
from mediawright.api.replies import json_reply
from mediawright.api.schemas import AssetBody, ErrorBody
from mediawright.app.library import find_asset
from mediawright.app.runtime import Runtime
from mediawright.app.views import asset_key, asset_view
from mediawright.core.errors import NotFoundError
from mediawright.core.generation import Asset

router = APIRouter(prefix="/v1", tags=["assets"])
_ERRORS: dict[int | str, dict[str, Any]] = {status: {"model": ErrorBody} for status in (401, 404)}
_RANGE = re.compile(r"bytes=(\d*)-(\d*)$")
Variant = Literal["content", "thumbnail", "optimized"]


@router.get(
    "/assets/{asset_id}",
    operation_id="get_asset",
    summary="Show an asset",
    response_model=AssetBody,
    responses=_ERRORS,
)
async def show(asset_id: str, request: Request, runtime: RuntimeOf, caller: CallerOf) -> Response:
    """Return what was found in the file's bytes, and where they are."""
    asset = await find_asset(runtime, caller.workspace_id, asset_id)
    return json_reply(asset_view(asset, asset_urls(request)))


@router.get(
    "/assets/{asset_id}/content",
    operation_id="get_asset_content",
    summary="Get the file",
    response_class=Response,
    responses={
        200: {"content": {"application/octet-stream": {}}, "description": "The whole file."},
        206: {"content": {"application/octet-stream": {}}, "description": "The part asked for."},
        304: {"description": "The file is as the caller has it."},
        416: {"description": "There is no such part."},
        **_ERRORS,
    },
)
async def content(
    asset_id: str,
    runtime: RuntimeOf,
    caller: CallerOf,
    variant: Annotated[Variant, Query()] = "content",
    range_header: Annotated[str | None, Header(alias="Range")] = None,
    if_none_match: Annotated[str | None, Header()] = None,
) -> Response:
    """Return the file or one of its renditions, or the range of it that is asked for."""
    return await _content(
        runtime,
        await find_asset(runtime, caller.workspace_id, asset_id),
        variant,
        range_header,
        if_none_match,
    )


@router.head("/assets/{asset_id}/content", include_in_schema=False)
async def content_headers(
    asset_id: str,
    runtime: RuntimeOf,
    caller: CallerOf,
    variant: Annotated[Variant, Query()] = "content",
) -> Response:
    """Return the headers of the file."""
    asset = await find_asset(runtime, caller.workspace_id, asset_id)
    key = _key(asset, variant)
    size = await runtime.library.size_of(key)
    return Response(headers={**_headers(asset, variant, key), "Content-Length": str(size)})


async def _content(
    runtime: Runtime,
    asset: Asset,
    variant: Variant,
    range_header: str | None,
    if_none_match: str | None,
) -> Response:
    key = _key(asset, variant)
    headers = _headers(asset, variant, key)
    if if_none_match == headers["ETag"]:
        return Response(status_code=304, headers={"ETag": headers["ETag"]})
    size = await runtime.library.size_of(key)
    wanted = _range(range_header, size)
    if wanted is None:
        return Response(status_code=416, headers={"Content-Range": f"bytes */{size}"})
    start, end = wanted
    partial = (start, end) != (0, size)
    if partial:
        headers["Content-Range"] = f"bytes {start}-{end - 1}/{size}"
    headers["Content-Length"] = str(end - start)
    stream: AsyncIterator[bytes] = runtime.library.stream(key, start, end)
    return StreamingResponse(stream, status_code=206 if partial else 200, headers=headers)


def _key(asset: Asset, variant: Variant) -> str:
    key = asset_key(asset, variant)
    if key is None:
        raise NotFoundError(
            "rendition_not_found", f"The asset {asset.id} has no {variant} rendition."
        )
    return key


def _headers(asset: Asset, variant: Variant, key: str) -> dict[str, str]:
    name = key.rpartition("/")[2]
    kind = asset.facts.content_type if variant == "content" else _rendition_type(name)
    return {
        "Content-Type": kind,
        "Accept-Ranges": "bytes",
        "ETag": f'"{asset.sha256}-{variant}"',
        "Cache-Control": "private, max-age=31536000, immutable",
        "Content-Disposition": f'inline; filename="{name}"',
        # A file is shown as what it is and never runs as a page of this server.
        "X-Content-Type-Options": "nosniff",
        "Content-Security-Policy": "default-src 'none'; sandbox",
    }


def _rendition_type(name: str) -> str:
    extension = name.rpartition(".")[2]
    return {"webp": "image/webp", "mp4": "video/mp4", "jpg": "image/jpeg"}.get(
        extension, "application/octet-stream"
    )


def _range(header: str | None, size: int) -> tuple[int, int] | None:
    """Return start and end of the one range asked for; `None` if there is no such part.

    A header that is no single byte range is ignored, as RFC 9110 allows.
    """
    match = _RANGE.match((header or "").strip())
    if match is None or match.groups() == ("", ""):
        return 0, size
    first, last = match.groups()
    if not first:
        length = int(last)
        return (max(0, size - length), size) if length and size else None
    start = int(first)
    end = min(int(last) + 1, size) if last else size
    return (start, end) if start < end else None
